"""The adapter of 纷享销客 (Fxiaoke, ShareCRM): calls as records of an object of one's own.

Tested against a strict fake made from the published definitions, not against a live server.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from crm_sync.account import Account
from crm_sync.fingerprint import CONTACT, CUSTOMER, DEAL, HOME
from crm_sync.fxiaoke.asking import FxiaokeAsker
from crm_sync.fxiaoke.reading import MARKS, PAGE, FxiaokeReader
from crm_sync.fxiaoke.tables import FxiaokeTable
from crm_sync.fxiaoke.values import typed
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
from crm_sync.results import failed, written
from crm_sync.users import Users, is_number
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef, record_ref

DESCRIBED_SECONDS: Final = 3600.0
"""So long an object's description is remembered."""
OWNER: Final = "owner"


class FxiaokeCrm:
    """One account."""

    def __init__(self, account: Account, table: FxiaokeTable, requester: Requester, clock: Clock) -> None:
        """Raises SettingsError."""
        self._account = account
        self._table = table
        self._requester = requester
        self._clock = clock
        self._asker = FxiaokeAsker(account, table, requester, clock)
        self._reader = FxiaokeReader(self._asker, table, self._fields)
        self._users = Users(self._by_mobile, where=account.target, clock=clock, by=is_number)
        self._described: dict[str, tuple[Mapping[str, Any], float]] = {}

    @property
    def capabilities(self) -> Capabilities:
        table = self._table
        return Capabilities(
            idempotency=Idempotency.MARKER,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            per_day=table.per_day,
            unsure_seconds=table.unsure_seconds,
            reads_back=True,
            finds=True,
            pulls=True,
            page=PAGE,
            calls_at_once=MARKS,
        )

    async def check(self) -> Checked:
        corp = await self._asker.corp()
        table = self._table
        needed = {table.object: [table.mark, table.started, table.seconds, *table.links.values()]}
        needed |= {kind: own.names() for kind, own in table.records.items()}
        warnings: list[str] = []
        for api_name, names in needed.items():
            described = await self._fields(api_name)
            missing = [name for name in names if name not in described]
            if not described:
                warnings.append(f"there is no object {api_name}")
            elif missing:
                warnings.append(f"{api_name} has no field {', '.join(missing)}")
        return Checked(who=f"{table.user} of {corp}", warnings=warnings)

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        return [await self._push(write) for write in writes]

    async def _push(self, write: CallWrite) -> PushResult:
        looks = 0
        try:
            remote = write.remote.id if write.remote is not None else None
            if remote is None and write.unsure:
                looks += 1
                remote = await self._looked(write.log.call_id)
            fields = await self._object_data(write, new=remote is None)
            if remote is None:
                remote = await self._create(write, fields)
            else:
                await self._update(remote, fields)
        except CrmError as error:
            return failed(write, error, more_requests=looks)
        except BadInput as error:
            return failed(write, CrmError(Answer.PERMANENT, str(error)), more_requests=looks)
        return written(write, RecordRef(self._table.object, remote), more_requests=looks)

    async def _looked(self, call_id: str) -> str | None:
        """Look for the call's mark; of several the smallest id counts. What does not pause the target is RETRY."""
        try:
            rows = await self._reader.marked([call_id])
        except CrmError as error:
            if error.answer in (Answer.PERMANENT, Answer.UNKNOWN):
                raise CrmError(Answer.RETRY, f"while looking for the call: {error}") from None
            raise
        return min((str(row["_id"]) for row in rows), default=None)

    async def _object_data(self, write: CallWrite, *, new: bool) -> dict[str, Any]:
        """Return the fields, each in the form that its type wants."""
        table = self._table
        fields = {**write.sent(), table.mark: write.log.call_id, **self._links(write)}
        if new:
            owner = await self._users.of(write.user)
            fields.setdefault(OWNER, owner or table.user)
        else:
            fields.pop(OWNER, None)  # an update refuses it
        described = await self._fields(table.object)
        if not fields.keys() <= described.keys():
            self._described.pop(table.object, None)  # it may be made any minute: the next call asks anew
        if table.mark not in described:
            # no call's fault: the target stops until the object is as the mapping says
            raise CrmError(Answer.AUTH, f"there is no field {table.mark} of an object {table.object}")
        made = {name: typed(name, value, described, where=table.object) for name, value in fields.items()}
        return {"dataObjectApiName": table.object, **made}

    def _links(self, write: CallWrite) -> dict[str, str]:
        """Return which fields lead to the call's records; in an update those that are ours to change."""
        target = self._account.target
        given = {
            CUSTOMER: record_ref(write.log.crm_customer, target=target, kind="AccountObj"),
            CONTACT: record_ref(write.log.crm_contact, target=target, kind="ContactObj"),
            DEAL: write.deal,
            HOME: write.home,
        }
        for ref in (write.home, write.deal):
            if ref is not None and ref.kind not in self._table.links:
                known = ", ".join(sorted(self._table.links)) or "none"
                raise BadInput(f"{ref}: fxiaoke.links names no field for {ref.kind!r}; there are: {known}")
        # of several of one kind the last one has the field
        by_kind = {ref.kind: (part, ref.id) for part, ref in given.items() if ref is not None}
        return {
            self._table.links[kind]: one
            for kind, (part, one) in by_kind.items()
            if kind in self._table.links and part not in write.leave
        }

    async def _create(self, write: CallWrite, fields: Mapping[str, Any]) -> str:
        flow = {"triggerWorkFlow": self._table.workflow, "triggerApprovalFlow": self._table.workflow}
        body = {**flow, "data": {"object_data": dict(fields)}}
        said = await self._asker.data("create", self._table.object, body)
        found = at_path(said, "dataId") or at_path(said, "data.dataId") or at_path(said, "data._id")
        if found:
            return str(found)
        # for objects of one's own no id is promised: it is looked for by its mark
        try:
            rows = await self._reader.marked([write.log.call_id])
        except CrmError as error:
            raise CrmError(Answer.UNKNOWN, f"it is taken, and could not be looked for: {error}") from None
        if not rows:
            raise CrmError(Answer.UNKNOWN, "it is taken, and not found under its mark yet")
        return min(str(row["_id"]) for row in rows)

    async def _update(self, remote: str, fields: Mapping[str, Any]) -> None:
        """Change a record. Codes do not tell one that is gone from one that is refused: then it is looked for."""
        flow = {"triggerWorkFlow": self._table.workflow, "triggerApprovalFlow": self._table.workflow}
        body = {**flow, "data": {"object_data": {**fields, "_id": remote}}}
        try:
            await self._asker.data("update", self._table.object, body)
        except CrmError as error:
            if error.answer is Answer.PERMANENT and not await self._reader.stands(remote):
                raise CrmError(
                    Answer.DELETED, f"{self._table.object}:{remote} is not there any more: {error}"
                ) from None
            raise

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        return await self._reader.read_back(call_ids)

    def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        return self._reader.written(since, until)

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        return await self._reader.find(e164)

    async def records(self, refs: Sequence[RecordRef]) -> Mapping[RecordRef, PulledRecord]:
        return await self._reader.records(refs)

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        return await self._reader.pull(source, cursor=cursor, limit=limit)

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        raise CrmError(Answer.PERMANENT, "纷享销客 publishes no way to write schedules; follow-ups stay here")

    def record_url(self, ref: RecordRef) -> str | None:
        return None  # no address of a record's page is published

    async def close(self) -> None:
        await self._requester.close()

    async def _fields(self, api_name: str) -> Mapping[str, Any]:
        """Return an object's fields by name, nothing for one that is not there. Raises CrmError."""
        kept = self._described.get(api_name)
        if kept is not None and self._clock.monotonic() < kept[1]:
            return kept[0]
        body = {"includeDetail": False, "data": {"apiName": api_name}}
        try:
            said = await self._asker.ask("/cgi/crm/v2/object/describe", body)
        except CrmError as error:
            if error.answer is not Answer.PERMANENT:
                raise
            return {}
        fields = at_path(said, "data.describe.fields")
        described: Mapping[str, Any] = fields if isinstance(fields, Mapping) else {}
        self._described[api_name] = (described, self._clock.monotonic() + DESCRIBED_SECONDS)
        return described

    async def _by_mobile(self, mobile: str) -> str | None:
        try:
            said = await self._asker.ask("/cgi/user/getByMobile", {"mobile": mobile})
        except CrmError as error:
            if error.answer is Answer.PERMANENT:
                return None
            raise
        found = at_path(said, "empList.0.openUserId")
        return str(found) if found else None


@asynccontextmanager
async def open_fxiaoke(
    account: Account, tree: Mapping[str, Any], *, clock: Clock
) -> AsyncIterator[FxiaokeCrm]:
    """Open the account that a table `[fxiaoke]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = table_of(FxiaokeTable, tree, where=f"{account.where}: fxiaoke")
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight)
    crm = FxiaokeCrm(account, table, requester, clock)
    async with requester:
        yield crm
