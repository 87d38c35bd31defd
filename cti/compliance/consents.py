"""What people said to being called: given or withdrawn, with source, time and evidence. Values; pure."""

from dataclasses import dataclass
from datetime import datetime

from cti.compliance.facts import ConsentStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """One thing said, about to be stored."""

    contact_id: int
    standing: ConsentStanding
    at: datetime
    """When it was said, not when it was written down."""
    source: str
    """How it reached us, for example `web form`, `call`, `letter`."""
    evidence: str = ""
    """What proves it: the words, the form's address, the recording's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(NewConsent):
    """One line of the history. What was said last holds; of two at one moment what was written down last."""

    id: int
    recorded_by: str
    recorded_at: datetime
