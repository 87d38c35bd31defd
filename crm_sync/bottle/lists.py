"""Reads BottleCRM's lists of leads and contacts to their end, page by page, whatever is added and deleted meanwhile.

A list has only an offset, and no filter for what changed. So what changed is found by a sweep: all pages are read, and
of each the records that changed since the sweep before it began. Leads come in two lists, those that are open and those
that are closed; a lead that became a contact is in neither.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crm_sync.bottle.asking import BottleAsker, Query
from crm_sync.bottle.records import ACCOUNT, CASE, CONTACT, DEAL, LEAD, moment
from crm_sync.bottle.tables import STATUS
from crm_sync.port import CrmError
from crm_sync.requests import at_path, listed, said_at
from crm_sync.tab import settled
from cti.clock import Clock
from cti.model.crm import Answer

OVERLAP: Final = timedelta(minutes=5)
"""Sweeps overlap by so much: its clock is told to the second, and a change is seen when it is committed."""
PAGE: Final = 200
CREATED: Final = "created_at"
MOST_STEPS_BACK: Final = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """One of its lists."""

    path: str
    rows: str
    """Where the records stand in the answer."""
    key: str
    """What it is sorted by, falling."""
    query: Query = ()
    over: bool = False
    """Of records that are over: a source's own filter of the status says nothing here."""


LISTINGS: Final = {
    LEAD: (
        Listing("/api/leads/", "open_leads.open_leads", "id", (("open", "true"),)),
        Listing("/api/leads/", "close_leads.close_leads", "id", (("status", "closed"),), over=True),
    ),
    CONTACT: (Listing("/api/contacts/", "results", CREATED),),
    DEAL: (Listing("/api/opportunities/", "opportunities", "id"),),
    ACCOUNT: (
        Listing("/api/accounts/", "active_accounts.open_accounts", "id"),
        Listing("/api/accounts/", "closed_accounts.close_accounts", "id"),
    ),
    CASE: (Listing("/api/cases/", "cases", CREATED),),
}


@dataclass(frozen=True, slots=True)
class Place:
    """How far a sweep is."""

    of: str = ""
    """Which records it reads; a sweep of others begins anew."""
    since: str = ""
    """Records that changed before are left out; empty: none is."""
    began: str = ""
    """When it began, by their clock; empty: it has not yet."""
    part: int = 0
    """Which of the lists."""
    offset: int = 0
    last: str = ""
    """Key of the last record that was read of this list."""
    last_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one page, and the place behind it."""

    rows: Sequence[Any]
    place: Place
    more: bool


def place_of(cursor: str, *, of: str) -> Place:
    """Read a cursor. One of other records is as none. Raises CrmError for what is none of ours."""
    if not cursor:
        return Place(of=of)
    try:
        place = Place(**json.loads(cursor))
    except (ValueError, TypeError):
        raise CrmError(Answer.PERMANENT, f"{cursor[:60]!r} is no cursor of this adapter") from None
    texts = (place.of, place.since, place.began, place.last, place.last_id)
    fits = all(isinstance(one, str) for one in texts) and isinstance(place.offset, int)
    if not fits or place.part not in (0, 1) or place.offset < 0:
        raise CrmError(Answer.PERMANENT, f"{cursor[:60]!r} is no cursor of this adapter")
    return place if place.of == of else Place(of=of)


def cursor_of(place: Place) -> str:
    """Write a cursor."""
    return json.dumps(asdict(place), separators=(",", ":"))


class BottleLists:
    """Reads lists. Methods raise CrmError."""

    def __init__(self, asker: BottleAsker, clock: Clock) -> None:
        self._asker = asker
        self._clock = clock

    async def page(self, kind: str, place: Place, *, query: Query = (), limit: int) -> Page:
        """Return the next records of a sweep, oldest change first within the page, and where it goes on."""
        listing = LISTINGS[kind][place.part]
        asked = [
            *listing.query,
            *((name, value) for name, value in query if not (listing.over and name == STATUS)),
        ]
        rows, offset, began = await self._next(listing, place, asked, limit)
        taken = [(at, row) for at, row in enumerate(rows) if _id(row) != place.last_id][:limit]
        fresh = [row for _, row in taken if not place.last or _key(row, listing) <= place.last]
        changed = sorted((row for row in fresh if changed_at(row) >= place.since), key=changed_at)
        place = replace(place, began=place.began or began)
        if taken and taken[-1][0] + 1 < len(rows):  # one more than a page was asked for, and came
            at, row = taken[-1]
            behind = replace(place, offset=offset + at + 1, last=_key(row, listing), last_id=_id(row))
            return Page(changed, behind, more=True)
        if place.part + 1 < len(LISTINGS[kind]):
            return Page(
                changed, replace(place, part=place.part + 1, offset=0, last="", last_id=""), more=True
            )
        return Page(changed, Place(of=place.of, since=place.began), more=False)

    async def all(self, kind: str) -> AsyncIterator[Any]:
        """Give every record of a kind that is listed."""
        place, more = Place(), True
        while more:
            page = await self.page(kind, place, limit=PAGE)
            for row in page.rows:
                yield row
            place, more = page.place, page.more
            await settled()

    async def _next(
        self, listing: Listing, place: Place, query: Query, limit: int
    ) -> tuple[Sequence[Any], int, str]:
        """Return rows that begin at the last one or before it, their offset, and when they were told.

        If what comes first lies behind the last row, others were deleted before it, and some of those that follow it
        moved up past the offset. Then it goes back until it is on known ground.
        """
        offset = max(0, place.offset - 1)
        for _ in range(MOST_STEPS_BACK):
            asked = [*query, ("limit", str(limit + 2)), ("offset", str(offset))]
            reply = await self._asker.reply("GET", listing.path, query=asked)
            rows = listed(reply.json, listing.rows)
            if not offset or (rows and _key(rows[0], listing) >= place.last):
                return rows, offset, _text((said_at(reply) or self._clock.now()) - OVERLAP)
            offset = max(0, offset - limit)
        raise CrmError(Answer.RETRY, f"{listing.path}: too much is deleted there while it is read")


def changed_at(row: Any) -> str:
    """Return when a record changed, as text that sorts as times do."""
    at = moment(at_path(row, "updated_at"))
    return _text(at) if at else ""


def called_since(row: Any, since: datetime) -> bool:
    """Whether a lead's last outbound contact was then or later; it says so in a field."""
    at = moment(at_path(row, "last_outbound_at"))
    return at is not None and at >= since


def _id(row: Any) -> str:
    return str(at_path(row, "id"))


def _key(row: Any, listing: Listing) -> str:
    value = at_path(row, listing.key)
    at = moment(value) if listing.key == CREATED else None
    return _text(at) if at else str(value)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
