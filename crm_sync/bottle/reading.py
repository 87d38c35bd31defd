"""Reads leads, contacts and calls of BottleCRM.

Interactions are listed by record alone, and records are read one by one: a question may take hundreds of requests.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from crm_sync.bottle.asking import BottleAsker, is_shut
from crm_sync.bottle.lists import LISTINGS, BottleLists, called_since, cursor_of, place_of
from crm_sync.bottle.records import CONTACT, DEAL, LEAD, record_of, uuid_of, written_of
from crm_sync.bottle.tables import BottleTable
from crm_sync.port import CrmError, PulledRecord, PullPage, Written
from crm_sync.requests import at_path, listed
from crm_sync.tab import together
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef
from cti.model.ids import made_at

PATHS: Final = {LEAD: ("/api/leads/", "lead_obj"), CONTACT: ("/api/contacts/", "contact_obj")}
"""Where a record is read, and where it stands in the answer."""
BEFORE: Final = timedelta(hours=1)
"""So long before the time in its id a call may have begun, as the CRM has it: a person may have moved it."""


class BottleReader:
    """Reads one organisation. Methods raise CrmError."""

    def __init__(self, asker: BottleAsker, table: BottleTable, clock: Clock) -> None:
        self._asker = asker
        self._table = table
        self._lists = BottleLists(asker, clock)

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        """See the port. Interactions are listed by record alone: it reads as much as `written` for all these days.

        What is not found so may stand on any other kind of record: a list named it, or a lead was converted. So those
        are read too before a call counts as gone.
        """
        wanted = set(call_ids)
        if not wanted:
            return []
        since = min(made_at(call_id) for call_id in wanted) - BEFORE
        found = [one async for one in self._interactions(self._kinds, since=since) if one.call_id in wanted]
        others = [kind for kind in LISTINGS if kind not in self._kinds]
        if wanted - {one.call_id for one in found}:
            found += [one async for one in self._interactions(others, since=since) if one.call_id in wanted]
        return list({one.remote: one for one in found}.values())

    async def written(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        async for one in self._interactions(self._kinds, since=since):
            if one.started_at is not None and since <= one.started_at < until:
                yield one

    @property
    def _kinds(self) -> tuple[str, ...]:
        """Kinds of records that calls usually stand on."""
        return (LEAD, CONTACT, DEAL) if self._table.log_on == "deal" else (LEAD, CONTACT)

    async def _interactions(self, kinds: Sequence[str], *, since: datetime) -> AsyncIterator[Written]:
        """Give our calls on all records that can have one since then. Only leads tell when they were called last."""
        seen = set()
        for kind in kinds:
            try:
                rows = [
                    row async for row in self._lists.all(kind) if kind != LEAD or called_since(row, since)
                ]
            except CrmError as error:
                if kind in self._kinds or not is_shut(error):
                    raise
                continue  # then nothing of ours can stand there
            places = [RecordRef(kind, str(at_path(row, "id"))) for row in rows]
            async for row in self._asker.interactions_of(places):
                one = written_of(row)
                # linked to a lead and to its contact it is on both
                if one is not None and one.remote not in seen:
                    seen.add(one.remote)
                    yield one

    async def find(self, e164: str) -> Sequence[PulledRecord]:
        refs = []
        for kind, (path, _) in PATHS.items():
            tree = await self._asker.ask("POST", f"{path}duplicates/", body={"phone": e164})
            for hit in listed(tree, "duplicates"):
                if "phone" in (at_path(hit, "matched_on") or ()):
                    refs.append(RecordRef(kind, str(at_path(hit, "id"))))
        found = await self.records(refs)
        return [found[ref] for ref in refs if ref in found and found[ref].over is None]

    async def records(self, refs: Sequence[RecordRef]) -> Map[RecordRef, PulledRecord]:
        wrong = next((ref for ref in refs if ref.kind.lower() not in PATHS), None)
        if wrong is not None:
            raise CrmError(Answer.PERMANENT, f"{wrong}: leads and contacts are read, and no other records")
        waiting = list(dict.fromkeys(refs))
        asks = [partial(self._record, ref) for ref in waiting]
        found = await together(asks, at_once=self._table.in_flight)
        return {ref: one for ref, one in zip(waiting, found, strict=True) if one is not None}

    async def _record(self, ref: RecordRef) -> PulledRecord | None:
        kind = ref.kind.lower()
        path, inside = PATHS[kind]
        try:
            tree = await self._asker.ask("GET", f"{path}{uuid_of(ref)}/")
        except BadInput:
            return None  # no record of theirs has such an id
        except CrmError as error:
            if error.answer is Answer.DELETED:
                return None
            raise
        row = at_path(tree, inside)
        if not isinstance(row, dict):
            raise CrmError(Answer.RETRY, f"the answer holds no {inside}")
        return self._pulled(kind, row)

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        """See the port; changes are in order within a page only, for its lists are not sorted by them.

        A lead that became a contact is in no list: `records` tells it.
        """
        table = self._table.sources.get(source)
        if table is None:
            known = ", ".join(sorted(self._table.sources)) or "none"
            raise CrmError(
                Answer.PERMANENT, f"bottle.sources: there is no source {source!r}; there are: {known}"
            )
        query = table.query()
        place = place_of(cursor, of=f"{table.kind}?{urlencode(query)}")
        page = await self._lists.page(table.kind, place, query=query, limit=limit)
        records = [self._pulled(table.kind, row) for row in page.rows]
        return PullPage(records=records, cursor=cursor_of(page.place), more=page.more)

    def _pulled(self, kind: str, row: Any) -> PulledRecord:
        return record_of(kind, row, zone=self._table.zone, day_begins=self._table.day_begins)
