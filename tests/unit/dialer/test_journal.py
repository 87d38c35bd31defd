"""The journal: newest facts, one commit, nothing lost while the database is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from cti.dialer.journal import Journal, works_of
from cti.dialer.retry import done_after_one
from cti.errors import NotFound, StorageError
from cti.model.agents import Agent, AgentChange, AgentState
from cti.model.calls import Call, CallState, Outcome
from cti.model.events import AgentMoved, CallMoved, Event
from cti.model.standing import Plan
from cti.model.work import NewWork
from tests.builders import NOW, a_call, later
from tests.fakes.memory_store import MemoryStore
from tests.unit.dialer.floor import Floor


class Flaky(MemoryStore):
    """A store whose calls cannot be written as often as told."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.commits: list[list[CallState]] = []
        self._save = self.calls.save
        self.calls.save = self.save  # type: ignore[method-assign]

    async def save(
        self, calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("away", temporary=True)
        self.commits.append([call.state for call in calls])
        await self._save(calls, works=works, plan=plan)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.dialer.journal.GATHER_SECONDS", 0.0)
    monkeypatch.setattr("cti.dialer.journal.RETRY_SECONDS", 0.0)


async def written(store: Flaky, *moves: CallMoved) -> AsyncIterator[Journal]:
    journal = Journal(calls=store.calls, agents=store.agents)
    for move in moves:
        journal.tap(move)
    task = asyncio.create_task(journal.run())
    while journal.unwritten or journal.troubled:
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    yield journal


def moved(call: Call) -> CallMoved:
    return CallMoved(before=CallState.PLACING, call=call, at=NOW)


RINGING = a_call(state=CallState.RINGING)
ENDED = a_call(
    id=RINGING.id,
    state=CallState.ENDED,
    outcome=Outcome.CONNECTED,
    answered_at=later(5),
    ended_at=later(60),
    recording="2026/11/23/x",
)


async def test_several_facts_of_a_call_are_one_row_in_one_commit() -> None:
    store = Flaky(0)
    async for _ in written(store, moved(RINGING), moved(ENDED)):
        assert store.commits == [[CallState.ENDED]]


async def test_nothing_is_lost_while_the_database_is_away() -> None:
    store = Flaky(3)
    async for journal in written(store, moved(RINGING)):
        assert store.commits == [[CallState.RINGING]]
        assert not journal.troubled


async def test_what_was_learned_meanwhile_is_not_overwritten_by_what_is_put_back() -> None:
    store = Flaky(1)
    journal = Journal(calls=store.calls, agents=store.agents)
    journal.tap(moved(RINGING))
    with pytest.raises(StorageError):
        await journal.flush()
    journal.tap(moved(ENDED))
    await journal.flush()
    assert store.commits == [[CallState.ENDED]]


async def test_what_waits_is_written_when_the_service_ends() -> None:
    store = Flaky(0)
    journal = Journal(calls=store.calls, agents=store.agents)
    task = asyncio.create_task(journal.run())
    await asyncio.sleep(0)
    journal.tap(moved(ENDED))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert store.commits == [[CallState.ENDED]]


async def test_the_recordings_work_goes_in_with_the_calls_end() -> None:
    store = Flaky(0)
    async for _ in written(store, moved(ENDED)):
        assert [(count.kind, count.waiting) for count in await store.work.counts()] == [
            ("recording.collect", 1)
        ]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            a_call(state=CallState.ENDED, outcome=Outcome.BUSY, recording="x"), id="nobody answered"
        ),
        pytest.param(a_call(state=CallState.ENDED, outcome=Outcome.CONNECTED), id="not recorded"),
        pytest.param(a_call(state=CallState.CONNECTED, recording="x"), id="still talking"),
    ],
)
def test_no_recording_is_collected_where_there_is_none(call: Call) -> None:
    assert works_of(call) == ()


