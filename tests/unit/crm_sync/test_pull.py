"""Reading lists out of a CRM: each record once, whatever happens on the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.mapping import mapping_of
from crm_sync.port import Deal, PulledRecord, PullPage
from crm_sync.pull import text_of, words_of
from crm_sync.tab import noted
from cti.errors import Conflict, CtiError
from cti.model.crm import Rate, RecordRef
from cti.model.crm_pulls import PullAnswer, PullStep
from tests.builders import NOW, later
from tests.fakes.strict_crm import StrictClient
from tests.unit.crm_sync.pull_house import RULES, WORDS, House, a_lead


async def test_all_that_is_there_is_read_and_then_only_what_changed() -> None:
    house = await House(records=[a_lead(n) for n in range(1, 251)]).open()

    await house.reader.drain()
    assert len(await house.contacts()) == 250
    pages = house.crm.requests

    house.crm.touch(a_lead(7, name="Seven", changed_at=later(9)))
    await house.after(60)
    assert house.reader.records == 251
    assert house.crm.requests == pages + 1
    assert [one.name for one in (await house.contacts())[5:8]] == ["Lead 6", "Seven", "Lead 8"]


async def test_an_order_says_to_wait_until_the_next_page_is_due() -> None:
    house = await House(records=[a_lead()]).open()
    await house.reader.drain()

    order = await house.intake.order("odoo-leads", rate=Rate())
    assert (order.step, order.wait_seconds) == (PullStep.NOTHING, 2.0)
    house.clock.advance(59.5)
    assert (await house.intake.order("odoo-leads", rate=Rate())).wait_seconds == pytest.approx(0.5)
    await house.intake.ask("odoo-leads")
    assert (await house.intake.order("odoo-leads", rate=Rate())).step is PullStep.PAGE


async def test_requests_that_an_answer_took_beyond_the_first_are_paid_with_the_next_order() -> None:
    """Some CRMs are read a record a request."""
    house = await House(records=[a_lead()]).open()
    client = StrictClient(house.crm)
    pull = client.pull

    async def in_three(source: str, **more: Any) -> PullPage:
        for _ in range(2):
            noted()
        return await pull(source, **more)

    client.pull = in_three  # type: ignore[method-assign,assignment]
    house.reader = house.a_reader(client)

    await house.reader.drain()

    assert (await house.store.crm.standing("odoo")).spent == 3


async def test_a_crm_that_is_away_pauses_the_target_and_nothing_is_lost() -> None:
    house = await House(records=[a_lead()]).open()
    house.crm.away = True

    await house.reader.drain()

    standing = await house.store.crm.standing("odoo")
    assert standing.state == "paused"
    assert (await house.store.pulls.standing("odoo-leads")).error == "away: nobody listens"
    house.crm.away = False
    await house.after(90)
    assert len(await house.contacts()) == 1
    assert (await house.store.pulls.standing("odoo-leads")).error == ""


async def test_a_source_that_is_wrong_is_told_and_stops_no_calls() -> None:
    house = await House(records=[a_lead()], pulls=(replace(RULES, source="nowhere"),)).open()
    house.reader._source = "nowhere"

    await house.reader.drain()

    assert "no source 'nowhere'" in (await house.store.pulls.standing("odoo-leads")).error
    assert (await house.store.crm.standing("odoo")).state == "ok"


async def test_an_adapter_that_fails_is_a_failure_that_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = await House(records=[a_lead()]).open()

    async def breaks(*_: Any, **__: Any) -> None:
        raise KeyError("name")

    with monkeypatch.context() as patch:
        patch.setattr(StrictClient, "pull", breaks)
        await house.reader.drain()
    assert "KeyError" in (await house.store.pulls.standing("odoo-leads")).error

    await house.after(90)
    assert len(await house.contacts()) == 1


async def test_two_readers_of_one_pull_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await House(records=[a_lead(n) for n in range(1, 301)]).open()
    other = house.a_reader()
    for _ in range(4):
        await house.reader.step()
        await other.step()

    stale = PullAnswer(step=PullStep.PAGE, before="100", cursor="200")
    with pytest.raises(Conflict):
        await house.intake.take("odoo-leads", stale)

    async def moved_on(*_: Any) -> None:
        raise Conflict("moved on")

    monkeypatch.setattr(house.intake, "take", moved_on)
    await house.intake.ask("odoo-leads")
    assert await house.reader.step() == 0.0  # it asks anew
    assert len(await house.contacts()) == 300


async def test_a_service_that_cannot_be_reached_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await House(records=[a_lead()]).open()

    async def away(*_: Any, **__: Any) -> None:
        raise CtiError("the service is not there")

    monkeypatch.setattr(house.intake, "order", away)
    assert await house.reader.step() == 2.0


async def test_who_is_dialed_next_is_read_again_ahead_of_time_and_the_lost_leave() -> None:
    house = await House(records=[a_lead(1), a_lead(2), a_lead(3)]).open()
    await house.reader.drain()
    house.crm.records[0] = a_lead(1, over="lost")  # the CRM forgets to say that it changed
    del house.crm.records[1]

    await house.after(0.85 * 1800)

    reasons = [(await house.store.finding.entries(one.id))[0].reason_detail for one in await house.contacts()]
    assert reasons == ["lost in odoo", "deleted in odoo", None]
    assert await house.store.pulls.stale(RULES, before=house.clock.now(), limit=9) == []


async def test_records_that_were_deleted_are_found_once_a_day() -> None:
    rules = replace(RULES, recheck=None, page=2)
    house = await House(records=[a_lead(n) for n in range(1, 6)], pulls=(rules,)).open()
    await house.reader.drain()
    del house.crm.records[4]

    await house.after(3600)
    assert "left" not in await house.counts()
    await house.after(24 * 3600)

    assert (await house.counts())["left"] == 1
    standing = await house.store.pulls.standing("odoo-leads")
    assert (standing.swept_at, standing.sweep_after) == (house.clock.now(), "")


async def test_a_recheck_does_not_keep_pages_from_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is stale than is read at one time: pages and rechecks take turns."""
    house = await House(records=[a_lead(n) for n in range(1, 301)]).open()
    await house.reader.drain()
    house.clock.advance(1700)
    steps = []
    for _ in range(4):
        await house.reader.step()
        steps.append(house.reader._last)
        await house.intake.ask("odoo-leads")

    assert steps == [PullStep.RECORDS, PullStep.PAGE, PullStep.RECORDS, PullStep.PAGE]


