"""The adapter of BottleCRM (PyPI `django-crm`). Calls are its interactions, on a lead, a contact or a deal.

It keeps no key of ours: `external_id` is its own. So a call's mark stands in the subject, and after an unknown answer
the record's interactions are read before anything is written. Tried against release 1.35.0.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from collections.abc import Mapping as Map
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from crm_sync.account import Account
from crm_sync.bottle.asking import BottleAsker, listed
from crm_sync.bottle.check import NEEDED, checked, is_shut
from crm_sync.bottle.follow_ups import BottleFollowUps
from crm_sync.bottle.lists import LISTINGS, BottleLists, called_since, cursor_of, place_of
from crm_sync.bottle.records import (
    ACCOUNT,
    CASE,
    CONTACT,
    DEAL,
    INTERACTION,
    LEAD,
    body_of,
    made_at,
    ours,
    places_of,
    record_of,
    sorted_out,
    uuid_of,
    written_of,
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

PATHS: Final = {LEAD: ("/api/leads/", "lead_obj"), CONTACT: ("/api/contacts/", "contact_obj")}
"""Where a record is read, and where it stands in the answer."""
PAGES: Final = {LEAD: "leads", CONTACT: "contacts", DEAL: "pipeline", "account": "accounts", "task": "tasks"}
"""What its pages for people are called."""
OF: Final = {DEAL: "opportunities", ACCOUNT: "accounts", CASE: "cases"}
"""Scopes of a key for records that calls seldom stand on."""
BEFORE: Final = timedelta(hours=1)
"""So long before the time in its id a call may have begun, as the CRM has it: a person may have moved it."""
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
        self._lists = BottleLists(self._asker, clock)
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

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
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

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
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
        found: dict[RecordRef, PulledRecord] = {}
        waiting = list(dict.fromkeys(refs))
        for first in range(0, len(waiting), self._table.in_flight):
            some = waiting[first : first + self._table.in_flight]
            for ref, one in zip(some, await asyncio.gather(*map(self._record, some)), strict=True):
                if one is not None:
                    found[ref] = one
        return found

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

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str
    ) -> RecordRef:
        return await self._follow_ups.set(ref, at=at, user=user, text=text, key=key)

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

    def _pulled(self, kind: str, row: Any) -> PulledRecord:
        return record_of(kind, row, zone=self._table.zone, day_begins=self._table.day_begins)


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
