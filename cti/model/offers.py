"""A contact that an agent looks at before he is dialed."""

from dataclasses import dataclass
from datetime import datetime

from cti.model.contacts import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one agent looks at."""

    campaign_id: int
    candidate: Candidate
    at: datetime
    until: datetime | None
    """Then he is dialed, or skipped, by the campaign's rule; None: the agent decides."""
