"""What a campaign must keep to, as values: hours, limits, what is to be known. Pure; knows no file and no database."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from cti.compliance.hours import ALWAYS_OPEN, Calendar

EVERY_ZONE: Final = "every_zone"
"""Of an unknown zone: it must be allowed in every zone that the number can lie in."""
REFUSE: Final = "refuse"
"""Of an unknown zone: nobody is called whose zone is not known."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many calls to one number within so many seconds, whoever's campaign placed them."""

    calls: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.calls} in {span_text(self.seconds)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """All limits that hold for one number. What is None or empty limits nothing."""

    name: str
    """For people: the profile, and the areas that added to it, for example `us+FL`."""
    calendar: Calendar = ALWAYS_OPEN
    unknown_zone: str = EVERY_ZONE
    """`every_zone`, `refuse`, or the IANA name of the zone to take."""
    attempts_per_day: int | None = None
    """Of one contact, all campaigns, in a day of his own zone."""
    attempts_total: int | None = None
    """Of one contact in one campaign."""
    windows: tuple[Window, ...] = ()
    pause_after_drop_seconds: int | None = None
    consent_needed: bool = False
    registers: bool = True
    """Whether imported registers count; the own do-not-call list always does."""
    ring_seconds: float | None = None
    """Least time to let it ring."""
    grace_seconds: float | None = None
    """Longest time an answered person may wait."""
    drop_target: float | None = None
    """Highest share of dropped calls, 0 to 1."""
    caller_id_required: bool = False

    @property
    def wants_zone(self) -> bool:
        """Whether anything of it depends on the local time of the person called."""
        return self.calendar.closes or self.attempts_per_day is not None

    @property
    def looks_back_seconds(self) -> int:
        """How far back attempts at a number matter."""
        return max([window.seconds for window in self.windows] + [self.pause_after_drop_seconds or 0])


def tightened(law: Law, more: Law) -> Law:
    """Return what keeps to both; of what cannot be joined (the zone to take) the first one's."""
    return replace(
        law,
        name=f"{law.name}+{more.name}",
        calendar=law.calendar.within(more.calendar),
        attempts_per_day=_least(law.attempts_per_day, more.attempts_per_day),
        attempts_total=_least(law.attempts_total, more.attempts_total),
        windows=tuple(dict.fromkeys((*law.windows, *more.windows))),
        pause_after_drop_seconds=_most(law.pause_after_drop_seconds, more.pause_after_drop_seconds),
        consent_needed=law.consent_needed or more.consent_needed,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((limit for limit in (one, other) if limit is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of a country with further limits, known by how its numbers begin."""

    prefixes: tuple[str, ...]
    """E.164, `+` and at least one digit."""
    law: Law
    """What it adds; its name is the area's."""


class Rulebook:
    """A profile as one campaign uses it: its law, and the areas that add to it."""

    def __init__(self, base: Law, areas: Iterable[Area] = ()) -> None:
        self.base = base
        self.areas = tuple(areas)
        self._by_prefix: dict[str, tuple[int, ...]] = {}
        for at, area in enumerate(self.areas):
            for prefix in area.prefixes:
                self._by_prefix[prefix] = (*self._by_prefix.get(prefix, ()), at)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix})
        self._made: dict[tuple[int, ...], Law] = {(): base}
        self.looks_back_seconds = max(law.looks_back_seconds for law in self.laws())

    def law(self, number: str) -> Law:
        """Return what holds for an E.164 number: the base, and each area that the number begins with."""
        found: tuple[int, ...] = ()
        for length in self._lengths:
            found += self._by_prefix.get(number[:length], ())
        if found not in self._made:
            law = self.base
            for at in dict.fromkeys(found):
                law = tightened(law, self.areas[at].law)
            self._made[found] = law
        return self._made[found]

    def laws(self) -> tuple[Law, ...]:
        """Return the base, then each area's own law."""
        return (self.base, *(area.law for area in self.areas))


def span_text(seconds: float) -> str:
    """Return a length of time in the largest unit that divides it: `24 h`, `5 min`, `90 s`."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
