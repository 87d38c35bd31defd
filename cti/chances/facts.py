"""What is known of a dial before it is made: when, to what number, and what came of the tries before. Pure arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from cti.model.answer_chances import ANSWERED_BY_PERSON, Callee, PastAttempt
from cti.model.calls import Outcome

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NONE, NO_ANSWER, BUSY, MACHINE, PERSON = range(5)
"""What came of a try; NONE: there was none."""
_CODES: Final[Mapping[Outcome, int]] = {
    Outcome.NO_ANSWER: NO_ANSWER,
    Outcome.BUSY: BUSY,
    Outcome.MACHINE: MACHINE,
    **dict.fromkeys(ANSWERED_BY_PERSON, PERSON),
}
OTHER_KIND, MOBILE, FIXED = range(3)
_KINDS: Final[Mapping[str, int]] = {"mobile": MOBILE, "fixed_line": FIXED, "fixed": FIXED}
DAYPARTS: Final = (10.5, 14.0, 17.0)
"""Local hours at which another part of the day begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Ended attempts as arrays, sorted by contact, then by time."""

    contact: Ints
    at: Floats
    """Seconds since 1970."""
    hour: Floats
    """Local, 0 to 24."""
    weekday: Ints
    """Local, Monday is 0."""
    outcome: Ints
    kind: Ints

    def __len__(self) -> int:
        return len(self.at)

    def since(self, at: float) -> "Attempts":
        """Return those placed at that moment or later."""
        late = self.at >= at
        return Attempts(**{one.name: getattr(self, one.name)[late] for one in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One place for each dial."""

    hour: Floats
    weekday: Ints
    kind: Ints
    tries: Ints
    """Before this one."""
    answered: Ints
    """Of these, by a person."""
    last: Ints
    """What came of the last one."""
    before_last: Ints
    hours_since: Floats
    """Since the last one; nan: there was none."""
    hour_gap: Floats
    """Between the times of day of this and the last one, 0 to 12; nan: there was none."""
    tries_here: Ints
    """Before this one, in the same part of the day."""
    answered_here: Ints

    def __len__(self) -> int:
        return len(self.hour)

    def at(self, places: Ints) -> "Facts":
        """Return the facts of some of the dials."""
        return Facts(**{one.name: getattr(self, one.name)[places] for one in fields(self)})


def attempts_of(past: Sequence[PastAttempt]) -> Attempts:
    """Return attempts as arrays, in whatever order they came."""
    placed = np.array([one.placed_at.timestamp() for one in past], float)
    hour, weekday = local_times(placed, [one.zone for one in past])
    contact = np.array([one.contact_id for one in past], np.int64)
    order = np.lexsort((placed, contact))
    return Attempts(
        contact=contact[order],
        at=placed[order],
        hour=hour[order],
        weekday=weekday[order],
        outcome=np.array([_CODES[one.outcome] for one in past], np.int64)[order],
        kind=np.array([_KINDS.get(one.kind, OTHER_KIND) for one in past], np.int64)[order],
    )


def joined(parts: Sequence[Attempts]) -> Attempts:
    """Return several as one, sorted anew."""
    whole: dict[str, Any] = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Attempts)
    }
    order = np.lexsort((whole["at"], whole["contact"]))
    return Attempts(**{name: values[order] for name, values in whole.items()})


