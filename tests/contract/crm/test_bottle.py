"""What BottleCRM alone does, on the real one: doubles, leads that become contacts, lists, rights of a key."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm_sync.bottle.records import BODY_LENGTH, CUT, mark_of
from crm_sync.port import Answer, CallWrite, CrmError, PulledRecord, PushResult, RecordRef
from cti.clock import SystemClock
from cti.model.ids import new_call_id
from lab.crm.bottle import BottleCrm
from tests.builders import NOW
from tests.contract.crm.bottle_house import BottleHouse, bottle_adapter, bottle_house
from tests.contract.crm.houses import a_log

pytestmark = pytest.mark.crm_live

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def server(bottle_server: BottleCrm) -> BottleCrm:
    """Give the shared server; not async, for it lives in another event loop."""
    return bottle_server


@pytest.fixture
async def house(server: BottleCrm) -> AsyncIterator[BottleHouse]:
    async with bottle_house(server) as opened:
        yield opened


async def pushed(house: BottleHouse, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


async def a_double(house: BottleHouse, call_id: str) -> None:
    """Make a record of a call as a write that came through late does."""
    write = house.write(a_log(call_id=call_id))
    assert (await pushed(house, write)).answer is Answer.OK


async def test_every_fact_of_a_call_stands_there(house: BottleHouse) -> None:
    log = a_log(note="wants an offer", transcript="agent: 你好")
    await pushed(house, house.write(log))

    (there,) = await house.standing(log.call_id)
    row = there["row"]
    assert (row["kind"], row["direction"], row["origin"]) == ("call", "outbound", "manual")
    assert (row["outcome"], row["duration_seconds"]) == ("connected", 42)
    assert row["occurred_at"] == NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert row["subject"] == f"Call to Li Wei {mark_of(log.call_id)}"
    assert row["body"].splitlines() == [
        f"connected, 00:42 with Anna, {log.number}",
        "wants an offer",
        "",
        "agent: 你好",
    ]


async def test_of_several_the_oldest_stays_and_nobody_elses_is_touched(house: BottleHouse) -> None:
    log = a_log()
    first = await pushed(house, house.write(log))
    for _ in range(3):
        await a_double(house, log.call_id)
    a_persons = await house.server.ask(
        "POST",
        "/api/interactions/",
        {"kind": "call", "lead": house.lead, "subject": f"about {mark_of(log.call_id)}"},
    )
    await a_double(house, other := new_call_id(NOW))

    result = await pushed(house, house.write(replace(log, note="newest"), unsure=True))

    assert (result.answer, result.remote) == (Answer.OK, first.remote), result.message
    assert result.more_requests == 1 + 3
    left = await house.standing(log.call_id)
    assert first.remote is not None
    assert [one["id"] for one in left] == [first.remote.id, a_persons["id"]]
    assert "newest" in left[0]["note"]
    assert len(await house.standing(other)) == 1


async def test_a_call_is_found_among_hundreds(house: BottleHouse) -> None:
    log = a_log(placed_at=NOW - timedelta(days=30))
    await pushed(house, house.write(log))
    room = asyncio.Semaphore(4)

    async def later() -> None:
        async with room:
            await pushed(house, house.write(a_log()))

    await asyncio.gather(*(later() for _ in range(205)))

    result = await pushed(house, house.write(log, unsure=True))

    assert result.answer is Answer.OK, result.message
    assert len(await house.standing(log.call_id)) == 1


async def test_a_call_whose_lead_became_a_contact_is_found_and_brought_up_to_date(
    house: BottleHouse,
) -> None:
    log = a_log()
    first = await pushed(house, house.write(log))
    email = {"status": "converted", "email": f"{log.call_id}@crm.invalid", "company_name": log.call_id}
    converted = await house.server.ask("PATCH", f"/api/leads/{house.lead}/", email)

    result = await pushed(house, house.write(replace(log, note="after"), unsure=True))

    assert (result.answer, result.remote) == (Answer.OK, first.remote), result.message
    (there,) = await house.standing(log.call_id)
    assert (there["row"]["home"], there["home"]) == ("contact", converted["contact_id"])
    assert "after" in there["note"]
    (back,) = await house.crm.read_back([log.call_id])
    assert back.home == RecordRef("contact", converted["contact_id"])


async def test_a_record_that_is_not_there_is_a_fault_of_the_call(house: BottleHouse) -> None:
    for home in (RecordRef("lead", NOBODY), RecordRef("contact", NOBODY)):
        for unsure in (False, True):
            result = await pushed(house, house.write(a_log(), home=home, unsure=unsure))
            assert (result.answer, str(home) in result.message) == (Answer.PERMANENT, True)
    for home, said in (
        (RecordRef("lead", "7"), "no id of BottleCRM"),
        (RecordRef("lead", ".."), "no id of BottleCRM"),
        (RecordRef("project", NOBODY), "there are: lead, contact, account, opportunity, case, deal, ticket"),
    ):
        result = await pushed(house, house.write(a_log(), home=home))
        assert (result.answer, said in result.message) == (Answer.PERMANENT, True), result.message
    assert (await pushed(house, house.write(a_log(), home=None))).answer is Answer.PERMANENT


async def test_a_call_stands_on_the_deal_where_that_is_wanted(server: BottleCrm, house: BottleHouse) -> None:
    account = (await server.ask("POST", "/api/accounts/", {"name": new_call_id(NOW)}))["id"]
    await server.ask("POST", "/api/opportunities/", {"name": "Deal", "account": account, "stage": "PROPOSAL"})
    (made,) = await server.rows("SELECT id FROM opportunity WHERE account_id = ?", account.replace("-", ""))
    deal = RecordRef("deal", made["id"])
    write, on_record = house.write(a_log(), deal=deal), house.write(a_log(), deal=deal)

    async with bottle_adapter(server, log_on="deal") as crm:
        (result,) = await crm.push([write])
        assert result.answer is Answer.OK, result.message
        (again,) = await crm.push([replace(write, unsure=True)])
        back = await crm.read_back([write.log.call_id])
    assert again.remote == result.remote
    assert [str(one.home) for one in back] == [str(RecordRef("opportunity", _dashed(made["id"])))]
    await pushed(house, on_record)
    homes = [(await house.standing(one.log.call_id))[0]["row"]["home"] for one in (write, on_record)]
    assert homes == ["opportunity", "lead"]


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


async def test_texts_are_cut_and_cleaned_so_that_the_call_is_taken(house: BottleHouse) -> None:
    log = a_log(contact="Li " * 100)
    write = house.write(log)
    long = replace(write, fields={**write.fields, "body": "a\0b" + "x" * 2 * BODY_LENGTH})

    assert (await pushed(house, long)).answer is Answer.OK

    (there,) = await house.standing(log.call_id)
    assert (len(there["note"]), there["note"][:3], there["note"].endswith(CUT)) == (BODY_LENGTH, "abx", True)
    assert len(there["row"]["subject"]) <= 200
    assert there["row"]["subject"].endswith(mark_of(log.call_id))
    (back,) = await house.crm.read_back([log.call_id])
    assert "body" not in back.fields
    assert mark_of(log.call_id) not in back.fields["subject"]


async def test_what_reads_back_is_what_was_written(house: BottleHouse) -> None:
    write = house.write(a_log(note="wants an offer"))
    await pushed(house, write)

    (back,) = await house.crm.read_back([write.log.call_id])

    assert {name: back.fields[name] for name in write.fields} == dict(write.fields)
    assert (back.started_at, back.seconds) == (write.log.placed_at, 42)


@pytest.mark.parametrize("kind", ["account", "opportunity", "case"])
async def test_a_call_reads_back_from_whatever_record_the_list_named(house: BottleHouse, kind: str) -> None:
    """Not found it would count as deleted by somebody, and never be brought up to date again."""
    log = a_log()
    home = await a_record(house, kind, log.call_id)
    kinds = ("leads", "contacts", "accounts", "opportunities", "cases", "interactions")
    token = await house.server.token_with(*(f"{one}:{may}" for one in kinds for may in ("read", "write")))
    async with bottle_adapter(house.server, token=token) as crm:
        (result,) = await crm.push([house.write(log, home=home)])
        assert result.answer is Answer.OK, result.message
        (back,) = await crm.read_back([log.call_id])

    assert back.home == home


async def test_a_ticket_that_the_key_may_not_write_on_stops_no_other_call(house: BottleHouse) -> None:
    ticket = await a_record(house, "case", new_call_id(NOW))
    result = await pushed(house, house.write(a_log(), home=ticket))
    assert (result.answer, "cases:write" in result.message) == (Answer.PERMANENT, True), result


async def test_a_call_that_is_nowhere_is_found_nowhere_and_no_right_is_missed(house: BottleHouse) -> None:
    """The shipped key may not read tickets."""
    assert await house.crm.read_back([new_call_id(NOW)]) == []


async def a_record(house: BottleHouse, kind: str, name: str) -> RecordRef:
    """Make a record that has no number."""
    server = house.server
    if kind == "account":
        return RecordRef(kind, (await server.ask("POST", "/api/accounts/", {"name": name}))["id"])
    account = (await server.ask("POST", "/api/accounts/", {"name": name}))["id"]
    if kind == "opportunity":
        body = {"name": name, "account": account, "stage": "PROPOSAL"}
        await server.ask("POST", "/api/opportunities/", body)
    else:
        await server.ask("POST", "/api/cases/", {"name": name, "status": "New", "priority": "Low"})
    (made,) = await server.rows(f'SELECT id FROM "{kind}" WHERE name = ?', name)  # noqa: S608 (ours)
    return RecordRef(kind, _dashed(made["id"]))


async def test_a_call_from_the_future_waits(house: BottleHouse) -> None:
    """Its clock is behind ours; nothing is wrong with the call."""
    later = SystemClock().now() + timedelta(hours=1)
    result = await pushed(house, house.write(a_log(placed_at=later)))
    assert result.answer is Answer.RETRY


async def test_a_word_it_does_not_know_is_refused_with_what_it_said(house: BottleHouse) -> None:
    write = house.write(a_log())
    result = await pushed(house, replace(write, fields={**write.fields, "outcome": "sold"}))
    assert result.answer is Answer.PERMANENT
    assert "not a valid choice" in result.message


async def test_a_wrong_key_is_no_fault_of_the_call(server: BottleCrm, house: BottleHouse) -> None:
    for token in ("bcrm_pat_x", "x", ""):
        async with bottle_adapter(server, token=token) as crm:
            (result,) = await crm.push([house.write(a_log())])
            assert result.answer is Answer.AUTH, result.message
            with pytest.raises(CrmError) as told:
                await crm.check()
            assert told.value.answer is Answer.AUTH


async def test_where_no_bottlecrm_is_every_call_waits(server: BottleCrm, house: BottleHouse) -> None:
    async with (
        TestServer(web.Application()) as other,
        bottle_adapter(server, url=str(other.make_url("/"))) as crm,
    ):
        for given in ({}, {"unsure": True}, {"remote": RecordRef("interaction", NOBODY)}):
            (result,) = await crm.push([house.write(a_log(), **given)])
            assert result.answer is Answer.AWAY, result.message
        with pytest.raises(CrmError) as told:
            await crm.check()
        assert told.value.answer is Answer.AWAY


async def test_check_names_the_account_and_warns_of_nothing_when_all_is_well(house: BottleHouse) -> None:
    found = await house.crm.check()
    assert (found.who, found.warnings) == ("waihu@crm.invalid", ())


async def test_check_warns_of_scopes_that_are_missing(server: BottleCrm) -> None:
    token = await server.token_with("leads:read", "leads:write", "interactions:write")
    async with bottle_adapter(server, token=token) as crm:
        found = await crm.check()
    told = "\n".join(found.warnings)
    for scope in ("profile:read", "contacts:write", "opportunities:write", "tasks:read", "contacts:read"):
        assert f"needs the {scope} scope" in told
    assert "leads" not in told.replace("leads that became", "")


async def test_a_lead_is_found_by_its_number_as_long_as_it_is_open(house: BottleHouse) -> None:
    number = a_number()
    written = f"0{number[3:5]} {number[5:]}"
    open_one = await house.server.add_lead("Open", "One", phone=written, country="DE")
    await house.server.add_lead("Closed", "One", phone=written, status="closed")
    contact = await house.server.add_contact("Mary", "One", phone=number, do_not_call=True)

    found = {one.ref: one for one in await house.crm.find_by_number(number)}

    assert set(found) == {RecordRef("lead", open_one), RecordRef("contact", contact)}
    lead = found[RecordRef("lead", open_one)]
    assert (lead.name, lead.numbers, lead.region, lead.do_not_call) == ("Open One", (number,), "DE", False)
    assert found[RecordRef("contact", contact)].do_not_call is True


async def test_records_are_read_as_they_are_and_those_that_are_gone_left_out(house: BottleHouse) -> None:
    server = house.server
    closed = RecordRef("lead", await server.add_lead("Closed", "Two", status="closed"))
    gone = RecordRef("lead", await server.add_lead("Gone", "Two"))
    await server.ask("DELETE", f"/api/leads/{gone.id}/")
    await server.ask("PATCH", f"/api/leads/{house.lead}/", {"next_follow_up": "2026-12-01"})
    open_one = RecordRef("lead", house.lead)

    found = await house.crm.records([open_one, closed, gone, RecordRef("lead", ".."), open_one])

    assert set(found) == {open_one, closed}
    assert (found[open_one].over, found[closed].over, found[closed].stage) == (None, "lost", "closed")
    assert str(found[open_one].next_follow_up_at) == "2026-12-01 09:00:00+00:00"
    with pytest.raises(CrmError, match="leads and contacts are read"):
        await house.crm.records([RecordRef("case", NOBODY)])


async def swept(
    house: BottleHouse, source: str, cursor: str, *, limit: int
) -> tuple[list[PulledRecord], str]:
    """Pull until nothing more is there."""
    records: list[PulledRecord] = []
    more = True
    while more:
        page = await house.crm.pull(source, cursor=cursor, limit=limit)
        records += page.records
        cursor, more = page.cursor, page.more
    return records, cursor


@pytest.mark.parametrize("limit", [1, 7, 500])
async def test_a_sweep_gives_every_record_and_the_next_only_what_changed(
    house: BottleHouse, limit: int
) -> None:
    server = house.server
    leads = await server.add_leads(9)
    closed = await server.add_lead("Closed", "Three", status="closed")

    first, cursor = await swept(house, "leads", "", limit=limit)

    assert {*leads, closed, house.lead} <= {one.ref.id for one in first}
    assert next(one for one in first if one.ref.id == closed).over == "lost"
    old = {one.ref.id for one in first}
    long_ago = "UPDATE lead SET updated_at = '2026-01-01 00:00:00'"
    await server.change(long_ago)
    await server.ask("PATCH", f"/api/leads/{leads[3]}/", {"status": "closed"})
    fresh = await server.add_lead("New", "Three")
    second, _ = await swept(house, "leads", cursor, limit=limit)
    assert {one.ref.id: one.over for one in second} == {leads[3]: "lost", fresh: None}
    assert fresh not in old


async def test_what_is_deleted_during_a_sweep_hides_nobody(house: BottleHouse) -> None:
    server = house.server
    contacts = [await server.add_contact("C", str(number)) for number in range(12)]
    page = await house.crm.pull("contacts", cursor="", limit=4)
    seen = {one.ref.id for one in page.records}
    for one in list(seen)[:4]:
        await server.ask("DELETE", f"/api/contacts/{one}/")

    rest, _ = await swept(house, "contacts", page.cursor, limit=4)

    assert set(contacts) <= seen | {one.ref.id for one in rest}


async def test_a_source_is_narrowed_by_its_filters_but_hears_of_what_is_over(server: BottleCrm) -> None:
    sources = {"hot": {"kind": "lead", "only": {"status": ["in process"], "city": "Weimar"}}}
    wanted = await server.add_lead("In", "Process", status="in process", city="Weimar")
    await server.add_lead("Elsewhere", "Process", status="in process", city="Jena")
    await server.add_lead("Only", "Assigned", city="Weimar")
    over = await server.add_lead("Over", "Process", status="closed", city="Weimar")
    async with bottle_adapter(server, sources=sources) as crm:
        page = await crm.pull("hot", cursor="", limit=100)
        closed = await crm.pull("hot", cursor=page.cursor, limit=100)
        with pytest.raises(CrmError, match="no source 'cold'; there are: hot"):
            await crm.pull("cold", cursor="", limit=10)
        with pytest.raises(CrmError, match="no cursor"):
            await crm.pull("hot", cursor="[1]", limit=10)
    assert ([one.ref.id for one in page.records], page.more) == ([wanted], True)
    assert ([one.ref.id for one in closed.records], closed.more) == ([over], False)


async def test_a_follow_up_is_set_moved_and_made_once(server: BottleCrm) -> None:
    lead, key = await server.add_lead("Follow", "Up"), new_call_id(NOW)
    ref = RecordRef("lead", lead)
    async with bottle_adapter(server, zone="Asia/Shanghai") as crm:
        first = await crm.follow_up(
            ref, at=NOW + timedelta(days=2), user="PERSON@crm.invalid", text="Call back", key=key
        )
        moved = await crm.follow_up(ref, at=NOW + timedelta(days=9), user=None, text="Call back", key=key)
        other = await crm.follow_up(ref, at=NOW, user="nobody@x", text="x" * 300, key=new_call_id(NOW))
        record = (await crm.records([ref]))[ref]

    assert first == moved
    assert other != first
    there = await server.rows("SELECT * FROM task WHERE title LIKE ?", f"%[cti:{key}]")
    assert [row["due_date"] for row in there] == [str((NOW + timedelta(days=9, hours=8)).date())]
    assert "Call back" in there[0]["title"]
    people = await server.rows("SELECT profile_id FROM task_assigned_to WHERE task_id = ?", there[0]["id"])
    assert len(people) == 1
    assert record.next_follow_up_at is not None
    assert record.next_follow_up_at.date() == (NOW + timedelta(hours=8)).date()


async def test_a_follow_up_that_a_person_completed_is_not_opened_again_by_another_time(
    server: BottleCrm, house: BottleHouse
) -> None:
    (ref,) = await house.add_records({"name": "Li Wei"})
    given: dict[str, Any] = {"user": None, "text": "Call back", "key": new_call_id(NOW)}
    made = await house.crm.follow_up(ref, at=NOW, **given)
    await server.ask("PATCH", f"/api/tasks/{made.id}/", {"status": "Completed"})

    assert await house.crm.follow_up(ref, at=NOW + timedelta(days=9), **given, stands=True) == made
    assert await house.follow_ups(ref) == []
    assert await house.crm.follow_up(ref, at=NOW + timedelta(days=9), **given) == made
    assert await house.follow_ups(ref) == [(NOW + timedelta(days=9, hours=8)).date()]


async def test_a_contact_has_its_follow_up_as_a_task(server: BottleCrm) -> None:
    contact, key = await server.add_contact("Follow", "Up"), new_call_id(NOW)
    async with bottle_adapter(server) as crm:
        task = await crm.follow_up(RecordRef("contact", contact), at=NOW, user=None, text="Again", key=key)
    shown = await server.ask("GET", f"/api/tasks/{task.id}/")
    assert [one["id"] for one in shown["task_obj"]["contacts"]] == [contact]


async def test_pages_for_people_have_an_address_of_their_own(server: BottleCrm) -> None:
    async with bottle_adapter(server, web="https://crm.example/") as crm:
        assert crm.record_url(RecordRef("lead", NOBODY)) == f"https://crm.example/leads/{NOBODY}"
        assert crm.record_url(RecordRef("opportunity", NOBODY)) == f"https://crm.example/pipeline/{NOBODY}"
        assert crm.record_url(RecordRef("interaction", NOBODY)) is None
        assert crm.record_url(RecordRef("lead", "../x")) is None
    async with bottle_adapter(server) as crm:
        assert crm.record_url(RecordRef("lead", NOBODY)) is None


def a_number() -> str:
    """Return a number of Berlin that nobody has yet."""
    return f"+4930{int(new_call_id(SystemClock().now())[12:], 16) % 10**7 + 10**7}"
