"""What pacing decided, with what it saw: the answer to "why is nothing dialed" and "why did it dial so much"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingDecision:
    """One decision of one campaign."""

    campaign_id: int
    at: datetime
    calls: int
    """How many calls it wanted."""
    why: str
    inputs: Mapping[str, float] = field(default_factory=dict)
    """The floor in numbers (idle, talking, in_flight ...) and what the pacer added (risk, theta ...)."""
