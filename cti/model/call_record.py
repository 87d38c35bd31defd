"""The record of a call as everybody outside sees it: API, live events, exports.

One table of fields, each with its meaning; `call_record` applies it; the reference page is made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cti.model.calls import Call
from cti.model.queries import CallRow, RecordingFacts

Value = Any
"""What JSON can hold."""


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field of the record."""

    name: str
    kind: str
    """`text`, `time` (ISO 8601, UTC), `number`, `list`, `table`."""
    meaning: str
    value: Callable[[CallRow], Value]


def moment(at: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC with microseconds and `Z`."""
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _wait_seconds(row: CallRow) -> float | None:
    answered, connected = row.call.answered_at, row.call.connected_at
    return round((connected - answered).total_seconds(), 3) if answered and connected else None


def talk_seconds(call: Call) -> float:
    """Return how long agents talked, all stays together, as far as they are over."""
    stays = [(join.left_at or call.ended_at, join.joined_at) for join in call.joins]
    return round(sum((left - joined).total_seconds() for left, joined in stays if left), 3)


def _total_seconds(row: CallRow) -> float | None:
    ended = row.call.ended_at
    return round((ended - row.call.placed_at).total_seconds(), 3) if ended else None


def _joins(row: CallRow) -> list[dict[str, Value]]:
    return [
        {
            "agent_id": join.agent_id,
            "channel_id": join.channel_id,
            "joined_at": moment(join.joined_at),
            "left_at": moment(join.left_at),
        }
        for join in row.call.joins
    ]


def _recording(row: CallRow) -> RecordingFacts:
    return row.recording or RecordingFacts(path=None)


CALL_FIELDS: Final[tuple[RecordField, ...]] = (
    RecordField("id", "text", "The call's id: 32 hex digits that sort by time.", lambda row: row.call.id),
    RecordField(
        "state",
        "text",
        "How far it has come: `placing`, `dialing`, `ringing`, `answered`, `connected`, `ended`.",
        lambda row: row.call.state,
    ),
    RecordField(
        "outcome",
        "text",
        "The service's verdict on an ended call: `connected`, `dropped`, `gone_early`, `machine`, "
        "`no_answer`, `busy`, `failed`, `lost`.",
        lambda row: row.call.outcome,
    ),
    RecordField("number", "text", "The number dialed, E.164.", lambda row: row.call.number),
    RecordField("contact", "text", "The contact's name.", lambda row: row.contact_name),
    RecordField("campaign", "text", "The campaign's name.", lambda row: row.campaign_name),
    RecordField("agent", "text", "Login of the agent.", lambda row: row.agent_login),
    RecordField("disposition", "text", "The agent's verdict.", lambda row: row.disposition),
    RecordField("note", "text", "The agent's note.", lambda row: row.note),
    RecordField("placed_at", "time", "The attempt was made.", lambda row: moment(row.call.placed_at)),
    RecordField(
        "dialing_at", "time", "Asterisk made a channel for it.", lambda row: moment(row.call.dialing_at)
    ),
    RecordField("ringing_at", "time", "It rang (SIP 180 or 183).", lambda row: moment(row.call.ringing_at)),
    RecordField(
        "answered_at", "time", "It was answered (SIP 200).", lambda row: moment(row.call.answered_at)
    ),
    RecordField(
        "waiting_at", "time", "The customer could be fetched.", lambda row: moment(row.call.waiting_at)
    ),
    RecordField(
        "connected_at", "time", "First joined with an agent.", lambda row: moment(row.call.connected_at)
    ),
    RecordField(
        "dropped_at",
        "time",
        "The grace ended and nobody had fetched the customer.",
        lambda row: moment(row.call.dropped_at),
    ),
    RecordField(
        "message_played_at",
        "time",
        "The message for a dropped customer had been played.",
        lambda row: moment(row.call.message_played_at),
    ),
    RecordField("ended_at", "time", "It was over.", lambda row: moment(row.call.ended_at)),
    RecordField(
        "wait_seconds", "number", "From answer to join; null when one of them did not happen.", _wait_seconds
    ),
    RecordField(
        "talk_seconds",
        "number",
        "Time joined with agents, of the stays that are over.",
        lambda row: talk_seconds(row.call),
    ),
    RecordField("total_seconds", "number", "From `placed_at` to `ended_at`.", _total_seconds),
    RecordField(
        "end_reason",
        "text",
        "How it ended: `hung_up`, `ring_timeout`, `refused`, `not_sent`, `node_lost`, `no_trace`.",
        lambda row: row.call.end_reason,
    ),
    RecordField(
        "ended_by",
        "text",
        "Who ended an answered call: `customer`, `agent`, `service`, `unknown`.",
        lambda row: row.call.ended_by,
    ),
    RecordField("cause", "number", "Q.850 cause of the hang-up; 0 is unknown.", lambda row: row.call.cause),
    RecordField("cause_text", "text", "Asterisk's words for the cause.", lambda row: row.call.cause_text),
    RecordField(
        "sip_code",
        "number",
        "Final SIP answer; null where Asterisk's version does not tell it.",
        lambda row: row.call.sip_code,
    ),
    RecordField("mode", "text", "The campaign's mode when it was placed.", lambda row: row.call.mode),
    RecordField(
        "caller_id",
        "text",
        "Number shown to the person called; null: the trunk's.",
        lambda row: row.call.caller_id,
    ),
    RecordField(
        "answer_chance",
        "number",
        "Chance of a person answering, as learned before it was placed.",
        lambda row: row.call.answer_chance,
    ),
    RecordField("why", "text", "Why it was placed.", lambda row: row.call.why),
    RecordField(
        "machines",
        "text",
        "What is done with a machine that answers: `hang_up`, `voicemail`, `to_agent`; null: nobody looks.",
        lambda row: row.call.machines,
    ),
    RecordField(
        "grace_start",
        "text",
        "Where machines are looked for: whether the grace counts from the answer (`connected`) or from the end of the "
        "detection (`greeting`).",
        lambda row: row.call.grace_start,
    ),
    RecordField(
        "answered_by",
        "text",
        "`person`, `machine`, `fax` or `unknown`, as detected; null: nobody looked.",
        lambda row: row.call.answered_by,
    ),
    RecordField("detected_at", "time", "When that was known.", lambda row: moment(row.call.detected_at)),
    RecordField("detection", "text", "The detector's own words for it.", lambda row: row.call.detection),
    RecordField(
        "voicemail_at",
        "time",
        "The voicemail message had been played.",
        lambda row: moment(row.call.voicemail_at),
    ),
    RecordField("node", "text", "The Asterisk node that carried it.", lambda row: row.call.node),
    RecordField("trunk", "text", "PJSIP endpoint it left by.", lambda row: row.call.trunk),
    RecordField(
        "next_trunk",
        "text",
        "By which the contact is tried once more when this trunk fails before anything rings.",
        lambda row: row.call.next_trunk,
    ),
    RecordField(
        "channel_id",
        "text",
        "Asterisk's unique id of the customer's channel.",
        lambda row: row.call.channel_id,
    ),
    RecordField(
        "channel", "text", "Asterisk's name of the customer's channel.", lambda row: row.call.channel
    ),
    RecordField("campaign_id", "number", "The campaign.", lambda row: row.call.campaign_id),
    RecordField(
        "list_id", "number", "The list that the contact was taken from.", lambda row: row.call.list_id
    ),
    RecordField("contact_id", "number", "The contact.", lambda row: row.call.contact_id),
    RecordField("number_id", "number", "Which of his numbers.", lambda row: row.call.number_id),
    RecordField(
        "agent_id",
        "number",
        "Before the join: whom it is reserved for; after it: who talked first.",
        lambda row: row.call.agent_id,
    ),
    RecordField("owner_agent_id", "number", "Who owns the contact.", lambda row: row.call.owner_agent_id),
    RecordField("crm_ref", "text", "The CRM's reference of the record.", lambda row: row.call.crm_ref),
    RecordField(
        "try_number",
        "number",
        "Which attempt at this contact in this list, from 1.",
        lambda row: row.call.try_number,
    ),
    RecordField(
        "ring_seconds", "number", "How long it was allowed to ring.", lambda row: row.call.ring_seconds
    ),
    RecordField(
        "grace_seconds",
        "number",
        "How long the answered person was allowed to wait.",
        lambda row: row.call.grace_seconds,
    ),
    RecordField(
        "recording_path",
        "text",
        "The recording's file below the recordings folder; null when there is none (yet).",
        lambda row: _recording(row).path,
    ),
    RecordField(
        "recording_seconds", "number", "Length of the recording.", lambda row: _recording(row).seconds
    ),
    RecordField(
        "recording_bytes", "number", "Size of the recording.", lambda row: _recording(row).size_bytes
    ),
    RecordField(
        "recording_problem",
        "text",
        "Why there is no recording, or why it is suspicious.",
        lambda row: _recording(row).problem,
    ),
    RecordField(
        "joins",
        "list",
        "Each stay with an agent: `agent_id` (null: not one of ours), `channel_id`, `joined_at`, `left_at`.",
        _joins,
    ),
    RecordField(
        "deal",
        "table",
        "The contact's deal as the CRM has it now: `ref`, `name`, `stage`, `amount`, `currency`.",
        lambda row: dict(row.deal) if row.deal else None,
    ),
)
"""In the order in which people want to read them."""


def call_record(of: CallRow | Call) -> dict[str, Value]:
    """Return the record. Of a bare `Call` (live events) names, deal, disposition and recording are null."""
    row = of if isinstance(of, CallRow) else CallRow(call=of)
    return {field.name: field.value(row) for field in CALL_FIELDS}
