"""A CRM in memory that refuses what real ones refuse, and its adapter; faults are ordered by the test.

`StrictCrm` is the server: it knows fields and their types, users' deletions, and nothing of us. `StrictClient` is the
adapter. With `Idempotency.MARKER` the server takes every creation, so that only the adapter's look prevents doubles.
"""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_sync.fingerprint import HOME, USER, changed_there
from crm_sync.port import (
    Answer,
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
from crm_sync.tab import noted
from cti.model.crm import RecordRef

KIND = "call"
SOURCE = "leads"
"""The one source of records that can be pulled."""
FIELDS: Mapping[str, tuple[type, ...]] = {
    "subject": (str,),
    "status": (str,),
    "started": (str,),
    "seconds": (int, float),
    "note": (str, type(None)),
    "recording": (str, type(None)),
}


class Refused(Exception):
    """The server said no: `answer` is what an adapter is to make of it."""

    def __init__(self, answer: Answer, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.answer = answer
        self.pause_seconds = pause_seconds


@dataclass
class Row:
    """A record that stands for a call."""

    id: str
    mark: str
    home: RecordRef | None
    fields: dict[str, Any]
    user: str | None = None
    writes: int = 1


@dataclass
class StrictCrm:
    """The server."""

    idempotency: Idempotency = Idempotency.KEY
    rows: dict[str, Row] = field(default_factory=dict)
    records: list[PulledRecord] = field(default_factory=list)
    """In the order of their last change; `touch` moves one to the end."""
    tasks: dict[str, tuple[RecordRef, datetime, str | None]] = field(default_factory=dict)
    """Follow-ups by key: the record, when, and whose."""
    texts: list[str] = field(default_factory=list)
    """What follow-ups said, each time that one was written."""
    standing: list[bool] = field(default_factory=list)
    """Whether follow-ups were said to stand, each time that one was written."""
    ended: list[tuple[str, bool]] = field(default_factory=list)
    """Follow-ups that were taken back, and whether as done."""
    overlap: int = 0
    """So far before the cursor records come again with each page."""
    homes: set[str] | None = None
    """Ids of the records that exist; None: all do."""
    lose_answers: int = 0
    lose_every: int = 0
    """Of so many requests the answer of one is lost; 0: of none."""
    lost: int = 0
    away: bool = False
    throttled_seconds: float | None = None
    throttles: int = 0
    key_refused: bool = False
    fail_writes: int = 0
    """So many writes are refused for now."""
    requests: int = 0
    stamps: dict[RecordRef, int] = field(default_factory=dict)
    _changes: Any = field(default_factory=lambda: itertools.count(1))
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def touch(self, one: PulledRecord) -> None:
        """Write a record, as a user there does: it is the one that changed last."""
        self.records = [other for other in self.records if other.ref != one.ref] + [one]
        self.stamps.pop(one.ref, None)

    def changed_after(self, stamp: int) -> list[tuple[int, PulledRecord]]:
        """Return what changed after this stamp, oldest change first; each change has a stamp of its own."""
        for one in self.records:
            if one.ref not in self.stamps:
                self.stamps[one.ref] = next(self._changes)
        found = [(self.stamps[one.ref], one) for one in self.records if self.stamps[one.ref] > stamp]
        return sorted(found, key=lambda pair: pair[0])

    def enter(self) -> None:
        """Take a request, or refuse it before anything is done."""
        self.requests += 1
        if self.away:
            raise Refused(Answer.AWAY, "nobody listens")
        if self.key_refused:
            raise Refused(Answer.AUTH, "the key is not known")
        if self.throttles:
            self.throttles -= 1
            raise Refused(Answer.THROTTLE, "too many requests", self.throttled_seconds)

    def leave(self) -> None:
        """Let the answer go, or lose it."""
        if self.lose_answers or (self.lose_every and self.requests % self.lose_every == 0):
            self.lose_answers = max(0, self.lose_answers - 1)
            self.lost += 1
            raise Refused(Answer.UNKNOWN, "no answer came")

    def create(self, write: CallWrite) -> str:
        """Create, or update what has our key where this CRM knows keys."""
        self._check(write)
        mark = write.log.call_id
        if self.idempotency is not Idempotency.MARKER:
            for row in self.rows.values():
                if row.mark == mark:
                    return self._change(row, write)
        number = f"r{next(self._ids)}"
        self.rows[number] = Row(
            id=number, mark=mark, home=write.home, fields=dict(write.fields), user=write.user
        )
        return number

    def update(self, row_id: str, write: CallWrite) -> str:
        """Change a record. Raises Refused with DELETED when it is gone."""
        self._check(write)
        row = self.rows.get(row_id)
        if row is None:
            raise Refused(Answer.DELETED, f"there is no {KIND} {row_id}")
        return self._change(row, write)

    def _change(self, row: Row, write: CallWrite) -> str:
        row.fields |= write.sent()
        if HOME not in write.leave:
            row.home = write.home
        if USER not in write.leave:
            row.user = write.user
        row.writes += 1
        return row.id

    def _check(self, write: CallWrite) -> None:
        if self.fail_writes:
            self.fail_writes -= 1
            raise Refused(Answer.RETRY, "the row is locked")
        for name, value in write.fields.items():
            if name not in FIELDS:
                raise Refused(Answer.PERMANENT, f"there is no field {name!r}")
            if not isinstance(value, FIELDS[name]):
                raise Refused(Answer.PERMANENT, f"{name}: {value!r} has the wrong type")
        if write.home is not None and self.homes is not None and write.home.id not in self.homes:
            raise Refused(Answer.PERMANENT, f"there is no record {write.home}")


class StrictClient:
    """The adapter of `StrictCrm`."""

    def __init__(self, server: StrictCrm, **more: Any) -> None:
        """`more`: capabilities that differ."""
        self.server = server
        self.most_at_once = 0
        given = {
            "reads_back": True,
            "finds": True,
            "pulls": True,
            "batch": 10,
            "unsure_seconds": 5.0,
            "removes": True,
            "follow_ups": True,
            "ends_follow_ups": True,
        }
        self._capabilities = Capabilities(idempotency=server.idempotency, **given | more)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def check(self) -> Checked:
        self._asked()
        return Checked(who="waihu", version="strict 1")

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        assert len(writes) <= self._capabilities.batch
        assert len({write.log.call_id for write in writes}) == len(writes), "one in flight per call"
        self.most_at_once = max(self.most_at_once, len(writes))
        try:
            self.server.enter()
            results = [self._one(write) for write in writes]
            self.server.leave()
        except Refused as refused:
            return [_refused(write, refused) for write in writes]
        return results

    def _one(self, write: CallWrite) -> PushResult:
        left = frozenset[str]()
        try:
            if write.remote is not None:
                row = self.server.rows.get(write.remote.id)
                left = changed_there(write, row.fields if row else {})
                row_id = self.server.update(write.remote.id, replace(write, leave=write.leave | left))
            elif write.unsure and (found := self._marked(write.log.call_id)):
                row_id = self.server.update(found, write)
            else:
                row_id = self.server.create(write)
        except Refused as refused:
            return _refused(write, refused)
        return PushResult(
            call_id=write.log.call_id, answer=Answer.OK, remote=RecordRef(KIND, row_id), left=left
        )

    def _marked(self, mark: str) -> str | None:
        return next((row.id for row in self.server.rows.values() if row.mark == mark), None)

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        self._asked()
        wanted = set(call_ids)
        return [_written(row) for row in self.server.rows.values() if row.mark in wanted]

    async def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        self._asked()
        for row in list(self.server.rows.values()):
            one = _written(row)
            if one.started_at is not None and since <= one.started_at < until:
                yield one

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        self._asked()
        return [one for one in self.server.records if e164 in one.numbers and one.over is None]

    async def records(self, refs: Sequence[RecordRef]) -> Mapping[RecordRef, PulledRecord]:
        self._asked()
        wanted = set(refs)
        return {one.ref: one for one in self.server.records if one.ref in wanted}

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        self._asked()
        if source != SOURCE:
            raise CrmError(Answer.PERMANENT, f"there is no source {source!r}")
        reached = int(cursor or 0)
        again = self.server.changed_after(max(0, reached - self.server.overlap))
        old = [pair for pair in again if pair[0] <= reached]
        new = self.server.changed_after(reached)
        page = old + new[:limit]
        last = page[-1][0] if page else reached
        return PullPage(
            records=[one for _, one in page], cursor=str(max(last, reached)), more=len(new) > limit
        )

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        self._asked()
        for one in self.server.records:
            if one.ref == ref:
                self.server.tasks[key] = (ref, at, user)
                self.server.standing.append(stands)
                self.server.texts.append(text)
                self.server.touch(replace(one, next_follow_up_at=at))
                return RecordRef("task", key)
        raise CrmError(Answer.PERMANENT, f"there is no record {ref}")

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        self._asked()
        self.server.tasks.pop(key, None)
        self.server.ended.append((key, done))
        for one in self.server.records:
            if one.ref == ref:
                self.server.touch(replace(one, next_follow_up_at=None))
                return

    async def remove(self, remote: RecordRef) -> None:
        self._asked()
        self.server.rows.pop(remote.id, None)

    def record_url(self, ref: RecordRef) -> str | None:
        return f"https://crm.example/{ref.kind}/{ref.id}"

    async def close(self) -> None:
        pass

    def _asked(self) -> None:
        noted()
        try:
            self.server.enter()
        except Refused as refused:
            raise CrmError(refused.answer, str(refused), pause_seconds=refused.pause_seconds) from None


def _refused(write: CallWrite, refused: Refused) -> PushResult:
    return PushResult(
        call_id=write.log.call_id,
        answer=refused.answer,
        message=str(refused),
        pause_seconds=refused.pause_seconds,
    )


def _written(row: Row) -> Written:
    started = row.fields.get("started")
    return Written(
        call_id=row.mark,
        remote=RecordRef(KIND, row.id),
        home=row.home,
        started_at=datetime.fromisoformat(started) if started else None,
        seconds=row.fields.get("seconds"),
        fields=row.fields,
    )
