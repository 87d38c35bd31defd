"""Writes calls as the tables of the generic adapter say: creates, updates, and looks for a mark before it repeats."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_sync.mapping import MARK, NAMES
from crm_sync.port import CallWrite, CrmError, Idempotency, PushResult
from crm_sync.requests import AnswerRule, Reply, at_path, is_no_json
from crm_sync.rest.asking import RestAsker
from crm_sync.rest.tables import FindTable, RequestTable, RestTable
from crm_sync.results import failed, written
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef


class RestWriter:
    """Writes calls into one account."""

    def __init__(self, asker: RestAsker, table: RestTable, exists: Sequence[AnswerRule]) -> None:
        """`exists`: which answers mean that a record is there already under the id that we chose."""
        self._asker = asker
        self._table = table
        self._exists = exists

    async def push(self, write: CallWrite) -> PushResult:
        """Create or update a call. Never raises for what the CRM did."""
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
            if is_no_json(reply):  # of a web server before it
                raise CrmError(Answer.RETRY, f"{reply.status} {self._asker.plain(reply.body)}")
            raise CrmError(Answer.DELETED, f"{remote} is not there any more: {self._asker.plain(reply.body)}")
        self._asker.must_be_ok(reply)
        return written(write, remote, more_requests=looked)

    async def _found(self, write: CallWrite, table: FindTable) -> RecordRef | None:
        """Look for the call's mark. Of several the one of the smallest id counts; the others reconciliation tells.

        Raises CrmError; what does not pause the target is RETRY, so that nothing is written unseen.
        """
        values, query = self._values(write), {**table.query, **_of_home(table.homes, write)}
        body = {"json": _tree({}, "", self._extra(table.extra, values))} if table.extra else {}
        try:
            reply = await self._asker.ask(table.method, table.path, query, values, body=body)
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

    def _body(self, table: RequestTable, write: CallWrite, values: Map[str, Any]) -> dict[str, Any]:
        extra = self._extra({**table.extra, **_of_home(table.homes, write)}, values)
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


def _of_home(homes: Map[str, Map[str, str]], write: CallWrite) -> Map[str, str]:
    """Return what a request has for the kind of the call's record. Raises BadInput for a kind that is not named."""
    kind = write.home.kind if write.home else ""
    if homes and kind not in homes:
        raise BadInput(
            f"calls stand on {', '.join(sorted(homes))}, and this one's is {write.home or 'no record'}"
        )
    return homes.get(kind, {})


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
