"""A call: one conversation that we placed, from the order to the hang-up.

A `Call` is an immutable snapshot of all that is known of it now. It is advanced by `cti.ami.call_tracker` and stored
as it is by `cti.storage`; nothing else changes it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CallState(StrEnum):
    """How far a call has come. Stored; the order is that of a normal call."""

    PLACING = "placing"
    """Committed to the database; the Originate may or may not have left."""
    DIALING = "dialing"
    """Asterisk has a channel for it."""
    RINGING = "ringing"
    """180 or 183 came back."""
    ANSWERED = "answered"
    """200 OK. The person hears us (or nothing), no agent yet."""
    CONNECTED = "connected"
    """Joined with an agent at least once; stays so until the end, also while nobody is joined."""
    ENDED = "ended"


class Outcome(StrEnum):
    """The machine's verdict on an ended call.

    placed = answered + no_answer + busy + failed + lost; answered = connected + dropped + gone_early + machine.
    """

    CONNECTED = "connected"
    """Joined with an agent."""
    DROPPED = "dropped"
    """A person was still there at the end of the grace and was not joined."""
    GONE_EARLY = "gone_early"
    """Answered, hung up before the end of the grace, not joined."""
    MACHINE = "machine"
    """Answered by a machine or fax."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    """Refused by a network, never sent, or cut off before an answer; cause, SIP code and reason say why."""
    LOST = "lost"
    """Nobody could find out how it ended. Must not happen; counted so that it is seen."""


ANSWERED_OUTCOMES = frozenset({Outcome.CONNECTED, Outcome.DROPPED, Outcome.GONE_EARLY, Outcome.MACHINE})


class EndReason(StrEnum):
    """Why a call ended, in our words; `cause` and `sip_code` are the network's."""

    HUNG_UP = "hung_up"
    """A hang-up was seen on the wire, whoever did it: see `EndedBy`."""
    RING_TIMEOUT = "ring_timeout"
    """We stopped ringing."""
    REFUSED = "refused"
    """Asterisk answered the Originate with an error, or could not make a channel."""
    NOT_SENT = "not_sent"
    """The Originate never left: the node was not connected, or the call was no longer wanted. Nobody was rung."""
    NODE_LOST = "node_lost"
    """Asterisk died or was restarted with the call up."""
    NO_TRACE = "no_trace"
    """After a reconnect there was no channel and no record of one."""


class EndedBy(StrEnum):
    """Who ended an answered call."""

    CUSTOMER = "customer"
    AGENT = "agent"
    """He asked for it, or his phone went away."""
    SERVICE = "service"
    """The dialplan's safety net, or the daemon."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One stay of an agent with the customer."""

    agent_id: int | None
    """None when the peer was not one of our agents' legs."""
    channel_id: str
    """The agent leg's channel id."""
    joined_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """All that is known of one call now. Times are aware and in UTC, None until they happen."""

    id: str
    node: str
    """Name of the Asterisk node that carries it."""
    number: str
    """E.164 with the plus sign: what was dialed."""
    placed_at: datetime
    """When the attempt was made; committed before the Originate left."""
    trunk: str = ""
    """PJSIP endpoint it leaves by."""
    campaign_id: int | None = None
    list_id: int | None = None
    contact_id: int | None = None
    number_id: int | None = None
    agent_id: int | None = None
    """Before the join: whom it is reserved for. After: who talked (the first one)."""
    owner_agent_id: int | None = None
    """Who owns the contact, if anyone."""
    crm_ref: str | None = None
    """The CRM's reference of the record this call belongs to."""
    try_number: int = 1
    """The how manieth attempt at this contact in this list, from 1."""
    ring_seconds: float = 30.0
    grace_seconds: float = 2.0

    state: CallState = CallState.PLACING
    channel: str | None = None
    """Asterisk's name of the customer's channel, for example PJSIP/carrier-0000002a."""
    dialing_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    waiting_at: datetime | None = None
    """The dialplan said that he waits in the safety net: recording runs and he may be fetched."""
    connected_at: datetime | None = None
    dropped_at: datetime | None = None
    """The dialplan said that the grace is over and nobody had fetched him."""
    message_played_at: datetime | None = None
    ended_at: datetime | None = None
    joins: tuple[Join, ...] = ()

    outcome: Outcome | None = None
    end_reason: EndReason | None = None
    ended_by: EndedBy | None = None
    cause: int | None = None
    """Q.850 cause of the Hangup event; 0 is Asterisk's "unknown"."""
    cause_text: str | None = None
    sip_code: int | None = None
    """Final SIP answer, where the Asterisk version tells it (`TechCause`), else None."""
    recording: str | None = None
    """Name that the node records under, without folder and suffix; None when not recorded."""

    mode: str | None = None
    """The campaign's mode when it was placed."""
    caller_id: str | None = None
    """Number shown to the person called; None: the trunk's."""
    next_trunk: str | None = None
    """By which trunk the contact is tried once more when this one fails before anything rings; None: by none."""
    answer_chance: float | None = None
    """Chance of a person answering, as learned before it was placed."""
    why: str | None = None
    """Why it was placed."""
    machines: str | None = None
    """What is done with a machine that answers (a `MachineAction`); None: nobody looks whether one did."""
    grace_start: str | None = None
    """From when the grace counts where machines are looked for (a `GraceStart`); else it is the answer."""
    answered_by: str | None = None
    """`person`, `machine`, `fax`, `unknown`, as detected; None: nobody looked."""
    detected_at: datetime | None = None
    """When that was known."""
    detection: str | None = None
    """The detector's own words for it."""
    voicemail_at: datetime | None = None
    """The voicemail message had been played."""

    @property
    def channel_id(self) -> str:
        """Asterisk's unique id of the customer's leg; chosen by us."""
        return "waihu-c-" + self.id

    @property
    def ended(self) -> bool:
        return self.state is CallState.ENDED

    @property
    def joined(self) -> Join | None:
        """The stay that goes on now, or None."""
        return self.joins[-1] if self.joins and self.joins[-1].left_at is None else None
