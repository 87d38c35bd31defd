"""All open calls, by the id of the channel we chose for each. No I/O: signals in, events out.

It sorts each signal to its call, leg or phone, and knows which calls have been silent for so long that Asterisk should
be asked. What a signal does to a call is said by `call_state`, how a call ended by `outcomes` and `settling`.
Nothing here raises on a signal that is out of place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from cti.ami.bridges import Bridges
from cti.ami.call_state import advanced, latest
from cti.ami.legs import Legs
from cti.ami.outcomes import RANG_TOO_LONG, Circumstances, ended, hung_up
from cti.ami.phones import Phones
from cti.ami.ports import ChannelFacts
from cti.ami.settling import adopted, settled
from cti.ami.signals import (
    BridgeEntered,
    BridgeLeft,
    ChannelSignal,
    ContactSeen,
    HangUpAsked,
    HungUp,
    OriginateFailed,
    Signal,
)
from cti.model.calls import Call, CallState, EndReason, Join, Outcome
from cti.model.events import CallMoved, LegGone, LegUp, PhoneMoved
from cti.model.ids import LEG_PREFIX, call_channel
from cti.model.stories import Story

Moved = CallMoved | LegUp | LegGone | PhoneMoved

HANG_UP_WAIT: Final = timedelta(seconds=2)
"""After a failed Originate its Hangup comes within milliseconds, before or after; longer means there was no channel."""

SETTLE_WAIT: Final = timedelta(seconds=10)
"""Added to the time a state may take before Asterisk is asked whether the call is still there."""

MESSAGE_WAIT: Final = timedelta(seconds=60)
"""A recorded message may take so long."""

LEG_END: Final = timedelta(milliseconds=500)
"""A dying leg leaves its bridge this long before its hang-up at most."""

TALK_WAIT: Final = timedelta(minutes=10)
"""Talks may last for hours; every so often Asterisk is asked whether this one still does."""


@dataclass(slots=True)
class _Open:
    """A call and what is kept beside it."""

    call: Call
    look_at: datetime
    """When to ask Asterisk about it, unless something is heard before."""
    seen: Circumstances = field(default_factory=Circumstances)
    failed_since: datetime | None = None
    """When it was noticed that its Originate failed and no hang-up had come."""
    restarted: bool = False
    """Asterisk was started anew about when it was placed."""
    looks: int = 0
    """How often it was looked for and not found."""


class CallTracker:
    """The open calls of all nodes, and their agents' legs and phones."""

    def __init__(self, *, hang_up_wait: timedelta = HANG_UP_WAIT) -> None:
        self._wait = hang_up_wait
        self._open: dict[str, _Open] = {}
        self._bridges: dict[str, Bridges] = {}
        self._legs: dict[str, Legs] = {}
        self._phones: dict[str, Phones] = {}

    def place(self, call: Call) -> tuple[CallMoved, ...]:
        """Follow a committed call from now on, also one that the database knows from an earlier life."""
        if call.ended:
            return ()
        self._open[call.channel_id] = _Open(call=call, look_at=_deadline(call, call.placed_at))
        return (CallMoved(before=call.state, call=call, at=latest(call)),)

    def get(self, call_id: str) -> Call | None:
        """Return a call that has not ended."""
        entry = self._open.get(call_channel(call_id))
        return entry.call if entry else None

    def open_calls(self, node: str | None = None) -> list[Call]:
        """List the open calls, of one node or of all, oldest first."""
        calls = [entry.call for entry in self._open.values() if node in (None, entry.call.node)]
        return sorted(calls, key=lambda call: (call.placed_at, call.id))

    def legs(self, node: str) -> Legs:
        """Return the agents' legs of a node."""
        if node not in self._legs:
            self._legs[node] = Legs(node, self._wait)
        return self._legs[node]

    def phones(self, node: str) -> Phones:
        """Return the phones of a node."""
        if node not in self._phones:
            self._phones[node] = Phones(node)
        return self._phones[node]

    def bridges(self, node: str) -> Bridges:
        """Return who talks with whom on a node."""
        if node not in self._bridges:
            self._bridges[node] = Bridges()
        return self._bridges[node]

    def apply(self, signal: Signal, node: str) -> tuple[Moved, ...]:
        """Take a node's signal; return what is new, in order."""
        match signal:
            case ContactSeen():
                return self.phones(node).apply(signal)
            case BridgeEntered():
                return self._move_all(self.bridges(node).enter(signal))
            case BridgeLeft():
                return self._move_all(self.bridges(node).leave(signal))
            case HungUp():
                self.bridges(node).forget(signal.channel_id)
        if signal.channel_id.startswith(LEG_PREFIX):
            self._note_leg(signal)
            return self.legs(node).apply(signal)
        return self._move(signal)

    def hang_up_asked(self, channel_id: str) -> None:
        """Take note that we tell Asterisk to end this channel."""
        entry = self._open.get(channel_id)
        if entry is not None:
            entry.seen.ours = True
            entry.seen.talking_when_asked = entry.call.joined is not None

    def refused(self, call_id: str, reason: str, at: datetime) -> tuple[CallMoved, ...]:
        """Asterisk answered the Originate with an error."""
        return self._end_unheard(call_id, EndReason.REFUSED, at, reason)

    def not_sent(self, call_id: str, at: datetime) -> tuple[CallMoved, ...]:
        """The Originate never left: nobody was rung."""
        return self._end_unheard(call_id, EndReason.NOT_SENT, at, None)

    def linked(self, call_id: str, crm_ref: str, at: datetime) -> tuple[CallMoved, ...]:
        """The call's log is to land on this record of a CRM."""
        entry = self._open.get(call_channel(call_id))
        if entry is None:
            return ()
        entry.call = replace(entry.call, crm_ref=crm_ref)
        return (CallMoved(before=entry.call.state, call=entry.call, at=at),)

    def give_up(self, now: datetime, node: str) -> tuple[Moved, ...]:
        """End the calls and legs whose Originate failed and whose hang-up does not come: there was no channel."""
        moves: list[Moved] = list(self.legs(node).give_up(now))
        failed = [e for e in self._open.values() if e.seen.reason is not None and e.call.node == node]
        for entry in failed:
            # Counted from when it was noticed: our clock and Asterisk's need not agree.
            entry.failed_since = entry.failed_since or now
            if now - entry.failed_since >= self._wait:
                moves.append(self._finish(entry, _failed(entry, now)))
        return tuple(moves)

    def overdue(self, now: datetime, node: str) -> list[Call]:
        """List the calls of a node that have been silent for too long: ask whether they are still there."""
        return [e.call for e in self._open.values() if e.call.node == node and now >= e.look_at]

    def looks(self, call_id: str) -> int:
        """Return how often a call was looked for and not found."""
        entry = self._open.get(call_channel(call_id))
        return entry.looks if entry is not None else 0

    def look_again(self, call_id: str, at: datetime, *, restarted: bool = False) -> int:
        """Put off the question about a call that was not found; returns how often that was done."""
        entry = self._open.get(call_channel(call_id))
        if entry is None:
            return 0
        entry.look_at = at
        entry.restarted = entry.restarted or restarted
        entry.looks += 1
        return entry.looks

    def settle(
        self, call_id: str, story: Story | None, *, restarted: bool, now: datetime
    ) -> tuple[CallMoved, ...]:
        """End a call whose channel is gone, by its node's own records and by how far it had come."""
        entry = self._open.get(call_channel(call_id))
        if entry is None:
            return ()
        call = settled(
            entry.call,
            story,
            restarted=restarted or entry.restarted,
            now=now,
            leg_of=self.legs(entry.call.node).known().get,
            seen=entry.seen,
        )
        return (self._finish(entry, call),)

    def adopt(
        self, call_id: str, facts: ChannelFacts, peer_id: str | None, story: Story | None
    ) -> tuple[CallMoved, ...]:
        """Take over what a living channel shows; `peer_id` is the channel it talks with now, if any."""
        entry = self._open.get(call_channel(call_id))
        if entry is None:
            return ()
        before = entry.call
        entry.call = adopted(before, facts, peer_id, story, self.legs(before.node).known().get)
        entry.look_at = _deadline(entry.call, facts.at)
        entry.looks = 0
        if entry.call == before:
            return ()
        return (CallMoved(before=before.state, call=entry.call, at=facts.at),)

    def _move_all(self, signals: Sequence[ChannelSignal]) -> tuple[Moved, ...]:
        return tuple(moved for signal in signals for moved in self._move(signal))

    def _move(self, signal: ChannelSignal) -> tuple[Moved, ...]:
        entry = self._open.get(signal.channel_id)
        if entry is None:
            return ()
        match signal:
            case HungUp():
                return (self._finish(entry, hung_up(entry.call, signal, entry.seen)),)
            case HangUpAsked(far_end=True):
                entry.seen.far_end = entry.seen.far_end or not entry.seen.ours
            case HangUpAsked():
                entry.seen.others = not entry.seen.ours and entry.call.joined is not None
            case OriginateFailed(reason=reason):
                entry.seen.reason = -1 if reason is None else reason
        before = entry.call
        entry.call = advanced(before, signal)
        if entry.call is before:
            return ()
        entry.look_at, entry.looks = _deadline(entry.call, signal.at), 0
        return (CallMoved(before=before.state, call=entry.call, at=signal.at),)

    def _note_leg(self, signal: ChannelSignal) -> None:
        """An agent's leg that ends takes his talk with it: the customer did not hang up."""
        if not isinstance(signal, HungUp | HangUpAsked):
            return
        for entry in self._open.values():
            last = entry.call.joins[-1] if entry.call.joins else None
            if last is not None and last.channel_id == signal.channel_id and _just_there(last, signal.at):
                entry.seen.leg_died = True

    def _end_unheard(
        self, call_id: str, reason: EndReason, at: datetime, text: str | None
    ) -> tuple[CallMoved, ...]:
        entry = self._open.get(call_channel(call_id))
        if entry is None:
            return ()
        at = max(at, entry.call.placed_at)
        call = ended(entry.call, at=at, outcome=Outcome.FAILED, reason=reason, cause_text=text)
        return (self._finish(entry, call),)

    def _finish(self, entry: _Open, call: Call) -> CallMoved:
        del self._open[call.channel_id]
        return CallMoved(before=entry.call.state, call=call, at=call.ended_at or call.placed_at)


def _just_there(stay: Join, at: datetime) -> bool:
    """Whether the stay goes on, or ended with the leg: it goes out of the bridge a moment before it ends."""
    return stay.left_at is None or at - stay.left_at < LEG_END


def _failed(entry: _Open, now: datetime) -> Call:
    """A call whose Originate failed without a hang-up."""
    timed_out = entry.seen.reason == RANG_TOO_LONG
    no_channel = entry.call.state is CallState.PLACING
    reason = EndReason.RING_TIMEOUT if timed_out else EndReason.REFUSED if no_channel else EndReason.HUNG_UP
    call = hung_up(entry.call, HungUp(channel_id=entry.call.channel_id, at=now), entry.seen)
    text = "Asterisk could not make a channel" if no_channel and not timed_out else None
    return replace(call, end_reason=reason, cause_text=text)


def _deadline(call: Call, heard: datetime) -> datetime:
    """When a call in this state should have been heard of again."""
    match call.state:
        case CallState.ANSWERED:
            return heard + timedelta(seconds=call.grace_seconds) + MESSAGE_WAIT
        case CallState.CONNECTED:
            return heard + TALK_WAIT
        case _:
            return heard + timedelta(seconds=call.ring_seconds) + SETTLE_WAIT
