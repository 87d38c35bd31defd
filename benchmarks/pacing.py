"""Time of one predictive decision by reps, beside the progressive one on the same floors.

The floors are those of a busy afternoon: nearly all agents talk or wrap up, nine calls in flight for ten agents. Each
decision looks at a floor a second later. What is told between two decisions is learned outside the measured time;
estimates that are made anew within a decision count, they are the tail. Rows with `begin` are the first minute of a
shift: all are idle, three calls in flight for each. `cpu_...` is processor time, the same on a busy machine.
"""

import time
from collections.abc import Iterator
from random import Random

from benchmarks import said
from benchmarks.rows import Row, Spread, ratio
from cti.pacing.floor import Budget, Busy, Floor, InFlight
from cti.pacing.predictive import Predictive
from cti.pacing.progressive import progressive
from cti.pacing.signals import AttemptEnded, PersonAnswered, Result, TalkEnded, WrapUpEnded

NAME = "pacing"
REPS = (3, 10, 50, 100, 300)
DECISIONS = 2000
"""Per size; as many seconds of a shift."""
TIMEOUT = 28.0


async def run() -> None:
    """Measure each size, in the afternoon and at the begin of a shift."""
    for reps in REPS:
        for begin in (False, True):
            said.step(f"{NAME}: {reps} reps{', begin of the shift' if begin else ''}")
            said.row(NAME, _measured(reps, begin=begin))


def _measured(reps: int, *, begin: bool) -> Row:
    random = Random(reps)
    pacer = Predictive()
    for past in range(-1200, 0):
        _second(pacer, random, float(past), reps)
    calls = 0
    ours: list[float] = []
    cpu: list[float] = []
    bare: list[float] = []
    for floor in _floors(random, reps, begin=begin):
        _second(pacer, random, floor.now, reps)
        began, used = time.perf_counter(), time.thread_time()
        calls += pacer.decide(floor).calls
        ended, spent = time.perf_counter(), time.thread_time()
        progressive(floor)
        bare.append(1000 * (time.perf_counter() - ended))
        ours.append(1000 * (ended - began))
        cpu.append(1000 * (spent - used))
    mine, other = Spread.of(ours), Spread.of(bare)
    return {
        "reps": reps,
        "begin": begin,
        "p50_ms": round(mine.p50, 3),
        "p99_ms": round(mine.p99, 3),
        "cpu_p50_ms": round(Spread.of(cpu).p50, 3),
        "cpu_p99_ms": round(Spread.of(cpu).p99, 3),
        "cpu_max_ms": round(Spread.of(cpu).most, 3),
        "progressive_p50_ms": round(other.p50, 4),
        "ratio": ratio(mine.p50, other.p50),
        "calls_per_decision": round(calls / DECISIONS, 2),
    }


def _floors(random: Random, reps: int, *, begin: bool) -> Iterator[Floor]:
    busy = 0 if begin else min(reps - 1, round(0.96 * reps))
    flight = 3 * reps if begin else round(0.9 * reps)
    for second in range(DECISIONS):
        now = float(second)
        agents = [Busy(since=now - random.lognormvariate(4.3, 0.9)) for _ in range(busy)]
        placed = sorted(now - random.uniform(0, TIMEOUT) for _ in range(flight))
        yield Floor(
            now=now,
            idle_agents=reps - busy,
            talking=tuple(agents[busy // 7 :]),
            wrapping=tuple(Busy(since=now - random.uniform(0, 30)) for _ in agents[: busy // 7]),
            in_flight=tuple(InFlight(placed_at=at) for at in placed),
            ring_timeout=TIMEOUT,
            budget=Budget(live=3000, dropped=85, seconds_left=14_400),
        )


def _second(pacer: Predictive, random: Random, now: float, reps: int) -> None:
    """Tell what happens within a second: about 25 conversations for an agent and hour."""
    attempts = reps * 25 / 3600 / 0.3
    for _ in range(int(attempts) + (random.random() < attempts % 1)):
        live = random.random() < 0.3
        age = 2 + random.lognormvariate(2.4, 0.5) if live else TIMEOUT
        result = Result.LIVE if live else Result.NO_ANSWER
        pacer.learn(AttemptEnded(at=now, placed_at=now - age, result=result))
        if live:
            pacer.learn(PersonAnswered(at=now))
            pacer.learn(TalkEnded(at=now, seconds=random.lognormvariate(4.5, 0.77)))
            pacer.learn(WrapUpEnded(at=now, seconds=random.uniform(8, 32)))
