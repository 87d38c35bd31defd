"""The adapter of Bitrix24: calls as activities on leads, contacts, companies and deals, by an inbound webhook.

Tested against a strict fake made from the published definitions, not against a live server.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from crm_sync.account import Account
from crm_sync.bitrix24.asking import PAGE, Bitrix24Asker, by_origin
from crm_sync.bitrix24.reading import Bitrix24Reader
from crm_sync.bitrix24.tables import READ, TYPES, Bitrix24Table, type_of
from crm_sync.bitrix24.writing import CALL, GONE, Bitrix24Writer
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
from crm_sync.reading_tables import table_of
from crm_sync.requests import Requester, at_path
from crm_sync.users import Users, is_id
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef

FOLLOW_UP: Final = timedelta(minutes=15)
"""How long a planned call is in the calendar."""


class Bitrix24Crm:
    """One account."""

    def __init__(self, account: Account, table: Bitrix24Table, requester: Requester, clock: Clock) -> None:
        self._account = account
        self._table = table
        self._requester = requester
        self._asker = Bitrix24Asker(account, requester, clock)
        self._users = Users(self._user_id, where=account.target, clock=clock)
        self._owners = Users(self._user_email, where=account.target, clock=clock, by=is_id)
        self._reader = Bitrix24Reader(self._asker, table, self._owners)
        self._fields: frozenset[str] = frozenset()

    @property
    def capabilities(self) -> Capabilities:
        table = self._table
        return Capabilities(
            idempotency=Idempotency.MARKER,
            batch=table.batch,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            unsure_seconds=table.unsure_seconds,
            reads_back=True,
            finds=True,
            pulls=True,
            follow_ups=True,
            ends_follow_ups=True,
            page=PAGE,
        )

    async def check(self) -> Checked:
        me = await self._asker.ask("profile")
        warnings = []
        if at_path(me, "ADMIN") is not True:
            warnings.append(
                "the webhook's user is no administrator: calls on records that he may not see fail"
            )
        scopes = await self._asker.ask("scope")
        missing = [
            one for one in ("crm", "user") if not any(str(have).startswith(one) for have in scopes or ())
        ]
        if missing:
            warnings.append(f"the webhook has no right to: {', '.join(missing)}")
        elif await self._user_email(str(self._table.responsible)) is None:
            warnings.append(f"bitrix24.responsible: there is no user {self._table.responsible}")
        parts = (at_path(me, "NAME"), at_path(me, "LAST_NAME"))
        name = " ".join(str(one) for one in parts if one) or "?"
        return Checked(who=f"{name} (user {at_path(me, 'ID')})", warnings=warnings)

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        writer = Bitrix24Writer(
            self._asker.anew(), self._table, self._users, self._activity_fields, self._account.target
        )
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
        if ref.kind not in READ:
            raise CrmError(Answer.PERMANENT, f"{ref}: a call is planned on one of: {', '.join(READ)}")
        found = (await self._reader.records([ref])).get(ref)
        if found is None:
            raise CrmError(Answer.PERMANENT, f"{ref} is not there any more")
        fields = await self._planned(found, at=at, user=user, text=text, key=key)
        asked = by_origin(self._planner, [key])
        asked["select"] = ["ID", "COMPLETED"]
        rows = await self._asker.every("crm.activity.list", asked)
        if rows:
            activity = str(at_path(rows[0], "ID"))
            if stands and at_path(rows[0], "COMPLETED") == "Y":
                return RecordRef("activity", activity)
            await self._asker.ask("crm.activity.update", {"id": activity, "fields": fields})
        else:
            activity = str(await self._asker.ask("crm.activity.add", {"fields": fields}))
        return RecordRef("activity", activity)

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """See `crm_sync.port.EndsFollowUps`. What people completed stays as they left it."""
        asked = by_origin(self._planner, [key])
        asked["select"] = ["ID", "COMPLETED"]
        for row in await self._asker.every("crm.activity.list", asked):
            if at_path(row, "COMPLETED") == "Y":
                continue
            activity = str(at_path(row, "ID"))
            try:
                if done:
                    await self._asker.ask(
                        "crm.activity.update", {"id": activity, "fields": {"COMPLETED": "Y"}}
                    )
                else:
                    await self._asker.ask("crm.activity.delete", {"id": activity})
            except CrmError as error:
                if not GONE.search(str(error)):
                    raise

    def record_url(self, ref: RecordRef) -> str | None:
        if ref.kind not in TYPES:
            return None
        parts = urlsplit(self._account.url)
        return f"{parts.scheme}://{parts.netloc}/crm/{ref.kind}/details/{quote(ref.id, safe='')}/"

    async def close(self) -> None:
        await self._requester.close()

    @property
    def _planner(self) -> str:
        return f"{self._table.originator}-follow-up"

    async def _planned(
        self, record: PulledRecord, *, at: datetime, user: str | None, text: str, key: str
    ) -> dict[str, Any]:
        if not record.numbers:
            raise CrmError(Answer.PERMANENT, f"{record.ref} has no number: a call to it cannot be planned")
        begin = at.astimezone(UTC)
        try:
            kind = type_of(record.ref)
        except BadInput as error:
            raise CrmError(Answer.PERMANENT, str(error)) from None
        whom = {
            "TYPE": "PHONE",
            "VALUE": record.numbers[0],
            "ENTITY_TYPE_ID": kind,
            "ENTITY_ID": record.ref.id,
        }
        return {
            "OWNER_TYPE_ID": kind,
            "OWNER_ID": record.ref.id,
            "TYPE_ID": CALL,
            "DIRECTION": 2,
            "COMPLETED": "N",
            "SUBJECT": text[:255] or "Call",
            "DESCRIPTION": text,
            "DESCRIPTION_TYPE": 1,
            "START_TIME": begin.isoformat(timespec="seconds"),
            "END_TIME": (begin + FOLLOW_UP).isoformat(timespec="seconds"),
            "RESPONSIBLE_ID": await self._users.of(user) or self._table.responsible,
            "COMMUNICATIONS": [whom],
            "ORIGINATOR_ID": self._planner,
            "ORIGIN_ID": key,
        }

    async def _activity_fields(self, wanted: Collection[str]) -> frozenset[str]:
        """Return the names of an activity's fields; asked for once, and again when one that is wanted is not there."""
        if not self._fields.issuperset(wanted):
            self._fields = frozenset(await self._asker.ask("crm.activity.fields") or ())
        return self._fields

    async def _user_id(self, email: str) -> str | None:
        found = await self._asker.ask("user.get", {"FILTER": {"EMAIL": email}})
        one = at_path(found, "0.ID")
        return str(one) if one else None

    async def _user_email(self, user: str) -> str | None:
        found = await self._asker.ask("user.get", {"FILTER": {"ID": user}})
        if not isinstance(found, list) or not found:
            return None
        return str(at_path(found, "0.EMAIL") or user)


@asynccontextmanager
async def open_bitrix24(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[Bitrix24Crm]:
    """Open the account that a table `[bitrix24]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = table_of(Bitrix24Table, tree, where=f"{account.where}: bitrix24")
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight)
    async with requester:
        yield Bitrix24Crm(account, table, requester, clock)
