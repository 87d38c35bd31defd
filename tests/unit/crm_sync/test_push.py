"""Calls reach a CRM once each, whatever fails in between. The CRM is in memory, the database SQLite, time is ours."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.mapping import mapping_of
from crm_sync.port import CallWrite, Idempotency, PushResult
from crm_sync.push import TargetPusher
from cti.crm.feed import LEASE, TableFeed
from cti.crm.targets import CallFollowers, Target
from cti.errors import StorageError
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Answer, Rate, Settlement
from cti.service import running
from cti.storage.database import Database, open_database
from tests.builders import NOW, a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.strict_crm import StrictClient, StrictCrm
from tests.waiting import patience

TARGET = Target(name="strict", settle=timedelta(0))
MAPPING = mapping_of(
    {
        "fields": {
            "subject": "Call to {number}",
            "status": {"from": "outcome", "map": {"connected": "held", "*": "not held"}},
            "started": "{placed_at|iso}",
            "seconds": "{total_seconds}",
            "note": {"from": "note", "empty": "null"},
        },
        "records": {"kind": "lead"},
    },
    target="strict",
    where="strict.toml",
)


class Rig:
    """A database, a CRM, and as many pushers as are asked for."""

    def __init__(self, database: Database, idempotency: Idempotency) -> None:
        self.database = database
        self.server = StrictCrm(idempotency=idempotency)
        self.clock = FakeClock(later(60))
        self.follow = CallFollowers([TARGET])
        self.feed = TableFeed(
            works=database.work, store=database.crm, targets=[TARGET], clock=self.clock, chance=lambda: 1.0
        )

    def pusher(self, client: Any = None, feed: Any = None, **given: Any) -> TargetPusher:
        return TargetPusher(
            target="strict",
            crm=client or StrictClient(self.server, in_flight=4),
            mapping=MAPPING,
            feed=feed or self.feed,
            clock=self.clock,
            **given,
        )

    async def calls(self, count: int, **given: Any) -> list[Call]:
        made = [a_call(crm_ref="7") for _ in range(count)]
        for at in range(0, count, 500):
            some = made[at : at + 500]
            await self.database.calls.place([(call, None) for call in some])
            ended = [
                replace(call, state=CallState.ENDED, ended_at=later(60), outcome=Outcome.CONNECTED, **given)
                for call in some
            ]
            works = [work for call in ended for work in self.follow.ended(call)]
            await self.database.calls.save(ended, works=works)
        return made

    async def dispose(self, call: Call, note: str) -> None:
        ended = replace(call, state=CallState.ENDED, outcome=Outcome.CONNECTED)
        now = self.clock.now()
        await self.database.calls.set_disposition(
            call.id,
            agent_id=None,
            disposition="x",
            note=note,
            at=now,
            works=lambda before: self.follow.disposed(ended, now),
        )

    def times_there(self) -> Counter[str]:
        return Counter(row.mark for row in self.server.rows.values())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{tmp_path}/waihu.db", survive_power_loss=False) as opened:
        yield opened


@pytest.fixture(params=list(Idempotency))
def rig(request: pytest.FixtureRequest, database: Database) -> Rig:
    return Rig(database, request.param)


@pytest.fixture
def marked(database: Database) -> Rig:
    return Rig(database, Idempotency.MARKER)


async def test_ended_calls_are_written_once_with_what_is_known_of_them(rig: Rig) -> None:
    calls = await rig.calls(25)

    await rig.pusher().drain()

    assert rig.times_there() == Counter(call.id for call in calls)
    row = next(row for row in rig.server.rows.values() if row.mark == calls[0].id)
    assert row.fields["subject"] == f"Call to {calls[0].number}"
    assert row.fields["started"] == NOW.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert row.home is not None
    assert row.home.id == "7"
    (standing,) = await rig.database.crm.standings()
    assert standing.counts == {"ok": 25}


async def test_changes_are_updates_of_the_same_record(rig: Rig) -> None:
    (call,) = await rig.calls(1)
    pusher = rig.pusher()
    await pusher.drain()

    for note in ("first", "second"):
        await rig.dispose(call, note)
        await pusher.drain()

    (row,) = rig.server.rows.values()
    assert (row.fields["note"], row.writes) == ("second", 3)


async def test_what_stands_there_already_is_not_sent_again(rig: Rig) -> None:
    (call,) = await rig.calls(1)
    pusher = rig.pusher()
    await pusher.drain()
    asked = rig.server.requests

    await rig.database.work.add(rig.follow.changed(call.id, rig.clock.now()), now=rig.clock.now())
    await pusher.drain()

    assert rig.server.requests == asked
    (counts,) = await rig.database.work.counts()
    assert (counts.waiting, counts.leased, counts.done) == (0, 0, 2)


async def test_every_tenth_answer_may_be_lost_and_no_call_is_there_twice(rig: Rig) -> None:
    calls = await rig.calls(60)
    pusher = rig.pusher(StrictClient(rig.server, batch=1, in_flight=1))
    rig.server.lose_every = 10
    for _ in range(200):
        await pusher.drain()
        rig.clock.advance(6)
        if not sum(one.waiting + one.leased for one in await rig.database.work.counts()):
            break

    assert rig.times_there() == Counter(call.id for call in calls)
    (counts,) = await rig.database.crm.link_counts()
    assert (counts.written, counts.unsure) == (60, 0)
    assert rig.server.lost >= 6


class Dying(StrictClient):
    """Its process dies when the work is done and the answer not yet taken."""

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        await super().push(writes)
        raise asyncio.CancelledError


async def test_a_process_that_is_killed_after_the_write_leaves_no_double(rig: Rig) -> None:
    (call,) = await rig.calls(1)
    for _ in range(3):
        await rig.pusher(Dying(rig.server)).drain()
        assert (await rig.database.crm.link_counts())[0].unsure == 1
        rig.clock.advance(LEASE.total_seconds() + 1)

    await rig.pusher().drain()

    assert rig.times_there() == {call.id: 1}


class Forgetful(TableFeed):
    """The database goes away before what became of calls is written down."""

    outages = 0

    async def settle(self, name: str, settlements: Sequence[Settlement], **given: Any) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageError("away", temporary=True)
        await super().settle(name, settlements, **given)


async def test_a_database_that_is_away_after_the_write_is_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_sync.push.SETTLE_PAUSE_SECONDS", 0)
    (call,) = await rig.calls(1)
    feed = Forgetful(works=rig.database.work, store=rig.database.crm, targets=[TARGET], clock=rig.clock)
    feed.outages = 3

    await rig.pusher(feed=feed).drain()

    assert rig.times_there() == {call.id: 1}
    (counts,) = await rig.database.crm.link_counts()
    assert counts.written == 1


async def test_one_bad_call_is_a_dead_letter_and_the_others_are_written(rig: Rig) -> None:
    await rig.calls(5)
    bad = a_call(crm_ref="no reference at all")
    await rig.database.calls.place([(bad, None)])
    ended = replace(bad, state=CallState.ENDED, ended_at=later(60), outcome=Outcome.BUSY)
    await rig.database.calls.save([ended], works=rig.follow.ended(ended))

    await rig.pusher().drain()

    assert len(rig.server.rows) == 5
    (letter,) = await rig.database.work.dead(kind=TARGET.kind)
    assert (letter.key, "is no reference" in (letter.error or "")) == (bad.id, True)


async def test_a_refused_key_stops_the_target_after_one_request(rig: Rig) -> None:
    await rig.calls(40)
    rig.server.key_refused = True
    pusher = rig.pusher(StrictClient(rig.server, batch=1, in_flight=1))
    for _ in range(20):
        await pusher.drain()
        rig.clock.advance(600)

    assert rig.server.requests == 1
    assert (await rig.database.crm.standing("strict")).state == "stopped"
    rig.server.key_refused = False
    await rig.feed.checked("strict", Answer.OK, "")
    await pusher.drain()
    assert len(rig.server.rows) == 40
    assert await rig.database.work.dead() == []


async def test_a_deleted_record_is_not_resurrected(rig: Rig) -> None:
    (call,) = await rig.calls(1)
    pusher = rig.pusher()
    await pusher.drain()
    rig.server.rows.clear()

    for note in ("one", "two"):
        await rig.dispose(call, note)
        await pusher.drain()

    assert rig.server.rows == {}
    (counts,) = await rig.database.crm.link_counts()
    assert counts.deleted == 1


async def test_eight_pushers_at_once_write_each_call_once(rig: Rig) -> None:
    calls = await rig.calls(120)

    await asyncio.gather(*(rig.pusher().drain() for _ in range(8)))

    assert rig.times_there() == Counter(call.id for call in calls)


async def test_the_rate_of_the_account_is_kept(marked: Rig) -> None:
    await marked.calls(100)
    rate = Rate(per_second=5.0, burst=5)
    pushers = [marked.pusher(StrictClient(marked.server, batch=1), rate=rate) for _ in range(2)]
    for _ in range(10):
        for pusher in pushers:
            await pusher.drain()
        marked.clock.advance(1)

    assert marked.server.requests == 50


@pytest.mark.timeout(600)
async def test_ten_thousand_calls_of_an_hour_without_the_crm_are_all_delivered_once(marked: Rig) -> None:
    """An hour down while calls go on, then every tenth answer lost; and the CRM was hardly knocked at meanwhile."""
    calls: list[Call] = []
    marked.server.away = True
    pusher = marked.pusher(StrictClient(marked.server, batch=50, in_flight=4))
    for _ in range(60):
        calls += await marked.calls(167)
        for _ in range(6):
            await pusher.drain()
            marked.clock.advance(10)
    assert len(calls) > 10_000
    assert marked.server.rows == {}
    knocked = marked.server.requests
    assert knocked < 120, "one request a minute is enough to see whether it is back"
    assert await marked.database.work.dead() == []

    marked.server.away = False
    marked.server.lose_every = 10
    for _ in range(400):
        await pusher.drain()
        marked.clock.advance(10)
        (counts,) = await marked.database.work.counts()
        if not counts.waiting + counts.leased:
            break

    assert marked.times_there() == Counter(call.id for call in calls)
    (links,) = await marked.database.crm.link_counts()
    assert (links.written, links.unsure, links.deleted) == (len(calls), 0, 0)
    assert marked.server.lost >= 20, "of batches of fifty calls"


class Counted:
    """A feed before another one that counts what is given back, and may never answer to it."""

    def __init__(self, feed: TableFeed, *, answers: bool = True) -> None:
        self._feed = feed
        self.answers = answers
        self.given_back = 0
        self.taken = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    async def take(self, *given: Any, **named: Any) -> Any:
        taken = await self._feed.take(*given, **named)
        self.taken.set()
        return taken

    async def give_back(self, works: Sequence[Any]) -> None:
        self.given_back += 1
        if not self.answers:
            await asyncio.Event().wait()
        await self._feed.give_back(works)


async def test_told_to_end_with_nothing_under_way_it_asks_nobody(marked: Rig) -> None:
    feed = Counted(marked.feed)
    async with running(marked.pusher(feed=feed)):
        await feed.taken.wait()
    assert feed.given_back == 0


async def test_a_service_that_does_not_answer_holds_up_no_end(
    marked: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_sync.push.GIVE_BACK_SECONDS", 0.01)
    monkeypatch.setattr("crm_sync.push.END_SECONDS", 0.01)
    await marked.calls(20)
    feed = Counted(marked.feed, answers=False)
    client = StrictClient(marked.server, in_flight=1)
    begun = asyncio.Event()

    async def hangs(writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        begun.set()
        await asyncio.Event().wait()
        return ()

    client.push = hangs  # type: ignore[method-assign]
    async with patience(), running(marked.pusher(client, feed, in_flight=1)):
        await begun.wait()
    assert feed.given_back == 1
