"""The generic adapter: any CRM with a REST interface, described by tables of the target's mapping file.

What it can do follows from the tables that are there: with those that write alone it writes. What a CRM needs beyond
them wants an adapter of its own.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from crm_sync.account import Account
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
from crm_sync.requests import Requester, at_path, plain
from crm_sync.rest.asking import RestAsker
from crm_sync.rest.called import RestCalls
from crm_sync.rest.follow_ups import RestFollowUps
from crm_sync.rest.lists import LIST_PAGE
from crm_sync.rest.plans import plan_of
from crm_sync.rest.questions import question_of
from crm_sync.rest.reading import RestReader
from crm_sync.rest.tables import RestTable, rest_table, rules_of, texts_of
from crm_sync.rest.writing import RestWriter
from cti.clock import Clock
from cti.errors import BadInput, SettingsError
from cti.model.crm import Answer, RecordRef


class RestCrm:
    """A CRM by its tables. See `crm_sync.port.Crm`; what no table describes is refused."""

    def __init__(self, account: Account, table: RestTable, requester: Requester, clock: Clock) -> None:
        """Raises SettingsError for a text that cannot be read, and for a table that lacks another."""
        self._account = account
        self._table = table
        self._requester = requester
        rules, exists = rules_of(table, account.where)
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
        self._writer = RestWriter(self._asker, table, exists)
        plan, at = plan_of(table, where=account.where), f"{account.where}: rest"
        self._reader = RestReader(self._asker, table, plan, clock)
        calls = plan.calls
        self._calls = RestCalls(self._asker, table, calls, self._reader, clock) if calls else None
        given = table.follow_ups
        self._follow_ups = RestFollowUps(self._asker, given, where=f"{at}.follow_ups") if given else None
        gone = table.remove
        self._remove = question_of(gone, names=frozenset({"id"}), where=f"{at}.remove") if gone else None

    @property
    def capabilities(self) -> Capabilities:
        table, calls = self._table, self._table.calls
        return Capabilities(
            idempotency=table.idempotency,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            per_day=table.per_day,
            unsure_seconds=table.unsure_seconds,
            reads_back=calls is not None,
            finds=bool(table.numbers),
            pulls=bool(table.sources),
            follow_ups=self._follow_ups is not None,
            ends_follow_ups=self._follow_ups is not None and self._follow_ups.ends,
            removes=self._remove is not None,
            page=LIST_PAGE,
            exact_seconds=calls.exact_seconds if calls else 1.0,
        )

    async def check(self) -> Checked:
        reply = await self._asker.ask("GET", self._table.check.path, {}, {})
        self._asker.must_be_ok(reply)
        who = at_path(reply.json, self._table.check.who) if self._table.check.who else None
        return Checked(
            who=plain(str(who)) if who else urlsplit(self._account.url).hostname or self._account.url
        )

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        return [await self._writer.push(write) for write in writes]

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        return await self._reading_calls().read_back(call_ids)

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        async for one in self._reading_calls().written(since, until):
            yield one

    def _reading_calls(self) -> RestCalls:
        if self._calls is None:
            raise self._cannot("calls", "read calls back")
        return self._calls

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        self._must_have(self._table.numbers, "numbers", "find records by number")
        return await self._reader.find(e164)

    async def records(self, refs: Sequence[RecordRef]) -> Map[RecordRef, PulledRecord]:
        self._must_have(self._table.kinds, "kinds", "read records")
        return await self._reader.records(refs)

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        self._must_have(self._table.sources, "sources", "pull records")
        return await self._reader.pull(source, cursor=cursor, limit=limit)

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        return await self._following().set(ref, at=at, user=user, text=text, key=key, stands=stands)

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """See `crm_sync.port.EndsFollowUps`."""
        await self._following().end(ref, key=key, done=done)

    def _following(self) -> RestFollowUps:
        if self._follow_ups is None:
            raise self._cannot("follow_ups", "set follow-ups")
        return self._follow_ups

    async def remove(self, remote: RecordRef) -> None:
        """See `crm_sync.port.Removes`."""
        if self._remove is None:
            raise self._cannot("remove", "remove records")
        try:
            await self._asker.answer_to(self._remove, {"id": remote.id})
        except CrmError as error:
            if error.answer is not Answer.DELETED:
                raise

    def record_url(self, ref: RecordRef) -> str | None:
        if not self._table.record_url:
            return None
        try:
            return self._asker.text(self._table.record_url, {"id": ref.id, "home_kind": ref.kind}, url=True)
        except BadInput:
            return None

    async def close(self) -> None:
        await self._requester.close()

    def _must_have(self, table: object, key: str, what: str) -> None:
        if not table:
            raise self._cannot(key, what)

    def _cannot(self, key: str, what: str) -> CrmError:
        said = f"{self._account.where}: there is no rest.{key}, so that this CRM cannot {what}"
        return CrmError(Answer.PERMANENT, said)


@asynccontextmanager
async def open_rest(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[RestCrm]:
    """Open the CRM that a table `[rest]` describes. Raises SettingsError: file, key, and what is allowed."""
    table = rest_table(tree, where=account.where)
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=table.in_flight)
    crm = RestCrm(account, table, requester, clock)
    async with requester:
        yield crm
