"""What is up now, campaign by campaign, and what pacing learns from it. Taps the bus; asks and orders nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cti.model.agents import Agent, AgentState
from cti.model.calls import Call, CallState, Outcome
from cti.model.contacts import Campaign
from cti.model.events import AgentMoved, CallMoved, Event
from cti.pacing.floor import Busy, InFlight
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    Signal,
    TalkEnded,
    WrapUpEnded,
)

Learn = Callable[[int, Signal], None]

RESULTS: Final = {
    Outcome.BUSY: Result.BUSY,
    Outcome.NO_ANSWER: Result.NO_ANSWER,
    Outcome.MACHINE: Result.MACHINE,
    Outcome.FAILED: Result.FAILED,
    Outcome.LOST: Result.FAILED,
}


@dataclass(slots=True)
class _Side:
    """One campaign's calls."""

    calls: dict[str, Call] = field(default_factory=dict)
    """Placed and not ended, as they are now; oldest first."""
    placing: set[str] = field(default_factory=set)
    """Lines held for calls that are being committed."""
    reserved: set[str] = field(default_factory=set)
    """Calls that were placed for one agent who is kept for them."""
    placed: int = 0


class FloorBoard:
    """Open calls by campaign. `learn` is told what happened, in the order in which it became known."""

    def __init__(self, *, learn: Learn = lambda campaign_id, signal: None) -> None:
        self._learn = learn
        self._sides: dict[int | None, _Side] = {}
        self._agents: dict[int, Agent] = {}
        """Each agent as he was at his last move."""
        self._campaign_of: dict[int, int | None] = {}
        """By agent: the campaign of his last call."""

    def hold(self, campaign_id: int | None, call_id: str, *, reserved: bool) -> None:
        """Count a line for a call that is about to be committed."""
        side = self._side(campaign_id)
        side.placing.add(call_id)
        if reserved:
            side.reserved.add(call_id)

    def let_go(self, campaign_id: int | None, call_id: str) -> None:
        """The call was never made."""
        side = self._side(campaign_id)
        side.placing.discard(call_id)
        side.reserved.discard(call_id)

    def sent(self, campaign_id: int | None, calls: int) -> None:
        """Count calls whose orders are about to leave."""
        self._side(campaign_id).placed += calls

    def used(self, campaign_id: int | None) -> int:
        """Count the lines in use."""
        side = self._side(campaign_id)
        return len(side.placing | side.calls.keys())

    def used_by(self, campaigns: Iterable[Campaign]) -> int:
        """Count the lines that these campaigns use together."""
        return sum(self.used(campaign.id) for campaign in campaigns)

    def placed(self, campaign_id: int) -> int:
        """Count the calls placed since the service began."""
        return self._side(campaign_id).placed

    def in_flight(self, campaign_id: int) -> tuple[InFlight, ...]:
        """List the calls that nobody has answered yet and for which no agent is kept, oldest first."""
        side = self._side(campaign_id)
        return tuple(
            InFlight(placed_at=call.placed_at.timestamp(), answer_chance=call.answer_chance)
            for call in side.calls.values()
            if call.answered_at is None and call.id not in side.reserved
        )

    def screening(self, campaign: Campaign) -> tuple[float, ...]:
        """List since when answered calls are looked at by the machine detection."""
        if not campaign.rules.machines.detect:
            return ()
        return tuple(at.timestamp() for at in self._on_the_way(campaign.id))

    def arriving(self, campaign: Campaign) -> int:
        """Count those who answered and are about to wait; for pacing each owns an agent already."""
        return 0 if campaign.rules.machines.detect else len(self._on_the_way(campaign.id))

    def _on_the_way(self, campaign_id: int) -> list[datetime]:
        side = self._side(campaign_id)
        return [
            call.answered_at
            for call in side.calls.values()
            if call.answered_at is not None
            and call.state is CallState.ANSWERED
            and call.waiting_at is None
            and call.id not in side.reserved
        ]

    def tap(self, event: Event) -> None:
        """Follow calls and agents."""
        match event:
            case CallMoved(before=before, call=call, at=at):
                self._on_call(before, call, at)
            case AgentMoved(agent=agent):
                self._on_agent(agent)

    def _on_call(self, before: CallState, call: Call, at: datetime) -> None:
        side = self._side(call.campaign_id)
        known = side.calls.get(call.id)
        side.placing.discard(call.id)
        if call.campaign_id is not None:
            for signal in signals_of(known, call, at):
                self._learn(call.campaign_id, signal)
        if call.ended:
            side.calls.pop(call.id, None)
            side.reserved.discard(call.id)
            return
        side.calls[call.id] = call
        for join in call.joins:
            if join.agent_id is not None:
                self._campaign_of[join.agent_id] = call.campaign_id

    def _on_agent(self, agent: Agent) -> None:
        before, self._agents[agent.id] = self._agents.get(agent.id), agent
        campaign_id = self._campaign_of.get(agent.id)
        if before is None or campaign_id is None:
            return
        signal = agent_signal(before, agent)
        if signal is not None:
            self._learn(campaign_id, signal)

    def _side(self, campaign_id: int | None) -> _Side:
        return self._sides.setdefault(campaign_id, _Side())


def signals_of(before: Call | None, call: Call, at: datetime) -> list[Signal]:
    """Return what pacing learns from a call's move. `before` is None when the call was not known."""
    found: list[Signal] = []
    if call.answered_at is not None and (before is None or before.answered_at is None):
        found.append(_attempt(call, call.answered_at, Result.LIVE))
    if call.waiting_at is not None and (before is None or before.waiting_at is None):
        found.append(PersonAnswered(at=call.waiting_at.timestamp()))
    if call.connected_at is not None and (before is None or before.connected_at is None):
        waited = (call.connected_at - (call.waiting_at or call.connected_at)).total_seconds()
        found.append(Connected(at=call.connected_at.timestamp(), waited=max(0.0, waited)))
    if call.dropped_at is not None and (before is None or before.dropped_at is None):
        found.append(Dropped(at=call.dropped_at.timestamp()))
    if call.ended and call.answered_at is None and call.outcome is not None:
        result = RESULTS.get(call.outcome, Result.FAILED)
        found.append(_attempt(call, call.ended_at or at, result))
    return found


def _attempt(call: Call, at: datetime, result: Result) -> AttemptEnded:
    return AttemptEnded(
        at=at.timestamp(),
        placed_at=call.placed_at.timestamp(),
        result=result,
        answer_chance=call.answer_chance,
    )


def agent_signal(before: Agent, after: Agent) -> Signal | None:
    """Return what pacing learns from an agent's move."""
    if before.since is None or after.since is None or before.state is after.state:
        return None
    at, seconds = after.since.timestamp(), (after.since - before.since).total_seconds()
    if before.state is AgentState.ON_CALL:
        return TalkEnded(at=at, seconds=seconds)
    if before.state is AgentState.WRAP_UP:
        return WrapUpEnded(at=at, seconds=seconds, free=after.state is AgentState.READY)
    return None


def busy(agents: Sequence[Agent], state: AgentState) -> tuple[Busy, ...]:
    """Return those of the agents who talk (or wrap up), since when, and whether they go on afterwards."""
    return tuple(
        Busy(since=agent.since.timestamp(), leaving=agent.pause_next is not None)
        for agent in agents
        if agent.state is state and agent.since is not None
    )
