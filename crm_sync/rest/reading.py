"""Reads records as the tables of the generic adapter say."""

import re
from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import replace
from functools import partial
from typing import Any

from crm_sync.keyset import slices
from crm_sync.numbers import national, same, spellings
from crm_sync.port import CrmError, PulledRecord, PullPage
from crm_sync.rest.asking import RestAsker, of_tables
from crm_sync.rest.lists import ListRows, RestList, read_out
from crm_sync.rest.plans import KindPlan, ReadPlan
from crm_sync.rest.questions import Question
from crm_sync.rest.read_tables import NumberTable
from crm_sync.rest.records import id_of, record_of, times_of
from crm_sync.rest.tables import RestTable
from crm_sync.tab import together
from cti.clock import Clock
from cti.model.crm import Answer, RecordRef


class RestReader:
    """Reads one account. Methods raise CrmError."""

    def __init__(self, asker: RestAsker, table: RestTable, plan: ReadPlan, clock: Clock) -> None:
        self._asker = asker
        self._at_once = table.in_flight
        self._times = times_of(table)
        self._plan = plan
        self._sources = {
            name: RestList(asker, clock, source, question, self._rows(self._plan.kinds[source.kind]))
            for name, (source, question) in self._plan.sources.items()
        }

    def _rows(self, kind: KindPlan) -> ListRows:
        table = kind.table
        return ListRows(id=table.id, ids=table.ids, at=table.changed_at, times=self._times)

    async def records(self, refs: Sequence[RecordRef]) -> dict[RecordRef, PulledRecord]:
        """Return these records; what is not there any more is left out."""
        kinds = self._plan.kinds
        if wrong := next((ref for ref in refs if ref.kind not in kinds), None):
            known = ", ".join(sorted(kinds)) or "none"
            raise CrmError(
                Answer.PERMANENT, f"{wrong}: records of this kind are not read; those are: {known}"
            )
        found: dict[RecordRef, PulledRecord] = {}
        for name in dict.fromkeys(ref.kind for ref in refs):
            kind = kinds[name]
            ids = [ref.id for ref in refs if ref.kind == name and re.fullmatch(kind.table.ids, ref.id)]
            size = kind.table.read.at_once if "ids" in kind.read.names else 1
            asks = [partial(self._some_records, name, some) for some in slices(ids, size)]
            for records in await together(asks, at_once=self._at_once):
                found |= {one.ref: one for one in records}
        return found

    async def _some_records(self, name: str, ids: Sequence[str]) -> list[PulledRecord]:
        kind = self._plan.kinds[name]
        rows = await self._asker.known(kind.table.read, kind.read, {"id": ids[0], "ids": list(ids)})
        made = [record_of(name, row, kind.table, self._times) for row in rows]
        if kind.table.read.list is None:
            return [replace(one, ref=RecordRef(name, ids[0])) for one in made]
        return [one for one in made if one.ref.id in ids]

    async def find(self, e164: str) -> list[PulledRecord]:
        """Return the open records that have this number; what the CRM gives is compared as numbers."""
        written = spellings(e164)
        values = {"number": e164, "national": national(e164), "spellings": written}
        asks = [
            partial(self._numbered, table, question, {**values, "spelling": spelling})
            for table, question in self._plan.numbers
            for spelling in (written if "spelling" in question.names else written[:1])
        ]
        made = await together(asks, at_once=self._at_once)
        found = {one.ref: one for some in made for one in some}
        return [
            one
            for one in found.values()
            if one.over is None and any(same(e164, each) for each in one.numbers)
        ]

    async def _numbered(
        self, table: NumberTable, question: Question, values: Map[str, Any]
    ) -> list[PulledRecord]:
        kind = self._plan.kinds[table.kind].table
        rows = await self._asker.listed(question, values, table.list)
        if table.whole:
            return [record_of(table.kind, row, kind, self._times) for row in rows]
        ids = [id_of(row, table.id or kind.id, kind.ids) for row in rows]
        return list((await self.records([RecordRef(table.kind, one) for one in ids])).values())

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        """Return the next records of a source. Raises CrmError PERMANENT for one that is not there."""
        if source not in self._sources:
            known = ", ".join(sorted(self._sources)) or "none"
            raise CrmError(
                Answer.PERMANENT, f"rest.sources: there is no source {source!r}; there are: {known}"
            )
        table, _ = self._plan.sources[source]
        kind = self._plan.kinds[table.kind].table
        page = await of_tables(self._sources[source].page(cursor, limit=limit, values={}))
        records = [record_of(table.kind, row, kind, self._times) for row in page.rows]
        return PullPage(records=records, cursor=page.cursor, more=page.more)

    async def source(self, name: str) -> AsyncIterator[list[RecordRef]]:
        """Give all records of a source, by page."""
        table, _ = self._plan.sources[name]
        kind = self._plan.kinds[table.kind].table
        async for rows in read_out(self._sources[name], "", {}):
            yield [RecordRef(table.kind, id_of(row, kind.id, kind.ids)) for row in rows]
