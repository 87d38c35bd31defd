"""The generic adapter on a real BottleCRM, by the shipped template: written, read back, found, pulled, reconciled."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.mapping import Mapping, MappingFile, mapping_of
from crm_sync.port import CallWrite, CrmError
from crm_sync.rest.adapter import RestCrm, open_rest
from cti.clock import SystemClock
from cti.model.crm import Answer, CallLog, Link, RecordRef
from lab.crm.bottle import BottleCrm
from lab.crm.proxy import lossy_proxy
from tests.contract.crm.bottle_house import bottle_house
from tests.contract.crm.houses import a_log
from tests.contract.crm.planted import Bench, prove
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.integration.crm_live.hands import BottleHands
from tests.integration.crm_live.houses import MAPPINGS

pytestmark = pytest.mark.crm_live
NAME = "bottlecrm-rest"


@pytest.fixture
def bottle(bottle_server: BottleCrm) -> BottleCrm:
    """Give it. Not async: it lives in another event loop."""
    return bottle_server


def template() -> tuple[Mapping, dict[str, Any]]:
    tree = tomllib.loads((MAPPINGS / f"{NAME}.toml").read_text())
    known = {one: tree.pop(one) for one in MappingFile.model_fields if one in tree}
    return mapping_of(known, target="bottle", where=NAME), tree["rest"] | {"unsure_seconds": 0.0}


@asynccontextmanager
async def opened(url: str, token: str, **more: Any) -> AsyncIterator[RestCrm]:
    account = Account("bottle", url, SecretStr(token), f"{NAME}.toml")
    async with open_rest(account, template()[1] | more, clock=SystemClock()) as crm:
        yield crm


def write_of(log: CallLog, ref: RecordRef, **given: Any) -> CallWrite:
    made = template()[0].write(replace(log, crm_ref=str(ref)), Link(target="bottle", call_id=log.call_id))
    return replace(made, **given)


def some_hours_ago() -> datetime:
    """Return when calls began: it refuses those of the future."""
    return (SystemClock().now() - timedelta(hours=8)).replace(microsecond=0)


def a_call_there() -> CallLog:
    began = some_hours_ago()
    spans = {"placed_at": 0, "answered_at": 15, "connected_at": 18, "ended_at": 60}
    return a_log(**{name: began + timedelta(seconds=seconds) for name, seconds in spans.items()})


@pytest.mark.parametrize("kind", ["lead", "contact"])
async def test_a_call_is_written_once_changed_read_back_and_removed(bottle: BottleCrm, kind: str) -> None:
    made = await (bottle.add_lead if kind == "lead" else bottle.add_contact)("Li", "Wei")
    home = RecordRef(kind, made)
    async with lossy_proxy(bottle.url) as proxy, opened(proxy.url, bottle.token) as crm:
        assert (await crm.check()).who == "waihu@crm.invalid"
        log = a_call_there()
        proxy.losses.next = 1
        (lost,) = await crm.push([write_of(log, home)])
        (again,) = await crm.push([write_of(log, home, unsure=True)])
        later = replace(log, note="wants an offer")
        (changed,) = await crm.push([write_of(later, home, remote=again.remote)])
        (one,) = await crm.read_back([log.call_id])
        span = {"since": log.placed_at - timedelta(minutes=1), "until": log.placed_at + timedelta(minutes=1)}
        listed = [each.remote async for each in crm.written(**span) if each.call_id == log.call_id]

        assert (lost.answer, again.answer, changed.answer) == (Answer.UNKNOWN, Answer.OK, Answer.OK)
        assert (one.remote, one.home, one.started_at, one.seconds) == (again.remote, home, log.placed_at, 42)
        assert "wants an offer" in one.fields["body"]
        assert listed == [again.remote]
        rows = await bottle.rows("SELECT id FROM interaction WHERE subject LIKE ?", f"%{log.call_id}%")
        assert [str(UUID(row["id"])) for row in rows] == [one.remote.id]
        await crm.remove(one.remote)
        await crm.remove(one.remote)
        assert await crm.read_back([log.call_id]) == []
        (gone,) = await crm.push([write_of(later, home, remote=again.remote)])
        assert gone.answer is Answer.DELETED


async def test_records_are_pulled_page_by_page_read_and_found(bottle: BottleCrm) -> None:
    city, digits = uuid4().hex, str(uuid4().int)[:7]
    number = f"030 {digits}"
    ids = [await bottle.add_lead("Person", str(n), city=city, country="DE") for n in range(7)]
    await bottle.ask("PATCH", f"/api/leads/{ids[3]}/", {"phone": number})
    source = template()[1]["sources"]["leads"]
    only = source | {"query": source["query"] | {"city": city}}
    async with opened(bottle.url, bottle.token, sources={"leads": only}, calls=None) as crm:
        seen, cursor, more = [], "", True
        while more:
            page = await crm.pull("leads", cursor=cursor, limit=2)
            seen += page.records
            cursor, more = page.cursor, page.more
        (found,) = await crm.find_by_number("+4930" + digits)
        await bottle.ask("PATCH", f"/api/leads/{ids[0]}/", {"status": "closed"})
        await bottle.ask("DELETE", f"/api/leads/{ids[1]}/")
        refs = [RecordRef("lead", one) for one in ids]
        now = await crm.records([*refs, RecordRef("lead", "no-id-of-theirs")])
        again = await crm.pull("leads", cursor=cursor, limit=50)

    assert {one.ref for one in seen} == set(refs)
    assert {one.name for one in seen} == {f"Person {n}" for n in range(7)}
    assert (found.ref, found.region, found.stage) == (refs[3], "DE", "assigned")
    assert set(now) == {ref for ref in refs if ref.id != ids[1]}
    assert [one.over for ref, one in now.items() if ref.id == ids[0]] == ["lost"]
    assert {one.ref for one in again.records} <= set(refs), "what changed within the overlap comes again"


@pytest.mark.parametrize("done", [True, False])
async def test_a_follow_up_is_set_moved_and_ended(bottle: BottleCrm, done: bool) -> None:
    lead = RecordRef("lead", await bottle.add_lead("Li", "Wei"))
    at = (SystemClock().now() + timedelta(days=3)).replace(hour=10)

    async def days() -> list[str]:
        question = "SELECT due_date FROM task WHERE lead_id = ? AND status != 'Completed'"
        return [row["due_date"] for row in await bottle.rows(question, UUID(lead.id).hex)]

    async with opened(bottle.url, bottle.token) as crm:
        key = uuid4().hex
        first = await crm.follow_up(lead, at=at, user=None, text="the offer", key=key)
        second = await crm.follow_up(lead, at=at + timedelta(days=4), user=None, text="the offer", key=key)
        assert first == second
        assert await days() == [(at + timedelta(days=4)).date().isoformat()]
        for _ in range(2):
            await crm.follow_up_over(lead, key=key, done=done)
        assert await days() == []
        nobody = RecordRef("lead", str(uuid4()))
        with pytest.raises(CrmError):
            await crm.follow_up(nobody, at=at, user=None, text="call", key=uuid4().hex)


async def test_a_reconciliation_finds_and_mends_what_people_did(bottle: BottleCrm) -> None:
    began = some_hours_ago()
    mapping, _ = template()
    async with bottle_house(bottle) as house, opened(bottle.url, bottle.token) as crm:
        bench = Bench(
            crm=crm,
            mapping=mapping,
            store=MemoryStore(),
            clock=FakeClock(began + timedelta(minutes=2)),
            crm_ref=f"lead:{house.lead}",
            began=began,
        )
        await prove(bench, BottleHands(house))


@pytest.mark.parametrize("by_templates", [True, False])
async def test_a_run_pays_for_each_request(bottle: BottleCrm, by_templates: bool) -> None:
    """Counted where they pass."""
    began = some_hours_ago()
    async with bottle_house(bottle) as house, lossy_proxy(bottle.url) as proxy:
        for _ in range(5):
            await bottle.add_contact("Some", "Body")
        async with opened(proxy.url, bottle.token) as crm:
            given = (crm, template()[0]) if by_templates else (house.crm, house.mapping)
            counted = proxy if by_templates else house.proxy
            clock = FakeClock(began + timedelta(minutes=2))
            bench = Bench(crm=given[0], mapping=given[1], store=MemoryStore(), clock=clock, began=began)
            bench.crm_ref = f"lead:{house.lead}"
            await bench.call()
            await bench.push()
            clock.advance(3600)
            before = counted.requests

            run, found = await bench.reconcile()

    assert (run.state, [one for one in found if one.kind != "foreign"]) == ("done", []), run.message
    assert run.requests == counted.requests - before
    assert run.requests > 5, "one for each contact"
