"""A shift on the lab: reps' phones, people who answer or not, one campaign in one mode, for so many seconds.

Measured as a lead would: from the service's own reports and records, which are then held against Asterisk's and the
phones' by `proof`.
"""

import asyncio
import math
import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lab import Lab, LabSettings
from tests.integration.customers import Person
from tests.integration.floor_lab import CAMPAIGN, FloorLab, open_floor, until
from tests.integration.proof import proved

RING_SECONDS: Final = 14.0
TALK_SECONDS: Final = (20.0, 40.0)
ANSWER_SHARE: Final = 0.35
BUSY_SHARE: Final = 0.12
REFUSED_SHARE: Final = 0.08
WRAP_UP_SECONDS: Final = 3.0
TARGET: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What came of a shift."""

    mode: str
    utilisation: float
    """Talk and wrap-up in the time logged in and not paused, after the start was over; 0 to 1."""
    counts: dict[str, Any]
    """See `proof.proved`."""
    ledger: dict[str, Any]
    decisions: int
    """Kept decisions of pacing."""

    @property
    def answered_by_person(self) -> int:
        return int(sum(self.counts[name] for name in ("connected", "dropped", "gone_early")))

    def record(self) -> dict[str, Any]:
        """Return what is told of it."""
        people = self.answered_by_person
        return {
            "mode": self.mode,
            "utilisation": round(self.utilisation, 4),
            "drop_rate": round(self.counts["dropped"] / people, 4) if people else None,
            "drops_allowed": drops_allowed(people),
            "decisions": self.decisions,
            **self.counts,
        }


def drops_allowed(answered: int, target: float = TARGET, confidence: float = 0.95) -> int:
    """Return the most drops of so many answers that a dialer with exactly the target rate shows 95 % of the time."""
    below, drops = 0.0, -1
    while below < confidence and drops < answered:
        drops += 1
        below += math.comb(answered, drops) * target**drops * (1 - target) ** (answered - drops)
    return max(drops, 0)


def crowd(count: int, seed: int) -> list[Person]:
    """Return people as a list brings them: a third answers after some seconds, and talks for half a minute."""
    chance = random.Random(seed)
    return [_person(chance) for _ in range(count)]


def _person(chance: random.Random) -> Person:
    kind = chance.random()
    if kind < ANSWER_SHARE:
        rings = min(RING_SECONDS - 2.0, max(1.0, chance.lognormvariate(math.log(5.0), 0.45)))
        return Person(answer_after=rings, talks=chance.uniform(*TALK_SECONDS))
    if kind < ANSWER_SHARE + BUSY_SHARE:
        return Person(answer_after=chance.uniform(0.5, 2.0), refuse=486)
    if kind < ANSWER_SHARE + BUSY_SHARE + REFUSED_SHARE:
        return Person(answer_after=chance.uniform(0.2, 1.0), refuse=404)
    return Person(answer_after=None)


async def worked(
    folder: Path,
    *,
    mode: str,
    seconds: float,
    agents: int = 20,
    seed: int = 1,
    start_seconds: float = 30.0,
) -> Shift:
    """Let the reps work for so long in this mode, then let what is up end, and hold all accounts against each other."""
    async with AsyncExitStack() as stack:
        # An exchange of its own: the records of another shift's calls are not this service's.
        lab = await stack.enter_async_context(Lab.open(LabSettings.free(folder / "lab", rtp_ports=1000)))
        floor = await stack.enter_async_context(_floor(lab, folder / "cti", agents=agents, mode=mode))
        # More than can be dialed in the time, so that the list's end plays no part.
        await floor.dial(crowd(round(agents * seconds / 6), seed))
        begun = datetime.now(UTC)
        await asyncio.sleep(seconds)
        ended = datetime.now(UTC)
        await floor.daemon.post(f"campaigns/{CAMPAIGN}/pause")
        await until(floor.states, lambda states: not states, "all calls are over", within=90)
        utilisation = await _utilisation(floor, begun + timedelta(seconds=start_seconds), ended)
        counts = await proved(floor)
        ledger = await floor.daemon.get(f"campaigns/{CAMPAIGN}/ledger")
        decisions = await floor.daemon.get(f"campaigns/{CAMPAIGN}/decisions", limit="1000")
        return Shift(
            mode=mode,
            utilisation=utilisation,
            counts=counts,
            ledger=ledger,
            decisions=len(decisions["decisions"]),
        )


def _floor(lab: Lab, folder: Path, *, agents: int, mode: str) -> AbstractAsyncContextManager[FloorLab]:
    return open_floor(
        lab,
        folder,
        agents=agents,
        ring_seconds=RING_SECONDS,
        grace_seconds=2.0,
        wrap_up_seconds=WRAP_UP_SECONDS,
        mode=mode,
        rules={"pacing": {"drop_target": TARGET, "drop_window": "campaign"}},
    )


async def _utilisation(floor: FloorLab, since: datetime, until_: datetime) -> float:
    span = {"since": since.isoformat(), "until": until_.isoformat()}
    rows = (await floor.daemon.get("reports/agent_time", **span))["rows"]
    busy = sum(row["on_call_seconds"] + row["wrap_up_seconds"] for row in rows)
    there = sum(
        row[f"{state}_seconds"]
        for row in rows
        for state in ("ready", "reserved", "preview", "on_call", "wrap_up")
    )
    return float(busy / there)
