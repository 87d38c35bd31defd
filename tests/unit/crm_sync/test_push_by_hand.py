"""What people do to calls in a CRM stays there while ours change, whatever fails in between. All in memory."""

from dataclasses import replace

import pytest

from crm_sync.mapping import mapping_of
from crm_sync.port import Idempotency
from cti.model.crm import Answer, RecordRef
from tests.builders import later
from tests.contract.crm.planted import SETTLED, Bench, told
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strict_crm import Row, StrictClient, StrictCrm

MAPPING = mapping_of(
    {
        "fields": {
            "subject": "Call to {number}[[ ({disposition})]]",
            "status": "held",
            "started": "{placed_at|iso}",
            "seconds": "{total_seconds}",
            "note": {"from": "note", "empty": "null"},
        },
        "records": {"kind": "lead"},
    },
    target="strict",
    where="strict.toml",
)


@pytest.fixture
def server() -> StrictCrm:
    return StrictCrm(idempotency=Idempotency.MARKER)


@pytest.fixture
def bench(server: StrictCrm) -> Bench:
    return Bench(crm=StrictClient(server), mapping=MAPPING, store=MemoryStore(), clock=FakeClock(later(60)))


def the_row(server: StrictCrm) -> Row:
    (row,) = server.rows.values()
    return row


async def test_a_call_that_was_moved_stays_there_and_is_told(server: StrictCrm, bench: Bench) -> None:
    call = await bench.call()
    await bench.push()
    row = the_row(server)
    row.home, row.user, row.fields["status"] = RecordRef("lead", "8"), "ben", "not held"

    for note in ("first", "second"):
        await bench.dispose(call, note)
        await bench.push()

    assert (row.home, row.user, row.fields["status"]) == (RecordRef("lead", "8"), "ben", "not held")
    assert row.fields["note"] == "second"
    bench.clock.advance(SETTLED.total_seconds())
    _, found = await bench.reconcile()
    assert told(found) == {(call.id, "moved"), (call.id, "differing")}


async def test_on_order_it_is_put_back(server: StrictCrm, bench: Bench) -> None:
    call = await bench.call()
    await bench.push()
    row = the_row(server)
    row.home = RecordRef("lead", "8")
    bench.clock.advance(SETTLED.total_seconds())
    await bench.reconcile()
    await bench.push()
    assert row.home == RecordRef("lead", "8")

    _, found = await bench.reconcile(overwrite=True)
    await bench.push()

    assert told(found) == {(call.id, "moved")}
    assert row.home == RecordRef("lead", "7")
    bench.clock.advance(SETTLED.total_seconds())
    assert (await bench.reconcile())[1] == []


async def test_a_note_that_a_person_typed_stays_and_is_told_once_it_is_looked_for(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.push()
    await bench.dispose(call, "first")
    await bench.push()
    row = the_row(server)
    row.fields["note"] = "he will be back in May"

    await bench.dispose(call, "second", disposition="lost")
    await bench.push()

    assert row.fields["note"] == "he will be back in May"
    assert row.fields["subject"].endswith("(lost)")
    bench.clock.advance(SETTLED.total_seconds())
    _, (one,) = await bench.reconcile()
    assert one.detail.endswith("changed there by somebody: note")

    row.fields["note"] = "first"  # and takes it back
    await bench.reconcile()
    await bench.push()
    assert row.fields["note"] == "second"


async def test_a_change_that_is_taken_back_after_a_lost_answer_is_taken_back_there(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.dispose(call, "first")
    await bench.push()
    await bench.dispose(call, "wrong call")
    server.lose_answers = 1
    await bench.push()
    assert the_row(server).fields["note"] == "wrong call"
    the_row(server).home = RecordRef("lead", "8")

    await bench.dispose(call, "first", disposition="lost")
    bench.clock.advance(3600)
    await bench.push()

    assert the_row(server).fields["note"] == "first"
    assert the_row(server).fields["subject"].endswith("(lost)")
    assert the_row(server).home == RecordRef("lead", "8")


async def test_after_a_kill_also_what_is_as_before_is_sent_beside_what_changed(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.push()
    row = the_row(server)
    seconds, row.fields["seconds"] = row.fields["seconds"], 999.0  # it came there, and nobody wrote that down
    row.home = RecordRef("lead", "8")
    await bench.store.crm.begin("strict", [call.id], now=bench.clock.now())

    await bench.dispose(call, "first")
    await bench.push()

    assert (row.fields["note"], row.fields["seconds"]) == ("first", seconds)
    assert row.home == RecordRef("lead", "8")


@pytest.mark.parametrize("refused", [0, 1])
async def test_what_came_there_before_a_kill_gives_way_to_the_newest_note(
    server: StrictCrm, bench: Bench, refused: int
) -> None:
    call = await bench.call()
    await bench.dispose(call, "first")
    await bench.push()
    the_row(server).fields["note"] = "second"  # it came there, and nobody wrote that down
    await bench.store.crm.begin("strict", [call.id], now=bench.clock.now())

    await bench.dispose(call, "third")
    server.fail_writes = refused
    await bench.push()
    bench.clock.advance(3600)
    await bench.push()

    assert the_row(server).fields["note"] == "third"


async def test_a_note_that_a_person_typed_stays_after_a_write_that_was_refused(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.dispose(call, "first")
    await bench.push()
    await bench.dispose(call, "second")
    server.fail_writes = 1
    await bench.push()
    the_row(server).fields["note"] = "he will be back in May"

    await bench.dispose(call, "third", disposition="lost")
    bench.clock.advance(3600)
    await bench.push()

    assert the_row(server).fields["note"] == "he will be back in May"
    assert the_row(server).fields["subject"].endswith("(lost)")


async def test_what_came_there_though_its_answer_was_lost_is_no_persons_for_a_reconciliation(
    server: StrictCrm, bench: Bench
) -> None:
    call = await bench.call()
    await bench.dispose(call, "first")
    await bench.push()
    await bench.dispose(call, "second")
    server.lose_answers = 1
    await bench.push()
    await bench.dispose(call, "third")
    bench.clock.advance(SETTLED.total_seconds())
    await bench.lose_work()

    _, (one,) = await bench.reconcile()
    assert (one.fields, one.mended) == (("note",), "pushed"), one.detail
    await bench.push()

    assert the_row(server).fields["note"] == "third"


async def test_a_change_that_was_refused_for_now_comes_later(server: StrictCrm, bench: Bench) -> None:
    call = await bench.call()
    await bench.push()
    await bench.dispose(call, "first")
    server.fail_writes = 1
    await bench.push()
    (link,) = (await bench.store.crm.links("strict", [call.id])).values()
    assert not link.unsure

    bench.clock.advance(3600)
    await bench.push()

    assert the_row(server).fields["note"] == "first"
    (standing,) = await bench.store.crm.standings()
    assert standing.counts == {Answer.OK: 2, Answer.RETRY: 1}


async def test_a_call_that_is_pushed_by_order_comes_as_ours_is(server: StrictCrm, bench: Bench) -> None:
    """`cti crm push` forgets what was written."""
    call = await bench.call()
    await bench.push()
    row = the_row(server)
    row.home, row.fields["subject"] = RecordRef("lead", "8"), "mine"
    (link,) = (await bench.store.crm.links("strict", [call.id])).values()
    await bench.store.crm.put_links([replace(link, fingerprint="")])
    await bench.store.work.add(bench.follow.changed(call.id, bench.clock.now()), now=bench.clock.now())
    await bench.push()

    assert (row.home, row.fields["subject"]) == (RecordRef("lead", "7"), f"Call to {call.number}")
