"""Makes what is written of a call from what is stored of it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cti.model.call_record import talk_seconds
from cti.model.crm import CallLog
from cti.model.queries import CallRow

REFS: Final = ("crm_ref", "crm_customer", "crm_contact", "crm_deal")


def call_log(
    row: CallRow,
    *,
    agent_name: str | None,
    extension: str | None,
    refs: Mapping[str, str | None],
    follow_ups: tuple[datetime | None, ...],
) -> CallLog:
    """Return it without recording link and transcript. `refs`: the contact's, by REFS; the call's own goes before.

    Of the follow-ups the nearest counts.
    """
    call = row.call
    ended = call.ended_at or call.placed_at
    rang = call.ringing_at or call.dialing_at or call.placed_at
    recording = row.recording
    return CallLog(
        call_id=call.id,
        number=call.number,
        placed_at=call.placed_at,
        ended_at=ended,
        outcome=call.outcome.value if call.outcome else "",
        answered_at=call.answered_at,
        connected_at=call.connected_at,
        talk_seconds=talk_seconds(call),
        ring_seconds=max(0.0, round(((call.answered_at or ended) - rang).total_seconds(), 3)),
        total_seconds=round((ended - call.placed_at).total_seconds(), 3),
        cause=call.cause,
        sip_code=call.sip_code,
        end_reason=call.end_reason.value if call.end_reason else None,
        disposition=row.disposition,
        note=row.note,
        caller_id=call.caller_id,
        agent=row.agent_login,
        agent_name=agent_name,
        extension=extension,
        contact=row.contact_name,
        contact_id=call.contact_id,
        campaign=row.campaign_name,
        try_number=call.try_number,
        crm_ref=call.crm_ref or refs.get("crm_ref"),
        crm_customer=refs.get("crm_customer"),
        crm_contact=refs.get("crm_contact"),
        crm_deal=refs.get("crm_deal"),
        recording_seconds=(recording.seconds or 0.0) if recording and recording.path else None,
        follow_up_at=min((moment for moment in follow_ups if moment), default=None),
    )
