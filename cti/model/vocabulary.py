"""What is told to the outside: one versioned vocabulary for WebSocket, webhooks and whoever listens.

`told` turns an event of the bus into an envelope `{"v", "id", "type", "at", ...}`, or None when it is nobody's
business outside. Within version 1 fields and types are only added; a reader ignores what it does not know.
The id is made of type, subject and time: one event told twice, by whatever way, has one id.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.agents import Agent
from cti.model.call_record import call_record, moment
from cti.model.callbacks import Callback
from cti.model.calls import CallState
from cti.model.contacts import Candidate
from cti.model.events import (
    AgentMoved,
    CallbackMoved,
    CallFlagged,
    CallMoved,
    CampaignMoved,
    ContactAdded,
    ContactMoved,
    DispositionSet,
    Event,
    LegGone,
    LegUp,
    MaterialRequested,
    NodeLost,
    NodeUp,
    PhoneMoved,
    PreviewEnded,
    PreviewOffered,
    RecordingMissing,
    RecordingPaused,
    RecordingReady,
    RecordingResumed,
    RecordingStopped,
    ScoreFatal,
    ScreenPop,
    TranscriptionDead,
    TranscriptReady,
    WebhookMoved,
)
from cti.model.keyword_rules import verdict_record
from cti.model.look_ups import found_record
from cti.model.ownership import MoveKind
from cti.model.pops import card_record

VERSION: Final = 1


class EventType(StrEnum):
    """The names of events."""

    CALL_STARTED = "call.started"
    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_CONNECTED = "call.connected"
    CALL_ENDED = "call.ended"
    CALL_DISPOSITION_SET = "call.disposition_set"
    RECORDING_READY = "recording.ready"
    RECORDING_MISSING = "recording.missing"
    TRANSCRIPT_READY = "transcript.ready"
    TRANSCRIPTION_DEAD = "transcription.dead"
    RECORDING_PAUSED = "recording.paused"
    RECORDING_STOPPED = "recording.stopped"
    RECORDING_RESUMED = "recording.resumed"
    AGENT_STATE_CHANGED = "agent.state_changed"
    CAMPAIGN_STATE_CHANGED = "campaign.state_changed"
    CONTACT_CLAIMED = "contact.claimed"
    CONTACT_ASSIGNED = "contact.assigned"
    CONTACT_RETURNED = "contact.returned"
    PREVIEW_OFFERED = "preview.offered"
    PREVIEW_ENDED = "preview.ended"
    NODE_CONNECTED = "node.connected"
    NODE_LOST = "node.lost"
    CALLBACK_REMINDER = "callback.reminder"
    CALLBACK_DUE = "callback.due"
    CALLBACK_RELEASED = "callback.released"
    CALLBACK_MISSED = "callback.missed"
    QUALITY_FLAGGED = "quality.flagged"
    QUALITY_FATAL = "quality.fatal"
    CALL_SCREEN_POP = "call.screen_pop"
    MATERIAL_REQUESTED = "material.requested"
    WEBHOOK_STATE_CHANGED = "webhook.state_changed"


RESERVED: Final = frozenset[str]()
"""Names kept for later; not sent yet."""

_OWNERS: Final = "`contact_id`, `before`, `after` (agents' ids; null: the pool), `kind`, `reason`, `by`."

MEANINGS: Final[Mapping[EventType, str]] = {
    EventType.CALL_STARTED: "Asterisk has a channel for the call. `call`: its record.",
    EventType.CALL_RINGING: "It rings. `call`: its record.",
    EventType.CALL_ANSWERED: "Somebody answered; no agent yet. `call`: its record.",
    EventType.CALL_CONNECTED: "Customer and agent are joined. `call`: its record.",
    EventType.CALL_ENDED: "It is over; the outcome is known. `call`: its record.",
    EventType.CALL_DISPOSITION_SET: "The agent's verdict: `call_id`, `agent_id`, `disposition`, `note`, "
    "`campaign_id`, `contact_id`.",
    EventType.RECORDING_READY: "A recording is checked and kept: `call_id`, `path`, `seconds`, `size_bytes`, "
    "`campaign_id`.",
    EventType.RECORDING_MISSING: "Alarm: no usable recording: `call_id`, `reason`, `campaign_id`.",
    EventType.TRANSCRIPT_READY: "A call has a transcript, or a newer one: `call_id`, `version`, `model`, `language`, "
    "`campaign_id`.",
    EventType.TRANSCRIPTION_DEAD: "Alarm: a recording cannot be transcribed: `call_id`, `reason`.",
    EventType.RECORDING_PAUSED: "A running recording holds silence from now on, or (`paused` false) sound again: "
    "`call_id`, `paused`, `by`.",
    EventType.RECORDING_STOPPED: "Alarm: no room, so calls are placed without recording: `node` (empty: on all), "
    "`reason`.",
    EventType.RECORDING_RESUMED: "There is room again: new calls are recorded: `node` (empty: on all).",
    EventType.AGENT_STATE_CHANGED: "`agent`: as he is now; `before`, `after`, `reason`, `call_id`.",
    EventType.CAMPAIGN_STATE_CHANGED: "`campaign_id`, `name`, `state`.",
    EventType.CONTACT_CLAIMED: "An agent took a contact from the pool: " + _OWNERS,
    EventType.CONTACT_ASSIGNED: "A contact was given to an agent, from the pool or from another agent: "
    + _OWNERS,
    EventType.CONTACT_RETURNED: "A contact is back in the pool: " + _OWNERS,
    EventType.PREVIEW_OFFERED: "An agent is shown a contact: `agent_id`, `campaign_id`, `until`, `contact`.",
    EventType.PREVIEW_ENDED: "He looks at him no more: `agent_id`, `campaign_id`, `contact_id`, `reason`.",
    EventType.NODE_CONNECTED: "A node is connected and was asked what is up: `node`, `version`, `restarted`.",
    EventType.CALLBACK_REMINDER: "A callback will be due in some minutes. `callback`: as it is now.",
    EventType.CALLBACK_DUE: "Its time has come: the contact stands in the queue. `callback`.",
    EventType.CALLBACK_RELEASED: "Its agent was away for too long: anybody of the team may call. `callback`.",
    EventType.CALLBACK_MISSED: "It fell due, and the contact may not be called any more. `callback`.",
    EventType.QUALITY_FLAGGED: "A call broke a keyword rule whose severity is alert: `call_id`, `agent_id`, "
    "`campaign_id`, `title`, `verdict` (with the `rule`, its `version` and the `hits`).",
    EventType.QUALITY_FATAL: "A review failed a fatal question: `review_id`, `call_id`, `agent_id`, `campaign_id`, "
    "`card`, `fatal` (the questions).",
    EventType.CALL_SCREEN_POP: "An agent is to see whom he talks to, at `moment` `ring` or `connect`; worthless after "
    "`until`: `call_id`, `agent_id`, `campaign_id`, `number`, `crm_ref`, `contact` (with the CRM's references), or, "
    "where the call was placed for nobody in particular, `matches` and `more_matches`; `url`: the campaign's page. For "
    "a call that names no record, `records` of CRMs with the number, to choose from (`more_records`): they come with "
    "`revision` 2 of the same pop when the CRM has answered.",
    EventType.MATERIAL_REQUESTED: "A disposition asks for material to be sent: `call_id`, `contact_id`, "
    "`campaign_id`, `agent_id`, `disposition`, `template`, `channel`, `number`, `crm_ref`.",
    EventType.WEBHOOK_STATE_CHANGED: "A webhook is `on`, `off` or `suspended`: `webhook_id`, `name`, `state`, "
    "`reason`.",
    EventType.NODE_LOST: "No connection to a node; its calls may go on: `node`, `reason`.",
}

MOVES: Final[Mapping[CallState, EventType]] = {
    CallState.DIALING: EventType.CALL_STARTED,
    CallState.RINGING: EventType.CALL_RINGING,
    CallState.ANSWERED: EventType.CALL_ANSWERED,
    CallState.CONNECTED: EventType.CALL_CONNECTED,
    CallState.ENDED: EventType.CALL_ENDED,
}
"""A state that is skipped (no ringing before the answer) is not told; each event carries the whole record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event in the outside's words."""

    id: str
    """32 hex digits."""
    type: EventType
    at: datetime
    about: Mapping[str, Any]
    """The fields beside the envelope's; JSON values."""

    def envelope(self) -> dict[str, Any]:
        """Return what is sent."""
        return {
            "v": VERSION,
            "id": self.id,
            "type": self.type.value,
            "at": moment(self.at),
            **self.about,
        }


