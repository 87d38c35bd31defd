"""A compliance gate that the test sets. Implements `Gate` of cti.dialer.candidate_ports."""

from collections.abc import Collection, Sequence
from datetime import datetime

from cti.model.contacts import Campaign, Candidate
from cti.model.verdicts import ALLOWED, Verdict


class FakeGate:
    """Allows everybody but those for whom a verdict is set, by number; remembers whom it was asked about."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.closed_zones: set[str] = set()
        self.asked: list[str] = []

    async def ask(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        self.asked += [one.number for one in candidates]
        return [self.verdicts.get(one.number, ALLOWED) for one in candidates]

    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]:
        return frozenset(zones) - self.closed_zones
