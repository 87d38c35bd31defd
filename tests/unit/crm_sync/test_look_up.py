"""The process that asks CRMs: from a number to the records that are offered."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crm_sync.composition import Opened, readers_of
from crm_sync.look_up import AWAY_SECONDS, NumberFinder
from crm_sync.mapping import mapping_of
from crm_sync.port import CrmError, Deal, PulledRecord
from cti.crm.asker import Asker
from cti.errors import CtiError
from cti.model.crm import Answer, Rate, RecordRef
from cti.model.look_ups import Found, FoundRecord, LookUp, LookUpAnswer
from cti.model.pops import MOST_MATCHES
from cti.settings import Settings
from cti.settings.crm_sections import CrmSettings, CrmTargetSettings
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import some_look_ups
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strict_crm import StrictClient, StrictCrm

BERLIN = "+4930901820"


def a_lead(number: int, **given: Any) -> PulledRecord:
    facts: dict[str, Any] = {"name": f"Lead {number}", "numbers": (BERLIN,), "changed_at": NOW}
    return PulledRecord(ref=RecordRef("crm.lead", str(number)), **facts | given)


class Feed:
    """Numbers as the test gives them."""

    def __init__(self, *numbers: str) -> None:
        self.numbers = list(numbers)
        self.answers: list[LookUpAnswer] = []
        self.limits: list[int] = []
        self.fails: CtiError | None = None

    async def take(self, name: str, *, limit: int, rate: Rate, wait_seconds: float = 0.0) -> Sequence[LookUp]:
        self.limits.append(limit)
        if self.fails:
            raise self.fails
        taken, self.numbers = self.numbers[:limit], self.numbers[limit:]
        return [LookUp(target=name, number=number, asked_at=NOW) for number in taken]

    async def answer(self, name: str, one: LookUpAnswer) -> None:
        self.answers.append(one)


def finder(crm: Any, feed: Any, **given: Any) -> NumberFinder:
    return NumberFinder(target="odoo", crm=crm, feed=feed, rate=Rate(), **given)


async def answered(crm: Any, *numbers: str, **given: Any) -> list[LookUpAnswer]:
    feed = Feed(*numbers or (BERLIN,))
    async with asyncio.TaskGroup() as tasks:
        await finder(crm, feed, **given).step(tasks)
    return feed.answers


async def test_open_records_are_told_with_what_it_takes_to_choose_and_no_more() -> None:
    deal = Deal(ref=RecordRef("crm.lead", "9"), name="Roof", stage="Offer", amount=12.5, currency="EUR")
    crm = StrictCrm(
        records=[
            a_lead(1, deal=deal, fields={"salary": "1"}),
            a_lead(2, over="lost"),
            a_lead(3, numbers=("+49",)),
        ]
    )
    client = StrictClient(crm)
    (answer,) = await answered(client)
    assert answer == LookUpAnswer(
        number=BERLIN,
        answer=Answer.OK,
        found=Found(
            records=(
                FoundRecord(
                    crm_ref="odoo/crm.lead:1",
                    target="odoo",
                    kind="crm.lead",
                    name="Lead 1",
                    url=client.record_url(RecordRef("crm.lead", "1")),
                    deal={
                        "ref": "odoo/crm.lead:9",
                        "name": "Roof",
                        "stage": "Offer",
                        "amount": 12.5,
                        "currency": "EUR",
                    },
                ),
            )
        ),
    )


async def test_of_very_many_some_are_told_and_that_there_are_more() -> None:
    crm = StrictCrm(records=[a_lead(n, name="x" * 999) for n in range(MOST_MATCHES + 1)])
    (answer,) = await answered(StrictClient(crm))
    assert (len(answer.found.records), answer.found.more) == (MOST_MATCHES, True)
    assert len(answer.found.records[0].name) == 200


async def test_what_is_over_is_not_offered_whatever_an_adapter_thinks() -> None:
    class Generous:
        async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
            return [a_lead(1, over="won")]

    (answer,) = await answered(Generous())
    assert (answer.answer, answer.found) == (Answer.OK, Found())


@pytest.mark.parametrize(
    ("wanted", "can", "looks"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_crm_that_can_find_is_asked_unless_the_settings_say_no(
    wanted: bool, can: bool, looks: bool
) -> None:
    target = CrmTargetSettings(name="odoo", url="https://crm.example", mapping=Path("x"), look_up=wanted)
    crm = StrictClient(StrictCrm(), finds=can)
    ready = Opened(target, crm, mapping_of({}, target="odoo", where="odoo.toml"))
    house: Any = SimpleNamespace(look_ups=Feed())
    services = readers_of(ready, house, Settings(crm=CrmSettings(targets=(target,))))
    assert [type(one) for one in services] == ([NumberFinder] if looks else [])


class Failing:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        if self.error is None:
            await asyncio.Event().wait()
        raise self.error or AssertionError


@pytest.mark.parametrize(
    ("error", "answer", "pause"),
    [
        (CrmError(Answer.THROTTLE, "slow down", pause_seconds=7.0), Answer.THROTTLE, 7.0),
        (None, Answer.UNKNOWN, None),
        (ValueError("a bug"), Answer.PERMANENT, None),
    ],
)
async def test_what_goes_wrong_is_said_once_and_not_tried_again(
    error: Exception | None, answer: Answer, pause: float | None
) -> None:
    (said,) = await answered(Failing(error), find_seconds=0.0 if error is None else 3600.0)
    assert (said.answer, said.pause_seconds, said.found) == (answer, pause, Found())
    assert said.message


async def test_so_many_are_asked_at_one_time_and_no_more() -> None:
    feed, free = Feed(*(f"{BERLIN}{n}" for n in range(3))), asyncio.Event()

    class Slow:
        async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
            await free.wait()
            return []

    looking = finder(Slow(), feed, at_once=2)
    async with asyncio.TaskGroup() as tasks:
        await looking.step(tasks)
        third = tasks.create_task(looking.step(tasks))
        for _ in range(4):
            await asyncio.sleep(0)
        assert feed.limits == [2]
        free.set()
        await third
    assert len(feed.answers) == 3


async def test_a_service_that_is_away_is_asked_again_later_and_one_that_has_nothing_after_a_moment() -> None:
    feed = Feed()
    async with asyncio.TaskGroup() as tasks:
        assert 0 < await finder(StrictClient(StrictCrm()), feed).step(tasks) < AWAY_SECONDS
        feed.fails = CtiError("away")
        assert await finder(StrictClient(StrictCrm()), feed).step(tasks) == AWAY_SECONDS


async def test_a_number_goes_from_the_service_to_the_crm_and_its_records_come_back() -> None:
    store, clock = MemoryStore(), FakeClock()
    asker = Asker(store=store.look_ups, targets=["odoo"], clock=clock)
    feed = some_look_ups(store, clock, on_answer=asker.answered)
    crm = StrictCrm(records=[a_lead(1), a_lead(2)])
    asking = asyncio.create_task(asker.find(BERLIN, crm_ref=None, within=3600.0))
    while not store.look_ups.questions:
        await asyncio.sleep(0)
    async with asyncio.TaskGroup() as tasks:
        await finder(StrictClient(crm), feed, wait_seconds=0.0).step(tasks)
    await asker.step()
    answer = await asking
    assert answer is not None
    assert [one.crm_ref for one in answer.records] == ["odoo/crm.lead:1", "odoo/crm.lead:2"]
    assert store.look_ups.questions == {}
