"""What pacing decided is kept: what says something new, in batches, for days."""

from datetime import timedelta

from cti.dialer.decision_log import DecisionLog
from cti.errors import StorageError
from cti.model.decisions import PacingDecision
from cti.pacing.floor import Decision, Floor
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.memory_ledger import MemoryDecisions

FLOOR = Floor(now=0.0, idle_agents=2, waiting=1)


class Kept:
    """A log over a store in memory."""

    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryDecisions()
        self.log = DecisionLog(store=self.store, clock=self.clock)

    def decides(self, calls: int, why: str, seconds: float = 1.0) -> None:
        self.log.note(1, FLOOR, Decision(calls=calls, why=why, inputs={"risk": 0.0123456789}))
        self.clock.advance(seconds)

    async def rows(self) -> list[str]:
        await self.log.flush()
        return [one.why for one in self.store.rows]


async def test_the_same_again_is_kept_once_a_minute() -> None:
    kept = Kept()
    for _ in range(150):
        kept.decides(0, "no free agent")
    assert len(await kept.rows()) == 3


async def test_new_figures_in_the_same_words_say_nothing_new() -> None:
    kept = Kept()
    kept.decides(0, "risk 0.012 over 0.010")
    kept.decides(0, "risk 0.013 over 0.010")
    assert await kept.rows() == ["risk 0.012 over 0.010"]


async def test_each_decision_to_call_is_kept_and_the_end_of_it() -> None:
    kept = Kept()
    for calls in (2, 2, 0, 0):
        kept.decides(calls, "2 free")
    assert [one.calls for one in kept.store.rows] == []
    await kept.log.flush()
    assert [one.calls for one in kept.store.rows] == [2, 2, 0]


async def test_a_decision_tells_what_was_seen() -> None:
    kept = Kept()
    kept.decides(1, "1 free")
    await kept.log.flush()
    inputs = kept.store.rows[0].inputs
    assert (inputs["idle"], inputs["waiting"], inputs["risk"]) == (2, 1, 0.012346)


async def test_nothing_is_lost_while_the_database_is_away() -> None:
    kept = Kept()
    add = kept.store.add

    async def away(decisions: object) -> None:
        raise StorageError("away", temporary=True)

    kept.store.add = away  # type: ignore[method-assign, assignment]
    kept.decides(1, "1 free")
    await kept.log.step()
    assert kept.store.rows == []
    kept.store.add = add  # type: ignore[method-assign]
    assert await kept.rows() == ["1 free"]


async def test_old_ones_are_thinned_to_one_a_minute_and_older_ones_go() -> None:
    kept = Kept()
    for age in (timedelta(days=8), timedelta(days=2)):
        await kept.store.add(
            [
                PacingDecision(campaign_id=1, at=NOW - age + timedelta(seconds=n), calls=1, why=str(n))
                for n in range(0, 120, 10)
            ]
        )
    await kept.log.step()
    assert [one.why for one in kept.store.rows] == ["0", "60"]


async def test_readers_find_what_was_decided_a_moment_ago() -> None:
    kept = Kept()
    kept.decides(3, "3 free")
    assert [one.calls for one in await kept.log.decisions(1)] == [3]
    last = kept.log.last(1)
    assert last is not None
    assert last.calls == 3
    assert kept.log.last(2) is None
