"""The service that runs due work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.errors import GiveUp, NotYet, RecordingError, StorageError
from cti.model.work import NewWork, Work
from cti.service import running
from cti.work.backoff import RetryPlan
from cti.work.runner import Handler, WorkRunner
from tests.builders import NOW, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_tables import MemoryTables, WorkRow
from tests.fakes.memory_work import MemoryWork

AT_ONCE = RetryPlan(first_seconds=0.0, ceiling_seconds=0.0, attempts=3)


class Table(MemoryWork):
    """The work table's twin, whose database can be away, and which tells when a row changes."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        super().__init__(self.tables)
        self.away = 0
        """How many of the next questions fail as if the database were gone."""
        self.refused = asyncio.Event()
        self.changed = asyncio.Event()

    def put(self, *keys: str, kind: str = "k") -> None:
        self.tables.write_works([NewWork(kind=kind, key=key, payload={}) for key in keys], NOW)

    def of(self, key: str) -> WorkRow:
        return next(row for row in self.tables.works.values() if row.wish.key == key)

    def standing(self, key: str) -> str:
        return "leased" if self.of(key).lease else self.of(key).standing

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until a row's change makes it true."""
        while not true():
            self.changed.clear()
            await self.changed.wait()

    def _ask(self) -> None:
        if self.away:
            self.away -= 1
            self.refused.set()
            raise StorageError("the database is locked", temporary=True)

    async def lease(
        self, *, kinds: Sequence[str], limit: int, now: datetime, lease_for: timedelta
    ) -> list[Work]:
        self._ask()
        return await super().lease(kinds=kinds, limit=limit, now=now, lease_for=lease_for)

    async def finish(self, work: Work, *, now: datetime) -> bool:
        self._ask()
        self.changed.set()
        return await super().finish(work, now=now)

    async def retry(self, work: Work, *, error: str, due_at: datetime, now: datetime) -> bool:
        self._ask()
        self.changed.set()
        return await super().retry(work, error=error, due_at=due_at, now=now)

    async def bury(self, work: Work, *, error: str, now: datetime) -> bool:
        self._ask()
        self.changed.set()
        return await super().bury(work, error=error, now=now)


@asynccontextmanager
async def at_work(
    store: Table, handler: Handler, *, clock: FakeClock | None = None, **more: Any
) -> AsyncIterator[WorkRunner]:
    """A runner that looks only when it is woken, for one kind of work."""
    given_values: dict[str, Any] = {
        "plan": AT_ONCE,
        "poll_seconds": 1e6,
        "verdict_pause_seconds": 0.0,
        **more,
    }
    runner = WorkRunner(store=store, handlers={"k": handler}, clock=clock or FakeClock(), **given_values)
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
    store, seen = Table(), []
    store.put("a")
    store.put("b", kind="of somebody else")

    async def note(work: Work) -> None:
        seen.append(work.key)

    async with at_work(store, note):
        await store.until(lambda: store.standing("a") == "done")
    assert seen == ["a"]
    assert store.standing("b") == "waiting"


async def test_new_work_starts_at_once_when_the_runner_is_woken() -> None:
    store = Table()
    gate = asyncio.Event()
    gate.set()
    async with at_work(store, holding(gate, asyncio.Event())) as runner:
        await asyncio.sleep(0)
        store.put("late")
        runner.wake()
        await store.until(lambda: store.standing("late") == "done")


async def test_work_that_failed_comes_again_after_its_pause_with_what_was_said() -> None:
    store, clock = Table(), FakeClock()
    store.put("a")
    plan = RetryPlan(first_seconds=8.0, attempts=3)
    async with at_work(
        store, failing(RecordingError("no file yet")), clock=clock, plan=plan, chance=lambda: 0.5
    ):
        await store.until(lambda: store.of("a").error is not None)
    assert store.standing("a") == "waiting"
    assert store.of("a").due_at == later(4)
    assert store.of("a").error == "no file yet"


async def test_work_that_fails_too_often_is_a_dead_letter() -> None:
    store = Table()
    store.put("a")
    async with at_work(store, failing(ValueError("a bug"))):
        await store.until(lambda: store.standing("a") == "dead")
    assert store.of("a").attempts == AT_ONCE.attempts
    assert store.of("a").error == "a bug"


async def test_a_handler_that_gives_up_is_not_run_again() -> None:
    store = Table()
    store.put("a")
    async with at_work(store, failing(GiveUp("never"))):
        await store.until(lambda: store.standing("a") == "dead")
    assert store.of("a").attempts == 1


