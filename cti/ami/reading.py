"""What Asterisk's messages mean for our calls. Pure: a raw message in, a typed `Signal` or None out.

Only channels whose ids we chose count, and of those only what changes a call, a leg or a phone. Nothing is remembered
here: which two channels meet in a bridge is paired by `bridges`, what a call becomes is said by `call_state`.
Written for Asterisk 18 to 22; a header that a version does not have is None.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from cti.ami.message import Message
from cti.ami.signals import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    ContactSeen,
    Created,
    Detected,
    GraceOver,
    HangUpAsked,
    HungUp,
    MessagePlayed,
    OriginateFailed,
    Ringing,
    Signal,
    VoicemailPlayed,
    Waiting,
)
from cti.model.detection import answered_by, detection_words
from cti.model.ids import CALL_PREFIX, LEG_PREFIX

OURS: Final = (CALL_PREFIX, LEG_PREFIX)

REACHABLE: Final[Mapping[str, bool]] = {
    "Created": True,
    "Reachable": True,
    "NonQualified": True,
    "Unqualified": True,
    "Unreachable": False,
    "Removed": False,
}
"""PJSIP's words for a contact (res_pjsip/pjsip_options.c). `Unknown` and `Updated` say nothing about it."""

_UP = "6"
_RINGING = "5"
_SIP_CODE = re.compile(r"\b[1-6]\d\d\b")


def signal_of(message: Message, now: datetime) -> Signal | None:
    """Return what the message means for us, None for nothing. Never raises."""
    read = _READERS.get(message.text("Event"))
    return read(message, now) if read is not None else None


def endpoint_contact(message: Message, now: datetime) -> ContactSeen | None:
    """Return a row of `PJSIPShowContacts` as a signal. A registration not asked yet whether it answers counts."""
    return _contact(message, now, "Endpoint", "Status", "Uri", unknown=True)


def _at(message: Message, now: datetime) -> datetime:
    stamp = message.text("Timestamp")
    try:
        return datetime.fromtimestamp(float(stamp), UTC) if stamp else now
    except (ValueError, OverflowError, OSError):
        return now


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _created(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("Uniqueid")
    if not channel_id.startswith(OURS):
        return None
    return Created(channel_id=channel_id, at=_at(message, now), channel=message.text("Channel"))


def _new_state(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("Uniqueid")
    if not channel_id.startswith(OURS):
        return None
    state = message.text("ChannelState")
    if state == _UP:
        return Answered(channel_id=channel_id, at=_at(message, now), channel=message.text("Channel") or None)
    return Ringing(channel_id=channel_id, at=_at(message, now)) if state == _RINGING else None


def _dial_state(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("DestUniqueid")
    if not channel_id.startswith(OURS) or message.text("DialStatus") not in {"RINGING", "PROGRESS"}:
        return None
    return Ringing(channel_id=channel_id, at=_at(message, now))


def _dial_end(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("DestUniqueid")
    if not channel_id.startswith(OURS) or message.text("DialStatus") != "ANSWER":
        return None
    return Answered(channel_id=channel_id, at=_at(message, now), channel=message.text("DestChannel") or None)


def _originated(message: Message, now: datetime) -> Signal | None:
    # Without a channel there is no Uniqueid; the ActionID that we chose tells whose order it was.
    channel_id = next(
        (i for i in (message.text("Uniqueid"), message.text("ActionID")) if i.startswith(OURS)), None
    )
    if channel_id is None:
        return None
    at = _at(message, now)
    if message.text("Response") == "Success":
        return Answered(channel_id=channel_id, at=at, channel=message.text("Channel") or None)
    return OriginateFailed(channel_id=channel_id, at=at, reason=_number(message.text("Reason")))


def _told(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("Uniqueid")
    if not channel_id.startswith(OURS):
        return None
    match message.text("UserEvent"):
        case "CtiWaiting":
            return Waiting(channel_id=channel_id, at=_at(message, now))
        case "CtiDropped":
            return GraceOver(channel_id=channel_id, at=_at(message, now))
        case "CtiDetected":
            return Detected(
                channel_id=channel_id,
                at=_at(message, now),
                by=answered_by(message.text("By")),
                detection=detection_words(message.text("Cause")),
            )
        case "CtiVoicemail" if message.text("Status") == "SUCCESS":
            return VoicemailPlayed(channel_id=channel_id, at=_at(message, now))
        case "CtiMessage" if message.text("Status") in {"SUCCESS", ""}:
            return MessagePlayed(channel_id=channel_id, at=_at(message, now))
    return None


def _entered(message: Message, now: datetime) -> Signal | None:
    # In a holding bridge (BridgeWait) people wait; they do not talk with each other.
    if message.text("BridgeTechnology") == "holding_bridge":
        return None
    return BridgeEntered(
        channel_id=message.text("Uniqueid"),
        at=_at(message, now),
        channel=message.text("Channel"),
        bridge_id=message.text("BridgeUniqueid"),
    )


def _left(message: Message, now: datetime) -> Signal | None:
    return BridgeLeft(
        channel_id=message.text("Uniqueid"), at=_at(message, now), bridge_id=message.text("BridgeUniqueid")
    )


def _hang_up_asked(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("Uniqueid")
    if not channel_id.startswith(OURS):
        return None
    far_end = message.text("Event") == "HangupRequest"
    return HangUpAsked(channel_id=channel_id, at=_at(message, now), far_end=far_end)


def _hung_up(message: Message, now: datetime) -> Signal | None:
    channel_id = message.text("Uniqueid")
    if not channel_id.startswith(OURS):
        return None
    code = _SIP_CODE.search(message.text("TechCause"))
    return HungUp(
        channel_id=channel_id,
        at=_at(message, now),
        cause=_number(message.text("Cause")),
        cause_text=message.text("Cause-txt") or None,
        sip_code=int(code[0]) if code else None,
    )


def _contact_status(message: Message, now: datetime) -> Signal | None:
    return _contact(message, now, "EndpointName", "ContactStatus", "URI")


def _contact(
    message: Message, now: datetime, endpoint: str, status: str, uri: str, *, unknown: bool | None = None
) -> ContactSeen | None:
    """The row and the event spell their headers differently."""
    reachable, name = REACHABLE.get(message.text(status), unknown), message.text(endpoint)
    if reachable is None or not name:
        return None
    return ContactSeen(endpoint=name, uri=message.text(uri), reachable=reachable, at=_at(message, now))


_READERS: Final[Mapping[str, Callable[[Message, datetime], Signal | None]]] = {
    "Newchannel": _created,
    "Newstate": _new_state,
    "DialState": _dial_state,
    "DialEnd": _dial_end,
    "OriginateResponse": _originated,
    "UserEvent": _told,
    "BridgeEnter": _entered,
    "BridgeLeave": _left,
    "HangupRequest": _hang_up_asked,
    "SoftHangupRequest": _hang_up_asked,
    "Hangup": _hung_up,
    "ContactStatus": _contact_status,
}
