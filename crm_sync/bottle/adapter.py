"""The adapter of BottleCRM (PyPI `django-crm`). Calls are its interactions, on a lead, a contact or a deal.

It keeps no key of ours: `external_id` is its own. So a call's mark stands in the subject, and after an unknown answer
the record's interactions are read before anything is written. Tried against release 1.35.0.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from crm_sync.account import Account
from crm_sync.bottle.asking import BottleAsker, is_shut
from crm_sync.bottle.check import NEEDED, checked
from crm_sync.bottle.follow_ups import BottleFollowUps
from crm_sync.bottle.reading import BottleReader
from crm_sync.bottle.records import (
    ACCOUNT,
    CASE,
    CONTACT,
    DEAL,
    INTERACTION,
    LEAD,
    body_of,
    ours,
    places_of,
    sorted_out,
    uuid_of,
)
from crm_sync.bottle.tables import BottleTable, bottle_table
from crm_sync.bottle.updating import update
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
from crm_sync.requests import Requester, at_path
from crm_sync.results import failed, written
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef

PAGES: Final = {LEAD: "leads", CONTACT: "contacts", DEAL: "pipeline", "account": "accounts", "task": "tasks"}
"""What its pages for people are called."""
OF: Final = {DEAL: "opportunities", ACCOUNT: "accounts", CASE: "cases"}
"""Scopes of a key for records that calls seldom stand on."""
CALLS_AT_ONCE: Final = 100
"""Looking for one call takes as long as looking for many of the same days."""
MOST_AT_ONCE: Final = 64
"""Connections; how many are used is up to whoever pushes."""


class BottleCrm:
    """One organisation. See `crm_sync.port.Crm`."""

    def __init__(self, account: Account, table: BottleTable, requester: Requester, clock: Clock) -> None:
        self._table = table
        self._requester = requester
        self._asker = BottleAsker(account, requester, clock, at_once=table.in_flight)
        self._reader = BottleReader(self._asker, table, clock)
        self._follow_ups = BottleFollowUps(self._asker, zone=table.zone)

    @property
    def capabilities(self) -> Capabilities:
        table = self._table
        return Capabilities(
            idempotency=Idempotency.MARKER,
            in_flight=table.in_flight,
            per_second=table.per_second,
            burst=table.burst,
            unsure_seconds=table.unsure_seconds,
            reads_back=True,
            finds=True,
            pulls=True,
            follow_ups=True,
            ends_follow_ups=True,
            removes=True,
            page=1,  # interactions are listed by record, and most leads have few
            calls_at_once=CALLS_AT_ONCE,
            exact_seconds=1.0,  # lengths are whole seconds
        )

    async def check(self) -> Checked:
        return await checked(self._asker)

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        return [await self._push(write) for write in writes]

    async def _push(self, write: CallWrite) -> PushResult:
        looks, left = 0, frozenset[str]()
        try:
            body, places = body_of(write), places_of(write, log_on=self._table.log_on)
            remote = write.remote
            if remote is None and write.unsure:
                remote, looks = await self._found(write.log.call_id, places)
            if remote is None:
                remote = await self._create(body, places[0])
            else:
                left, more = await update(self._asker, remote, write, body)
                looks += more
        except BadInput as error:
            return failed(write, CrmError(Answer.PERMANENT, str(error)), more_requests=looks)
        except CrmError as error:
            return failed(write, error, more_requests=looks)
        return written(write, remote, more_requests=looks, left=left)

    async def _create(self, body: Map[str, Any], place: RecordRef) -> RecordRef:
        try:
            row = await self._asker.ask(
                "POST", "/api/interactions/", body={**body, "kind": "call", place.kind: place.id}, makes=True
            )
        except CrmError as error:
            if error.answer is Answer.DELETED:
                said = f"there is no {place}, or the key's account may not see it"
                raise CrmError(Answer.PERMANENT, said) from None
            if place.kind not in NEEDED and f"{OF[place.kind]}:" in str(error) and is_shut(error):
                # a list named such a record; calls on leads and contacts need not wait for that
                raise CrmError(Answer.PERMANENT, f"{place}: {error}") from None
            raise
        made = at_path(row, "id")
        if not isinstance(made, str):  # it is written, and we do not know as what: the next run looks
            raise CrmError(Answer.UNKNOWN, "the answer holds no id")
        return RecordRef(INTERACTION, made)

    async def _found(self, call_id: str, places: Sequence[RecordRef]) -> tuple[RecordRef | None, int]:
        """Look for the call on all records that it may stand on; take away what is there twice. And how many requests.

        Raises CrmError; what does not pause the target is RETRY, so that nothing is written unseen.
        """
        looks = 0
        rows: dict[Any, Any] = {}
        try:
            for place in places:
                looks += 1
                rows |= {at_path(row, "id"): row for row in await self._asker.interactions(place)}
            marked = [row for row in rows.values() if ours(row, call_id)]
            if not marked:
                return None, looks
            first, doubles = sorted_out(marked)
            for row in doubles:
                looks += 1
                await self.remove(RecordRef(INTERACTION, str(at_path(row, "id"))))
        except CrmError as error:
            if error.answer in (Answer.PERMANENT, Answer.UNKNOWN, Answer.DELETED):
                raise CrmError(Answer.RETRY, f"while looking for the call: {error}") from None
            raise
        return RecordRef(INTERACTION, str(at_path(first, "id"))), looks

    async def remove(self, remote: RecordRef) -> None:
        """Delete an interaction; one that is gone already is no error. Raises CrmError."""
        try:
            await self._asker.ask("DELETE", _interaction(remote))
        except CrmError as error:
            if error.answer is not Answer.DELETED:
                raise

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        return await self._reader.read_back(call_ids)

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        async for one in self._reader.written(since, until):
            yield one

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
        await self._follow_ups.end(ref, key=key, done=done)

    def record_url(self, ref: RecordRef) -> str | None:
        page = PAGES.get(ref.kind)
        if not self._table.web or page is None:
            return None
        try:
            return f"{self._table.web.rstrip('/')}/{page}/{uuid_of(ref)}"
        except BadInput:
            return None

    async def close(self) -> None:
        await self._requester.close()


@asynccontextmanager
async def open_bottle(account: Account, tree: Map[str, Any], *, clock: Clock) -> AsyncIterator[BottleCrm]:
    """Open the CRM. Raises SettingsError: file, key, and what is allowed."""
    table = bottle_table(tree, where=account.where)
    requester = Requester(timeout_seconds=table.timeout_seconds, at_once=MOST_AT_ONCE)
    crm = BottleCrm(account, table, requester, clock)
    async with requester:
        yield crm


def _interaction(remote: RecordRef) -> str:
    return f"/api/interactions/{uuid_of(remote)}/"
