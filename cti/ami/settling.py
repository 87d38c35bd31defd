"""Calls whose channel is gone and whose end was not heard, and calls found up after a reconnect. Pure.

The node's own records (`Story`) say what happened where they can be read; without them the call is judged by how far it
had come.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from cti.ami.call_state import latest, left
from cti.ami.outcomes import Circumstances, answered_verdict, ended, hung_up, rang_too_long, verdict
from cti.ami.ports import ChannelFacts
from cti.ami.signals import HungUp
from cti.model.calls import Call, CallState, EndedBy, EndReason, Join, Outcome
from cti.model.ids import agent_of_channel
from cti.model.stories import Stay, Story

LegOf = Callable[[str], str | None]
"""Asterisk's name of a channel -> its id, where we know it."""


def settled(
    call: Call, story: Story | None, *, restarted: bool, now: datetime, leg_of: LegOf, seen: Circumstances
) -> Call:
    """Return the call ended as well as can be known; `restarted`: its Asterisk was started anew since.

    A call that Asterisk never heard of is failed. `lost` is left for one that had a channel whose end nobody knows.
    """
    if story is not None:
        return _by_story(told(call, story, leg_of), story, restarted=restarted, now=now, seen=seen)
    at = max(now, latest(call))
    reason = EndReason.NODE_LOST if restarted else EndReason.NO_TRACE
    if call.answered_at is not None:
        return ended(call, at=at, outcome=answered_verdict(call, at), reason=reason, by=EndedBy.UNKNOWN)
    unknown = call.state is not CallState.PLACING and not restarted
    return ended(call, at=at, outcome=Outcome.LOST if unknown else Outcome.FAILED, reason=reason)


def _by_story(call: Call, story: Story, *, restarted: bool, now: datetime, seen: Circumstances) -> Call:
    if story.ended_at is not None:
        end = HungUp(channel_id=call.channel_id, at=story.ended_at, cause=story.cause)
        return hung_up(call, end, _told_of_end(call, story, seen))
    # Asterisk died before it wrote the end: the last thing it wrote is the last that is certain.
    at = max((story.last_at if restarted else None) or now, latest(call))
    reason = EndReason.NODE_LOST if restarted else EndReason.NO_TRACE
    by = EndedBy.UNKNOWN if call.answered_at is not None else None
    outcome = verdict(call, at, cause=None, timed_out=rang_too_long(call, at, None, None) and not restarted)
    return ended(call, at=at, outcome=outcome, reason=reason, by=by)


def _told_of_end(call: Call, story: Story, seen: Circumstances) -> Circumstances:
    """Add who hung up, as far as the records know it; of a talk they mostly do not."""
    far_end = seen.far_end or story.far_end
    return replace(seen, far_end=far_end, others=seen.others or (bool(call.joins) and not far_end))


def told(call: Call, story: Story, leg_of: LegOf) -> Call:
    """Return the call with what its node wrote down; never takes back what was heard."""
    answered_at = call.answered_at or story.answered_at
    joins = _stays(call, story, leg_of)
    return replace(
        call,
        state=_furthest(call, answered=answered_at is not None, joined=bool(joins), dialing=True),
        channel=call.channel or story.channel,
        dialing_at=call.dialing_at or story.started_at,
        answered_at=answered_at,
        connected_at=call.connected_at or (joins[0].joined_at if joins else None),
        dropped_at=call.dropped_at or story.dropped_at,
        answered_by=call.answered_by or story.answered_by,
        detected_at=call.detected_at or story.detected_at,
        detection=call.detection or story.detection,
        voicemail_at=call.voicemail_at or story.voicemail_at,
        joins=joins,
        agent_id=next((join.agent_id for join in joins if join.agent_id is not None), call.agent_id),
    )


def _stays(call: Call, story: Story, leg_of: LegOf) -> tuple[Join, ...]:
    """Return the stays of the records, with the agents of those that were heard; what only was heard stays, too."""
    if len(story.stays) < len(call.joins):
        return call.joins
    heard = list(call.joins) + [None] * (len(story.stays) - len(call.joins))
    return tuple(_stay(known, stay, leg_of) for known, stay in zip(heard, story.stays, strict=True))


def _stay(known: Join | None, stay: Stay, leg_of: LegOf) -> Join:
    if known is not None:
        return replace(known, left_at=known.left_at or stay.left_at)
    channel_id = leg_of(stay.peer) if stay.peer else None
    return Join(
        agent_id=agent_of_channel(channel_id) if channel_id else None,
        channel_id=channel_id or stay.peer or "",
        joined_at=stay.entered_at,
        left_at=stay.left_at,
    )


def adopted(call: Call, facts: ChannelFacts, peer_id: str | None, story: Story | None, leg_of: LegOf) -> Call:
    """Return the call with what its living channel shows; `peer_id` is the channel it talks with now, if any."""
    if story is not None:
        call = told(call, story, leg_of)
    call = _shown(call, facts)
    joined = call.joined
    if joined is not None and joined.channel_id != peer_id:
        if peer_id is not None and joined.agent_id is None:
            # The records named the peer, and only now is its id known.
            fixed = replace(joined, channel_id=peer_id, agent_id=agent_of_channel(peer_id))
            return replace(call, joins=(*call.joins[:-1], fixed), agent_id=call.agent_id or fixed.agent_id)
        call = replace(call, joins=left(call.joins, facts.at))
        joined = None
    return call if peer_id is None or joined is not None else _now_with(call, peer_id, facts.at)


def _now_with(call: Call, peer_id: str, at: datetime) -> Call:
    at = max(at, latest(call))
    agent_id = agent_of_channel(peer_id)
    return replace(
        call,
        state=CallState.CONNECTED,
        answered_at=call.answered_at or at,
        connected_at=call.connected_at or at,
        agent_id=agent_id if agent_id is not None and not call.joins else call.agent_id,
        joins=(*call.joins, Join(agent_id=agent_id, channel_id=peer_id, joined_at=at)),
    )


def _shown(call: Call, facts: ChannelFacts) -> Call:
    """The state that the channel itself shows. Unheard times are those of the asking."""
    ringing = facts.ringing and call.state in {CallState.PLACING, CallState.DIALING}
    state = CallState.RINGING if ringing else _furthest(call, answered=facts.up, joined=False, dialing=True)
    at = max(facts.at, latest(call))
    # The dialplan's own word may have been missed. He may still be fetched, if nothing is known against it.
    waits = facts.up and facts.waiting and not (facts.bridge_id or call.joins or call.dropped_at)
    return replace(
        call,
        waiting_at=call.waiting_at or (at if waits else None),
        state=state,
        channel=call.channel or facts.channel,
        dialing_at=call.dialing_at or call.placed_at,
        ringing_at=call.ringing_at or (at if ringing else None),
        answered_at=call.answered_at or (at if facts.up else None),
    )


def _furthest(call: Call, *, answered: bool, joined: bool, dialing: bool) -> CallState:
    order = list(CallState)
    shown = (
        CallState.CONNECTED
        if joined
        else CallState.ANSWERED
        if answered
        else CallState.DIALING
        if dialing
        else call.state
    )
    return max(call.state, shown, key=order.index)
