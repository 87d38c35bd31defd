"""What people said to being called: given or withdrawn, with source, time and evidence. Values; pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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


IMPORTED_BY: Final = "import"


def brought_in(
    lines: Collection[Consent],
    *,
    contact_id: int,
    standing: str | None,
    at: datetime | None,
    source: str | None,
    since: datetime,
) -> Consent | None:
    """Return what a list said of a contact when he was imported, as a line of the history; None when it has one.

    Imports write only how consent stands, with the contact: a history line for each of a million rows that say the same
    would cost more than the import. `since`: when the contact was made; that holds where the list tells no time.
    """
    at = at or since
    if standing is None or any((one.standing, one.at) == (standing, at) for one in lines):
        return None
    return Consent(
        id=0,
        contact_id=contact_id,
        standing=ConsentStanding(standing),
        at=at,
        source=source or IMPORTED_BY,
        recorded_by=IMPORTED_BY,
        recorded_at=since,
    )
