"""Reads records and calls of 纷享销客."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crm_sync.fxiaoke.asking import FxiaokeAsker
from crm_sync.fxiaoke.tables import READ, FilterTable, FxiaokeTable, SourceTable
from crm_sync.fxiaoke.values import is_gone, record_of, written_of
from crm_sync.keyset import Row, Source, cursor_of, next_page, place_of, slices
from crm_sync.numbers import same, spellings
from crm_sync.port import CrmError, PulledRecord, PullPage, Written
from crm_sync.requests import at_path
from cti.model.crm import Answer, RecordRef

PAGE: Final = 100
MARKS: Final = 50
"""Calls asked for at one time: there is room for a double of each in the answer."""

Describe = Callable[[str], Awaitable[Mapping[str, Any]]]


class FxiaokeReader:
    """Reads one account."""

    def __init__(self, asker: FxiaokeAsker, table: FxiaokeTable, describe: Describe) -> None:
        """`describe` gives an object's fields by name."""
        self._asker = asker
        self._table = table
        self._describe = describe

    async def records(self, refs: Sequence[RecordRef]) -> dict[RecordRef, PulledRecord]:
        """Return these records; what is deleted is left out."""
        found: dict[RecordRef, PulledRecord] = {}
        for kind in READ:
            for some in slices([ref.id for ref in refs if ref.kind == kind], PAGE):
                rows = await self.query(kind, [condition("_id", "IN", some)])
                made = [record_of(kind, row, self._table.kind(kind)) for row in rows if not is_gone(row)]
                found |= {one.ref: one for one in made}
        return found

    async def find(self, e164: str) -> list[PulledRecord]:
        """Return who has this number, in any way it may be written there."""
        found: dict[RecordRef, PulledRecord] = {}
        for kind in READ:
            table = self._table.kind(kind)
            for name in table.numbers:
                rows = await self.query(kind, [condition(name, "IN", spellings(e164))])
                found |= {one.ref: one for one in (record_of(kind, row, table) for row in rows)}
        return [
            one
            for one in found.values()
            if one.over is None and any(same(e164, number) for number in one.numbers)
        ]

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        """Return the next records of a source. Raises CrmError PERMANENT for one that is not there."""
        table = self._table.sources.get(source)
        if table is None:
            known = ", ".join(sorted(self._table.sources)) or "none"
            raise CrmError(Answer.PERMANENT, f"there is no source {source!r}; there are: {known}")
        page = await next_page(
            _Changed(self, table),
            place_of(cursor),
            limit=max(1, min(limit, PAGE)),
            overlap=round(self._table.overlap_seconds * 1000),
        )
        own = self._table.kind(table.kind)
        records = [record_of(table.kind, row.record, own) for row in page.rows]
        return PullPage(records=records, cursor=cursor_of(page.place), more=page.more)

    async def marked(self, call_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the records that stand for these calls, by their ids, doubles too; none that is gone."""
        found: list[Mapping[str, Any]] = []
        for some in slices(call_ids, MARKS):
            rows = await self.query(self._table.object, [condition(self._table.mark, "IN", some)])
            found += [row for row in rows if not is_gone(row)]
        return found

    async def stands(self, remote: str) -> bool:
        """Whether a record of a call is there still."""
        rows = await self.query(self._table.object, [condition("_id", "EQ", [remote])])
        return any(not is_gone(row) for row in rows)

    async def read_back(self, call_ids: Sequence[str]) -> list[Written]:
        """Return what stands there for these calls."""
        rows = await self.marked(call_ids)
        described = await self._describe(self._table.object) if rows else {}
        return [self._written(row, described) for row in rows]

    async def written(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give our calls that began in this span."""
        span = [
            condition(self._table.started, "GTE", [str(round(since.timestamp() * 1000))]),
            condition(self._table.started, "LT", [str(round(until.timestamp() * 1000))]),
        ]
        described = await self._describe(self._table.object)
        behind = ""
        while True:
            more = [condition("_id", "GT", [behind])] if behind else []
            rows = await self.query(self._table.object, [*span, *more])
            for row in rows:
                if row.get(self._table.mark) and not is_gone(row):
                    yield self._written(row, described)
            if len(rows) < PAGE:
                return
            if str(rows[-1]["_id"]) == behind:
                raise CrmError(Answer.RETRY, "the same page came again: it does not sort or filter by _id")
            behind = str(rows[-1]["_id"])

    async def query(
        self, api_name: str, filters: Sequence[Mapping[str, Any]], *, by: str = "_id", limit: int = PAGE
    ) -> list[Mapping[str, Any]]:
        """Return the first records that fit all conditions, in ascending order of a field. Raises CrmError."""
        body = {
            "data": {
                "dataObjectApiName": api_name,
                "find_explicit_total_num": False,
                "search_query_info": {
                    "limit": limit,
                    "offset": 0,
                    "filters": list(filters),
                    "orders": [{"fieldName": by, "isAsc": True}],
                },
            }
        }
        said = await self._asker.data("query", api_name, body)
        rows = at_path(said, "data.dataList")
        if rows is None:  # objects of one's own are described both ways
            rows = at_path(said, "dataList")
        if not isinstance(rows, list):
            raise CrmError(Answer.UNKNOWN, "the answer holds no dataList")
        return [row for row in rows if isinstance(row, Mapping) and row.get("_id")]

    def _written(self, row: Mapping[str, Any], described: Mapping[str, Any]) -> Written:
        table = self._table
        return written_of(
            row,
            api_name=table.object,
            mark=table.mark,
            started=table.started,
            seconds=table.seconds,
            links=table.links,
            described=described,
        )


class _Changed(Source[Any]):
    """The records of a source, by their last change in milliseconds."""

    def __init__(self, reader: FxiaokeReader, table: SourceTable) -> None:
        self._reader = reader
        self._table = table
        self._filters = [_filter(one) for one in table.filters]

    async def since(self, at: int | None, limit: int) -> list[Row[Any]]:
        more = [] if at is None else [condition("last_modified_time", "GTE", [str(at)])]
        return await self._rows(more, "last_modified_time", limit)

    async def at(self, at: int, behind: str, limit: int) -> list[Row[Any]]:
        more = [condition("last_modified_time", "EQ", [str(at)])]
        if behind:
            more.append(condition("_id", "GT", [behind]))
        return await self._rows(more, "_id", limit)

    async def _rows(self, more: Sequence[Mapping[str, Any]], by: str, limit: int) -> list[Row[Any]]:
        found = await self._reader.query(self._table.kind, [*self._filters, *more], by=by, limit=limit)
        try:
            return [Row(int(one["last_modified_time"]), str(one["_id"]), one) for one in found]
        except (KeyError, TypeError, ValueError):
            raise CrmError(Answer.UNKNOWN, "a record has no last_modified_time") from None


def condition(field: str, operator: str, values: Sequence[str]) -> dict[str, Any]:
    """Return one condition of a query; its values are always a list."""
    return {"field_name": field, "operator": operator, "field_values": list(values)}


def _filter(table: FilterTable) -> dict[str, Any]:
    return condition(table.field, table.operator, table.values)
