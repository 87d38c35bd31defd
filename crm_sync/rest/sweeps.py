"""How far a list is that is gone through from its beginning, as an opaque text. Pure."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from crm_sync.port import CrmError
from cti.model.crm import Answer


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a sweep is."""

    of: str = ""
    """Which list it goes through; a table that was changed begins anew."""
    since: str = ""
    """What changed before is left out; empty: nothing is."""
    began: str = ""
    """When it began; empty: it has not yet."""
    at: int = 0
    """Records, or pages, that were read."""
    size: int = 0
    """Records of a page."""
    last: str = ""
    """Id of the last record that was read."""
    next: str = ""
    """What the answer said of the next page."""


def sweep_of(cursor: str, of: str) -> Sweep:
    """Read a cursor. One of another list is as none. Raises CrmError PERMANENT for text that is none of ours."""
    if not cursor:
        return Sweep(of=of)
    try:
        place = Sweep(**json.loads(cursor))
    except (ValueError, TypeError):
        raise CrmError(Answer.PERMANENT, f"{cursor[:60]!r} is no cursor of this CRM") from None
    texts = (place.of, place.since, place.began, place.last, place.next)
    numbers = (place.at, place.size)
    fits = all(isinstance(one, str) for one in texts) and all(
        isinstance(one, int) and one >= 0 for one in numbers
    )
    if not fits or any(one and moment(one) is None for one in (place.since, place.began)):
        raise CrmError(Answer.PERMANENT, f"{cursor[:60]!r} is no cursor of this CRM")
    return place if place.of == of else Sweep(of=of)


def cursor_for(place: Sweep) -> str:
    """Write a cursor."""
    return json.dumps({name: value for name, value in asdict(place).items() if value}, separators=(",", ":"))


def text_of(at: datetime) -> str:
    """Return a time as text that sorts as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime | None:
    """Return the time that a text is, None for what is none with a zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
