"""How a call moves: one table, and the facts that each signal adds. Pure; who tells and who is told is not known here.

A signal that the table does not have for a state changes no state; it may still add a fact (a second stay in a bridge).
ENDED is final. How a call ended is said by `outcomes`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cti.ami.signals import (
    Answered,
    Bridged,
    ChannelSignal,
    Created,
    Detected,
    GraceOver,
    HungUp,
    MessagePlayed,
    Ringing,
    Unbridged,
    VoicemailPlayed,
    Waiting,
)
from cti.model.calls import Call, CallState, Join
from cti.model.ids import agent_of_channel

S = CallState

_FROM_ANSWER: Final[Mapping[type[ChannelSignal], CallState]] = {
    Answered: S.ANSWERED,
    Detected: S.ANSWERED,
    VoicemailPlayed: S.ANSWERED,
    Waiting: S.ANSWERED,
    GraceOver: S.ANSWERED,
    MessagePlayed: S.ANSWERED,
    Bridged: S.CONNECTED,
    HungUp: S.ENDED,
}

NEXT: Final[Mapping[CallState, Mapping[type[ChannelSignal], CallState]]] = {
    S.PLACING: {Created: S.DIALING, Ringing: S.RINGING, **_FROM_ANSWER},
    S.DIALING: {Ringing: S.RINGING, **_FROM_ANSWER},
    S.RINGING: _FROM_ANSWER,
    S.ANSWERED: {Bridged: S.CONNECTED, HungUp: S.ENDED},
    S.CONNECTED: {HungUp: S.ENDED},
    S.ENDED: {},
}


def advanced(call: Call, signal: ChannelSignal) -> Call:
    """Return the call with what the signal says; the same object when it says nothing new. Never ends a call."""
    after = NEXT[call.state].get(type(signal), call.state)
    if call.ended or after is S.ENDED:
        return call
    at = not_before(call, signal.at)
    facts = _facts(call, signal, at)
    if after is not call.state:
        facts |= _reached(call, after, at)
    return replace(call, **facts) if facts else call


def not_before(call: Call, at: datetime) -> datetime:
    """Return the moment, or the newest moment known of the call when that is later.

    Asterisk's clock may differ from ours by a little, and messages may come in another order than they happened.
    """
    return max(at, *filter(None, _moments(call)))


def latest(call: Call) -> datetime:
    """Return the newest moment known of the call."""
    return max(filter(None, _moments(call)))


def left(joins: tuple[Join, ...], at: datetime) -> tuple[Join, ...]:
    """Return the stays with the open one closed."""
    if not joins or joins[-1].left_at is not None:
        return joins
    return (*joins[:-1], replace(joins[-1], left_at=max(at, joins[-1].joined_at)))


def _moments(call: Call) -> tuple[datetime | None, ...]:
    stays = (call.joins[-1].joined_at, call.joins[-1].left_at) if call.joins else ()
    return (
        call.placed_at,
        call.dialing_at,
        call.ringing_at,
        call.answered_at,
        call.waiting_at,
        call.connected_at,
        call.dropped_at,
        call.message_played_at,
        call.detected_at,
        call.voicemail_at,
        *stays,
    )


def _reached(call: Call, state: CallState, at: datetime) -> dict[str, Any]:
    """The state, and the moments that it implies."""
    facts: dict[str, Any] = {"state": state, "dialing_at": call.dialing_at or at}
    if state is S.RINGING:
        facts["ringing_at"] = at
    if state in {S.ANSWERED, S.CONNECTED}:
        facts["answered_at"] = call.answered_at or at
    if state is S.CONNECTED:
        facts["connected_at"] = at
    return facts


def _facts(call: Call, signal: ChannelSignal, at: datetime) -> dict[str, Any]:
    """What the signal says besides the state."""
    match signal:
        case Created(channel=str(channel)) | Answered(channel=str(channel)) if channel and not call.channel:
            return {"channel": channel}
        case Detected(by=by, detection=detection) if call.detected_at is None:
            return {"answered_by": by, "detected_at": at, "detection": detection}
        case VoicemailPlayed() if call.voicemail_at is None:
            return {"voicemail_at": at}
        case Waiting() if call.waiting_at is None:
            return {"waiting_at": at}
        case GraceOver() if call.dropped_at is None:
            return {"dropped_at": at}
        case MessagePlayed() if call.message_played_at is None:
            return {"message_played_at": at}
        case Bridged(peer_id=peer) if call.joined is None or call.joined.channel_id != peer:
            return _joined(call, peer, at)
        case Unbridged(peer_id=peer) if call.joined is not None and call.joined.channel_id == peer:
            return {"joins": left(call.joins, at)}
    return {}


def _joined(call: Call, peer: str, at: datetime) -> dict[str, Any]:
    agent_id = agent_of_channel(peer)
    # A stay that is still open ended unheard: leaving one bridge may be told after entering the next.
    stays = (*left(call.joins, at), Join(agent_id=agent_id, channel_id=peer, joined_at=at))
    facts: dict[str, Any] = {"joins": stays}
    if not call.joins and agent_id is not None:
        facts["agent_id"] = agent_id
    return facts