async def test_agents_changes_are_written_also_while_calls_never_stop_moving(floor: Floor) -> None:
    """At a hundred calls a second another call has moved before each commit is through."""
    campaign = await floor.campaign(1)
    journal = Journal(calls=floor.store.calls, agents=floor.store.agents)
    floor.bus.tap(journal.tap)
    save = floor.store.calls.save
    commits = 0

    async def save_while_another_moves(
        calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        nonlocal commits
        commits += 1
        assert commits < 100, "the changes of agents wait for ever"
        journal.tap(moved(a_call(state=CallState.RINGING)))
        await save(calls, works=works, plan=plan)

    floor.store.calls.save = save_while_another_moves  # type: ignore[method-assign]
    journal.tap(moved(RINGING))
    await floor.agents(1, campaign)
    await journal.flush()
    assert [change.after for change in floor.store.tables.agent_changes] == [AgentState.READY]


async def test_a_change_that_is_just_being_written_at_the_end_is_written_once(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    journal = Journal(calls=floor.store.calls, agents=floor.store.agents)
    floor.bus.tap(journal.tap)
    await floor.agents(1, campaign)
    save, begun, go_on = floor.store.agents.save_changes, asyncio.Event(), asyncio.Event()

    async def to_the_end(changes: Sequence[tuple[AgentChange, Agent]]) -> None:
        begun.set()
        await go_on.wait()
        await save(changes)

    async def uninterrupted(
        changes: Sequence[tuple[AgentChange, Agent]], *, works: Sequence[NewWork] = ()
    ) -> None:
        await asyncio.shield(asyncio.ensure_future(to_the_end(changes)))

    floor.store.agents.save_changes = uninterrupted  # type: ignore[method-assign]
    task = asyncio.create_task(journal.run())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with suppress(asyncio.CancelledError):
        await task
    assert len(floor.store.tables.agent_changes) == 1


async def test_one_call_the_database_will_never_take_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    save, bad = store.calls.save, a_call(state=CallState.RINGING)

    async def refuses_one(
        calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        if bad.id in {call.id for call in calls}:
            raise NotFound("what is referred to does not exist (legs_agent_id)")
        await save(calls, works=works, plan=plan)

    store.calls.save = refuses_one  # type: ignore[method-assign]
    journal = Journal(calls=store.calls, agents=store.agents)
    for call in (RINGING, bad, ENDED):
        journal.tap(moved(call))
    await journal.flush()
    assert set(store.tables.calls) == {RINGING.id, ENDED.id}
    assert bad.id in caplog.text


def told_by(event: Event) -> list[NewWork]:
    match event:
        case CallMoved(call=call):
            key = f"{call.id[:4]}-{call.state}"
        case AgentMoved(change=change):
            key = f"agent-{change.after}"
        case _:
            key = "other"
    return [NewWork(kind="tell", key=key, payload={})]


async def test_each_move_leaves_its_work_in_the_commit_that_writes_it_also_when_that_is_one_for_all() -> None:
    store, woken = Flaky(failures=2), list[bool]()
    journal = Journal(
        calls=store.calls, agents=store.agents, tell=told_by, on_work=lambda: woken.append(True)
    )
    call = a_call(id="abcd" + "0" * 28)
    for state in (CallState.DIALING, CallState.RINGING, CallState.ANSWERED):
        journal.tap(CallMoved(before=CallState.PLACING, call=replace(call, state=state), at=NOW))
    for _ in range(2):
        with pytest.raises(StorageError):
            await journal.flush()
        assert store.tables.works == {}
    await journal.flush()
    keys = [row.wish.key for row in store.tables.works.values()]
    assert keys == ["abcd-dialing", "abcd-ringing", "abcd-answered"]
    assert store.commits == [[CallState.ANSWERED]]
    assert woken == [True]
    await journal.flush()
    assert len(store.tables.works) == 3


async def test_work_of_a_move_that_comes_while_the_one_before_is_written_is_written_next() -> None:
    store = MemoryStore()
    journal = Journal(calls=store.calls, agents=store.agents, tell=told_by)
    save, call = store.calls.save, a_call(id="abcd" + "0" * 28)

    def moves(state: CallState) -> None:
        journal.tap(CallMoved(before=CallState.PLACING, call=replace(call, state=state), at=NOW))

    async def slow(
        calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        if calls[0].state is CallState.DIALING:
            moves(CallState.RINGING)
        await save(calls, works=works, plan=plan)

    store.calls.save = slow  # type: ignore[method-assign]
    moves(CallState.DIALING)
    await journal.flush()
    assert [row.wish.key for row in store.tables.works.values()] == ["abcd-dialing"]
    await journal.flush()
    assert [row.wish.key for row in store.tables.works.values()] == ["abcd-dialing", "abcd-ringing"]


async def test_a_change_of_an_agent_leaves_its_work_with_it(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    journal = Journal(calls=floor.store.calls, agents=floor.store.agents, tell=told_by)
    floor.bus.tap(journal.tap)
    await floor.agents(1, campaign)
    await journal.flush()
    keys = {row.wish.key for row in floor.store.tables.works.values()}
    assert "agent-ready" in keys
    await journal.flush()
    assert {row.wish.key for row in floor.store.tables.works.values()} == keys
