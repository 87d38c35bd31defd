"""The adapter of HubSpot: calls as its object `calls`, version 3 of its CRM API, version 4 of its associations.

Tested against a strict fake made from the published definitions, not against a live server.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from crm_sync.account import Account
from crm_sync.hubspot.asking import HubSpotAsker, part
from crm_sync.hubspot.follow_ups import HubSpotFollowUps
from crm_sync.hubspot.reading import PAGE, HubSpotReader
from crm_sync.hubspot.tables import PLURALS, TYPE_IDS, HubSpotTable
from crm_sync.hubspot.writing import HubSpotWriter
from crm_sync.port import (
    CallWrite,
    Capabilities,
    Checked,
    Idempotency,
    PulledRecord,
    PullPage,
    PushResult,
    Written,
)
from crm_sync.reading_tables import table_of
from crm_sync.requests import Requester, at_path
from crm_sync.users import Users, is_id
from cti.clock import Clock
from cti.model.crm import RecordRef

HOW: Final = (
    "make it: POST /crm/v3/properties/{plural} with name {name!r}, type string, fieldType text, hasUniqueValue true; "
    "uniqueness cannot be added later"
)


class HubSpotCrm:
    """One account."""

    def __init__(self, account: Account, table: HubSpotTable, requester: Requester, clock: Clock) -> None:
        self._account = account
        self._table = table
        self._requester = requester
        self._asker = HubSpotAsker(account, requester, clock)
        self._users = Users(self._owner_id, where=account.target, clock=clock)
        self._owners = Users(self._owner_email, where=account.target, clock=clock, by=is_id)
        self._reader = HubSpotReader(self._asker, table, self._owners)
        self._follow_ups = HubSpotFollowUps(self._asker, table, self._users, where=account.where)
        self._portal = table.portal
        self._told: set[str] = set()

    @property
    def capabilities(self) -> Capabilities:
        table = self._table
        return Capabilities(
            idempotency=Idempotency.KEY,
            batch=table.batch,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            per_day=table.per_day,
            unsure_seconds=table.unsure_seconds,
            reads_back=True,
            finds=True,
            pulls=True,
            follow_ups=bool(table.task_key),
            ends_follow_ups=bool(table.task_key),
            page=PAGE,
        )

    async def check(self) -> Checked:
        about = await self._asker.must("GET", "/account-info/v3/details")
        portal = at_path(about, "portalId")
        if self._portal is None and isinstance(portal, int):
            self._portal = portal
        warnings = await self._unique("call", self._table.key)
        if self._table.task_key:
            warnings += await self._unique("task", self._table.task_key)
        warnings += await self._outcomes()
        kind = at_path(about, "accountType")
        return Checked(who=f"account {portal}", version=f"v3 {kind or ''}".strip(), warnings=warnings)

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        target = self._account.target
        writer = HubSpotWriter(self._asker.anew(), self._table, self._users, target, self._told)
        return await writer.push(writes)

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        return await self._reader.read_back(call_ids)

    def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        return self._reader.written(since, until)

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        return await self._reader.find(e164)

    async def records(self, refs: Sequence[RecordRef]) -> Map[RecordRef, PulledRecord]:
        return await self._reader.records(refs)

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        return await self._reader.pull(source, cursor=cursor, limit=limit)

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        return await self._follow_ups.set(ref, at=at, user=user, text=text, key=key, stands=stands)

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """See `crm_sync.port.EndsFollowUps`."""
        await self._follow_ups.end(key=key, done=done)

    def record_url(self, ref: RecordRef) -> str | None:
        if self._portal is None or ref.kind not in TYPE_IDS:
            return None
        return (
            f"https://{self._table.site}/contacts/{self._portal}/record/{TYPE_IDS[ref.kind]}/{part(ref.id)}"
        )

    async def close(self) -> None:
        await self._requester.close()

    async def _owner_id(self, email: str) -> str | None:
        reply = await self._asker.must("GET", "/crm/v3/owners", query={"email": email, "limit": "1"})
        found = at_path(reply, "results.0.id")
        return str(found) if found else None

    async def _owner_email(self, owner: str) -> str | None:
        reply = await self._asker.ask("GET", f"/crm/v3/owners/{part(owner)}", absent=True)
        email = at_path(reply.json, "email") if reply is not None else None
        return str(email) if email else owner

    async def _unique(self, kind: str, name: str) -> list[str]:
        """Return what is wrong with a property that must be there and be unique."""
        path = f"/crm/v3/properties/{PLURALS[kind]}/{part(name)}"
        reply = await self._asker.ask("GET", path, absent=True)
        how = HOW.format(plural=PLURALS[kind], name=name)
        if reply is None:
            return [f"{PLURALS[kind]} have no property {name!r}, nothing can be written; {how}"]
        if at_path(reply.json, "hasUniqueValue") is not True:
            return [f"the property {name!r} of {PLURALS[kind]} is not unique; {how}"]
        return []

    async def _outcomes(self) -> list[str]:
        """Return what does not fit between our codes and the account's call outcomes."""
        reply = await self._asker.must("GET", "/calling/v1/dispositions")
        there = {
            str(at_path(one, "id")): str(at_path(one, "label"))
            for one in (reply if isinstance(reply, list) else [])
            if at_path(one, "deleted") is not True
        }
        ours = self._table.dispositions
        wrong = [
            f"hubspot.dispositions.{code}: the account has no call outcome {guid}"
            for code, guid in ours.items()
            if guid not in there
        ]
        unused = [f"{label} = {guid}" for guid, label in there.items() if guid not in ours.values()]
        if unused:
            wrong.append(
                f"call outcomes that no code of [hubspot.dispositions] leads to: {', '.join(unused)}"
            )
        return wrong


@asynccontextmanager
async def open_hubspot(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[HubSpotCrm]:
    """Open the account that a table `[hubspot]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = table_of(HubSpotTable, tree, where=f"{account.where}: hubspot")
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight)
    async with requester:
        yield HubSpotCrm(account, table, requester, clock)
