"""The drop ledger: how many people answered, and how many of them nobody took."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Ended calls of one campaign within a span."""

    connected: int = 0
    dropped: int = 0
    gone_early: int = 0
    machine: int = 0

    @property
    def answered_by_person(self) -> int:
        """Count the people who answered (16 CFR 310.4(b)(4)(i): the base of the rate)."""
        return self.connected + self.dropped + self.gone_early

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            connected=self.connected + other.connected,
            dropped=self.dropped + other.dropped,
            gone_early=self.gone_early + other.gone_early,
            machine=self.machine + other.machine,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a campaign stands against its drop limit now."""

    campaign_id: int
    window: str
    since: datetime | None
    """Begin of the window; None: the campaign's beginning."""
    target: float
    live: float
    """Answered by a person; with a share of the machine verdicts where the campaign counts those."""
    dropped: float
    tally: Tally

    @property
    def rate(self) -> float | None:
        """Return dropped / live, None while nobody answered."""
        return self.dropped / self.live if self.live else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A tally of one span of time: from inclusive, until exclusive."""

    begins: datetime
    ends: datetime
    tally: Tally
