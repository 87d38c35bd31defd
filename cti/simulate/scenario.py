"""What is asked of a simulated shift."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cti.errors import BadInput
from cti.simulate.lengths import Length

_RING: Final = Length(12.0, 0.5, 1.0)
_MACHINE_RING: Final = Length(18.0, 0.3, 3.0)
_TALK: Final = Length(120.0, 0.9, 3.0)
_WRAP_UP: Final = Length(20.0, 0.6, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One campaign during one shift. All reps are there from the first to the last minute.

    The defaults are a middling list; they are where a what-if begins, not a promise.
    """

    reps: int = 10
    hours: float = 8.0
    answer_rate: float = 0.30
    """Share of the dials that a person would answer if it rang for ever; `ring_timeout` takes some of them away."""
    machine_rate: float = 0.0
    """Share that an answering machine would answer."""
    busy_rate: float = 0.08
    failed_rate: float = 0.05
    """Share that the network refuses. What is left of 1 rings until the timeout."""
    setup: float = 2.0
    """From the order to the first ring, in seconds."""
    ring: Length = _RING
    """Of ringing, until a person answers."""
    machine_ring: Length = _MACHINE_RING
    ring_timeout: float = 30.0
    """From the order to the end of ringing, in seconds."""
    talk: Length = _TALK
    wrap_up: Length = _WRAP_UP
    machine_talk: float = 8.0
    """How long a rep stays with a machine that reached him, in seconds."""
    grace: float = 2.0
    """How long an answered person may wait for a rep, in seconds; counts from the end of the detection."""
    detection: float | None = None
    """Seconds that machine detection takes after each answer; 0: machines are told at the answer; None: nobody looks,
    and every machine takes a rep for `machine_talk` and counts as a person."""
    missed: float = 0.05
    """Share of the machines that detection takes for persons."""
    drop_target: float = 0.03
    lines: int | None = None
    """Most open calls at one time; None: no limit."""
    calls_per_second: float | None = None
    contacts: int | None = None
    """How many contacts the list has, each dialed once; None: it never ends."""
    look: float = 1.0
    """Seconds between two decisions."""

    @property
    def seconds(self) -> float:
        """Length of the shift."""
        return self.hours * 3600.0


_Test = tuple[Callable[[float], bool], str]
_SHARE: Final[_Test] = (lambda value: 0.0 <= value <= 1.0, "from 0 to 1")
_SPAN: Final[_Test] = (lambda value: 0.0 <= value <= 86_400.0, "from 0 to 86400 seconds")
_LIMITS: Final[Mapping[str, _Test]] = {
    "reps": (lambda value: 1 <= value <= 2000, "from 1 to 2000"),
    "hours": (lambda value: 0.0 < value <= 24.0, "more than 0 and at most 24"),
    "answer_rate": _SHARE,
    "machine_rate": _SHARE,
    "busy_rate": _SHARE,
    "failed_rate": _SHARE,
    "missed": _SHARE,
    "setup": _SPAN,
    "machine_talk": _SPAN,
    "grace": _SPAN,
    "detection": _SPAN,
    "ring_timeout": (lambda value: 1.0 <= value <= 300.0, "from 1 to 300 seconds"),
    "drop_target": (lambda value: 0.0 <= value <= 0.5, "from 0 to 0.5"),
    "lines": (lambda value: value >= 1, "at least 1"),
    "calls_per_second": (lambda value: 0.0 < value <= 10_000.0, "more than 0 and at most 10000"),
    "contacts": (lambda value: value >= 1, "at least 1"),
    "look": (lambda value: 0.05 <= value <= 60.0, "from 0.05 to 60 seconds"),
}


def checked(scenario: Scenario) -> Scenario:
    """Return the scenario. Raises BadInput that names every value out of its limits."""
    problems = []
    for name, (fits, limits) in _LIMITS.items():
        value = getattr(scenario, name)
        if value is not None and not (math.isfinite(value) and fits(value)):
            problems.append(f"{name} is {value:g}, it must be {limits}")
    for name in ("ring", "machine_ring", "talk", "wrap_up"):
        length: Length = getattr(scenario, name)
        if not 0.0 <= length.mean <= 86_400.0:
            problems.append(f"{name} is {length.mean:g}, it must be from 0 to 86400 seconds")
        if not 0.0 <= length.variation <= 10.0:
            problems.append(f"the variation of {name} is {length.variation:g}, it must be from 0 to 10")
    shares = ("answer_rate", "machine_rate", "busy_rate", "failed_rate")
    total = sum(getattr(scenario, name) for name in shares)
    if total > 1.0 + 1e-9:
        problems.append(f"{' + '.join(shares)} are {total:g} together, they must be at most 1")
    if scenario.talk.mean + scenario.wrap_up.mean <= 0.0:
        problems.append("talk and wrap_up are both 0: a shift would never end")
    if problems:
        raise BadInput("; ".join(problems))
    return scenario