def told(event: Event) -> Told | None:
    """Return the event in the outside's words; None when it is not told."""
    match event:
        case CallMoved(before=before, call=call, at=at):
            if before is call.state or call.state not in MOVES:
                return None
            return _told(MOVES[call.state], call.id, at, {"call": call_record(call)})
        case AgentMoved(change=change, agent=agent):
            about = {
                "agent": agent_record(agent),
                "before": change.before,
                "after": change.after,
                "reason": change.reason,
                "call_id": change.call_id,
            }
            return _told(EventType.AGENT_STATE_CHANGED, f"{agent.id}/{change.after}", change.at, about)
        case ContactMoved(contact_id=contact_id, kind=kind, at=at):
            about = {
                name: getattr(event, name)
                for name in ("contact_id", "before", "after", "kind", "reason", "by")
            }
            return _told(_contact_event(event), f"{contact_id}/{kind}", at, about)
        case PreviewOffered(
            agent_id=agent_id, campaign_id=campaign_id, candidate=candidate, until=until, at=at
        ):
            offered: dict[str, Any] = {
                "agent_id": agent_id,
                "campaign_id": campaign_id,
                "until": moment(until),
                "contact": candidate_record(candidate),
            }
            return _told(EventType.PREVIEW_OFFERED, f"{agent_id}/{candidate.contact_id}", at, offered)
        case CallbackMoved(what=what, callback=one, at=at):
            return _told(EventType(f"callback.{what}"), str(one.id), at, {"callback": callback_record(one)})
        case CallFlagged(call_id=call_id, rule=rule, at=at):
            about = {name: getattr(event, name) for name in ("call_id", "agent_id", "campaign_id", "title")}
            about["verdict"] = verdict_record(event.verdict)
            return _told(EventType.QUALITY_FLAGGED, f"{call_id}/{rule}", at, about)
        case ScreenPop(call_id=call_id, agent_id=agent_id, moment=moment_, at=at):
            subject = f"{call_id}/{agent_id}/{moment_}" + (f"/{event.revision}" if event.revision > 1 else "")
            return _told(EventType.CALL_SCREEN_POP, subject, at, pop_record(event))
        case MaterialRequested(call_id=call_id, template=template, channel=channel, at=at):
            about = {name: getattr(event, name) for name in MATERIAL_FIELDS}
            return _told(EventType.MATERIAL_REQUESTED, f"{call_id}/{template}/{channel}", at, about)
        case LegUp() | LegGone() | PhoneMoved() | ContactAdded():
            return None
        case _:
            return _plain(event)


