"""What happens inside the daemon, as values on the bus. For the words told to the outside see `vocabulary`."""

from dataclasses import dataclass
from datetime import datetime

from cti.model.agents import Agent, AgentChange
from cti.model.callbacks import Callback
from cti.model.calls import Call, CallState
from cti.model.contacts import Candidate
from cti.model.keyword_rules import RuleVerdict
from cti.model.look_ups import FoundRecord
from cti.model.pops import ContactCard, PopMoment


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMoved:
    """Something became known of a call: its state, or another fact at the same state."""

    before: CallState
    call: Call
    at: datetime
    """When it happened, by Asterisk's clock where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegUp:
    """An agent's kept leg was answered."""

    channel_id: str
    channel: str
    node: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGone:
    """An agent's kept leg ended, or never came up."""

    channel_id: str
    node: str
    cause: int | None
    cause_text: str | None
    at: datetime
    node_lost: bool = False
    """Asterisk was started anew: the leg ended with it, and not by the agent's wish."""
    by_node: bool = False
    """A program on Asterisk's side ended it, not the phone: perhaps Asterisk itself, which was told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneMoved:
    """A phone's registration came or went."""

    node: str
    endpoint: str
    reachable: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUp:
    """A node is connected, and what is up on it has been asked and told."""

    node: str
    version: str
    restarted: bool
    """It was started anew since we last saw it: no call from before can be up."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLost:
    """The connection to a node is gone; its calls may well go on."""

    node: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMoved:
    """An agent's state changed."""

    change: AgentChange
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionSet:
    """An agent said how a call went."""

    call_id: str
    agent_id: int | None
    disposition: str
    note: str
    at: datetime
    campaign_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReady:
    """A call's recording was checked and kept."""

    call_id: str
    path: str
    """Below the recordings folder, with forward slashes."""
    seconds: float
    size_bytes: int
    at: datetime
    campaign_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMissing:
    """Alarm: a call that should have been recorded has no usable file."""

    call_id: str
    reason: str
    at: datetime
    campaign_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptReady:
    """A call has a transcript, or a newer one."""

    call_id: str
    version: int
    model: str
    language: str
    at: datetime
    campaign_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionDead:
    """Alarm: a recording could not be transcribed, and is not tried again by itself."""

    call_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused:
    """From now on a running recording holds silence, or sound again."""

    call_id: str
    paused: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStopped:
    """Alarm: calls are placed without recording, for want of room."""

    node: str
    """Empty: on all nodes."""
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed:
    """There is room again: new calls are recorded."""

    node: str
    """Empty: on all nodes."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignMoved:
    """A campaign was started, paused, stopped, or has nothing left to do."""

    campaign_id: int
    name: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAdded:
    """A contact came in that wants to be dialed now: a lead in real time."""

    campaign_id: int
    entry_id: int
    at: datetime
    """When it was asked for, so that the time up to the Originate can be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMoved:
    """A contact has another owner, or none: see the `MoveKind`s."""

    contact_id: int
    before: int | None
    """The agent he belonged to."""
    after: int | None
    kind: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewOffered:
    """An agent is shown a contact, and decides whether to call."""

    agent_id: int
    campaign_id: int
    candidate: Candidate
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewEnded:
    """An agent looks at the contact no more: dialed, skipped, refused by a rule, or he went."""

    agent_id: int
    campaign_id: int
    contact_id: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackMoved:
    """A callback's time comes or has come."""

    what: str
    """`reminder`, `due`, `released` or `missed`."""
    callback: Callback
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlagged:
    """A call broke a keyword rule whose severity is alert."""

    call_id: str
    agent_id: int | None
    campaign_id: int | None
    rule: str
    title: str
    verdict: RuleVerdict
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenPop:
    """An agent is to see whom he talks to now. Best effort: whoever gets it late throws it away."""

    call_id: str
    agent_id: int
    campaign_id: int | None
    moment: PopMoment
    number: str
    crm_ref: str | None
    """Of the call: the record that its log lands on."""
    contact: ContactCard | None
    """Whom the call was placed for; None: nobody in particular."""
    matches: tuple[ContactCard, ...]
    """Who has this number, where the call was placed for nobody in particular: offered, never chosen."""
    more_matches: bool
    url: str | None
    """The campaign's page for him, filled in."""
    until: datetime
    at: datetime
    records: tuple[FoundRecord, ...] = ()
    """Of CRMs, for a call that names none: offered, never chosen."""
    more_records: bool = False
    revision: int = 1
    """2: the same pop once more, now with what a CRM said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFatal:
    """A review was submitted in which a fatal question is failed."""

    review_id: int
    call_id: str
    agent_id: int | None
    campaign_id: int | None
    card: str
    fatal: tuple[str, ...]
    """The questions' codes."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRequested:
    """A disposition asks for material to be sent; somebody outside sends it."""

    call_id: str
    contact_id: int | None
    campaign_id: int | None
    agent_id: int | None
    disposition: str
    template: str
    channel: str
    number: str
    crm_ref: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMoved:
    """A webhook was switched on or off, or suspended after it failed for too long."""

    webhook_id: int
    name: str
    state: str
    reason: str
    at: datetime


Event = (
    CallMoved
    | CallFlagged
    | ScoreFatal
    | ScreenPop
    | MaterialRequested
    | WebhookMoved
    | CallbackMoved
    | LegUp
    | LegGone
    | PhoneMoved
    | NodeUp
    | NodeLost
    | AgentMoved
    | DispositionSet
    | RecordingReady
    | RecordingMissing
    | TranscriptReady
    | TranscriptionDead
    | RecordingPaused
    | RecordingStopped
    | RecordingResumed
    | CampaignMoved
    | ContactAdded
    | ContactMoved
    | PreviewOffered
    | PreviewEnded
)
