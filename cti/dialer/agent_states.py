"""What an agent does next, as a table. Pure: a snapshot and a signal in, a snapshot out.

Says nothing about calls or phones themselves; `agent_desk` turns what happens to them into these signals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cti.model.agents import Agent, AgentChange, AgentState

PHONE_GONE: Final = "phone_gone"
"""Reason of a pause or log-out that the phone caused."""
NODE_LOST: Final = "node_lost"
"""Reason of a log-out because Asterisk died; the phone is called again when it is back, unless he logs out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCalled:
    """The service calls his phone; the leg will have this id. `pause` is the reason to start with a pause."""

    channel_id: str
    pause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    """His kept leg is up."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """His kept leg is gone."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """His leg ended because Asterisk was stopped, as turned out later. `pause` is the reason of the pause he was in."""

    pause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """He is shown a contact before anybody is dialed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOver:
    """He skipped the contact, or it was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A call is placed for him."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The call placed for him ended, or went to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """He hears a customer."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """The customer is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyAsked:
    """He says that he is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAsked:
    """He wants a pause; while he is busy it is taken up afterwards."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpOver:
    """The campaign's time for wrap-up is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneWent:
    """His phone's registration is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCame:
    """His phone is reachable again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutAsked:
    """He goes."""


AgentSignal = (
    PhoneCalled
    | LegAnswered
    | LegEnded
    | CutOff
    | Offered
    | OfferOver
    | Reserved
    | Released
    | Joined
    | Parted
    | ReadyAsked
    | PauseAsked
    | WrapUpOver
    | PhoneWent
    | PhoneCame
    | LogoutAsked
)

_S = AgentState
NEXT: Final[Mapping[AgentState, Mapping[type, AgentState]]] = {
    _S.LOGGED_OUT: {LegAnswered: _S.READY, CutOff: _S.LOGGED_OUT, LogoutAsked: _S.LOGGED_OUT},
    _S.READY: {
        Offered: _S.PREVIEW,
        Reserved: _S.RESERVED,
        Joined: _S.ON_CALL,
        PauseAsked: _S.PAUSED,
        PhoneWent: _S.PAUSED,
        LegEnded: _S.LOGGED_OUT,
        LogoutAsked: _S.LOGGED_OUT,
    },
    _S.PREVIEW: {
        OfferOver: _S.READY,
        Reserved: _S.RESERVED,
        Joined: _S.ON_CALL,
        PauseAsked: _S.PAUSED,
        PhoneWent: _S.PAUSED,
        LegEnded: _S.LOGGED_OUT,
        LogoutAsked: _S.LOGGED_OUT,
    },
    _S.RESERVED: {
        Released: _S.READY,
        Joined: _S.ON_CALL,
        LegEnded: _S.LOGGED_OUT,
    },
    _S.ON_CALL: {Joined: _S.ON_CALL, Parted: _S.WRAP_UP, LegEnded: _S.LOGGED_OUT},
    _S.WRAP_UP: {
        ReadyAsked: _S.READY,
        WrapUpOver: _S.READY,
        PauseAsked: _S.PAUSED,
        Joined: _S.ON_CALL,
        LegEnded: _S.LOGGED_OUT,
        LogoutAsked: _S.LOGGED_OUT,
    },
    _S.PAUSED: {
        ReadyAsked: _S.READY,
        PauseAsked: _S.PAUSED,
        PhoneCame: _S.READY,
        Joined: _S.ON_CALL,
        LegEnded: _S.LOGGED_OUT,
        LogoutAsked: _S.LOGGED_OUT,
    },
}
"""A signal that is not listed changes no state; it may still change a fact (see `_facts`)."""


def moved(agent: Agent, signal: AgentSignal, at: datetime) -> Agent:
    """Return the agent after the signal; the same value when nothing changes."""
    after = _facts(agent, signal)
    target = NEXT[agent.state].get(type(signal))
    if target is None or (isinstance(signal, PhoneCame) and agent.reason != PHONE_GONE):
        return after
    reason = _reason(signal)
    if target is AgentState.READY:
        target, reason, after = _ready_or_paused(after, signal)
    if target is agent.state and reason == agent.reason:
        return after
    return replace(_settled(after, target), state=target, reason=reason, since=at)


def change_between(before: Agent, after: Agent, at: datetime) -> AgentChange | None:
    """Return the history row of a move, None when state and reason stayed."""
    if (before.state, before.reason) == (after.state, after.reason):
        return None
    return AgentChange(
        agent_id=after.id,
        at=at,
        before=before.state,
        after=after.state,
        reason=after.reason,
        call_id=after.call_id or before.call_id,
    )


def may_take_calls(agent: Agent) -> bool:
    """Whether he may be offered a call now."""
    return agent.state is AgentState.READY and agent.channel is not None and agent.phone_reachable


def previews(agent: Agent) -> bool:
    """Whether he looks at a contact and could take the call."""
    return agent.state is AgentState.PREVIEW and agent.channel is not None and agent.phone_reachable


def _facts(agent: Agent, signal: AgentSignal) -> Agent:
    """Write down what the signal tells, whatever the state."""
    busy = agent.state in (AgentState.RESERVED, AgentState.ON_CALL)
    match signal:
        case PhoneCalled(channel_id=channel_id, pause=pause):
            return replace(agent, channel_id=channel_id, channel=None, pause_next=pause)
        case LegAnswered(channel=channel):
            return replace(agent, channel=channel, phone_reachable=True)
        case Reserved(call_id=call_id) if Reserved in NEXT[agent.state]:
            return replace(agent, call_id=call_id)
        case Joined(call_id=call_id) if Joined in NEXT[agent.state]:
            return replace(agent, call_id=call_id)
        case PauseAsked(reason=reason) if busy:
            return replace(agent, pause_next=reason)
        case ReadyAsked() if busy:
            return replace(agent, pause_next=None)
        case PhoneWent():
            return replace(agent, phone_reachable=False)
        case PhoneCame():
            return replace(agent, phone_reachable=True)
        case LegEnded(reason=reason) if reason == NODE_LOST:
            # He comes back as he was: a pause survives the loss of the node.
            pause = agent.reason if agent.state is AgentState.PAUSED else agent.pause_next
            return replace(agent, channel=None, channel_id=None, pause_next=pause)
        case LegEnded():
            return replace(agent, channel=None, channel_id=None, pause_next=None)
        case CutOff(pause=pause) if agent.state is AgentState.LOGGED_OUT:
            return replace(agent, pause_next=pause)
        case LogoutAsked() if not busy:
            return replace(agent, channel=None, channel_id=None, pause_next=None)
        case _:
            return agent


def _reason(signal: AgentSignal) -> str | None:
    match signal:
        case PauseAsked(reason=reason) | LegEnded(reason=reason):
            return reason
        case PhoneWent():
            return PHONE_GONE
        case CutOff():
            return NODE_LOST
        case _:
            return None


def _ready_or_paused(agent: Agent, signal: AgentSignal) -> tuple[AgentState, str | None, Agent]:
    """Ready, unless a pause was asked for meanwhile or the phone cannot be reached."""
    if agent.pause_next and not isinstance(signal, ReadyAsked):
        return AgentState.PAUSED, agent.pause_next, replace(agent, pause_next=None)
    if not agent.phone_reachable:
        return AgentState.PAUSED, PHONE_GONE, agent
    return AgentState.READY, None, replace(agent, pause_next=None)


def _settled(agent: Agent, target: AgentState) -> Agent:
    """Forget the call once it is done with."""
    keeps_call = target in (AgentState.RESERVED, AgentState.ON_CALL, AgentState.WRAP_UP)
    return agent if keeps_call else replace(agent, call_id=None)
