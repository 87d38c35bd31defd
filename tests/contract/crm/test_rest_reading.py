"""The generic adapter reads by templates: what it refuses, what it loses nothing of, and how values leave it."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.port import CrmError, EndsFollowUps, Idempotency, PulledRecord
from crm_sync.rest.adapter import open_rest
from crm_sync.tab import Tab, on_tab
from cti.clock import SystemClock
from cti.errors import SettingsError
from cti.model.crm import Answer, RecordRef
from tests.builders import NOW
from tests.contract.crm.houses import a_log
from tests.contract.crm.planted import Bench, prove
from tests.contract.crm.rest_reading import BATCH, CALLS, FOLLOW_UPS, KIND, ONE, PAGES, reading_tables
from tests.contract.crm.rest_server import Fault, RestHouse, never_ends, rest_house, says, tables
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

NO_ID = json.dumps({"list": [{"changed": NOW.isoformat(), "title": "[cti:k1]"}]})
PAGE = "<!doctype html><title>Sign in</title>"
ASKS: dict[str, Callable[[RestHouse], Any]] = {
    "pull": lambda house: house.crm.pull("new", cursor="", limit=10),
    "records": lambda house: house.crm.records([RecordRef("lead", "L101")]),
    "numbers": lambda house: house.crm.find_by_number("+4930901820"),
    "read_back": lambda house: house.crm.read_back([a_log().call_id]),
    "follow_up": lambda house: house.crm.follow_up(
        RecordRef("lead", "L101"), at=NOW, user=None, text="call", key="k1"
    ),
}


@pytest.fixture
async def house() -> AsyncIterator[RestHouse]:
    async with rest_house(Idempotency.MARKER) as opened:
        yield opened


@pytest.mark.parametrize("ask", list(ASKS))
@pytest.mark.parametrize(
    ("fault", "answer", "told"),
    [
        pytest.param(says(200, PAGE), Answer.UNKNOWN, "no JSON", id="a page for people"),
        pytest.param(says(200, "{}"), Answer.RETRY, "no list 'list'", id="no list"),
        pytest.param(says(200, '{"list": {"a": 1}}'), Answer.RETRY, "no list 'list'", id="a list that is none"),
        pytest.param(says(200, NO_ID), Answer.RETRY, "no id at", id="no id"),
        pytest.param(says(200, "[" * 100_000), Answer.UNKNOWN, "no JSON", id="JSON without end"),
        pytest.param(says(404, PAGE), Answer.RETRY, "404", id="the page of a web server"),
        pytest.param(says(404, '{"error": "no"}'), Answer.PERMANENT, "404", id="no such address"),
        pytest.param(says(302, headers={"Location": "/login"}), Answer.AWAY, "sends on to /login", id="sends on"),
        pytest.param(says(403), Answer.PERMANENT, "403", id="forbidden"),
        pytest.param(says(429, headers={"Retry-After": "9"}), Answer.THROTTLE, "429", id="too many"),
        pytest.param(never_ends, Answer.UNKNOWN, "longer than", id="never ends"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_refused(
    house: RestHouse, ask: str, fault: Fault, answer: Answer, told: str
) -> None:
    if ask == "read_back" and told == "no id at":
        pytest.skip("what bears no mark of ours is none of ours")
    house.server.before.append(fault)

    with pytest.raises(CrmError, match=told) as refused:
        await ASKS[ask](house)

    assert refused.value.answer is answer


async def test_a_record_that_is_there_no_more_is_told_from_a_page_of_a_web_server() -> None:
    async with rest_house(Idempotency.OWN_ID) as house:  # it reads one by one
        assert await house.crm.records([RecordRef("lead", "L999")]) == {}
        house.server.before.append(says(404, PAGE))
        with pytest.raises(CrmError) as told:
            await house.crm.records([RecordRef("lead", "L999")])
        house.server.before.append(says(200, '{"record": []}'))
        with pytest.raises(CrmError, match="no record at 'record'"):
            await house.crm.records([RecordRef("lead", "L999")])
    assert told.value.answer is Answer.RETRY


async def test_a_record_of_a_kind_without_a_table_is_refused(house: RestHouse) -> None:
    with pytest.raises(CrmError, match="account:7: records of this kind are not read; those are: lead"):
        await house.crm.records([RecordRef("account", "7")])


async def test_all_that_the_tables_name_is_read(house: RestHouse) -> None:
    there = {
        "name": "Li Wei",
        "phone": "+4930901820",
        "phones": ["+4930901821", "+4930901820"],
        "silent": True,
        "archived": True,
        "next": "2026-11-30",
        "place": {"city": "Ulm"},
    }
    lead = house.server.leads.add(changed=NOW, **there)

    one = (await house.crm.records([RecordRef("lead", lead)]))[RecordRef("lead", lead)]

    assert one == PulledRecord(
        ref=RecordRef("lead", lead),
        name="Li Wei",
        numbers=("+4930901820", "+4930901821"),
        stage="new",
        do_not_call=True,
        over="archived",
        next_follow_up_at=one.next_follow_up_at,
        next_follow_up_on=one.next_follow_up_on,
        changed_at=NOW,
        fields={"city": "Ulm"},
    )
    assert str(one.next_follow_up_on) == "2026-11-30"
    assert str(one.next_follow_up_at) == "2026-11-30 09:00:00+00:00"


@pytest.mark.parametrize("paging", ["offset", "page"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_what_moves_up_while_a_list_is_gone_through_is_not_lost(paging: str, limit: int) -> None:
    """Somebody deletes the first records while the later ones are read."""
    async with rest_house(Idempotency.MARKER, paging=paging) as house:
        ids = [house.server.leads.add(changed=NOW, name=f"Lead {n}") for n in range(12)]
        seen, cursor, more = set(), "", True
        for step in range(100):
            page = await house.crm.pull("leads", cursor=cursor, limit=limit)
            assert len(page.records) <= limit
            seen |= {one.ref.id for one in page.records}
            cursor, more = page.cursor, page.more
            if not more:
                break
            if step in (0, 2) and len(house.server.leads.leads) > 6:
                for one in [one for one in ids if one in house.server.leads.leads][: limit + 1]:
                    del house.server.leads.leads[one]

        assert not more
        assert seen >= set(house.server.leads.leads)


async def some_pages(house: RestHouse, source: str) -> None:
    cursor = ""
    for _ in range(10):
        cursor = (await house.crm.pull(source, cursor=cursor, limit=2)).cursor


@pytest.mark.parametrize("paging", ["offset", "page"])
async def test_a_list_that_is_the_same_whatever_is_asked_does_not_go_on_for_ever(paging: str) -> None:
    async with rest_house(Idempotency.MARKER, paging=paging) as house:
        rows = [{"id": f"L{n}", "name": "x", "changed": NOW.isoformat()} for n in range(4)]

        async def always(_: web.Request) -> web.StreamResponse:
            house.server.before.append(always)
            return web.json_response({"list": rows})

        house.server.before.append(always)
        with pytest.raises(CrmError, match="no end in sight"):
            await some_pages(house, "leads")


async def test_a_page_that_is_not_to_be_had_any_more_begins_the_list_anew() -> None:
    async with rest_house(Idempotency.MARKER, paging="next") as house:
        for n in range(4):
            house.server.leads.add(changed=NOW, name=f"Lead {n}")
        first = await house.crm.pull("leads", cursor="", limit=3)
        house.server.before.append(says(400, '{"error": "this cursor has expired"}'))

        expired = await house.crm.pull("leads", cursor=first.cursor, limit=3)
        again = await house.crm.pull("leads", cursor=expired.cursor, limit=3)

    assert (first.more, list(expired.records), expired.more) == (True, [], False)
    assert [one.ref for one in again.records] == [one.ref for one in first.records]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"query": {"limit": "{limit}"}}, "not sorted by the time"),
        ({"since": {"query": {}}}, "changed before the time that it was asked for"),
        ({"ties": {"query": {"sort": "id", "behind": "{behind}"}}}, "asked for the changes of one time"),
    ],
)
async def test_a_list_that_does_not_filter_or_sort_as_it_says_is_told(
    change: dict[str, Any], told: str
) -> None:
    source = {"kind": "lead", "path": "/api/leads", "list": "list", **PAGES["keyset"], **change}
    async with rest_house(Idempotency.MARKER, sources={"new": source}) as house:
        for seconds in (300, 0, 300, 300, 600):
            house.server.leads.add(changed=NOW + timedelta(seconds=seconds), name="x")
        with pytest.raises(CrmError, match=told) as refused:
            await some_pages(house, "new")

    assert refused.value.answer is Answer.PERMANENT
    assert "rest.toml: rest.sources.new" in str(refused.value)


@pytest.mark.parametrize(
    "cursor", ["7", "[]", '{"at": -1}', '{"what": 1}', '{"since": "yesterday"}', '{"last": 7}']
)
async def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    async with rest_house(Idempotency.MARKER, paging="offset") as house:
        with pytest.raises(CrmError, match="no cursor of this CRM") as told:
            await house.crm.pull("leads", cursor=cursor, limit=3)
    assert told.value.answer is Answer.PERMANENT


async def test_a_table_that_was_changed_begins_its_list_anew() -> None:
    async with rest_house(Idempotency.MARKER, paging="offset") as house:
        house.server.leads.add(changed=NOW - timedelta(days=1), name="Old")
        cursor = (await house.crm.pull("leads", cursor="", limit=5)).cursor
        assert list((await house.crm.pull("leads", cursor=cursor, limit=5)).records) == []
        source = reading_tables("offset")["sources"]["leads"] | {"overlap_seconds": 60}
        account = Account("rest", str(house.url), SecretStr("sesame-of-the-crm"), "rest.toml")
        table = reading_tables("offset") | tables(Idempotency.MARKER) | {"sources": {"leads": source}}
        async with open_rest(account, table, clock=SystemClock()) as crm:
            assert len((await crm.pull("leads", cursor=cursor, limit=5)).records) == 1


@pytest.mark.parametrize(
    ("link", "fine"),
    [
        ("/api/leads?limit=1&offset=1", True),
        ("{url}api/leads?limit=1&offset=1", True),
        ("https://elsewhere.example/api/leads", False),
        ("//elsewhere.example/api/leads", False),
        ("http://127.0.0.1:1/api/leads", False),
        ("/api/leads\nX-Evil: 1", False),
    ],
)
async def test_the_next_page_is_had_from_the_crm_itself_alone(link: str, fine: bool) -> None:
    source = {
        "kind": "lead", "path": "/api/leads", "query": {"limit": "1"}, "list": "list", "paging": "next", "next": "next",
    }  # fmt: skip
    async with rest_house(Idempotency.MARKER, sources={"new": source}) as house:
        for n in range(2):
            house.server.leads.add(changed=NOW, name=f"Lead {n}")
        row = {"id": "L101", "name": "Lead 0", "changed": NOW.isoformat()}
        said = {"list": [row], "next": link.replace("{url}", str(house.url))}
        house.server.before.append(says(200, json.dumps(said)))
        if fine:
            first = await house.crm.pull("new", cursor="", limit=5)
            second = await house.crm.pull("new", cursor=first.cursor, limit=5)
            assert [one.name for one in second.records] == ["Lead 1"]
        else:
            with pytest.raises(CrmError, match="no address of this CRM") as told:
                await house.crm.pull("new", cursor="", limit=5)
            assert told.value.answer is Answer.PERMANENT
            assert len(house.server.asked) == 1, "nobody else was asked"


async def lets_through(_: web.Request) -> None:
    """Let the first request be answered as ever."""


@pytest.mark.parametrize("said", [says(400, '{"error": "this cursor has expired"}'), says(404, "{}")])
async def test_calls_are_not_missing_because_their_list_broke_off(said: Fault) -> None:
    """A reconciliation would take them for deleted, and never write them again."""
    one = {"path": "/api/calls", "list": "list", "paging": "next", "next": "next"}
    calls = {**CALLS, "lists": [{**one, "query": {"limit": "1", "cursor": "{cursor}"}}]}
    async with rest_house(Idempotency.MARKER, calls=calls) as house:
        await house.crm.push([house.write(a_log()) for _ in range(2)])
        for row in house.server.rows.values():
            row["started"] = NOW.isoformat()

        async def ask() -> list[str]:
            since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
            return [one.call_id async for one in house.crm.written(since=since, until=until)]

        assert len(await ask()) == 2
        house.server.before += [lets_through, said]
        with pytest.raises(CrmError) as told:
            await ask()
    assert told.value.answer is Answer.RETRY


async def test_what_stands_in_an_id_or_a_number_never_becomes_a_path_or_a_parameter() -> None:
    evil = "../me?x=1&ids=L101"
    async with rest_house(Idempotency.OWN_ID) as house:
        assert await house.crm.records([RecordRef("lead", evil.replace("/", "%"))]) == {}
        await house.crm.find_by_number("+49 30&limit=1")
        kinds = {"lead": {**KIND, "read": ONE, "ids": ".+"}}
    async with rest_house(Idempotency.MARKER, kinds=kinds) as loose:
        assert await loose.crm.records([RecordRef("lead", evil)]) == {}

    assert ("GET", "/api/leads/..%25me%3Fx=1&ids=L101") in house.server.asked
    assert loose.server.asked == [("GET", "/api/leads/..%2Fme%3Fx=1&ids=L101")]
    assert all(path.count("&") == 0 for _, path in house.server.asked if "phone=" in path)


async def test_a_filter_sees_a_value_before_it_is_made_fit_for_a_path() -> None:
    """Else a quote in it would get past the filter that escapes quotes."""
    one = {"path": "/api/query/WHERE Id = '{id|soql}'", "list": "list"}
    async with rest_house(Idempotency.MARKER, kinds={"lead": {**KIND, "read": one, "ids": ".+"}}) as house:
        with pytest.raises(CrmError):
            await house.crm.records([RecordRef("lead", "7' OR 'a'='a")])
    (asked,) = [unquote(path) for _, path in house.server.asked]
    assert asked == r"/api/query/WHERE Id = '7\' OR \'a\'=\'a'"


async def test_a_record_named_by_dots_alone_is_nobodys() -> None:
    async with rest_house(Idempotency.OWN_ID) as house:
        assert await house.crm.records([RecordRef("lead", "..")]) == {}
        assert house.server.asked == []
    async with rest_house(Idempotency.MARKER, kinds={"lead": {**KIND, "read": ONE, "ids": ".+"}}) as loose:
        with pytest.raises(CrmError, match="dots alone cannot stand in a path"):
            await loose.crm.records([RecordRef("lead", "..")])
        assert loose.server.asked == []


async def test_it_can_what_its_tables_say() -> None:
    bare = dict.fromkeys(("calls", "remove", "follow_ups")) | {"kinds": {}, "sources": {}, "numbers": []}
    async with rest_house(Idempotency.MARKER, **bare) as house:
        can, crm = house.crm.capabilities, house.crm
        assert not any(
            (can.pulls, can.finds, can.reads_back, can.follow_ups, can.ends_follow_ups, can.removes)
        )
        for ask in ASKS.values():
            with pytest.raises(CrmError, match=r"rest.toml: there is no rest\.") as told:
                await ask(house)
            assert told.value.answer is Answer.PERMANENT
        with pytest.raises(CrmError, match=r"no rest\.remove"):
            await crm.remove(RecordRef("call", "1"))  # type: ignore[attr-defined]
    async with rest_house(Idempotency.MARKER, follow_ups={**FOLLOW_UPS, "cancel": None}) as house:
        assert house.crm.capabilities.follow_ups
        assert not house.crm.capabilities.ends_follow_ups


def kind(**given: Any) -> dict[str, Any]:
    return {"kinds": {"lead": {**KIND, "read": BATCH, **given}}}


def source(**given: Any) -> dict[str, Any]:
    return {"sources": {"new": {"kind": "lead", "path": "/x", **given}}}


def calls(**given: Any) -> dict[str, Any]:
    return {"calls": {**CALLS, **given}}


def listed(**given: Any) -> dict[str, Any]:
    return calls(lists=[{**CALLS["lists"][0], **given}])


def follow_ups(**given: Any) -> dict[str, Any]:
    return {"follow_ups": {**FOLLOW_UPS, **given}}


GONE = [{"at": "status", "is": ["x"], "why": "gone"}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kinds": {}}, "sources.new.kind: there is no rest.kinds.lead; there are: none"),
        (kind(changed_at=""), "rest.kinds.lead.changed_at is empty"),
        (kind(read={**BATCH, "list": None}), "kinds.lead.read.list: missing"),
        (kind(read={"path": "/x"}), "kinds.lead.read: no text of it names {id}, {ids}"),
        (
            kind(read={**BATCH, "query": {"ids": "{idz}"}}),
            "kinds.lead.read.query.ids: there is no value 'idz'",
        ),
        (kind(read={**BATCH, "path": "/{id}"}), "kinds.lead.read: it names {ids} and a single one"),
        (kind(ids="("), "kinds.lead.ids: '(' is no regular expression"),
        (kind(ower="x"), "kinds.lead.ower: there is no such key"),
        (kind(over=GONE), "kinds.lead.over[0].why"),
        (
            {"numbers": [{"kind": "lead", "path": "/x"}]},
            "numbers[0]: no text of it names {national}, {number}",
        ),
        (calls(holds="{id}"), "calls.holds: expected is a text with one of {call_id}"),
        (calls(started_at=""), "calls.lists[0]: keyset needs the time"),
        (calls(lists=[]), "calls.lists"),
        (listed(of="no"), "calls.lists[0].of: there is no source 'no'; there are: new"),
        (listed(of="new"), "calls.lists[0]: it names no {home}"),
        (follow_ups(change=FOLLOW_UPS["create"]), "follow_ups.change: no text of it names {id}"),
        (follow_ups(homes={"lead": {"x": "{hom}"}}), "follow_ups.create.body.x: there is no value 'hom'"),
        (follow_ups(find={**FOLLOW_UPS["find"], "holds": "x"}), "follow_ups.find.holds: it names no {key}"),
        ({"remove": {"path": "/{secret}"}}, "remove.path: there is no value 'secret'"),
        ({"zone": "Mars/Olympus"}, "zone: 'Mars/Olympus' is no time zone"),
        (source(paging="next"), "sources.new.next: missing"),
        (source(paging="page", query={"limit": "{limit}"}), "sources.new: no text of it names {page}"),
        (source(query={"limit": "{limit}"}), "sources.new.ties: missing"),
    ],
)
async def test_a_table_that_cannot_work_is_told_with_file_and_key(change: dict[str, Any], told: str) -> None:
    table = reading_tables() | tables(Idempotency.MARKER) | change
    account = Account("rest", "http://127.0.0.1:9", SecretStr("x"), "rest.toml")
    with pytest.raises(SettingsError) as refused:
        async with open_rest(account, table, clock=SystemClock()):
            pass
    assert "rest.toml: rest" in str(refused.value)
    assert told in str(refused.value)


async def test_what_people_did_themselves_is_not_cancelled() -> None:
    find = {**FOLLOW_UPS["find"], "ended": {"at": "done", "is": ["true"]}}
    async with rest_house(Idempotency.MARKER, follow_ups={**FOLLOW_UPS, "find": find}) as house:
        lead = RecordRef("lead", house.server.leads.add(changed=NOW, name="Li Wei"))
        made = await house.crm.follow_up(lead, at=NOW, user="anna", text="call\nagain", key="k1")
        task = house.server.leads.tasks[made.id]
        assert (task["title"], task["owner"]) == ("call again [cti:k1]", "anna")
        task["done"] = True
        crm: EndsFollowUps = house.crm  # type: ignore[assignment]
        for done in (False, True):
            await crm.follow_up_over(lead, key="k1", done=done)
        assert made.id in house.server.leads.tasks

        given: dict[str, Any] = {"at": NOW + timedelta(days=1), "user": "anna", "text": "call", "key": "k1"}
        asked = len(house.server.asked)
        assert await house.crm.follow_up(lead, **given, stands=True) == made
        assert {method for method, _ in house.server.asked[asked:]} == {"GET"}, "it stays as it is"
        await house.crm.follow_up(lead, **given)
        assert house.server.leads.tasks[made.id]["done"] is False


async def test_follow_ups_stand_on_the_kinds_that_the_tables_name() -> None:
    body = {name: value for name, value in FOLLOW_UPS["create"]["body"].items() if name != "lead"}
    more = {
        "create": {**FOLLOW_UPS["create"], "body": body},
        "change": {**FOLLOW_UPS["change"], "body": body},
        "homes": {"lead": {"lead": "{home}"}},
    }
    async with rest_house(Idempotency.MARKER, follow_ups={**FOLLOW_UPS, **more}) as house:
        lead = house.server.leads.add(changed=NOW, name="Li Wei")
        made = await house.crm.follow_up(RecordRef("lead", lead), at=NOW, user=None, text="call", key="k1")
        assert house.server.leads.tasks[made.id]["lead"] == lead
        with pytest.raises(CrmError, match="case:7: follow-ups stand on lead"):
            await house.crm.follow_up(RecordRef("case", "7"), at=NOW, user=None, text="call", key="k2")


class RestHands:
    """A user of the REST server."""

    def __init__(self, house: RestHouse) -> None:
        self._rows = house.server.rows

    async def delete(self, remote: RecordRef) -> None:
        del self._rows[remote.id]

    async def double(self, remote: RecordRef) -> RecordRef:
        self._rows["9999"] = dict(self._rows[remote.id])
        return RecordRef(remote.kind, "9999")

    async def change(self, remote: RecordRef) -> str:
        self._rows[remote.id]["subject"] = "Wrong person"
        return "subject"


@pytest.mark.parametrize("calls", [CALLS, {**CALLS, "by_id": None}], ids=["by id", "by lists alone"])
async def test_a_reconciliation_finds_and_mends_what_people_did(calls: dict[str, Any]) -> None:
    async with rest_house(Idempotency.MARKER, calls=calls) as house:
        clock = FakeClock(NOW + timedelta(minutes=2))
        bench = Bench(crm=house.crm, mapping=house.mapping, store=MemoryStore(), clock=clock)
        await prove(bench, RestHands(house))


@pytest.mark.parametrize("paging", ["offset", "page", "next"])
async def test_calls_are_listed_by_record_where_they_can_be_listed_no_other_way(paging: str) -> None:
    of = {"path": "/api/calls", "list": "list", "paging": "offset", "of": "leads"}
    of["query"] = {"home": "{home}", "limit": "{limit}", "offset": "{offset}"}  # type: ignore[assignment]
    calls = {**CALLS, "lists": [of], "by_id": None}
    async with rest_house(Idempotency.MARKER, paging=paging, calls=calls) as house:
        leads = [house.server.leads.add(changed=NOW, name=f"Lead {n}") for n in range(5)]
        logs = [a_log() for _ in leads]
        for log, lead in zip(logs, leads, strict=True):
            await house.crm.push([house.write(log, home=RecordRef("lead", lead))])
        for log, lead in zip(logs, leads, strict=True):
            next(row for row in house.server.rows.values() if row["mark"] == log.call_id)["home"] = lead
        asked = len(house.server.asked)

        with on_tab(Tab()) as tab:
            found = await house.crm.read_back([log.call_id for log in logs])

        assert {one.call_id: one.home and one.home.id for one in found} == {
            log.call_id: lead for log, lead in zip(logs, leads, strict=True)
        }
        assert tab.sent == len(house.server.asked) - asked == 1 + len(leads)


async def test_a_run_pays_for_each_request() -> None:
    """One for the list of leads, one for the calls of each; more than once the account has no more."""
    of = {"path": "/api/calls", "list": "list", "paging": "offset", "of": "leads"}
    of["query"] = {"home": "{home}", "limit": "{limit}", "offset": "{offset}"}  # type: ignore[assignment]
    calls = {**CALLS, "lists": [of], "by_id": None}
    async with rest_house(Idempotency.MARKER, paging="offset", calls=calls, in_flight=2) as house:
        for n in range(7):
            house.server.leads.add(changed=NOW, name=f"Lead {n}")
        bench = Bench(crm=house.crm, mapping=house.mapping, store=MemoryStore(), clock=FakeClock(NOW))
        asked = len(house.server.asked)

        run, _ = await bench.reconcile()

        assert run.requests == len(house.server.asked) - asked == 1 + 7
        assert (await bench.store.crm.standing("rest")).spent == run.requests


async def test_a_body_is_a_tree_whose_values_keep_their_types() -> None:
    """As a query in JSON wants it, of Odoo's kind."""
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response([{"id": 7, "name": 'A "quoted" name'}])

    app = web.Application()
    app.router.add_post("/search", answer)
    read = {
        "method": "POST",
        "path": "/search",
        "each": "{id|number}",
        "body": {
            "domain": [["id", "in", "{ids}"], ["active", "=", True]],
            "note": "ids {ids}",
            "none": "{id}",
        },
        "list": "",
    }
    table = tables(Idempotency.MARKER) | {"kinds": {"lead": {"read": read | {"body": {**read["body"]}}}}}  # type: ignore[dict-item]
    del table["kinds"]["lead"]["read"]["body"]["none"]
    async with TestServer(app) as http:
        account = Account("rest", str(http.make_url("/")), SecretStr("x"), "rest.toml")
        async with open_rest(account, table, clock=SystemClock()) as crm:
            found = await crm.records([RecordRef("lead", "7"), RecordRef("lead", "8")])

    assert asked == [{"domain": [["id", "in", [7, 8]], ["active", "=", True]], "note": "ids 7,8"}]
    assert {ref: one.name for ref, one in found.items()} == {RecordRef("lead", "7"): 'A "quoted" name'}
