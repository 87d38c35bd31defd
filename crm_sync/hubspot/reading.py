"""Reads records, deals and calls of HubSpot.

Its search hears of changes late, so it is asked for sources, numbers and spans, and never before something is written.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crm_sync.hubspot.asking import HubSpotAsker
from crm_sync.hubspot.records import deal_of, is_open, milliseconds, record_of, written_of
from crm_sync.hubspot.tables import (
    CHANGED,
    CHANGED_ELSE,
    HOMES,
    PLURALS,
    FilterTable,
    HubSpotTable,
    SourceTable,
)
from crm_sync.keyset import Place, Row, Source, cursor_of, next_page, place_of, slices
from crm_sync.numbers import national, same
from crm_sync.port import CrmError, Deal, PulledRecord, PullPage, Written
from crm_sync.requests import at_path
from crm_sync.users import Users
from cti.model.crm import Answer, RecordRef

PAGE: Final = 100
NAMES: Final = {"contact": ("firstname", "lastname", "email"), "company": ("name", "domain")}
NUMBER_FIELDS: Final = (
    "hs_searchable_calculated_phone_number",
    "hs_searchable_calculated_mobile_number",
)
"""Numbers as HubSpot makes them fit for its search: area code and local number alone."""
DEAL: Final = (
    "dealname",
    "dealstage",
    "amount",
    "deal_currency_code",
    "hs_is_closed",
    CHANGED_ELSE,
)


class HubSpotReader:
    """Reads one account."""

    def __init__(self, asker: HubSpotAsker, table: HubSpotTable, owners: Users) -> None:
        """`owners` gives the e-mail of an owner by id."""
        self._asker = asker
        self._table = table
        self._owners = owners

    async def records(self, refs: Sequence[RecordRef]) -> dict[RecordRef, PulledRecord]:
        """Return these contacts and companies; what is archived is left out."""
        found: dict[RecordRef, PulledRecord] = {}
        for kind in ("contact", "company"):
            # one that is no number is nobody's, and would have the whole page refused
            ids = [ref.id for ref in refs if ref.kind == kind and ref.id.isdecimal()]
            for some in slices(ids, PAGE):
                rows = await self._read(kind, some, self._names(kind))
                for record in await self._made(kind, rows):
                    found[record.ref] = record
        return found

    async def find(self, e164: str) -> list[PulledRecord]:
        """Return the contacts that have this number. What the search gives is compared as numbers, not as text."""
        filters: list[list[dict[str, Any]]] = [
            [{"propertyName": name, "operator": "EQ", "value": national(e164)}] for name in NUMBER_FIELDS
        ]
        filters += [
            [{"propertyName": name, "operator": "EQ", "value": e164}]
            for name in self._table.contact.numbers[:3]
        ]
        rows = await self._search("contact", filters, sort=None, limit=PAGE, names=self._names("contact"))
        made = await self._made("contact", rows)
        return [one for one in made if one.over is None and any(same(e164, number) for number in one.numbers)]

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        """Return the next records of a source. Raises CrmError PERMANENT for one that is not there."""
        table = self._table.sources.get(source)
        if table is None:
            known = ", ".join(sorted(self._table.sources)) or "none"
            raise CrmError(Answer.PERMANENT, f"there is no source {source!r}; there are: {known}")
        rows = _Changed(self, table)
        overlap = round(self._table.overlap_seconds * 1000)
        page = await next_page(rows, place_of(cursor), limit=max(1, min(limit, PAGE)), overlap=overlap)
        records = await self._made(table.kind, [row.record for row in page.rows])
        return PullPage(records=records, cursor=cursor_of(page.place), more=page.more)

    async def read_back(self, call_ids: Sequence[str]) -> list[Written]:
        """Return what stands there for these calls, by our key."""
        found: list[Written] = []
        for some in slices(call_ids, PAGE):
            rows = await self._read("call", some, self._call_names(), key=self._table.key)
            found += await self._written(rows)
        return found

    async def written(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give our calls that began in this span, by its search."""
        calls = _Began(self, round(since.timestamp() * 1000), round(until.timestamp() * 1000))
        place, seen = Place(), set[str]()
        while True:
            page = await next_page(calls, place, limit=PAGE, overlap=0)
            for one in await self._written([row.record for row in page.rows if row.id not in seen]):
                yield one
            seen |= {row.id for row in page.rows}
            if not page.more:
                return
            place = page.place

    async def search(
        self,
        kind: str,
        filters: Sequence[Mapping[str, Any]],
        *,
        sort: str,
        limit: int,
    ) -> list[Any]:
        """Return the first records that fit all filters, in ascending order of a property."""
        names = self._call_names() if kind == "call" else self._names(kind)
        return await self._search(kind, [filters], sort=sort, limit=limit, names=names)

    @property
    def key(self) -> str:
        """Property of calls that holds our id."""
        return self._table.key

    def _call_names(self) -> list[str]:
        return [self._table.key, "hs_timestamp", "hs_call_duration", "hs_call_status", "hs_call_body"]

    def _names(self, kind: str) -> list[str]:
        own = self._table.kind(kind).names()
        return [
            *NAMES[kind],
            *own,
            "hubspot_owner_id",
            "associatedcompanyid",
            CHANGED.get(kind, CHANGED_ELSE),
        ]

    async def _search(
        self,
        kind: str,
        groups: Sequence[Sequence[Mapping[str, Any]]],
        *,
        sort: str | None,
        limit: int,
        names: Sequence[str],
    ) -> list[Any]:
        body: dict[str, Any] = {
            "filterGroups": [{"filters": list(group)} for group in groups if group],
            "properties": list(dict.fromkeys(names)),
            "limit": limit,
        }
        if sort is not None:
            body["sorts"] = [{"propertyName": sort, "direction": "ASCENDING"}]
        reply = await self._asker.must("POST", f"/crm/v3/objects/{PLURALS[kind]}/search", body=body)
        return _results(reply)

    async def _read(
        self, kind: str, ids: Sequence[str], names: Sequence[str], *, key: str | None = None
    ) -> list[Any]:
        if not ids:
            return []
        body: dict[str, Any] = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(dict.fromkeys(names)),
        }
        if key is not None:
            body["idProperty"] = key
        reply = await self._asker.must("POST", f"/crm/v3/objects/{PLURALS[kind]}/batch/read", body=body)
        return _results(reply)

    async def _made(self, kind: str, rows: Sequence[Any]) -> list[PulledRecord]:
        deals = await self._deals(kind, [str(at_path(row, "id")) for row in rows])
        table = self._table.kind(kind)
        made = []
        for row in rows:
            owner = await self._owners.of(_owner(row))
            made.append(record_of(kind, row, table, owner=owner, deal=deals.get(str(at_path(row, "id")))))
        return made

    async def _deals(self, kind: str, ids: Sequence[str]) -> dict[str, Deal]:
        """Return the open deal of each record, of several the one that changed last."""
        if not self._table.deals or not ids:
            return {}
        of = await self._linked(PLURALS[kind], "deals", ids)
        wanted = list(dict.fromkeys(deal for some in of.values() for deal in some))
        deals: dict[str, Any] = {}
        for some in slices(wanted, PAGE):
            deals |= {str(at_path(row, "id")): row for row in await self._read("deal", some, DEAL)}
        found: dict[str, Deal] = {}
        for record, linked in of.items():
            still = [deals[one] for one in linked if one in deals and is_open(deals[one])]
            if still:
                newest = max(still, key=lambda row: at_path(row, f"properties.{CHANGED_ELSE}") or "")
                found[record] = deal_of(newest)
        return found

    async def _linked(self, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return what records are associated with, by the record's id."""
        body = {"inputs": [{"id": one} for one in ids]}
        reply = await self._asker.must("POST", f"/crm/v4/associations/{kind}/{to}/batch/read", body=body)
        found: dict[str, list[str]] = {}
        for one in _results(reply):
            ends = at_path(one, "to")
            if isinstance(ends, list):
                found[str(at_path(one, "from.id"))] = [str(at_path(end, "toObjectId")) for end in ends]
        return found

    async def _written(self, rows: Sequence[Any]) -> list[Written]:
        left = [str(at_path(row, "id")) for row in rows]
        homes: dict[str, RecordRef] = {}
        for kind in HOMES[:3]:
            asked = [one for one in left if one not in homes]
            if asked:
                for call, ends in (await self._linked("calls", PLURALS[kind], asked)).items():
                    if ends:
                        homes[call] = RecordRef(kind, ends[0])
        return [written_of(row, self._table.key, homes.get(str(at_path(row, "id")))) for row in rows]


class _Changed(Source[Any]):
    """The records of a source, by their last change."""

    def __init__(self, reader: HubSpotReader, table: SourceTable) -> None:
        self._reader = reader
        self._table = table
        self._changed = CHANGED.get(table.kind, CHANGED_ELSE)
        self._filters = [_filter(one) for one in table.filters]

    async def since(self, at: int | None, limit: int) -> list[Row[Any]]:
        more = [] if at is None else [_is(self._changed, "GTE", at)]
        return await self._rows([*self._filters, *more], self._changed, limit)

    async def at(self, at: int, behind: str, limit: int) -> list[Row[Any]]:
        more = [_is(self._changed, "EQ", at), *([_is("hs_object_id", "GT", behind)] if behind else [])]
        return await self._rows([*self._filters, *more], "hs_object_id", limit)

    async def _rows(self, filters: Sequence[Mapping[str, Any]], sort: str, limit: int) -> list[Row[Any]]:
        found = await self._reader.search(self._table.kind, filters, sort=sort, limit=limit)
        return [
            Row(milliseconds(at_path(one, f"properties.{self._changed}")), str(at_path(one, "id")), one)
            for one in found
        ]


class _Began(Source[Any]):
    """Our calls of a span, by their begin."""

    def __init__(self, reader: HubSpotReader, since: int, until: int) -> None:
        self._reader = reader
        self._since = since
        self._ours = [
            {"propertyName": reader.key, "operator": "HAS_PROPERTY"},
            _is("hs_timestamp", "LT", until),
        ]

    async def since(self, at: int | None, limit: int) -> list[Row[Any]]:
        first = self._since if at is None else at
        return await self._rows([*self._ours, _is("hs_timestamp", "GTE", first)], "hs_timestamp", limit)

    async def at(self, at: int, behind: str, limit: int) -> list[Row[Any]]:
        more = [_is("hs_timestamp", "EQ", at), *([_is("hs_object_id", "GT", behind)] if behind else [])]
        return await self._rows([*self._ours, *more], "hs_object_id", limit)

    async def _rows(self, filters: Sequence[Mapping[str, Any]], sort: str, limit: int) -> list[Row[Any]]:
        found = await self._reader.search("call", filters, sort=sort, limit=limit)
        return [
            Row(milliseconds(at_path(one, "properties.hs_timestamp")), str(at_path(one, "id")), one)
            for one in found
        ]


def _owner(row: Any) -> str | None:
    owner = at_path(row, "properties.hubspot_owner_id")
    return str(owner) if owner else None


def _filter(table: FilterTable) -> dict[str, Any]:
    made: dict[str, Any] = {"propertyName": table.property, "operator": table.operator}
    if table.operator in ("IN", "NOT_IN"):
        made["values"] = list(table.values)
    elif table.value is not None:
        made["value"] = table.value
    return made


def _is(name: str, operator: str, value: object) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _results(reply: Any) -> list[Any]:
    found = at_path(reply, "results")
    if not isinstance(found, list):
        raise CrmError(Answer.UNKNOWN, "the answer holds no list of results")
    return found
