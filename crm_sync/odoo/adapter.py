"""The adapter of Odoo, 14 to 19: calls as rows of OCA's crm.phonecall, or in the chatter of plain Community.

Both are written by `load` under an external id of ours, so a repeat never makes a double. What was written is updated
by its own id, so that what a person deleted does not come back. It speaks to no other part of Odoo than leads,
contacts, users, tags and activities.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from crm_sync.account import Account
from crm_sync.odoo.check import checked
from crm_sync.odoo.follow_ups import FollowUps
from crm_sync.odoo.people import People
from crm_sync.odoo.push import Pusher
from crm_sync.odoo.reader import Reader
from crm_sync.odoo.rows import model_of, record_id
from crm_sync.odoo.tables import OdooTable, odoo_table
from crm_sync.odoo.transport import Counted, Json2, Rpc, Transport
from crm_sync.odoo.written import PAGE, ReadBack
from crm_sync.port import (
    CallWrite,
    Capabilities,
    Checked,
    CrmError,
    Idempotency,
    PulledRecord,
    PullPage,
    PushResult,
    Written,
)
from crm_sync.requests import Requester
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef


class OdooCrm:
    """One database of Odoo."""

    def __init__(self, account: Account, table: OdooTable, transport: Transport, clock: Clock) -> None:
        self._account = account
        self._table = table
        self._odoo = transport
        self._people = People(clock)
        self._clock = clock
        self._reader = Reader(transport, clock, overlap=timedelta(minutes=table.overlap_minutes))
        self._pusher = Pusher(table, self._reader, self._people)
        self._read_back = ReadBack(transport)
        self._follow_ups = FollowUps(transport, table, self._people, self._reader, zone=self._own_zone)
        self._zone: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            idempotency=Idempotency.KEY,
            batch=self._table.batch,
            in_flight=self._table.in_flight,
            per_second=self._table.per_second,
            unsure_seconds=self._table.unsure_seconds,
            reads_back=True,
            finds=True,
            pulls=True,
            follow_ups=True,
            ends_follow_ups=True,
            page=PAGE // 2,  # a page takes two requests
            calls_at_once=1,
            exact_seconds=1.0,
        )

    async def check(self) -> Checked:
        way = await self._pusher.way(self._odoo)
        return await checked(self._odoo, self._table, way=way, now=self._clock.now())

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        return await self._pusher.push(Counted(self._odoo), writes)

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        return await self._read_back.of_calls(call_ids)

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        async for one in self._read_back.of_span(since, until, way=await self._pusher.way(self._odoo)):
            yield one

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        return await self._reader.of_number(e164, zone=await self._own_zone())

    async def records(self, refs: Sequence[RecordRef]) -> Map[RecordRef, PulledRecord]:
        return await self._reader.records(refs, zone=await self._own_zone())

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        table = self._table.sources.get(source)
        if table is None:
            known = ", ".join(sorted(self._table.sources)) or "none"
            raise CrmError(
                Answer.PERMANENT, f"{self._account.where}: odoo.sources: no {source!r}; there are: {known}"
            )
        return await self._reader.page(table, cursor=cursor, limit=limit, zone=await self._own_zone())

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        return await self._follow_ups.set(ref, at=at, user=user, text=text, key=key, stands=stands)

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """See `crm_sync.port.EndsFollowUps`."""
        await self._follow_ups.end(key=key, done=done)

    def record_url(self, ref: RecordRef) -> str | None:
        try:
            place = f"model={model_of(ref)}&res_id={record_id(ref)}"
        except BadInput:
            return None
        # this address survives the login page
        return f"{self._account.url.rstrip('/')}/mail/view?{place}"

    async def close(self) -> None:
        """Nothing: connections belong to `open_odoo`."""

    async def _own_zone(self) -> str:
        """Return the bot's time zone, UTC when he has none: dates of Odoo are days somewhere."""
        if self._zone is None:
            rows = await self._odoo.call("res.users", "read", ids=[await self._odoo.uid()], fields=["tz"])
            self._zone = str((rows[0]["tz"] if rows else None) or "UTC")
        return self._zone


@asynccontextmanager
async def open_odoo(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[OdooCrm]:
    """Open the Odoo that a table `[odoo]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = odoo_table(tree, where=account.where)
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight + 2)
    transport: Transport = (
        Json2(account, table.database, requester, clock)
        if table.transport == "json2"
        else Rpc(account, table.database, table.user, requester, clock)
    )
    async with requester:
        yield OdooCrm(account, table, transport, clock)
