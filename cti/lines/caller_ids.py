"""Which number of a pool is shown to somebody. Pure, and the same for the same figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cti.lines.areas import nearness, told
from cti.model.lines import CallerId, CallerPool, CallerUse

UseOf = Callable[[str], CallerUse]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerChoice:
    """A number to show, or why there is none."""

    number: str | None
    why: str
    until: datetime | None = None
    """Without a number: when a resting one may be shown again, when that is all that is in the way."""


def choose_caller(pool: CallerPool, *, use: UseOf, callee: str, now: datetime) -> CallerChoice:
    """Choose the nearest number that may be shown; among equally near ones the least used for its weight."""
    left = [one for one in pool.numbers if not one.retired and not one.rests(now)]
    may = [one for one in left if _below_caps(pool, one, use(one.number))]
    if not may:
        return _none(pool, left, now)
    near = {one.number: nearness(callee, one.number, one.areas) for one in may}
    chosen = min(may, key=lambda one: (-near[one.number], _load(one, use(one.number)), one.number))
    used = use(chosen.number)
    return CallerChoice(
        number=chosen.number,
        why=f"shows {chosen.number} of {pool.name} ({told(near[chosen.number])}, {used.hour} calls this hour)",
    )


def room(pool: CallerPool, one: CallerId, use: CallerUse) -> int | None:
    """Return how many more calls may show the number now; None: any number of them."""
    hour, day = caps(pool, one)
    left = [cap - used for cap, used in ((hour, use.hour), (day, use.day)) if cap is not None]
    return max(0, min(left)) if left else None


def caps(pool: CallerPool, one: CallerId) -> tuple[int | None, int | None]:
    """Return the most calls in an hour and in a day: the number's own, else the pool's."""
    return (
        pool.per_hour if one.per_hour is None else one.per_hour,
        pool.per_day if one.per_day is None else one.per_day,
    )


def _below_caps(pool: CallerPool, one: CallerId, use: CallerUse) -> bool:
    return room(pool, one, use) != 0


def _load(one: CallerId, use: CallerUse) -> float:
    """Return what the next call makes of its share; without a weight it comes after all others."""
    return (use.hour + 1) / one.weight if one.weight > 0 else float("inf")


def _none(pool: CallerPool, left: Sequence[CallerId], now: datetime) -> CallerChoice:
    resting = [one.rests_until for one in pool.numbers if not one.retired and one.rests(now)]
    told_of = [
        f"{len(resting)} rest" if resting else "",
        f"{len(left)} have reached their cap" if left else "",
    ]
    what = " and ".join(text for text in told_of if text) or "it has none"
    until = min((moment for moment in resting if moment is not None), default=None)
    return CallerChoice(number=None, why=f"{pool.name}: {what}", until=None if left else until)