def local_times(at: Floats, zones: Sequence[str]) -> tuple[Floats, Ints]:
    """Return local hours and weekdays. Where no zone is known, or none of that name, UTC stands for it."""
    quarters = (at // 900.0).astype(np.int64)
    offsets = np.array([_offset(zone, int(q)) for zone, q in zip(zones, quarters, strict=True)], float)
    local = at + offsets
    days = np.floor(local / 86_400.0)
    return (local - days * 86_400.0) / 3600.0, ((days + 3) % 7).astype(np.int64)  # 1970 began on a Thursday


@lru_cache(maxsize=65_536)
def _offset(zone: str, quarter: int) -> float:
    """Return the zone's seconds east of UTC in that quarter of an hour since 1970; no zone changes within one."""
    if not zone:
        return 0.0
    try:
        local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return 0.0
    offset = local.utcoffset()
    return offset.total_seconds() if offset else 0.0


def facts_of_attempts(attempts: Attempts) -> Facts:
    """Return what was known before each of these attempts, in their order."""
    count = len(attempts)
    first = np.ones(count, bool)
    first[1:] = attempts.contact[1:] != attempts.contact[:-1]
    begins = np.maximum.accumulate(np.where(first, np.arange(count), 0))
    person = attempts.outcome == PERSON
    part = np.digitize(attempts.hour, DAYPARTS)
    last, before_last = _earlier(attempts.outcome, begins, 1), _earlier(attempts.outcome, begins, 2)
    back = np.where(first, np.arange(count), np.arange(count) - 1)
    never = np.where(first, np.nan, 0.0)
    return Facts(
        hour=attempts.hour,
        weekday=attempts.weekday,
        kind=attempts.kind,
        tries=np.arange(count) - begins,
        answered=_so_far(person, begins),
        last=last,
        before_last=before_last,
        hours_since=(attempts.at - attempts.at[back]) / 3600.0 + never,
        hour_gap=hour_gaps(attempts.hour, attempts.hour[back]) + never,
        tries_here=_in_part(np.ones(count, bool), part, begins),
        answered_here=_in_part(person, part, begins),
    )


def facts_of_callees(contacts: Sequence[int], callees: Sequence[Callee], past: Attempts, now: float) -> Facts:
    """Return what is known of each contact if it is dialed at `now`; `past` holds the attempts at them."""
    count = len(contacts)
    hour, weekday = local_times(np.full(count, now), [one.zone for one in callees])
    asked = np.array(contacts, np.int64)
    begins, ends = (np.searchsorted(past.contact, asked, side) for side in ("left", "right"))
    padded = Padded(past)
    person = padded.sum_of(padded.outcome == PERSON)
    part = np.digitize(hour, DAYPARTS)
    past_part = np.digitize(padded.hour, DAYPARTS)
    tries = ends - begins
    back = np.where(tries > 0, ends - 1, len(past))
    tries_here, answered_here = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for one in range(len(DAYPARTS) + 1):
        here = part == one
        tried = padded.sum_of(past_part == one)
        answers = padded.sum_of((past_part == one) & (padded.outcome == PERSON))
        tries_here[here] = (tried[ends] - tried[begins])[here]
        answered_here[here] = (answers[ends] - answers[begins])[here]
    never = np.where(tries > 0, 0.0, np.nan)
    return Facts(
        hour=hour,
        weekday=weekday,
        kind=np.array([_KINDS.get(one.kind, OTHER_KIND) for one in callees], np.int64),
        tries=tries,
        answered=person[ends] - person[begins],
        last=padded.outcome[back],
        before_last=padded.outcome[np.where(tries > 1, ends - 2, len(past))],
        hours_since=(now - padded.at[back]) / 3600.0 + never,
        hour_gap=hour_gaps(hour, padded.hour[back]) + never,
        tries_here=tries_here,
        answered_here=answered_here,
    )


class Padded:
    """Attempts with one more place at the end, which stands for no attempt."""

    def __init__(self, past: Attempts) -> None:
        self.at = np.append(past.at, 0.0)
        self.hour = np.append(past.hour, 0.0)
        self.outcome = np.append(past.outcome, NONE)

    @staticmethod
    def sum_of(which: npt.NDArray[np.bool_]) -> Ints:
        """Return how many of the places before each one are such."""
        return np.concatenate(([0], np.cumsum(which[:-1]))).astype(np.int64)


def hour_gaps(hours: Floats, others: Floats) -> Floats:
    """Return the distances of times of day, the short way round midnight."""
    apart = np.abs(hours - others)
    return np.minimum(apart, 24.0 - apart)


def _earlier(outcome: Ints, begins: Ints, steps: int) -> Ints:
    places = np.arange(len(outcome)) - steps
    return np.where(places >= begins, outcome[np.maximum(places, 0)], NONE)


def _so_far(which: npt.NDArray[np.bool_], begins: Ints) -> Ints:
    """Count, within each contact, the places before each one that are such."""
    before = np.concatenate(([0], np.cumsum(which)[:-1])) if len(which) else np.zeros(0)
    return (before - before[begins]).astype(np.int64)


def _in_part(which: npt.NDArray[np.bool_], part: Ints, begins: Ints) -> Ints:
    counted = np.zeros(len(part), np.int64)
    for one in range(len(DAYPARTS) + 1):
        here = part == one
        counted[here] = _so_far(which & here, begins)[here]
    return counted
