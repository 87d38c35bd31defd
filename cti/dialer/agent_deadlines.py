"""What ends by itself for agents: a wrap-up when its time is over, a login when the phone stays away."""

from collections.abc import Callable
from datetime import datetime, timedelta

from cti.clock import Clock
from cti.dialer import agent_states as signals
from cti.dialer.kept_legs import KeptLegs
from cti.dialer.roster import Roster
from cti.model.agents import Agent, AgentState


class AgentDeadlines:
    """The deadlines of all agents in the roster."""

    def __init__(
        self,
        *,
        roster: Roster,
        legs: KeptLegs,
        clock: Clock,
        wrap_up_seconds: Callable[[int | None], float | None],
        reconnect_seconds: float,
    ) -> None:
        """`wrap_up_seconds`: by campaign, None when its wrap-ups have no end of their own.

        `reconnect_seconds`: how long a phone may be unreachable before its agent is logged out.
        """
        self._roster = roster
        self._legs = legs
        self._clock = clock
        self._wrap_up_seconds = wrap_up_seconds
        self._reconnect_seconds = reconnect_seconds
        self._phones_gone: dict[int, datetime] = {}
        """By agent: since when his phone cannot be reached."""
        self._wrap_up_ends: dict[int, datetime] = {}

    def begin_wrap_up(self, agent: Agent, campaign_id: int | None) -> None:
        """Set when the agent's wrap-up ends; without a campaign as in the first of his own."""
        campaign = campaign_id or (agent.campaign_ids[0] if agent.campaign_ids else None)
        seconds = self._wrap_up_seconds(campaign)
        if seconds is not None:
            self._wrap_up_ends[agent.id] = self._clock.now() + timedelta(seconds=seconds)

    def on_phone(self, agent: Agent, reachable: bool, at: datetime) -> None:
        """Note that his phone came or went."""
        signal = signals.PhoneCame() if reachable else signals.PhoneWent()
        after = self._roster.apply(agent, signal, at)
        if after.phone_reachable:
            self._phones_gone.pop(agent.id, None)
        elif after.state is not AgentState.LOGGED_OUT:
            self._phones_gone.setdefault(agent.id, self._clock.now())

    def forget_what_is_over(self, agent: Agent) -> None:
        """Drop the deadlines that an agent as he is now has no more."""
        if agent.state is not AgentState.WRAP_UP:
            self._wrap_up_ends.pop(agent.id, None)
        if agent.state is AgentState.LOGGED_OUT or agent.phone_reachable:
            self._phones_gone.pop(agent.id, None)

    async def step(self) -> None:
        """End what is due now."""
        now = self._clock.now()
        for agent_id, end in list(self._wrap_up_ends.items()):
            if now >= end:
                del self._wrap_up_ends[agent_id]
                self._over(agent_id, now)
        for agent_id, gone_at in list(self._phones_gone.items()):
            if now >= gone_at + timedelta(seconds=self._reconnect_seconds):
                await self._stayed_away(agent_id, now)

    def _over(self, agent_id: int, now: datetime) -> None:
        agent = self._roster.get(agent_id)
        if agent is not None and agent.state is AgentState.WRAP_UP:
            self._roster.apply(agent, signals.WrapUpOver(), now)

    async def _stayed_away(self, agent_id: int, now: datetime) -> None:
        """His phone stayed away: log him out. On a call he stays until the leg itself dies (`rtp_timeout`)."""
        agent = self._roster.get(agent_id)
        if agent is None or agent.phone_reachable or agent.state is AgentState.LOGGED_OUT:
            self._phones_gone.pop(agent_id, None)
        elif agent.state is not AgentState.ON_CALL:
            self._roster.apply(agent, signals.LegEnded(reason=signals.PHONE_GONE), now)
            await self._legs.let_go(agent)
