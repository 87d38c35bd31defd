"""When transcription stands back, so that live calls never suffer. Pure.

A worker is niced, which is nearly enough: what nice does not spare others is the memory bandwidth, the caches and the
wait of a few ms for a core. So it also stops altogether while the machine is crowded, or while many calls are up.
"""

from dataclasses import dataclass
from typing import Final

RESUME_SHARE: Final = 0.8
"""Once paused, it goes on only below this share of a limit, so that it does not flutter around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Above what to pause. None: without that limit."""

    cores: float | None = None
    """Processor time of this worker per second, over the window that is looked at; 1.0 is one core."""
    stalled: float | None = None
    """Share of time (0 to 1) in which some task of the machine waited for a core (PSI)."""
    load_per_core: float | None = None
    """Where the kernel tells no PSI: load average of a minute for each core."""
    live_calls: int | None = None
    """Calls that are up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The machine, this worker and the exchange at one instant. None: not known, which never pauses."""

    cores: float | None = None
    stalled: float | None = None
    load_per_core: float | None = None
    live_calls: int | None = None


def pause_reason(look: Look, limits: Limits, *, paused: bool) -> str | None:
    """Return why to pause now, None to work. `paused`: it pauses already."""
    share = RESUME_SHARE if paused else 1.0
    # PSI tells waiting itself; a load average counts the niced and the waiting for disks, and lags a minute behind.
    load = look.load_per_core if look.stalled is None else None
    for seen, limit, words in (
        (look.live_calls, limits.live_calls, "{seen:.0f} calls are up; the limit is {limit:g}"),
        (
            look.stalled,
            limits.stalled,
            "tasks wait for a core {seen:.0%} of the time; the limit is {limit:.0%}",
        ),
        (load, limits.load_per_core, "the load is {seen:.2f} for each core; the limit is {limit:g}"),
        (look.cores, limits.cores, "{seen:.2f} cores were used of a budget of {limit:g}"),
    ):
        # At the limit itself work goes on: a limit of 0 calls means "only while no call is up".
        if seen is not None and limit is not None and seen > limit * share:
            return words.format(seen=seen, limit=limit)
    return None


def stalled_share(pressure: str) -> float | None:
    """Read `/proc/pressure/cpu`: the share of the last 10 s in which some task waited, 0 to 1; None: not readable.

    Format: Documentation/accounting/psi.rst of Linux, `some avg10=1.25 avg60=... avg300=... total=...` (percent).
    """
    for line in pressure.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "some":
            values = dict(part.split("=", 1) for part in rest.split() if "=" in part)
            try:
                return float(values["avg10"]) / 100
            except (KeyError, ValueError):
                return None
    return None


class Budget:
    """How many cores were used over a sliding window. Told readings of the process's clock; reads none itself."""

    def __init__(self, window_seconds: float = 10.0) -> None:
        self._window_seconds = window_seconds
        self._readings: list[tuple[float, float]] = []

    def cores(self, *, now: float, cpu_seconds: float) -> float | None:
        """Take a reading and return the cores used since the oldest one in the window; None at the first."""
        self._readings.append((now, cpu_seconds))
        # one reading older than the window is kept: else the span would be shorter than it
        while len(self._readings) > 2 and self._readings[1][0] <= now - self._window_seconds:
            del self._readings[0]
        since, before = self._readings[0]
        return (cpu_seconds - before) / (now - since) if now > since else None
