"""Whether a CRM has our calls as we have them: orders to look, what was found, and how a run went. The words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cti.model.crm import CallLog, Link, RecordRef
from cti.model.work import Work

CRM_RECONCILE: Final = "crm.reconcile."
"""Kind of the work that reconciles a target: this and its name; its key is the run's number."""
REGULAR: Final = "regular"
"""Who ordered a run that nobody did: it was its time."""


class FindingKind(StrEnum):
    """In what a call and its records in a CRM do not agree."""

    MISSING = "missing"
    """A write began, or went well, and nothing stands there, of which we know no record. Pushed again."""
    UNWRITTEN = "unwritten"
    """It was never written, and no work waits for it. Pushed again."""
    UNLINKED = "unlinked"
    """It stands there as a record that we did not know. Remembered, and brought up to date."""
    DOUBLE = "double"
    """Several records stand there. On order all but one are removed, where the CRM lets us."""
    DIFFERING = "differing"
    """What stands there is not what we would write now. Pushed again, unless a person changed it there."""
    MOVED = "moved"
    """A person put it on another record. Told only."""
    DELETED = "deleted"
    """A person deleted it. Remembered: it is never written again."""
    RESTORED = "restored"
    """What a person had deleted is there again. Remembered, and brought up to date."""
    FOREIGN = "foreign"
    """It bears our mark, and there is no such call here. Told only."""


class Mended(StrEnum):
    """What was done about a finding."""

    NOTHING = ""
    PUSHED = "pushed"
    """The call waits to be written again."""
    REMEMBERED = "remembered"
    """What is remembered of the call says now what stands there; it waits to be brought up to date."""
    FLAGGED = "flagged"
    """It is remembered that a person deleted it."""
    REMOVED = "removed"
    """Extra records were removed there."""


class RunState(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement."""

    kind: FindingKind
    call_id: str
    remotes: tuple[RecordRef, ...] = ()
    """The records it is about."""
    fields: tuple[str, ...] = ()
    """What differs: names of the CRM's fields, and `started_at`, `seconds`."""
    detail: str = ""
    """For people."""
    mended: Mended = Mended.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCall:
    """A call that has ended, as we have it."""

    log: CallLog
    link: Link
    """As new where nothing is remembered."""
    busy: bool = False
    """Work waits for it, is under way, or is a dead letter: it is known to be not in step."""
    wanted: bool = True
    """Calls with its outcome are written to this target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurPage:
    """Some calls in the order of their ids."""

    calls: tuple[OurCall, ...]
    more: bool = False
    """There are further ones in the span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding with what is to be done about it here. Nothing is written, and nothing told, of a call that has
    changed since it was looked at."""

    finding: Finding
    before: Link | None = None
    """What was remembered when it was looked at; None: it is about no call of ours."""
    after: Link | None = None
    """What is remembered from now on; None: the same."""
    push: bool = False
    """Have it written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A run: ordered, under way, or over."""

    id: int = 0
    target: str
    ordered_by: str
    """A token's name, or `regular`."""
    ordered_at: datetime
    since: datetime
    """Calls placed from then on are looked at ..."""
    until: datetime
    """... and before then."""
    mend: bool = False
    """Also remove extra records, and remember deletions however many they are."""
    overwrite: bool = False
    """Also write over what a person changed there."""
    state: RunState = RunState.WAITING
    began_at: datetime | None = None
    ended_at: datetime | None = None
    reads_back: bool = True
    """False: the CRM cannot be read back, so that only our own side was looked at."""
    looked: int = 0
    """Calls of ours looked at."""
    there: int = 0
    """Records of ours seen there."""
    requests: int = 0
    """Requests that it took of the budget."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Findings by kind; kinds without any are left out."""
    mended: Mapping[str, int] = field(default_factory=dict)
    """Findings by what was done about them."""
    message: str = ""
    """Why it failed, waits, or did less than all."""
    reached: str = ""
    """All calls up to this id are done; a run that is begun again goes on behind it."""
    reached_at: datetime | None = None
    """And what stands there up to then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOrder:
    """A run handed out to whoever carries it out."""

    work: Work
    run: Reconciliation


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What looking at one page brought."""

    found: tuple[Found, ...]
    looked: int
    there: int
    requests: int
    reached: str
    reached_at: datetime | None
