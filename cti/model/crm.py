"""A call as it is written into a CRM, and what is remembered of that. The words; who writes is `crm_sync`."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.errors import BadInput
from cti.model.work import Work

CRM_PUSH: Final = "crm.push."
"""Kind of the work that brings a call into a CRM: this and the target's name; its key is the call's id."""

_REF: Final = re.compile(
    r"(?:(?P<target>[A-Za-z0-9][A-Za-z0-9_-]*)/)?(?:(?P<kind>[A-Za-z][\w. -]*):)?(?P<id>[^\s:/]+)"
)


class Answer(StrEnum):
    """How a CRM answered; decides what becomes of the work."""

    OK = "ok"
    """Written, or there already."""
    DELETED = "deleted"
    """What we had written is gone there: a person deleted it. It is never written again."""
    RETRY = "retry"
    """Refused for now, this one alone (a conflict, a lock, a fault of theirs); nothing was written."""
    THROTTLE = "throttle"
    """Too many requests; nothing was written. The target pauses, for `pause_seconds` when the CRM says so."""
    AUTH = "auth"
    """The key is refused; nothing was written. The target stops until somebody mends it."""
    AWAY = "away"
    """The CRM cannot be reached, or says that it is down; nothing was sent, or surely nothing written."""
    PERMANENT = "permanent"
    """Refused for good: a dead letter at once."""
    UNKNOWN = "unknown"
    """It was sent, and no answer came: whoever tries again looks before he writes."""


BLAMELESS: Final = frozenset({Answer.THROTTLE, Answer.AUTH, Answer.AWAY})
"""Answers that say nothing about the one call: they pause the target, and count for no call's attempts."""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """One record of a CRM: what it is there, and its id there."""

    kind: str
    """The CRM's own word, for example `crm.lead`, `lead`, `Contact`; empty: what the mapping says is usual."""
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.kind else self.id


def record_ref(text: str | None, *, target: str, kind: str = "") -> RecordRef | None:
    """Return which record of this target a reference means: `ID`, `KIND:ID`, or `TARGET/KIND:ID`.

    None for an empty one, and for one of another target. `kind` is taken where the text names none. Raises BadInput
    for text that is no reference.
    """
    if not text:
        return None
    found = _REF.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text!r} is no reference of a CRM's record; expected is ID, KIND:ID or TARGET/KIND:ID"
        )
    if found["target"] not in (None, target):
        return None
    return RecordRef(kind=found["kind"] or kind, id=found["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """What is written about one call that has ended: the present facts, whatever was written before.

    Times are aware and in UTC. Text is as people wrote it; an adapter cuts and escapes it as its CRM wants.
    """

    call_id: str
    number: str
    """The customer's, E.164."""
    placed_at: datetime
    ended_at: datetime
    outcome: str
    """The service's verdict: a `cti.model.calls.Outcome`."""
    direction: str = "outbound"
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    talk_seconds: float = 0.0
    """With an agent, all stays together."""
    ring_seconds: float = 0.0
    total_seconds: float = 0.0
    """From the attempt to the end."""
    cause: int | None = None
    sip_code: int | None = None
    end_reason: str | None = None
    disposition: str | None = None
    """The agent's verdict: a code of the dictionary."""
    note: str | None = None
    caller_id: str | None = None
    """The number shown, E.164."""
    agent: str | None = None
    """Login."""
    agent_name: str | None = None
    extension: str | None = None
    """The agent's endpoint."""
    contact: str | None = None
    """The contact's name."""
    contact_id: int | None = None
    campaign: str | None = None
    try_number: int = 1
    crm_ref: str | None = None
    """Reference of the record that was called, as the list brought it; see `record_ref`."""
    crm_customer: str | None = None
    crm_contact: str | None = None
    crm_deal: str | None = None
    recording_url: str | None = None
    """Only when the file is there."""
    recording_seconds: float | None = None
    transcript: str | None = None
    """One line for each thing said, `agent: ...`, `customer: ...`."""
    follow_up_at: datetime | None = None
    """When the contact is to be called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is remembered of one call at one target."""

    target: str
    call_id: str
    remote: RecordRef | None = None
    """What stands there for the call; None: nothing that we know of."""
    version: int = 0
    """The how manieth writing is the last one that went well; 0: none has."""
    fingerprint: str = ""
    """Of what was written last; the same again is not sent."""
    sending_at: datetime | None = None
    """A write began then, and nobody knows yet how it ended: whoever comes next looks before he writes."""
    pushed_at: datetime | None = None
    deleted_at: datetime | None = None
    """Somebody had deleted it there, seen then: it is never written again."""

    @property
    def unsure(self) -> bool:
        return self.sending_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """How a target stands, shared by all processes that write to it."""

    target: str
    state: str = "ok"
    """`ok`; `paused` until `until`; `stopped`: it takes a person (a key that is refused)."""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    failures: int = 0
    """Pauses in a row, since anything last went well."""
    tokens: float = 0.0
    """Requests that may leave at once, as of `tokens_at`; below 0: spent ahead."""
    tokens_at: datetime | None = None
    slowed: float = 1.0
    """Share of the configured rate that the CRM let us keep, 0 to 1."""
    day: str = ""
    """Date (UTC) that `spent` belongs to."""
    spent: int = 0
    """Requests of that day."""
    counts: dict[str, Any] = field(default_factory=dict)
    """How often the CRM answered how, by the word of the answer, since the target is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many requests a CRM's account is given."""

    per_second: float | None = None
    """For good; None: as many as there are."""
    burst: int = 1
    """At once after a silence."""
    per_day: int | None = None
    """In a day (UTC); None: no budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOrder:
    """One call that is to be written now, with all that this takes."""

    work: Work
    log: CallLog
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOrders:
    """What is handed out at one time."""

    orders: tuple[PushOrder, ...]
    wait_seconds: float = 0.0
    """Nothing is handed out for so long: the target pauses, or its rate is used up. 0: ask again as usual."""
    state: str = "ok"
    """How the target stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of one order."""

    work: Work
    link: Link
    """As it was handed out."""
    answer: Answer
    remote: RecordRef | None = None
    fingerprint: str = ""
    """Of what was sent; with OK."""
    message: str = ""
    pause_seconds: float | None = None
    """As the CRM said."""
    unsure_seconds: float = 0.0
    """With UNKNOWN: not before so long is it looked."""
