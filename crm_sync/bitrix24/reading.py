"""Reads leads, contacts, companies, deals and calls of Bitrix24."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from crm_sync.bitrix24.asking import PAGE, Bitrix24Asker, by_origin
from crm_sync.bitrix24.records import deal_of, moment, record_of, seconds_of, written_of
from crm_sync.bitrix24.tables import READ, Bitrix24Table, SourceTable
from crm_sync.keyset import Row, Source, cursor_of, next_page, place_of, slices
from crm_sync.numbers import same, spellings
from crm_sync.port import CrmError, Deal, PulledRecord, PullPage, Written
from crm_sync.requests import at_path
from crm_sync.users import Users
from cti.model.crm import Answer, RecordRef

NAMES: Final = {
    "lead": ("TITLE", "NAME", "LAST_NAME", "STATUS_SEMANTIC_ID", "CONTACT_ID", "COMPANY_ID"),
    "contact": ("NAME", "LAST_NAME", "COMPANY_ID"),
    "company": ("TITLE",),
}
DEAL: Final = (
    "ID",
    "TITLE",
    "STAGE_ID",
    "OPPORTUNITY",
    "CURRENCY_ID",
    "CONTACT_ID",
    "COMPANY_ID",
    "DATE_MODIFY",
)


class Bitrix24Reader:
    """Reads one account."""

    def __init__(self, asker: Bitrix24Asker, table: Bitrix24Table, owners: Users) -> None:
        """`owners` gives the e-mail of a user by id."""
        self._asker = asker
        self._table = table
        self._owners = owners

    async def records(self, refs: Sequence[RecordRef]) -> dict[RecordRef, PulledRecord]:
        """Return these leads, contacts and companies; what is deleted is left out."""
        found: dict[RecordRef, PulledRecord] = {}
        for kind in READ:
            ids = [ref.id for ref in refs if ref.kind == kind and ref.id.isdecimal()]
            for some in slices(ids, PAGE):
                rows = await self.listed(kind, {"@ID": some}, {"ID": "ASC"})
                found |= {record.ref: record for record in await self._made(kind, rows)}
        return found

    async def find(self, e164: str) -> list[PulledRecord]:
        """Return who has this number. What its search for doubles gives is compared as numbers."""
        values = spellings(e164)[:20]
        said = await self._asker.ask("crm.duplicate.findbycomm", {"type": "PHONE", "values": values})
        refs = [
            RecordRef(kind, str(one))
            for kind in READ
            for one in (at_path(said, kind.upper()) or [] if isinstance(said, dict) else [])
        ]
        records = (await self.records(refs)).values() if refs else ()
        return [
            one for one in records if one.over is None and any(same(e164, number) for number in one.numbers)
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
            overlap=self._table.overlap_seconds,
        )
        records = await self._made(table.kind, [row.record for row in page.rows])
        return PullPage(records=records, cursor=cursor_of(page.place), more=page.more)

    async def read_back(self, call_ids: Sequence[str]) -> list[Written]:
        """Return what stands there for these calls, doubles too."""
        found: list[Written] = []
        for some in slices(call_ids, PAGE):
            rows = await self._asker.every("crm.activity.list", by_origin(self._table.originator, some))
            found += [written_of(row) for row in rows]
        return found

    async def written(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give our calls that began in this span."""
        asked = by_origin(self._table.originator, [])
        asked["filter"] = {
            "=ORIGINATOR_ID": self._table.originator,
            ">=START_TIME": _iso(since),
            "<START_TIME": _iso(until),
        }
        async for rows in self._asker.pages("crm.activity.list", asked):
            for row in rows:
                yield written_of(row)

    async def listed(
        self, kind: str, given: Mapping[str, Any], order: Mapping[str, str]
    ) -> list[Mapping[str, Any]]:
        """Return the first fifty records that fit a filter."""
        asked = {"filter": dict(given), "order": dict(order), "select": self._names(kind), "start": -1}
        rows = await self._asker.ask(f"crm.{kind}.list", asked)
        if not isinstance(rows, list):
            raise CrmError(Answer.UNKNOWN, "the answer holds no list of records")
        return rows

    def _names(self, kind: str) -> list[str]:
        own = self._table.kind(kind).names()
        return list(dict.fromkeys(["ID", *NAMES[kind], "ASSIGNED_BY_ID", "DATE_MODIFY", *own]))

    async def _made(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> list[PulledRecord]:
        deals = await self._deals(kind, [str(row["ID"]) for row in rows])
        made = []
        for row in rows:
            assigned = row.get("ASSIGNED_BY_ID")
            owner = await self._owners.of(str(assigned)) if assigned else None
            deal = deals.get(str(row["ID"]))
            made.append(record_of(kind, row, self._table.kind(kind), owner=owner, deal=deal))
        return made

    async def _deals(self, kind: str, ids: Sequence[str]) -> dict[str, Deal]:
        """Return the open deal of each contact or company, of several the one that changed last."""
        if not self._table.deals or not ids or kind == "lead":
            return {}
        by = f"{kind.upper()}_ID"
        asked = {"filter": {f"@{by}": list(ids), "=CLOSED": "N"}, "select": DEAL}
        rows = await self._asker.every("crm.deal.list", asked)
        rows.sort(key=lambda row: moment(row.get("DATE_MODIFY")) or datetime.min.replace(tzinfo=UTC))
        return {str(row.get(by)): deal_of(row) for row in rows}


class _Changed(Source[Any]):
    """The records of a source, by their last change in whole seconds."""

    def __init__(self, reader: Bitrix24Reader, table: SourceTable) -> None:
        self._reader = reader
        self._table = table

    async def since(self, at: int | None, limit: int) -> list[Row[Any]]:
        more = {} if at is None else {">=DATE_MODIFY": _iso(datetime.fromtimestamp(at, UTC))}
        return await self._rows(more, {"DATE_MODIFY": "ASC", "ID": "ASC"}, limit)

    async def at(self, at: int, behind: str, limit: int) -> list[Row[Any]]:
        moment = _iso(datetime.fromtimestamp(at, UTC))
        more = {">=DATE_MODIFY": moment, "<=DATE_MODIFY": moment, ">ID": behind or "0"}
        return await self._rows(more, {"ID": "ASC"}, limit)

    async def _rows(self, more: Mapping[str, Any], order: Mapping[str, str], limit: int) -> list[Row[Any]]:
        found = await self._reader.listed(self._table.kind, {**self._table.filter, **more}, order)
        return [Row(seconds_of(one.get("DATE_MODIFY")), str(one["ID"]), one) for one in found[:limit]]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
