"""What a pacing function sees, and what it says. Times are seconds of one clock; only differences count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cti.pacing.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A call that was placed and has neither been answered nor ended."""

    placed_at: float
    answer_chance: float | None = None
    """Chance at the time of dialing that a person answers, from the contact's own history; None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """An agent who talks or wraps up."""

    since: float
    leaving: bool = False
    """It is known that he will not be free afterwards (a pause asked for, the end of his shift)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The drop ledger of the campaign's window, as far as pacing must know it."""

    target: float = 0.03
    """Highest share of dropped among answered by a person, 0 to 1."""
    live: float = 0.0
    """Answered by a person within the window so far."""
    dropped: float = 0.0
    """Of these, dropped; machine verdicts that count as dropped included."""
    seconds_left: float | None = None
    """Until the window or the shift ends; None: not known (a rolling window)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One campaign (or one group of its agents) at one instant."""

    now: float
    idle_agents: int
    """Logged in, ready, reachable, nothing reserved for them."""
    talking: tuple[Busy, ...] = ()
    wrapping: tuple[Busy, ...] = ()
    in_flight: tuple[InFlight, ...] = ()
    """Placed, oldest first."""
    screening: tuple[float, ...] = ()
    """Answered, machine detection still runs: since when."""
    waiting: int = 0
    """Answered by a person, no agent yet. Each already owns an agent."""
    open_calls: int = 0
    """All lines in use: in flight, screening, waiting, talking."""
    free_lines: int = 1_000_000
    """How many more calls the limits of campaign, trunks, node and rate allow now."""
    contacts_left: int | None = None
    """How many contacts can still be dialed; None: more than matter."""
    next_chances: tuple[float, ...] = ()
    """Answer chances of the next contacts in order, where they were learned; may be shorter than what is placed."""
    ring_timeout: float = 30.0
    """Longest time from placing to the end of ringing, in seconds."""
    grace: float = 2.0
    """How long an answered person may wait for an agent, in seconds."""
    detection: float = 0.0
    """Time that machine detection takes after an answer; 0: none."""
    budget: Budget = Budget()
    placed: int = 0
    """Calls placed for this campaign since the pacer began."""

    @property
    def agents(self) -> int:
        """Return how many agents work now: idle or busy."""
        return self.idle_agents + len(self.talking) + len(self.wrapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place, and why."""

    calls: int
    why: str
    """A sentence for people."""
    reserve: bool = True
    """Whether each call is placed for one agent, who is reserved for it."""
    inputs: Mapping[str, float] = field(default_factory=dict)
    """The figures that decided, for `cti why`: for example risk, theta, answer_rate, budget_left."""


class Pacer(Protocol):
    """Decides for one campaign; learns from signals. Same signals and floors, same decisions."""

    def learn(self, signal: Signal) -> None:
        """Take in what happened. Signals come in order of time."""
        ...

    def decide(self, floor: Floor) -> Decision:
        """Say how many calls to place now. Never negative, never more than `free_lines` or `contacts_left`."""
        ...


Pacing = Callable[[Floor], Decision]
"""A pacer without memory."""