def _contact_event(event: ContactMoved) -> EventType:
    if event.after is None:
        return EventType.CONTACT_RETURNED
    return EventType.CONTACT_CLAIMED if event.kind == MoveKind.CLAIMED else EventType.CONTACT_ASSIGNED


def candidate_record(candidate: Candidate) -> dict[str, Any]:
    """Return a contact that may be dialed as everybody outside sees him: API and events."""
    return {
        "contact_id": candidate.contact_id,
        "name": candidate.name,
        "number": candidate.number,
        "tries": candidate.tries,
        "owner_agent_id": candidate.owner_agent_id,
        "crm_ref": candidate.crm_ref,
        "zone": candidate.zone or None,
        "list_id": candidate.list_id,
    }


MATERIAL_FIELDS: Final = (
    *("call_id", "contact_id", "campaign_id", "agent_id", "disposition", "template", "channel", "number"),
    "crm_ref",
)


def pop_record(pop: ScreenPop) -> dict[str, Any]:
    """Return a pop's fields as everybody outside sees them."""
    return {
        "call_id": pop.call_id,
        "agent_id": pop.agent_id,
        "campaign_id": pop.campaign_id,
        "moment": pop.moment.value,
        "number": pop.number,
        "crm_ref": pop.crm_ref,
        "contact": card_record(pop.contact) if pop.contact else None,
        "matches": [card_record(one) for one in pop.matches],
        "more_matches": pop.more_matches,
        "records": [found_record(one) for one in pop.records],
        "more_records": pop.more_records,
        "revision": pop.revision,
        "url": pop.url,
        "until": moment(pop.until),
    }


