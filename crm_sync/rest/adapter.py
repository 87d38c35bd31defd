"""The generic adapter: any CRM with a REST interface, described by tables of the target's mapping file.

It creates, updates, and finds by a mark; nothing else. What a CRM needs beyond that wants an adapter of its own.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from crm_sync.account import Account
from crm_sync.mapping import MARK, NAMES
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
from crm_sync.requests import Reply, Requester, at_path, is_page, plain
from crm_sync.rest.asking import RestAsker
from crm_sync.rest.tables import (
    FindTable,
    RequestTable,
    RestTable,
    rest_table,
    rules_of,
    texts_of,
)
from crm_sync.results import failed, written
from cti.clock import Clock
from cti.errors import BadInput, SettingsError
from cti.model.crm import Answer, RecordRef


class RestCrm:
    """A CRM by its tables. `find_by_number`, `pull` and what goes with them it does not do."""

    def __init__(self, account: Account, table: RestTable, requester: Requester, clock: Clock) -> None:
        """Raises SettingsError for a text that cannot be read."""
        self._account = account
        self._table = table
        self._requester = requester
        rules, self._exists = rules_of(table, account.where)
        self._asker = RestAsker(account, table, rules, requester, clock)
        for text in texts_of(table):
            self._asker.template(text)
        for text in (*table.headers.values(), *(table.token.form.values() if table.token else ())):
            self._asker.template(text, header=True)
        if table.idempotency is Idempotency.MARKER and table.find is None:
            raise SettingsError(
                f"{account.where}: rest.find: missing; idempotency = marker looks before it writes again"
            )
        if table.idempotency is Idempotency.OWN_ID and not table.own_id:
            raise SettingsError(f"{account.where}: rest.own_id: missing; idempotency = own_id needs it")

    @property
    def capabilities(self) -> Capabilities:
        table = self._table
        return Capabilities(
            idempotency=table.idempotency,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            per_day=table.per_day,
            unsure_seconds=table.unsure_seconds,
            reads_back=False,
        )

    async def check(self) -> Checked:
        reply = await self._asker.ask("GET", self._table.check.path, {}, {})
        self._asker.must_be_ok(reply)
        who = at_path(reply.json, self._table.check.who) if self._table.check.who else None
        return Checked(
            who=plain(str(who)) if who else urlsplit(self._account.url).hostname or self._account.url
        )

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        return [await self._push(write) for write in writes]

    async def _push(self, write: CallWrite) -> PushResult:
        looked = 0
        try:
            remote = write.remote
            if remote is None and write.unsure and self._table.find is not None:
                looked = 1
                remote = await self._found(write, self._table.find)
            if remote is not None:
                return await self._update(write, remote, looked)
            return await self._create(write, looked)
        except CrmError as error:
            return failed(write, error, more_requests=looked)
        except BadInput as error:
            return failed(write, CrmError(Answer.PERMANENT, str(error)), more_requests=looked)

    async def _create(self, write: CallWrite, looked: int) -> PushResult:
        """Create it. What a rule takes for deleted was never there: some other record of the request is missing."""
        try:
            return await self._created(write, looked)
        except CrmError as error:
            if error.answer is Answer.DELETED:
                raise CrmError(Answer.PERMANENT, str(error)) from None
            raise

    async def _created(self, write: CallWrite, looked: int) -> PushResult:
        table, values = self._table.create, self._values(write)
        reply = await self._asker.ask(
            table.method, table.path, table.query, values, body=self._body(table, write, values)
        )
        if self._exists_already(reply):
            remote = self._own(values)
            return await self._update(write, remote, looked + 1)
        self._asker.must_be_ok(reply, makes=self._table.idempotency is Idempotency.MARKER)
        remote_id = at_path(reply.json, table.id)
        if remote_id is None and self._table.own_id:
            return written(write, self._own(values), more_requests=looked)
        if not isinstance(remote_id, str | int) or remote_id == "":
            # it is written, and we do not know as what: the next run looks, or repeats under its key
            raise CrmError(
                Answer.UNKNOWN, f"the answer holds no id at {table.id}: {self._asker.plain(reply.body)}"
            )
        return written(write, RecordRef(self._table.kind, str(remote_id)), more_requests=looked)

    async def _update(self, write: CallWrite, remote: RecordRef, looked: int) -> PushResult:
        table = self._table.update
        values = self._values(write) | {"id": remote.id}
        if table.may_leave_out:
            write = replace(write, fields=write.sent())
        reply = await self._asker.ask(
            table.method, table.path, table.query, values, body=self._body(table, write, values)
        )
        answer = self._asker.answer(reply)
        if reply.status in (404, 410) and answer is Answer.PERMANENT:
            if is_page(
                reply
            ):  # of a web server before it: the address is wrong, or the CRM is being exchanged
                raise CrmError(Answer.RETRY, f"{reply.status} {self._asker.plain(reply.body)}")
            raise CrmError(Answer.DELETED, f"{remote} is not there any more: {self._asker.plain(reply.body)}")
        self._asker.must_be_ok(reply)
        return written(write, remote, more_requests=looked)

    async def _found(self, write: CallWrite, table: FindTable) -> RecordRef | None:
        """Look for the call's mark. Of several the one of the smallest id counts; the others reconciliation tells.

        Raises CrmError; what does not pause the target is RETRY, so that nothing is written unseen.
        """
        values = self._values(write)
        body = {"json": _tree({}, "", self._extra(table.extra, values))} if table.extra else {}
        try:
            reply = await self._asker.ask(table.method, table.path, table.query, values, body=body)
            self._asker.must_be_ok(reply)
        except CrmError as error:
            if error.answer in (Answer.PERMANENT, Answer.UNKNOWN, Answer.DELETED):
                raise CrmError(Answer.RETRY, f"while looking for the call: {error}") from None
            raise
        records = at_path(reply.json, table.list)
        if not isinstance(records, list):
            raise CrmError(
                Answer.RETRY,
                f"while looking for the call: no list at {table.list!r}: {self._asker.plain(reply.body)}",
            )
        wanted = self._asker.text(table.holds, values)
        marked = [at_path(one, table.id) for one in records if wanted in str(at_path(one, table.mark) or "")]
        found = sorted((str(one) for one in marked if one not in (None, "")), key=lambda one: (len(one), one))
        return RecordRef(self._table.kind, found[0]) if found else None

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        raise _cannot("read calls back")

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        raise _cannot("read calls back")
        yield  # an async generator, as the port wants it

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        raise _cannot("find records by number")

    async def records(self, refs: Sequence[RecordRef]) -> Map[RecordRef, PulledRecord]:
        raise _cannot("read records")

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        raise _cannot("pull records")

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str
    ) -> RecordRef:
        raise _cannot("set follow-ups")

    def record_url(self, ref: RecordRef) -> str | None:
        if not self._table.record_url:
            return None
        try:
            return self._asker.text(self._table.record_url, {"id": ref.id, "home_kind": ref.kind}, url=True)
        except BadInput:
            return None

    async def close(self) -> None:
        await self._requester.close()

    def _body(self, table: RequestTable, write: CallWrite, values: Map[str, Any]) -> dict[str, Any]:
        extra = self._extra(table.extra, values)
        if table.body == "form":
            flat = {**{name: value for name, value in write.fields.items() if value is not None}, **extra}
            return {"data": {name: str(value) for name, value in flat.items()}}
        return {"json": _tree(write.fields, table.wrap, extra)}

    def _extra(self, extra: Map[str, str], values: Map[str, Any]) -> dict[str, str]:
        return {path: self._asker.text(text, values) for path, text in extra.items()}

    def _values(self, write: CallWrite) -> dict[str, Any]:
        log = write.log
        values: dict[str, Any] = {name: getattr(log, name) for name in NAMES if hasattr(log, name)}
        return values | {
            "user": write.user,
            "home": write.home.id if write.home else None,
            "home_kind": write.home.kind if write.home else None,
            "deal": write.deal.id if write.deal else None,
            "deal_kind": write.deal.kind if write.deal else None,
            "mark": MARK.replace("{call_id}", log.call_id),
            "call_uuid": str(UUID(log.call_id)),
        }

    def _own(self, values: Map[str, Any]) -> RecordRef:
        return RecordRef(self._table.kind, self._asker.text(self._table.own_id, values))

    def _exists_already(self, reply: Reply) -> bool:
        return any(rule.fits(reply) for rule in self._exists)


@asynccontextmanager
async def open_rest(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[RestCrm]:
    """Open the CRM that a table `[rest]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = rest_table(tree, where=account.where)
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight)
    crm = RestCrm(account, table, requester, clock)
    async with requester:
        yield crm


def _tree(fields: Map[str, Any], wrap: str, extra: Map[str, Any]) -> Any:
    """Return a JSON body: the fields below the path `wrap`, and more by dotted paths."""
    tree: dict[str, Any] = {}
    at = tree
    for step in wrap.split(".") if wrap else ():
        at = at.setdefault(step, {})
    at |= fields
    for path, value in extra.items():
        *steps, last = path.split(".")
        at = tree
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = value
    return tree


def _cannot(what: str) -> CrmError:
    return CrmError(Answer.PERMANENT, f"the generic REST adapter cannot {what}")
