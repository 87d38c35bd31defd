"""Runs of reconciliation against a CRM in memory, with our side in memory and on SQLite. Time is ours."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.fingerprint import fingerprint
from crm_sync.port import CallWrite, CrmError, Idempotency, Written
from crm_sync.reconciler import ONLY_OURS, Regular
from cti.model.crm import Answer, Rate, RecordRef
from cti.storage.database import open_database
from tests.builders import a_call, later
from tests.contract.crm.houses import a_log
from tests.contract.crm.planted import SETTLED, Bench, prove, told
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strict_crm import Row, StrictClient, StrictCrm
from tests.fakes.strict_hands import MAPPING, StrictHands


def a_bench(server: StrictCrm, store: Any, **more: Any) -> Bench:
    return Bench(crm=StrictClient(server, **more), mapping=MAPPING, store=store, clock=FakeClock(later(120)))


@pytest.fixture
def server() -> StrictCrm:
    return StrictCrm(idempotency=Idempotency.MARKER)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with open_database(f"sqlite:///{tmp_path}/waihu.db", survive_power_loss=False) as opened:
        yield opened


@pytest.fixture
def bench(server: StrictCrm) -> Bench:
    return a_bench(server, MemoryStore())


@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_differences_planted_by_hand_are_found_and_nothing_else(
    store: Any, idempotency: Idempotency
) -> None:
    server = StrictCrm(idempotency=idempotency)
    await prove(a_bench(server, store), StrictHands(server))


async def test_calls_are_asked_for_as_many_at_one_time_as_the_crm_takes_and_each_question_is_paid(
    server: StrictCrm,
) -> None:
    bench = a_bench(server, MemoryStore(), calls_at_once=2)
    calls = [await bench.call() for _ in range(5)]
    await bench.push()
    bench.clock.advance(SETTLED.total_seconds())
    for call in calls:
        await StrictHands(server).delete(await bench.remote(call))

    run, _ = await bench.reconcile(mend=True)

    assert (run.looked, run.requests) == (5, 1 + 3)


async def test_a_crm_that_removes_nothing_keeps_its_doubles(server: StrictCrm) -> None:
    await prove(a_bench(server, MemoryStore(), removes=False), StrictHands(server))


async def test_page_by_page_the_same_is_found(server: StrictCrm, bench: Bench) -> None:
    calls = [await bench.call(placed_at=later(-n * 60)) for n in range(9)]
    await bench.push()
    bench.clock.advance(SETTLED.total_seconds())
    hands = StrictHands(server)
    for call in calls[::4]:
        await hands.double(await bench.remote(call))
    server.rows["x"] = Row(id="x", mark="f" * 32, home=None, fields={"started": later(-90).isoformat()})

    run, found = await bench.reconcile(page=2)

    doubled = {(call.id, "double") for call in calls[::4]}
    assert told(found) == doubled | {("f" * 32, "foreign")}
    assert len(found) == 4
    assert (run.looked, dict(run.counts)) == (9, {"double": 3, "foreign": 1})


async def test_after_a_kill_a_run_goes_on_behind_the_last_page(server: StrictCrm, bench: Bench) -> None:
    for n in range(6):
        await bench.call(placed_at=later(n))
    await bench.lose_work()
    bench.clock.advance(SETTLED.total_seconds())
    run, _ = await bench.reconcile(page=2, rate=Rate(per_day=4))
    assert (run.state, run.looked) == ("waiting", 4), run
    assert "no requests left" in run.message

    bench.clock.advance(24 * 3600)
    assert await bench.reconciler(page=2, rate=Rate(per_day=100)).step()

    (run,) = await bench.store.reconciliations.runs()
    assert (run.state, run.looked, dict(run.counts)) == ("done", 6, {"unwritten": 6})
    assert len(await bench.store.reconciliations.findings(run.id)) == 6


async def test_a_lost_update_is_brought_up_to_date_and_a_restored_record_again_too(
    server: StrictCrm, bench: Bench
) -> None:
    call, other = await bench.call(), await bench.call()
    await bench.push()
    await bench.dispose(call, "he has bought")
    await bench.lose_work()
    row = server.rows.pop((await bench.remote(other)).id)
    bench.clock.advance(SETTLED.total_seconds())
    _, found = await bench.reconcile()
    assert told(found) == {(call.id, "differing"), (other.id, "deleted")}

    server.rows[row.id] = row
    await bench.push()
    (one,) = await bench.there(call)
    assert one.fields["note"] == "he has bought"
    bench.clock.advance(SETTLED.total_seconds())
    _, found = await bench.reconcile()
    assert told(found) == {(other.id, "restored")}
    await bench.dispose(other, "welcome back")
    await bench.push()
    assert server.rows[row.id].fields["note"] == "welcome back"


async def test_what_we_forgot_is_linked_again_without_a_double(server: StrictCrm, bench: Bench) -> None:
    """Our database came back from a copy: records stand there of which it knows nothing."""
    call = await bench.call()
    await bench.lose_work()
    server.create(a_bare_write(call.id))
    bench.clock.advance(SETTLED.total_seconds())

    _, found = await bench.reconcile()
    await bench.push()

    assert told(found) == {(call.id, "unlinked")}
    assert len(server.rows) == 1
    assert (await bench.remote(call)).id in server.rows


def a_bare_write(call_id: str) -> CallWrite:
    log = a_log(call_id=call_id)
    return CallWrite(log=log, fields={"started": log.placed_at.isoformat()}, home=RecordRef("lead", "7"))


async def test_a_call_that_changes_while_it_is_looked_at_is_left_to_the_next_run(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.push()
    bench.clock.advance(SETTLED.total_seconds())
    client = bench.crm
    assert isinstance(client, StrictClient)
    listed = client.written

    async def meanwhile(**span: Any) -> AsyncIterator[Written]:
        await bench.dispose(call, "just now")
        await bench.push()
        async for one in listed(**span):
            yield one

    client.written = meanwhile  # type: ignore[method-assign,assignment]
    run, found = await bench.reconcile()

    assert (run.state, found) == ("done", [])


async def test_what_a_person_gave_up_is_not_taken_up_again(server: StrictCrm, bench: Bench) -> None:
    server.homes = set()
    call = await bench.call()
    await bench.push()
    (letter,) = await bench.store.work.dead()
    assert letter.key == call.id
    bench.clock.advance(SETTLED.total_seconds())
    assert (await bench.reconcile())[1] == [], "a dead letter is known"

    await bench.store.work.discard(letter.id, now=bench.clock.now())

    bench.clock.advance(SETTLED.total_seconds())
    assert (await bench.reconcile())[1] == []


async def test_a_crm_that_is_away_is_asked_later_and_pauses_as_a_whole(
    server: StrictCrm, bench: Bench
) -> None:
    await bench.call()
    await bench.lose_work()
    bench.clock.advance(SETTLED.total_seconds())
    server.away = True
    run, _ = await bench.reconcile()
    assert (run.state, run.message) == ("waiting", "away: nobody listens")
    assert (await bench.store.crm.standing("strict")).state == "paused"

    server.away = False
    bench.clock.advance(601)
    assert await bench.reconciler().step()
    (run,) = await bench.store.reconciliations.runs()
    assert (run.state, dict(run.counts)) == ("done", {"unwritten": 1})


async def test_a_run_that_never_ends_well_is_given_up(server: StrictCrm, bench: Bench) -> None:
    server.away = True
    await bench.reconcile()
    for _ in range(30):
        bench.clock.advance(3600)
        await bench.reconciler(regular=Regular(every=timedelta(0))).step()
    (run,) = await bench.store.reconciliations.runs()
    assert (run.state, run.message) == ("failed", "away: nobody listens")


async def test_where_nothing_can_be_read_back_only_our_own_side_is_looked_at(server: StrictCrm) -> None:
    bench = a_bench(server, MemoryStore(), reads_back=False)
    await bench.call()
    await bench.push()
    lost = await bench.call()
    await bench.lose_work()
    bench.clock.advance(SETTLED.total_seconds())

    run, found = await bench.reconcile()

    assert (told(found), run.message, run.requests) == ({(lost.id, "unwritten")}, ONLY_OURS, 0)


async def test_a_run_pays_out_of_the_budget_of_pushes(server: StrictCrm, bench: Bench) -> None:
    await bench.call()
    await bench.push()
    bench.clock.advance(SETTLED.total_seconds())
    before = (await bench.store.crm.standing("strict")).spent
    asked = server.requests

    run, _ = await bench.reconcile()

    assert run.requests == 1
    assert server.requests - asked == 1
    assert (await bench.store.crm.standing("strict")).spent == before + 1


async def test_it_stands_back_while_calls_wait_but_not_for_ever(bench: Bench) -> None:
    await bench.call()
    bench.clock.advance(SETTLED.total_seconds())
    began = bench.clock.now()

    run, _ = await bench.reconcile(regular=Regular(stand_back_seconds=60.0))

    assert run.state == "done"
    assert bench.clock.now() - began == timedelta(seconds=60)
    bench.sleeps = 0
    await bench.reconcile(regular=Regular(stand_back_seconds=0.0))
    assert bench.sleeps == 0


async def test_regular_runs_come_by_themselves_once_in_their_time(bench: Bench) -> None:
    regular = Regular(every=timedelta(hours=1))
    one, other = bench.reconciler(regular=regular), bench.reconciler(regular=regular)
    assert [await one.step(), await other.step()] == [True, False]
    bench.clock.advance(3600)
    assert [await other.step(), await one.step()] == [True, False]

    runs = await bench.store.reconciliations.runs()
    assert [(run.ordered_by, run.state) for run in runs] == [("regular", "done")] * 2
    assert runs[0].until - runs[0].since == timedelta(hours=26)
    none = bench.reconciler(regular=Regular(every=timedelta(0)))
    bench.clock.advance(7200)
    assert not await none.step()


async def test_what_the_adapter_refuses_for_good_ends_the_run(server: StrictCrm, bench: Bench) -> None:
    client = bench.crm
    assert isinstance(client, StrictClient)

    async def refuses(**_: Any) -> AsyncIterator[Written]:
        raise CrmError(Answer.PERMANENT, "no right to read calls")
        yield

    client.written = refuses  # type: ignore[method-assign,assignment]
    run, _ = await bench.reconcile()
    assert (run.state, run.message) == ("failed", "no right to read calls")


def test_a_fingerprint_is_the_same_for_the_same_write() -> None:
    write = a_bare_write(a_call().id)
    assert fingerprint(write) == fingerprint(replace(write))
    assert fingerprint(write) != fingerprint(replace(write, home=RecordRef("lead", "8")))
