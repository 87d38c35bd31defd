"""What the dialer asks about contacts before it dials them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.contacts import Campaign, Candidate
from cti.model.verdicts import Verdict


class Gate(Protocol):
    """The rules of law and custom, asked immediately before each Originate."""

    async def ask(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        """Answer for each candidate, in their order, from facts read just now. Raises StorageError."""
        ...

    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]:
        """Return those of the zones (`""`: not known) in which the campaign may call now."""
        ...


class Chances(Protocol):
    """How likely contacts answer, as learned."""

    async def chances(self, candidates: Sequence[Candidate], now: datetime) -> list[float | None]:
        """Return a chance for each candidate if he is dialed now, in their order; None: none was learned."""
        ...
