"""What an adapter of a CRM is. Nothing here knows any CRM.

An adapter writes calls, reads back what it wrote, finds and pulls records. It owns the protocol of its CRM, and the
judgement of how the CRM answered (status codes lie: there are CRMs that refuse with 200 and that throttle with 403).
It keeps no memory between calls: what was created for a call is handed in, and handed back.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from cti.errors import CtiError
from cti.model.crm import BLAMELESS, Answer, CallLog, Rate, RecordRef

__all__ = [
    "BLAMELESS",
    "Answer",
    "CallLog",
    "CallWrite",
    "Capabilities",
    "Checked",
    "Crm",
    "CrmError",
    "Deal",
    "EndsFollowUps",
    "Idempotency",
    "PullPage",
    "PulledRecord",
    "PushResult",
    "RecordRef",
    "Removes",
    "Written",
]


class CrmError(CtiError):
    """A CRM did not do what it was asked."""

    def __init__(self, answer: Answer, message: str, *, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.answer = answer
        self.pause_seconds = pause_seconds
        """As the CRM said (Retry-After), None: it did not."""


class Idempotency(StrEnum):
    """What keeps a CRM from having a call twice when a write is repeated."""

    KEY = "key"
    """It takes a key of ours and updates what has it: repeating is always safe."""
    OWN_ID = "own_id"
    """We choose the record's id: a repeat is refused as there already, which is as good."""
    MARKER = "marker"
    """Nothing: our mark stands in a field, and after an unknown answer it is looked for before writing again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a CRM can do, through this adapter."""

    idempotency: Idempotency
    batch: int = 1
    """Calls in one request at most."""
    in_flight: int = 4
    """Requests that may be under way at one time."""
    per_second: float | None = None
    """Requests the CRM takes for good; None: no limit of its own."""
    burst: int = 1
    """Requests it takes at once after a silence."""
    per_day: int | None = None
    """Requests of the account in a day."""
    unsure_seconds: float = 30.0
    """After an unknown answer what was sent may still come to stand there for so long; a look before that proves
    nothing."""
    reads_back: bool = False
    """`read_back` and `written` work."""
    finds: bool = False
    """`find_by_number` works."""
    pulls: bool = False
    """`pull` and `records` work."""
    follow_ups: bool = False
    """`follow_up` works."""
    ends_follow_ups: bool = False
    """The adapter is an `EndsFollowUps`, too."""
    removes: bool = False
    """It is a `Removes`."""
    page: int = 100
    """Records in one answer of `written`."""
    calls_at_once: int | None = None
    """Calls in one question of `read_back`; None: as many as `page`."""
    exact_seconds: float = 1.0
    """How far a time or length that is read back may be from what was written: 60 where only minutes are kept."""

    @property
    def rate(self) -> Rate:
        """Return what the CRM is known to bear."""
        return Rate(per_second=self.per_second, burst=self.burst, per_day=self.per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWrite:
    """One call, to be created or brought up to date in the CRM."""

    log: CallLog
    fields: Mapping[str, Any]
    """By the CRM's own field names, as the mapping made them: JSON values."""
    home: RecordRef | None = None
    """The lead or contact it belongs on."""
    deal: RecordRef | None = None
    """And the deal, when the call has one."""
    user: str | None = None
    """The agent there, as the mapping names him: an e-mail or the id of a user."""
    remote: RecordRef | None = None
    """What was created for this call before: it is updated. None: it is created."""
    unsure: bool = False
    """An earlier write may have reached the CRM: look for the call's mark first."""
    leave: frozenset[str] = frozenset()
    """Fields, and `crm_sync.fingerprint.PLACES`, that an update does not send, so that what a person did there stays:
    ours are as they were written last. Empty: all is sent."""
    last: Mapping[str, str] = field(default_factory=dict)
    """Prints of what was written last, or may stand there, by field; empty: not known, or all is to be sent."""

    def sent(self) -> Mapping[str, Any]:
        """Return the fields that an update sends."""
        return {name: value for name, value in self.fields.items() if name not in self.leave}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of one `CallWrite`."""

    call_id: str
    answer: Answer
    remote: RecordRef | None = None
    """With OK: what stands there for the call now."""
    message: str = ""
    """For people; holds no secret."""
    pause_seconds: float | None = None
    more_requests: int = 0
    """Requests it took beyond the one that a batch takes: looks, second steps."""
    left: frozenset[str] = frozenset()
    """With OK: fields that are ours and newer and were not written, for a person changed them there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `check` found."""

    who: str
    """Whom the CRM takes us for."""
    version: str = ""
    warnings: Sequence[str] = ()
    """What will go wrong later: a key that runs out, a field that is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A call as it stands in the CRM, for reconciliation."""

    call_id: str
    remote: RecordRef
    home: RecordRef | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    """Its length as the CRM has it, as exact as the CRM keeps it."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Of the fields that a mapping may write those that can be compared, in the form in which they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An opportunity."""

    ref: RecordRef
    name: str
    stage: str = ""
    amount: float | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledRecord:
    """A lead or contact as the CRM has it."""

    ref: RecordRef
    name: str
    numbers: Sequence[str] = ()
    """As written there, best first; the region to read them with is the list's."""
    owner: str | None = None
    """The CRM's user: e-mail where it has one, else its id there."""
    zone: str | None = None
    region: str | None = None
    """Country of the record, two letters."""
    customer: RecordRef | None = None
    deal: Deal | None = None
    stage: str | None = None
    do_not_call: bool = False
    consent: bool | None = None
    over: str | None = None
    """Why it is not to be dialed any more: `won`, `lost`, `merged`, `archived`, `deleted`."""
    next_follow_up_at: datetime | None = None
    next_follow_up_on: date | None = None
    """Its day, where the CRM keeps no time of it; `next_follow_up_at` is when that day's work begins then."""
    changed_at: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPage:
    """Some records, and where the next ones are."""

    records: Sequence[PulledRecord]
    cursor: str
    """Opaque; give it back to go on. Records may come twice over an overlap, and never not at all."""
    more: bool


class Crm(Protocol):
    """One account of one CRM. Methods other than `push` raise CrmError; all bound their own waiting."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def check(self) -> Checked:
        """Ask who we are there; writes nothing."""
        ...

    async def push(self, writes: Sequence[CallWrite]) -> Sequence[PushResult]:
        """Create or update each call; one result for each, in order. At most `capabilities.batch` at once.

        An update sends what is not in `leave`, and nothing else; where the CRM has its texts as they are given it also
        looks whether a person changed one of them, and leaves that.
        Never raises for what the CRM did. Idempotent for `Idempotency.KEY` and `OWN_ID`; for `MARKER` as long as
        `unsure` is set after each unknown answer. A remote that is gone gives DELETED, and nothing is created.
        """
        ...

    async def read_back(self, call_ids: Sequence[str]) -> Sequence[Written]:
        """Return what stands there for these calls, doubles too; nothing for a call that is not there."""
        ...

    def written(self, *, since: datetime, until: datetime) -> AsyncIterator[Written]:
        """Give every call of ours that began in this span, as it stands there."""
        ...

    async def find_by_number(self, e164: str) -> Sequence[PulledRecord]:
        """Return the open records that have this number, in any way the CRM may have it written."""
        ...

    async def records(self, refs: Sequence[RecordRef]) -> Mapping[RecordRef, PulledRecord]:
        """Return these records as they are now, also those that are over; what is left out is not there any more."""
        ...

    async def pull(self, source: str, *, cursor: str, limit: int) -> PullPage:
        """Return records of a source that changed since the cursor, oldest change first; "" begins with the oldest.

        A source is a named filter of the adapter's own table of the mapping file. Records that are over (won,
        archived, ...) come too, for whoever has them must hear of it. Raises CrmError PERMANENT for an unknown source.
        """
        ...

    async def follow_up(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        """Have the record's next call stand in the CRM at that time; the same `key` again moves it.

        One that people completed stays so if it `stands`: written before, not ended here. Else it is opened again.
        """
        ...

    def record_url(self, ref: RecordRef) -> str | None:
        """Return the page of a record for people, None when there is none."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class EndsFollowUps(Protocol):
    """What an adapter adds whose CRM can take a follow-up back. Without it the CRM's users end it themselves."""

    async def follow_up_over(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """End the follow-up that `follow_up` wrote under this key: as done, else as one that is not needed any more.

        One that is not there (any more) is as good as ended. Raises CrmError.
        """
        ...


@runtime_checkable
class Removes(Protocol):
    """A CRM from which records of calls can be taken away again."""

    async def remove(self, remote: RecordRef) -> None:
        """Delete a record that stands for a call; one that is gone already is no error. Raises CrmError."""
        ...
