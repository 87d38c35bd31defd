"""No verdict of the gate is older than an attempt at the same number.

The gate is asked first and the attempt committed a little later. In between somebody else, who asked just as early,
may call the same number: by hand, for another list, for another contact. So one number is in one hand at a time, and
whoever comes to a number that was called a moment ago asks the gate once more.
"""

from collections.abc import Sequence
from typing import Final

from cti.clock import Clock
from cti.dialer.candidate_ports import Gate
from cti.model.contacts import Campaign, Candidate
from cti.model.verdicts import Verdict

MOMENT_SECONDS: Final = 10.0
"""Longer than any time from a verdict to the attempt that follows from it."""


class LastWord:
    """The numbers that are in hand, and those called a moment ago."""

    def __init__(self, *, gate: Gate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._in_hand: set[str] = set()
        self._lately: dict[str, float] = {}

    def take(self, number: str) -> bool:
        """Take a number in hand; False while it is in another one. Every number taken is to be put down."""
        if number in self._in_hand:
            return False
        self._in_hand.add(number)
        return True

    def put_down(self, numbers: Sequence[str], *, called: Sequence[str]) -> None:
        """Let numbers go, of which some have been called: their attempts are committed."""
        now = self._clock.monotonic()
        self._in_hand.difference_update(numbers)
        self._lately = {one: at for one, at in self._lately.items() if now - at < MOMENT_SECONDS}
        self._lately.update(dict.fromkeys(called, now))

    async def refusal(self, campaign: Campaign, candidate: Candidate) -> Verdict | None:
        """Ask again about a number that was called a moment ago; None: it may be called. Raises StorageError."""
        at = self._lately.get(candidate.number)
        if at is None or self._clock.monotonic() - at >= MOMENT_SECONDS:
            return None
        [verdict] = await self._gate.ask(campaign, [candidate], self._clock.now())
        return None if verdict.allowed else verdict
