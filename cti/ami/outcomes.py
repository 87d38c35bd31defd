"""How a call ended: its outcome, the reason in our words, and who ended it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cti.ami.call_state import left, not_before
from cti.ami.signals import HungUp
from cti.model.calls import Call, CallState, EndedBy, EndReason, Outcome
from cti.model.campaign_rules import GraceStart
from cti.model.detection import NOT_A_PERSON

UNANSWERED: Final[Mapping[int, Outcome]] = {
    17: Outcome.BUSY,
    18: Outcome.NO_ANSWER,
    19: Outcome.NO_ANSWER,
    20: Outcome.NO_ANSWER,
}
"""Q.850 causes: user busy; no user responding; no answer from user; subscriber absent. All others: failed."""

QUIET_CAUSES: Final = frozenset({None, 0, 16, 18, 19, 20, 102, 127})
"""Causes that Asterisk gives when it stopped ringing by itself: 19 since late 2025, 0 or 16 in older versions."""

RING_SLACK: Final = timedelta(milliseconds=50)
"""Asterisk's timer starts a little after it makes the channel, and may end a little before."""

GRACE_SLACK: Final = timedelta(milliseconds=100)
"""Somebody who hung up this close to the end of the grace, with no word that it was over, left before it."""

LAST_MOMENT: Final = timedelta(milliseconds=250)
"""So long the dialplan waits at least after a detection that took the whole grace: a free agent still fetches him."""

RANG_TOO_LONG: Final = 3
"""`Reason` of OriginateResponse when Asterisk stopped ringing (AST_CONTROL_RINGING)."""

MEDIA_TIMEOUT: Final = 44
"""Cause given when no sound came for `rtp_timeout` seconds: the far end went away without a word."""


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """What was seen around a call's end, besides the hang-up itself."""

    far_end: bool = False
    """The customer's side asked for it."""
    ours: bool = False
    """We told Asterisk to hang up."""
    talking_when_asked: bool = False
    """He was joined with an agent when we did."""
    others: bool = False
    """Some other program on Asterisk's side asked for it while he talked. The dialplan's own Hangup asks, too."""
    leg_died: bool = False
    """The agent's leg that he was joined with ended before him."""
    reason: int | None = None
    """Of OriginateResponse, when that said Failure."""


def hung_up(call: Call, signal: HungUp, seen: Circumstances) -> Call:
    """Return the ended call, from a hang-up that was seen."""
    at = not_before(call, signal.at)
    timed_out = rang_too_long(call, at, signal.cause, seen.reason)
    return ended(
        call,
        at=at,
        outcome=verdict(call, at, cause=signal.cause, timed_out=timed_out),
        reason=EndReason.RING_TIMEOUT if timed_out else EndReason.HUNG_UP,
        by=ended_by(call, signal.cause, seen),
        cause=signal.cause,
        cause_text=signal.cause_text,
        sip_code=signal.sip_code,
    )


def ended(
    call: Call,
    *,
    at: datetime,
    outcome: Outcome,
    reason: EndReason,
    by: EndedBy | None = None,
    cause: int | None = None,
    cause_text: str | None = None,
    sip_code: int | None = None,
) -> Call:
    """Return the call in its last state, with nobody joined any more."""
    return replace(
        call,
        state=CallState.ENDED,
        ended_at=at,
        joins=left(call.joins, at),
        outcome=outcome,
        end_reason=reason,
        ended_by=by,
        cause=cause,
        cause_text=cause_text,
        sip_code=sip_code,
    )


def verdict(call: Call, at: datetime, *, cause: int | None, timed_out: bool) -> Outcome:
    """Return the outcome of a call that ended at this moment with this cause."""
    if call.answered_at is not None:
        return answered_verdict(call, at)
    if timed_out:
        return Outcome.NO_ANSWER
    return Outcome.FAILED if cause is None else UNANSWERED.get(cause, Outcome.FAILED)


def answered_verdict(call: Call, at: datetime) -> Outcome:
    """Return the outcome of an answered call that ended at this moment."""
    if call.joins or call.connected_at is not None:
        return Outcome.CONNECTED
    if call.answered_by in NOT_A_PERSON:
        return Outcome.MACHINE
    over = _grace_over(call)
    dropped = call.dropped_at is not None or (over is not None and at >= over + GRACE_SLACK)
    return Outcome.DROPPED if dropped else Outcome.GONE_EARLY


def _grace_over(call: Call) -> datetime | None:
    """Return when the grace of an answered call was over by its own times; None: it had not begun."""
    grace = timedelta(seconds=call.grace_seconds)
    if call.machines is None:
        since = call.waiting_at or call.answered_at
    elif call.grace_start == GraceStart.GREETING:
        since = call.waiting_at
    else:
        last_moment = (call.waiting_at or call.answered_at or call.placed_at) + LAST_MOMENT
        return max((call.answered_at or call.placed_at) + grace, last_moment)
    return None if since is None else since + grace


def rang_too_long(call: Call, at: datetime, cause: int | None, reason: int | None) -> bool:
    """Whether it was we who stopped the ringing."""
    if call.answered_at is not None:
        return False
    if reason == RANG_TOO_LONG:
        return True
    rung = at - (call.dialing_at or call.placed_at)
    return cause in QUIET_CAUSES and rung >= timedelta(seconds=call.ring_seconds) - RING_SLACK


def ended_by(call: Call, cause: int | None, seen: Circumstances) -> EndedBy | None:
    """Return who ended an answered call, None for one that was not answered."""
    if call.answered_at is None:
        return None
    if seen.far_end or cause == MEDIA_TIMEOUT:
        return EndedBy.CUSTOMER
    if seen.ours:
        return EndedBy.AGENT if seen.talking_when_asked else EndedBy.SERVICE
    if seen.leg_died:
        return EndedBy.AGENT
    # Nobody asked: the dialplan came to its end, after the message or after a talk whose agent was taken away.
    return EndedBy.UNKNOWN if seen.others else EndedBy.SERVICE
