"""Reads lists that the tables describe to their end, page by page, whatever changes meanwhile.

A record may come twice, and never not at all.

Sorted and filtered by the time of change it is read by `crm_sync.keyset`. A list that can do no such thing is gone
through from its beginning each time (a sweep), and of what comes is kept what changed since the sweep before began.
Pages of a sweep overlap by the last record: where it has moved, others moved with it, and it is looked for.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crm_sync.keyset import Place as Key
from crm_sync.keyset import Row, cursor_of, next_page, place_of
from crm_sync.port import CrmError
from crm_sync.requests import Reply, at_path, listed, said_at
from crm_sync.rest.asking import RestAsker
from crm_sync.rest.questions import Asked, Question
from crm_sync.rest.read_tables import ListTable
from crm_sync.rest.records import Times, id_of
from crm_sync.rest.sweeps import Sweep, cursor_for, moment, sweep_of, text_of
from cti.clock import Clock
from cti.model.crm import Answer

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNITS: Final = {
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
    "microsecond": timedelta(microseconds=1),
}
MOST_STEPS_BACK: Final = 20
LIST_PAGE: Final = 200
"""Records of a page, of lists that are read in one go."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """Records of a page, and where the next one is."""

    rows: Sequence[Any]
    cursor: str
    more: bool
    anew: bool = False
    """It begins anew before its end was reached: the CRM does not know the next page any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRows:
    """Where records of a list have their id and their time."""

    id: str
    ids: str
    """Pattern of ids."""
    at: str
    """Empty: nowhere."""
    times: Times

    def id_of(self, row: Any) -> str:
        """Return a record's id. Raises CrmError RETRY."""
        return id_of(row, self.id, self.ids)

    def at_of(self, row: Any) -> datetime | None:
        """Return a record's time, None where it has none."""
        return self.times.moment(at_path(row, self.at)) if self.at else None