READINGS = st.lists(
    st.tuples(
        st.integers(1, 4),  # which record
        st.integers(0, 5),  # when it changed
    ),
    max_size=12,
)


@given(readings=READINGS, seed=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
async def test_any_order_and_overlap_of_pages_gives_the_same_contacts(
    readings: list[tuple[int, int]], seed: Any
) -> None:
    """No record is lost, none is there twice, and the newest reading of each has the last word."""
    shuffled = list(readings) + readings[: len(readings) // 2]
    seed.shuffle(shuffled)

    found = await contacts_after(shuffled)

    assert found == await contacts_after(sorted(readings, key=lambda one: one[1]))
    newest = {number: max(at for other, at in readings if other == number) for number, _ in readings}
    assert [(one[0], one[1]) for one in found] == [
        (f"odoo/crm.lead:{number}", f"Lead {number} v{at}")
        for number, at in sorted(newest.items())
        if at != 3
    ]


async def contacts_after(readings: list[tuple[int, int]]) -> list[Any]:
    """Return whoever is to be dialed once these readings came, two to a page."""
    house = await House().open()
    for at in range(0, len(readings), 2):
        records = tuple(WORDS.record(version(*one)) for one in readings[at : at + 2])
        standing = await house.store.pulls.standing("odoo-leads")
        answer = PullAnswer(
            step=PullStep.PAGE, records=records, before=standing.cursor, cursor=standing.cursor
        )
        await house.intake.take("odoo-leads", answer)
    found = [
        (
            one.crm_ref,
            one.name,
            one.stage,
            [number.e164 for number in one.numbers],
            dict(one.fields),
        )
        for one in await house.contacts()
        if (await house.store.finding.entries(one.id))[0].state == "pending"
    ]
    return sorted(found)


def version(number: int, at: int) -> PulledRecord:
    """Return a record as it was after its change `at`: everything moves, and it is over for a while."""
    return a_lead(
        number,
        name=f"Lead {number} v{at}",
        numbers=(f"030 9{number}{at % 2}0000", "0171 2345678")[: 1 + at % 2],
        stage=f"s{at}" if at % 3 else None,
        over=None if at != 3 else "lost",
        changed_at=NOW + timedelta(seconds=at),
        fields={"version": at},
    )


def test_a_record_is_told_in_our_words() -> None:
    mapping = mapping_of(
        {
            "users": {"map": {"anna": "17"}},
            "pull": {"fields": {"city": "x_city", "tags": "tag_names"}, "stages": {"Neu": "new"}},
        },
        target="odoo",
        where="odoo.toml",
    )
    record = a_lead(
        owner="17",
        stage="Neu",
        customer=RecordRef("res.partner", "4"),
        deal=Deal(ref=RecordRef("crm.lead", "1"), name="Roof", amount=5.0, currency="EUR"),
        fields={"x_city": "Köln", "tag_names": ["vip", "new"], "x_other": "not asked for"},
    )

    told = words_of(mapping).record(record)

    assert (told.ref, told.owner, told.stage, told.customer) == (
        "odoo/crm.lead:1",
        "anna",
        "new",
        "odoo/res.partner:4",
    )
    assert (dict(told.fields), told.tags) == ({"city": "Köln"}, ("vip", "new"))
    assert told.deal is not None
    assert (told.deal.ref, told.deal.amount) == ("odoo/crm.lead:1", 5.0)
    assert dict(WORDS.record(record).fields) == {"x_city": "Köln", "x_other": "not asked for"} | {
        "tag_names": "vip, new"
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (False, ""),
        (True, "True"),
        (3.0, "3"),
        (3.5, "3.5"),
        (" a ", "a"),
        ([1, None, "b"], "1, b"),
        ({}, ""),
    ],
)
def test_values_become_text(value: Any, text: str) -> None:
    assert text_of(value) == text
