"""The service that runs due work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import GiveUp, RecordingError, StorageError
from cti.model.work import NewWork, Work
from cti.service import running
from cti.work.backoff import RetryPlan
from cti.work.ports import WorkCounts
from cti.work.runner import Handler, WorkRunner

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT_ONCE = RetryPlan(first_seconds=0.0, ceiling_seconds=0.0, attempts=3)


class HandClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()


@dataclass
class Row:
    work: Work
    due_at: datetime
    state: str = "waiting"


class RowsOfWork:
    """A durable work table in memory, as far as the runner sees one."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.away = 0
        """How many of the next questions fail as if the database were gone."""
        self.refused = asyncio.Event()
        self.changed = asyncio.Event()
        self.leases = 0

    def put(self, key: str, *, kind: str = "k") -> None:
        blank = Work(
            id=len(self.rows),
            kind=kind,
            key=key,
            version=1,
            payload={},
            attempts=0,
            lease="",
            leased_until=START,
        )
        self.rows.append(Row(blank, START))

    def of(self, key: str) -> Row:
        return next(row for row in self.rows if row.work.key == key)

    def _ask(self) -> None:
        if self.away:
            self.away -= 1
            self.refused.set()
            raise StorageError("the database is locked", temporary=True)

    def _ours(self, work: Work) -> Row | None:
        row = self.rows[work.id]
        return row if row.state == "leased" and row.work.lease == work.lease else None

    async def lease(
        self, *, kinds: Sequence[str], limit: int, now: datetime, lease_for: timedelta
    ) -> list[Work]:
        self._ask()
        taken: list[Work] = []
        for row in self.rows:
            due = row.state == "waiting" and row.due_at <= now
            lapsed = row.state == "leased" and row.work.leased_until <= now
            if len(taken) < limit and row.work.kind in kinds and (due or lapsed):
                self.leases += 1
                row.state = "leased"
                row.work = replace(
                    row.work,
                    attempts=row.work.attempts + 1,
                    lease=str(self.leases),
                    leased_until=now + lease_for,
                )
                taken.append(row.work)
        return taken

    async def extend(self, work: Work, *, now: datetime, lease_for: timedelta) -> bool:
        self._ask()
        row = self._ours(work)
        if row:
            row.work = replace(row.work, leased_until=now + lease_for)
        return row is not None

    async def _end(self, work: Work, state: str, due_at: datetime, error: str | None) -> bool:
        self._ask()
        row = self._ours(work)
        if row:
            row.state, row.due_at, row.work = state, due_at, replace(row.work, error=error)
            self.changed.set()
        return row is not None

    async def finish(self, work: Work, *, now: datetime) -> bool:
        return await self._end(work, "done", now, None)

    async def retry(self, work: Work, *, error: str, due_at: datetime, now: datetime) -> bool:
        return await self._end(work, "waiting", due_at, error)

    async def bury(self, work: Work, *, error: str, now: datetime) -> bool:
        return await self._end(work, "dead", now, error)

    async def add(self, works: Sequence[NewWork], *, now: datetime) -> None:
        raise NotImplementedError

    async def revive(self, work_id: int, *, now: datetime) -> bool:
        raise NotImplementedError

    async def dead(self, *, kind: str | None = None, limit: int = 100) -> list[Work]:
        raise NotImplementedError

    async def counts(self) -> list[WorkCounts]:
        raise NotImplementedError

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until a row's change makes it true."""
        while not true():
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def at_work(
    store: RowsOfWork, handler: Handler, *, clock: HandClock | None = None, **more: Any
) -> AsyncIterator[WorkRunner]:
    """A runner that looks only when it is woken, for one kind of work."""
    given_values: dict[str, Any] = {
        "plan": AT_ONCE,
        "poll_seconds": 1e6,
        "verdict_pause_seconds": 0.0,
        **more,
    }
    runner = WorkRunner(store=store, handlers={"k": handler}, clock=clock or HandClock(), **given_values)
    async with running(runner):
        yield runner


def failing(error: Exception) -> Handler:
    async def fail(_: Work) -> None:
        raise error

    return fail


def holding(gate: asyncio.Event, begun: asyncio.Event) -> Callable[[Work], Awaitable[None]]:
    async def hold(_: Work) -> None:
        begun.set()
        await gate.wait()

    return hold


async def test_due_work_is_handed_to_its_handler_and_marked_as_done() -> None:
    store, seen = RowsOfWork(), []
    store.put("a")
    store.put("b", kind="of somebody else")

    async def note(work: Work) -> None:
        seen.append(work.key)

    async with at_work(store, note):
        await store.until(lambda: store.of("a").state == "done")
    assert seen == ["a"]
    assert store.of("b").state == "waiting"


async def test_new_work_starts_at_once_when_the_runner_is_woken() -> None:
    store = RowsOfWork()
    gate = asyncio.Event()
    gate.set()
    async with at_work(store, holding(gate, asyncio.Event())) as runner:
        await asyncio.sleep(0)
        store.put("late")
        runner.wake()
        await store.until(lambda: store.of("late").state == "done")


