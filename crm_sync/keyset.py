"""Pages through records by the time of their last change, so that none is left out while others change.

Pages by offset lose records: one that changes moves to the end, and what stood behind it moves up. Here each page
begins where the last one ended. Records may share a time, more of them than a page holds after an import; those are
paged through by their id. A record may come twice, and never not at all.
"""

import json
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from crm_sync.port import CrmError
from cti.model.crm import Answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One record as it came."""

    at: int
    """Time of its last change, in the CRM's smallest unit."""
    id: str
    record: T


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on: from this time on; or among the records of exactly this time, behind this id."""

    at: int | None = None
    """None: from the beginning."""
    behind: str | None = None
    after_ties: bool = False
    """The records of one time have just been paged through: if nothing follows, those may still be incomplete."""


class Source(Protocol[T]):
    """Where records come from. `limit` is a page's greatest length; a shorter page is the last one."""

    def since(self, at: int | None, limit: int) -> Awaitable[Sequence[Row[T]]]:
        """Return the records that changed at this time or later, oldest change first."""
        ...

    def at(self, at: int, behind: str, limit: int) -> Awaitable[Sequence[Row[T]]]:
        """Return the records that changed at exactly this time and whose id is greater, by id; "" is before all."""
        ...


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records, and the place behind them."""

    rows: Sequence[Row[T]]
    place: Place
    more: bool


async def next_page(source: Source[T], place: Place, *, limit: int, overlap: int) -> Page[T]:
    """Return the next page. At the end the place goes back by `overlap`: searches hear of changes late."""
    if place.at is not None and place.behind is not None:
        rows = await source.at(place.at, place.behind, limit)
        if any(row.id == place.behind for row in rows):
            raise CrmError(
                Answer.RETRY,
                f"the CRM gives {place.behind} again, behind which it was asked: no end in sight",
            )
        if len(rows) < limit:
            return Page(rows, Place(at=place.at + 1, after_ties=True), more=True)
        return Page(rows, Place(at=place.at, behind=rows[-1].id), more=True)
    rows = await source.since(place.at, limit)
    if len(rows) < limit:
        return Page(rows, Place(at=_end(rows, place, overlap)), more=False)
    first, last = rows[0].at, rows[-1].at
    return Page(rows, Place(at=last, behind="" if first == last else None), more=True)


def _end(rows: Sequence[Row[T]], place: Place, overlap: int) -> int | None:
    if rows:
        return rows[-1].at - overlap
    return place.at - overlap if place.after_ties and place.at is not None else place.at


def cursor_of(place: Place) -> str:
    """Return the place as an opaque text; "" is the beginning."""
    if place.at is None:
        return ""
    if place.behind is not None:
        return json.dumps([place.at, place.behind])
    return json.dumps([place.at, True] if place.after_ties else [place.at])


def place_of(cursor: str) -> Place:
    """Return the place that a text says. Raises CrmError PERMANENT for text that is none of ours."""
    if not cursor:
        return Place()
    try:
        match json.loads(cursor):
            case [int(at)]:
                return Place(at=at)
            case [int(at), True]:
                return Place(at=at, after_ties=True)
            case [int(at), str(behind)]:
                return Place(at=at, behind=behind)
    except ValueError:
        pass
    raise CrmError(Answer.PERMANENT, f"{cursor!r} is no cursor of this CRM")


def slices(ids: Iterable[str], size: int) -> list[list[str]]:
    """Return ids in pieces of at most this size, each id once."""
    every = list(dict.fromkeys(ids))
    return [every[first : first + size] for first in range(0, len(every), size)]
