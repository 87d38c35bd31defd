"""A place among a source's changes. Pure.

`write_date` reads back in whole seconds and is kept in millionths: "later than the last one seen" would miss what was
changed in the same second. So a place is a second, from its beginning; where one second fills a whole page (an import
changes thousands at one instant) it is a second and the last id in it.

At the end a place lies before the last change by an overlap: a transaction that began earlier may commit later.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from crm_sync.odoo.rows import odoo_time, time_of
from crm_sync.odoo.tables import Domain
from cti.errors import BadInput

_TEXT: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:/(\d{1,18})|(\+))?")
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins."""

    second: datetime | None = None
    """None: at the oldest."""
    after_id: int | None = None
    """Within this second alone, behind this id."""
    amid: bool = False
    """Reached page by page: the end is not seen yet, so the overlap is not taken off."""

    def __str__(self) -> str:
        if self.second is None:
            return ""
        tail = f"/{self.after_id}" if self.after_id is not None else "+" if self.amid else ""
        return odoo_time(self.second) + tail

    @property
    def domain(self) -> Domain:
        """The changes from here on, as one expression."""
        if self.second is None:
            return []
        begin = ["write_date", ">=", odoo_time(self.second)]
        if self.after_id is None:
            return [begin]
        end = ["write_date", "<", odoo_time(self.second + SECOND)]
        return ["&", "&", begin, end, ["id", ">", self.after_id]]

    @property
    def order(self) -> str:
        return "write_date, id" if self.after_id is None else "id"


def place_of(cursor: str) -> Place:
    """Read a cursor. Raises BadInput for one that is none of ours."""
    if not cursor:
        return Place()
    found = _TEXT.fullmatch(cursor)
    second = time_of(found[1]) if found else None
    if found is None or second is None:
        raise BadInput(f"{cursor!r} is no place in a source of Odoo's")
    return Place(second, int(found[2]) if found[2] else None, amid=bool(found[3]))


def following(
    place: Place, rows: Sequence[Mapping[str, Any]], *, limit: int, overlap: timedelta
) -> tuple[Place, bool]:
    """Return where the page after these rows begins, and whether it is worth asking for now."""
    full = len(rows) >= limit
    if place.second is not None and place.after_id is not None:
        if full:
            return Place(place.second, int(rows[-1]["id"])), True
        return Place(place.second + SECOND, amid=True), True
    last = max((at for row in rows if (at := time_of(row.get("write_date")))), default=None)
    if last is None:
        if place.second is not None and place.amid:
            return Place(place.second - overlap), False
        return place, False
    if not full:
        return Place(last - overlap), False
    if place.second is None or last > place.second:
        return Place(last, amid=True), True
    return Place(last, after_id=0), True