async def test_work_that_failed_comes_again_after_its_pause_with_what_was_said() -> None:
    store, clock = RowsOfWork(), HandClock()
    store.put("a")
    plan = RetryPlan(first_seconds=8.0, attempts=3)
    async with at_work(
        store, failing(RecordingError("no file yet")), clock=clock, plan=plan, chance=lambda: 0.5
    ):
        await store.until(lambda: store.of("a").work.error is not None)
    assert store.of("a").state == "waiting"
    assert store.of("a").due_at == START + timedelta(seconds=4)
    assert store.of("a").work.error == "no file yet"


async def test_work_that_fails_too_often_is_a_dead_letter() -> None:
    store = RowsOfWork()
    store.put("a")
    async with at_work(store, failing(ValueError("a bug"))):
        await store.until(lambda: store.of("a").state == "dead")
    assert store.of("a").work.attempts == AT_ONCE.attempts
    assert store.of("a").work.error == "a bug"


async def test_a_handler_that_gives_up_is_not_run_again() -> None:
    store = RowsOfWork()
    store.put("a")
    async with at_work(store, failing(GiveUp("never"))):
        await store.until(lambda: store.of("a").state == "dead")
    assert store.of("a").work.attempts == 1


async def test_a_database_that_is_away_never_makes_a_dead_letter() -> None:
    store, runs = RowsOfWork(), 0
    store.put("a")

    async def needs_database(work: Work) -> None:
        nonlocal runs
        runs += 1
        if runs <= 2 * AT_ONCE.attempts:
            raise StorageError("gone", temporary=True)

    async with at_work(store, needs_database):
        await store.until(lambda: store.of("a").state == "done")
    assert runs == 2 * AT_ONCE.attempts + 1


async def test_a_verdict_is_written_when_the_database_is_back() -> None:
    store = RowsOfWork()
    store.put("a")

    async def lose_the_database(_: Work) -> None:
        store.away = 5

    async with at_work(store, lose_the_database):
        await store.until(lambda: store.of("a").state == "done")
    assert store.of("a").work.attempts == 1


async def test_the_runner_outlives_a_database_that_cannot_be_asked_for_work() -> None:
    store, gate = RowsOfWork(), asyncio.Event()
    gate.set()
    store.put("a")
    store.away = 1
    async with at_work(store, holding(gate, asyncio.Event())) as runner:
        await store.refused.wait()
        runner.wake()
        await store.until(lambda: store.of("a").state == "done")


async def test_the_lease_of_a_long_run_is_extended() -> None:
    store, clock, gate, begun = RowsOfWork(), HandClock(), asyncio.Event(), asyncio.Event()
    store.put("a")
    async with at_work(store, holding(gate, begun), clock=clock) as runner:
        await begun.wait()
        clock.at += timedelta(seconds=50)
        await runner.extend()
        assert store.of("a").work.leased_until == clock.at + timedelta(seconds=60)
        gate.set()
        await store.until(lambda: store.of("a").state == "done")


async def test_a_run_whose_lease_is_somebody_elses_is_ended() -> None:
    store, gate, begun = RowsOfWork(), asyncio.Event(), asyncio.Event()
    store.put("a")
    ended = asyncio.Event()

    async def hold(work: Work) -> None:
        try:
            await holding(gate, begun)(work)
        finally:
            ended.set()

    async with at_work(store, hold) as runner:
        await begun.wait()
        store.rows[0].work = replace(
            store.rows[0].work, lease="of another daemon", leased_until=START + timedelta(hours=1)
        )
        await runner.extend()
        await ended.wait()
        assert store.of("a").state == "leased"


@settings(max_examples=40, deadline=None)
@given(
    at_once=st.integers(1, 5),
    fates=st.lists(st.sampled_from(["well", "again", "never", "bug"]), max_size=12),
)
def test_everything_gets_an_end_and_never_more_runs_at_once_than_allowed(
    at_once: int, fates: list[str]
) -> None:
    most = asyncio.run(_run_all(at_once, fates))
    assert most <= at_once


async def _run_all(at_once: int, fates: list[str]) -> int:
    store, now_running, most = RowsOfWork(), 0, 0
    for place, _ in enumerate(fates):
        store.put(str(place))

    async def meet_fate(work: Work) -> None:
        nonlocal now_running, most
        now_running += 1
        most = max(most, now_running)
        await asyncio.sleep(0)
        now_running -= 1
        match fates[int(work.key)]:
            case "again" if work.attempts == 1:
                raise RecordingError("later")
            case "never":
                raise GiveUp("no")
            case "bug":
                raise KeyError("oops")

    async with at_work(store, meet_fate, at_once=at_once):
        await store.until(lambda: all(row.state in {"done", "dead"} for row in store.rows))
    expected = {"well": ("done", 1), "again": ("done", 2), "never": ("dead", 1), "bug": ("dead", 3)}
    assert [(row.state, row.work.attempts) for row in store.rows] == [expected[fate] for fate in fates]
    return most


def test_a_runner_without_handlers_asks_for_nothing() -> None:
    async def steps() -> None:
        store = RowsOfWork()
        store.put("a")
        runner = WorkRunner(store=store, handlers={}, clock=HandClock())
        async with asyncio.TaskGroup() as tasks:
            await runner.step(tasks)
        assert store.of("a").state == "waiting"

    asyncio.run(steps())


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