class RestList:
    """One list. Methods raise CrmError; DELETED: what it is a list of is not there."""

    def __init__(
        self, asker: RestAsker, clock: Clock, table: ListTable, question: Question, rows: ListRows
    ) -> None:
        self._asker = asker
        self._clock = clock
        self._table = table
        self._question = question
        self._since = question.with_more(table.since)
        self._ties = question.with_more(table.ties) if table.ties else question
        self._rows = rows
        self._unit = UNITS[table.unit]
        self._of = hashlib.sha256(table.model_dump_json(by_alias=True).encode()).hexdigest()[:12]

    def begin(self, since: datetime) -> str:
        """Return the cursor from which what has changed since then comes."""
        if self._table.paging == "keyset":
            return cursor_of(Key(at=(since - EPOCH) // self._unit))
        return cursor_for(Sweep(of=self._of, since=text_of(since)))

    async def page(self, cursor: str, *, limit: int, values: Map[str, Any]) -> ListPage:
        """Return the next records, oldest change first within the page. `values`: more that its texts name."""
        if self._table.paging == "keyset":
            return await self._by_key(cursor, max(1, min(limit, self._table.at_once)), values)
        return await self._swept(sweep_of(cursor, self._of), limit, values)

    async def _by_key(self, cursor: str, limit: int, values: Map[str, Any]) -> ListPage:
        overlap = timedelta(seconds=self._table.overlap_seconds) // self._unit
        page = await next_page(_Changed(self, values), place_of(cursor), limit=limit, overlap=overlap)
        return ListPage([row.record for row in page.rows], cursor_of(page.place), page.more)

    async def since(self, at: int | None, limit: int, values: Map[str, Any]) -> list[Row[Any]]:
        """Return what changed at this time or later. Raises CrmError PERMANENT unless it is filtered and sorted."""
        question = self._question if at is None else self._since
        since = None if at is None else EPOCH + at * self._unit
        _, found = await self._asked(question, {**values, "since": since, "limit": limit})
        rows = self._keyed(found)[:limit]
        times = [row.at for row in rows]
        if times != sorted(times):
            raise self._wrong("its records are not sorted by the time of their change, oldest first")
        if at is not None and times and times[0] < at:
            raise self._wrong("it gives records that changed before the time that it was asked for")
        return rows

    async def at(self, at: int, behind: str, limit: int, values: Map[str, Any]) -> list[Row[Any]]:
        """Return what changed at exactly this time and is behind this id."""
        span = {"since": EPOCH + at * self._unit, "next": EPOCH + (at + 1) * self._unit}
        _, found = await self._asked(self._ties, {**values, **span, "behind": behind or None, "limit": limit})
        rows = self._keyed(found)[:limit]
        if any(row.at != at for row in rows):
            raise self._wrong("asked for the changes of one time, it gives others (ties)")
        return rows

    async def _swept(self, place: Sweep, limit: int, values: Map[str, Any]) -> ListPage:
        since, began = place.since, place.began
        if self._table.paging == "next":
            rows, place, reply = await self._linked(place, {**values, "since": moment(since), "limit": limit})
        else:
            rows, place, reply = await self._found(place, limit, {**values, "since": moment(since)})
        if not began:
            at = (said_at(reply) if reply else None) or self._clock.now()
            place = replace(place, began=text_of(at - timedelta(seconds=self._table.overlap_seconds)))
        changed = [row for row in rows if not since or self._is_since(row, since)]
        changed.sort(key=lambda row: self._rows.at_of(row) or EPOCH)
        more = bool(place.next) if self._table.paging == "next" else place.size > 0
        if more:
            return ListPage(changed, cursor_for(place), more=True)
        anew = reply is None
        return ListPage(changed, cursor_for(Sweep(of=self._of, since=place.began)), more=False, anew=anew)

    def _is_since(self, row: Any, since: str) -> bool:
        at = self._rows.at_of(row)
        return at is None or text_of(at) >= since

    async def _linked(self, place: Sweep, values: Map[str, Any]) -> tuple[list[Any], Sweep, Reply | None]:
        """Return the page that the last answer named. One that is not to be had any more begins the sweep anew."""
        try:
            if place.next and "cursor" not in self._question.names:
                reply = await self._asker.read(Asked("GET", place.next, link=True))
            else:
                question, cursor = self._question_of(values), place.next or None
                reply = await self._asker.answer_to(question, {**values, "cursor": cursor})
        except CrmError as error:
            if place.next and error.answer in (Answer.PERMANENT, Answer.DELETED):
                return [], replace(place, began=place.since, next=""), None
            raise
        rows = listed(reply.json, self._table.list)
        then = at_path(reply.json, self._table.next)
        after = str(then) if isinstance(then, str | int) and not isinstance(then, bool) else ""
        if after and after == place.next:
            raise CrmError(Answer.RETRY, f"{self._question.where}: the same page again: no end in sight")
        if after and "cursor" not in self._question.names:
            self._asker.linked(after)  # told now: later it would only look like a page that is gone
        return rows, replace(place, next=after), reply

    async def _found(self, place: Sweep, limit: int, values: Map[str, Any]) -> tuple[list[Any], Sweep, Reply]:
        """Return the records behind the last one, and where they end; `size` 0: nothing follows."""
        by_page = self._table.paging == "page"
        size = min(limit, self._table.at_once) if by_page else min(limit + 2, self._table.at_once)
        take = size if by_page else size - 2
        if place.size not in (0, size) and by_page:
            place = replace(place, at=0, last="")
        for step in range(MOST_STEPS_BACK + 2):
            if step > MOST_STEPS_BACK:
                place = replace(place, at=0)
            start = max(0, place.at - 1)
            rows, full, reply = await (self._two_pages if by_page else self._window)(
                start, place.at, size, values
            )
            ids = [self._rows.id_of(row) for row in rows]
            behind = ids.index(place.last) + 1 if place.last in ids else 0
            if behind or not place.last or not place.at:
                break
            place = replace(place, at=max(0, place.at - (1 if by_page else take)))
        fresh = rows[behind : behind + take]
        if full and not fresh:
            raise CrmError(Answer.RETRY, f"{self._question.where}: the same records again: no end in sight")
        more = full or len(rows) > behind + take
        at = place.at + 1 if by_page else start + behind + len(fresh)
        last = ids[behind + len(fresh) - 1] if fresh else place.last
        return fresh, replace(place, at=at, last=last, size=size if more else 0), reply

    async def _window(
        self, start: int, _: int, size: int, values: Map[str, Any]
    ) -> tuple[list[Any], bool, Reply]:
        """Return records from the last one on; one more than is taken tells whether there are further ones."""
        reply, rows = await self._asked(self._question_of(values), {**values, "offset": start, "limit": size})
        return rows, len(rows) >= size, reply

    async def _two_pages(
        self, before: int, page: int, size: int, values: Map[str, Any]
    ) -> tuple[list[Any], bool, Reply]:
        """Return a page behind the one before, which is read again afterwards: what moved up to it is found there."""
        question, first = self._question_of(values), self._table.first_page
        reply, rows = await self._asked(question, {**values, "page": first + page, "limit": size})
        full = len(rows) >= size
        if page:
            _, old = await self._asked(question, {**values, "page": first + before, "limit": size})
            ids = {self._rows.id_of(row) for row in old}
            rows = [*old, *(row for row in rows if self._rows.id_of(row) not in ids)]
        return rows, full, reply

    def _question_of(self, values: Map[str, Any]) -> Question:
        return self._since if values.get("since") else self._question

    async def _asked(self, question: Question, values: Map[str, Any]) -> tuple[Reply, list[Any]]:
        reply = await self._asker.answer_to(question, values)
        return reply, listed(reply.json, self._table.list)

    def _keyed(self, rows: Sequence[Any]) -> list[Row[Any]]:
        made = []
        for row in rows:
            at = self._rows.at_of(row)
            if at is None:
                raise CrmError(Answer.RETRY, f"a record of the answer has no time at {self._rows.at!r}")
            made.append(Row((at - EPOCH) // self._unit, self._rows.id_of(row), row))
        return made

    def _wrong(self, what: str) -> CrmError:
        return CrmError(Answer.PERMANENT, f"{self._question.where}: {what}")


class _Changed:
    """See `crm_sync.keyset.Source`."""

    def __init__(self, of: RestList, values: Map[str, Any]) -> None:
        self._of = of
        self._values = values

    async def since(self, at: int | None, limit: int) -> Sequence[Row[Any]]:
        return await self._of.since(at, limit, self._values)

    async def at(self, at: int, behind: str, limit: int) -> Sequence[Row[Any]]:
        return await self._of.at(at, behind, limit, self._values)


async def read_out(of: RestList, cursor: str, values: Map[str, Any]) -> AsyncIterator[Sequence[Any]]:
    """Give the pages of a list to its end. Raises CrmError RETRY when that is not to be reached."""
    more = True
    while more:
        page = await of.page(cursor, limit=LIST_PAGE, values=values)
        if page.anew:
            raise CrmError(Answer.RETRY, "the next page of the list is not to be had any more")
        cursor, more = page.cursor, page.more
        yield page.rows
