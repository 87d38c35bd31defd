"""Reads calls of ours as they stand there, as the tables of the generic adapter say."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from crm_sync.keyset import slices
from crm_sync.mapping import MARK
from crm_sync.port import CrmError, Written
from crm_sync.rest.asking import RestAsker, of_tables
from crm_sync.rest.lists import ListRows, RestList, read_out
from crm_sync.rest.plans import CallsPlan
from crm_sync.rest.questions import Question
from crm_sync.rest.read_tables import CallListTable, ReadTable
from crm_sync.rest.reading import RestReader
from crm_sync.rest.records import times_of, written_of
from crm_sync.rest.tables import RestTable
from crm_sync.tab import settled, together
from cti.clock import Clock
from cti.model.crm import Answer, RecordRef
from cti.model.ids import made_at

UUID_MARK: Final = "{call_uuid}"
AROUND: Final = timedelta(days=1)
"""So far from the time in its id a call may have begun, as the CRM has it: a person may have moved it."""


class RestCalls:
    """Reads one account. Methods raise CrmError."""

    def __init__(
        self, asker: RestAsker, table: RestTable, plan: CallsPlan, records: RestReader, clock: Clock
    ) -> None:
        self._asker = asker
        self._kind = table.kind
        self._at_once = table.in_flight
        self._times = times_of(table)
        self._plan = plan
        self._records = records
        rows = ListRows(id=plan.table.id, ids=".+", at=plan.table.started_at, times=self._times)
        self._lists = [(one, RestList(asker, clock, one, question, rows)) for one, question in plan.lists]

    async def read_back(self, call_ids: Sequence[str]) -> list[Written]:
        """Return what stands there for these calls, doubles too."""
        wanted = set(call_ids)
        if not wanted:
            return []
        if self._plan.by_id is not None:
            found = await self._by_id(*self._plan.by_id, call_ids)
        else:
            began = [made_at(one) for one in wanted]
            found = [one async for one in self._listed(min(began) - AROUND, max(began) + AROUND)]
        return list({one.remote: one for one in found if one.call_id in wanted}.values())

    async def written(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give our calls that began in this span."""
        async for one in self._listed(since, until):
            if one.started_at is None or since <= one.started_at < until:
                yield one

    async def _by_id(self, table: ReadTable, question: Question, call_ids: Sequence[str]) -> list[Written]:
        async def some(ids: Sequence[str]) -> list[Written]:
            values = {
                "call_id": ids[0],
                "call_ids": list(ids),
                "call_uuid": str(UUID(ids[0])),
                "mark": MARK.replace("{call_id}", ids[0]),
            }
            return self._ours(await self._asker.known(table, question, values))

        size = table.at_once if "call_ids" in question.names else 1
        asks = [partial(some, ids) for ids in slices(call_ids, size)]
        return [one for made in await together(asks, at_once=self._at_once) for one in made]

    async def _listed(self, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give our calls of all lists, each record once."""
        seen = set[RecordRef]()
        for table, calls in self._lists:
            async for rows in self._pages(table, calls, since, until):
                for one in self._ours(rows):
                    if one.remote not in seen and self._is_ours(one):
                        seen.add(one.remote)
                        yield one

    async def _pages(
        self, table: CallListTable, calls: RestList, since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Any]]:
        """Give a list by page; one that is asked for each record of a source, by record."""
        if table.of:
            async for homes in self._records.source(table.of):
                asks = [partial(self._of_home, calls, home, since, until) for home in homes]
                for some in await together(asks, at_once=self._at_once):
                    yield some
            return
        pages = read_out(calls, calls.begin(since), {"until": until})
        while (rows := await of_tables(anext(pages, None))) is not None:
            yield rows
            await settled()

    async def _of_home(self, calls: RestList, home: RecordRef, since: datetime, until: datetime) -> list[Any]:
        values = {"until": until, "home": home.id, "home_kind": home.kind}
        try:
            return [row async for rows in read_out(calls, calls.begin(since), values) for row in rows]
        except CrmError as error:
            if error.answer is Answer.DELETED:  # the record is gone, and its calls with it
                return []
            raise

    def _is_ours(self, one: Written) -> bool:
        """Whether an id that looks like one of ours is: one that we chose begins with the time of the call."""
        if UUID_MARK not in self._plan.table.holds or one.started_at is None:
            return True
        try:
            return abs(made_at(one.call_id) - one.started_at) <= AROUND
        except (ValueError, OverflowError, OSError):  # a year that no clock shows
            return False

    def _ours(self, rows: Sequence[Any]) -> list[Written]:
        table, mark = self._plan.table, self._plan.mark
        made = [written_of(row, table, kind=self._kind, mark=mark, times=self._times) for row in rows]
        return [one for one in made if one is not None]