Plain = (
    DispositionSet
    | RecordingReady
    | RecordingMissing
    | TranscriptReady
    | TranscriptionDead
    | RecordingPaused
    | RecordingStopped
    | RecordingResumed
    | WebhookMoved
    | CampaignMoved
    | NodeUp
    | NodeLost
    | PreviewEnded
    | ScoreFatal
)

PLAIN: Final[Mapping[type[Plain], tuple[EventType, tuple[str, ...]]]] = {
    DispositionSet: (
        EventType.CALL_DISPOSITION_SET,
        ("call_id", "agent_id", "disposition", "note", "campaign_id", "contact_id"),
    ),
    RecordingReady: (
        EventType.RECORDING_READY,
        ("call_id", "path", "seconds", "size_bytes", "campaign_id"),
    ),
    RecordingMissing: (EventType.RECORDING_MISSING, ("call_id", "reason", "campaign_id")),
    TranscriptReady: (
        EventType.TRANSCRIPT_READY,
        ("call_id", "version", "model", "language", "campaign_id"),
    ),
    TranscriptionDead: (EventType.TRANSCRIPTION_DEAD, ("call_id", "reason")),
    RecordingPaused: (EventType.RECORDING_PAUSED, ("call_id", "paused", "by")),
    RecordingStopped: (EventType.RECORDING_STOPPED, ("node", "reason")),
    RecordingResumed: (EventType.RECORDING_RESUMED, ("node",)),
    CampaignMoved: (EventType.CAMPAIGN_STATE_CHANGED, ("campaign_id", "name", "state")),
    NodeUp: (EventType.NODE_CONNECTED, ("node", "version", "restarted")),
    PreviewEnded: (EventType.PREVIEW_ENDED, ("agent_id", "campaign_id", "contact_id", "reason")),
    NodeLost: (EventType.NODE_LOST, ("node", "reason")),
    ScoreFatal: (
        EventType.QUALITY_FATAL,
        ("review_id", "call_id", "agent_id", "campaign_id", "card", "fatal"),
    ),
    WebhookMoved: (EventType.WEBHOOK_STATE_CHANGED, ("webhook_id", "name", "state", "reason")),
}
"""Events told by their own fields; the first field is what the event is about."""


def _plain(event: Plain) -> Told:
    kind, fields = PLAIN[type(event)]
    about = {field: getattr(event, field) for field in fields}
    return _told(kind, str(about[fields[0]]), event.at, about)


def _told(kind: EventType, subject: str, at: datetime, about: Mapping[str, Any]) -> Told:
    digest = hashlib.blake2b(f"{kind}|{subject}|{at.isoformat()}".encode(), digest_size=16).hexdigest()
    return Told(id=digest, type=kind, at=at, about=about)


def callback_record(one: Callback) -> dict[str, Any]:
    """Return a callback as everybody outside sees it, its time in UTC and as it was agreed: API and events."""
    return {
        "id": one.id,
        "contact_id": one.contact_id,
        "campaign_id": one.campaign_id,
        "entry_id": one.entry_id,
        "agent_id": one.agent_id,
        "due_at": moment(one.due_at),
        "due_local": one.due_local.isoformat(timespec="seconds"),
        "zone": one.zone,
        "note": one.note,
        "state": one.state.value,
        "call_id": one.call_id,
        "reminded_at": moment(one.reminded_at),
        "released_at": moment(one.released_at),
        "created_at": moment(one.created_at),
        "created_by": one.created_by,
    }


def agent_record(agent: Agent) -> dict[str, Any]:
    """Return an agent as everybody outside sees him: API and events."""
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "endpoint": agent.endpoint,
        "node": agent.node,
        "state": agent.state,
        "since": moment(agent.since),
        "reason": agent.reason,
        "call_id": agent.call_id,
        "pause_next": agent.pause_next,
        "phone_reachable": agent.phone_reachable,
        "campaign_ids": list(agent.campaign_ids),
        "skills": list(agent.skills),
        "weight": agent.weight,
        "max_owned": agent.max_owned,
        "left_at": moment(agent.left_at),
    }