async def test_a_handler_that_knows_when_comes_again_then_and_is_never_given_up() -> None:
    store, clock = Table(), FakeClock()
    store.put("a")
    async with at_work(store, failing(NotYet("it rests", seconds=42.0)), clock=clock) as runner:
        for run in range(1, 3 * AT_ONCE.attempts):
            await store.until(lambda run=run: store.of("a").attempts == run and not store.of("a").lease)  # type: ignore[misc]
            assert store.of("a").due_at == clock.now() + timedelta(seconds=42)
            assert (store.standing("a"), store.of("a").error) == ("waiting", "it rests")
            clock.advance(42)
            runner.wake()


async def test_a_database_that_is_away_never_makes_a_dead_letter() -> None:
    store, runs = Table(), 0
    store.put("a")

    async def needs_database(work: Work) -> None:
        nonlocal runs
        runs += 1
        if runs <= 2 * AT_ONCE.attempts:
            raise StorageError("gone", temporary=True)

    async with at_work(store, needs_database):
        await store.until(lambda: store.standing("a") == "done")
    assert runs == 2 * AT_ONCE.attempts + 1


async def test_a_verdict_is_written_when_the_database_is_back() -> None:
    store = Table()
    store.put("a")

    async def lose_the_database(_: Work) -> None:
        store.away = 5

    async with at_work(store, lose_the_database):
        await store.until(lambda: store.standing("a") == "done")
    assert store.of("a").attempts == 1


async def test_the_runner_outlives_a_database_that_cannot_be_asked_for_work() -> None:
    store, gate = Table(), asyncio.Event()
    gate.set()
    store.put("a")
    store.away = 1
    async with at_work(store, holding(gate, asyncio.Event())) as runner:
        await store.refused.wait()
        runner.wake()
        await store.until(lambda: store.standing("a") == "done")


async def test_the_lease_of_a_long_run_is_extended() -> None:
    store, clock, gate, begun = Table(), FakeClock(), asyncio.Event(), asyncio.Event()
    store.put("a")
    async with at_work(store, holding(gate, begun), clock=clock) as runner:
        await begun.wait()
        clock.advance(50)
        await runner.extend()
        assert store.of("a").leased_until == later(110)
        gate.set()
        await store.until(lambda: store.standing("a") == "done")


async def test_a_run_whose_lease_is_somebody_elses_is_ended() -> None:
    store, gate, begun = Table(), asyncio.Event(), asyncio.Event()
    store.put("a")
    ended = asyncio.Event()

    async def hold(work: Work) -> None:
        try:
            await holding(gate, begun)(work)
        finally:
            ended.set()

    async with at_work(store, hold) as runner:
        await begun.wait()
        store.of("a").lease = "of another daemon"
        await runner.extend()
        await ended.wait()
        assert store.standing("a") == "leased"


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
    store, now_running, most = Table(), 0, 0
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
        await store.until(
            lambda: all(row.standing in {"done", "dead"} for row in store.tables.works.values())
        )
    expected = {"well": ("done", 1), "again": ("done", 2), "never": ("dead", 1), "bug": ("dead", 3)}
    assert [(row.standing, row.attempts) for row in store.tables.works.values()] == [
        expected[fate] for fate in fates
    ]
    return most


async def test_rows_of_work_done_long_ago_are_removed() -> None:
    store, clock, gate = Table(), FakeClock(), asyncio.Event()
    gate.set()
    store.put("a")
    async with at_work(store, holding(gate, asyncio.Event()), clock=clock) as runner:
        await store.until(lambda: store.standing("a") == "done")
        await runner.forget()
        assert len(store.tables.works) == 1
        clock.advance(8 * 24 * 3600)
        await runner.forget()
        assert not store.tables.works


async def test_a_runner_may_remove_rows_of_its_own_kinds_alone() -> None:
    store, clock, gate = Table(), FakeClock(), asyncio.Event()
    gate.set()
    store.put("a")
    async with at_work(store, holding(gate, asyncio.Event()), clock=clock, forgets_only=["other"]) as runner:
        await store.until(lambda: store.standing("a") == "done")
        clock.advance(8 * 24 * 3600)
        await runner.forget()
        assert len(store.tables.works) == 1


def test_a_runner_without_handlers_asks_for_nothing() -> None:
    async def steps() -> None:
        store = Table()
        store.put("a")
        runner = WorkRunner(store=store, handlers={}, clock=FakeClock())
        async with asyncio.TaskGroup() as tasks:
            await runner.step(tasks)
        assert store.standing("a") == "waiting"

    asyncio.run(steps())


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
