"""Agents at work: what they ask for, and what calls and phones do to them.

Their legs are kept by `kept_legs`, their states by `roster`. A service only for what happens by itself
(`agent_deadlines`). Chooses no calls.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer import agent_states as signals
from cti.dialer.agent_deadlines import AgentDeadlines
from cti.dialer.agent_ports import AgentStore
from cti.dialer.agent_states import may_take_calls, previews
from cti.dialer.exchange_ports import Lines
from cti.dialer.kept_legs import KeptLegs
from cti.dialer.roster import Roster
from cti.errors import Conflict, NodeDown
from cti.model.agents import UNSET, Agent, AgentState, Unset
from cti.model.calls import Call
from cti.model.events import AgentMoved, CallMoved, Event, PhoneMoved
from cti.model.ids import call_channel
from cti.service import every

STEP_SECONDS = 0.25


class AgentDesk:
    """All agents, and what they may ask for."""

    name = "agent-desk"

    def __init__(
        self,
        *,
        store: AgentStore,
        lines: Lines,
        bus: EventBus,
        clock: Clock,
        wrap_up_seconds: Callable[[int | None], float | None] = lambda campaign_id: None,
        answer_seconds: float = 20.0,
        reconnect_seconds: float = 5.0,
    ) -> None:
        self._store = store
        self._lines = lines
        self._clock = clock
        self._roster = Roster(bus=bus)
        self._legs = KeptLegs(roster=self._roster, lines=lines, clock=clock, answer_seconds=answer_seconds)
        self._deadlines = AgentDeadlines(
            roster=self._roster,
            legs=self._legs,
            clock=clock,
            wrap_up_seconds=wrap_up_seconds,
            reconnect_seconds=reconnect_seconds,
        )
        self._tasks: asyncio.TaskGroup | None = None

    async def load(self, open_calls: Sequence[Call]) -> None:
        """Take the agents from the store; let go of those whose call ended while the daemon was away."""
        now = self._clock.now()
        up = {call.id for call in open_calls}
        # Whoever has another call by now was let go before that one was placed.
        next_placed = {call.agent_id: call.placed_at for call in open_calls}
        for agent in await self._store.agents():
            self._roster.know(agent)
            if agent.call_id is not None and agent.call_id not in up:
                let_go = next_placed.get(agent.id, now)
                agent = self._roster.apply(agent, signals.Released(), let_go)
                agent = self._roster.apply(agent, signals.Parted(), let_go)
            if agent.state is AgentState.WRAP_UP:
                self._deadlines.begin_wrap_up(agent, None)
            if agent.state is AgentState.PREVIEW:
                # What he looked at was known to the daemon that ended; he is shown somebody anew.
                self._roster.apply(agent, signals.OfferOver(), now)
        for call in open_calls:
            # Calls are committed before agents' changes: a kill may have come between.
            self._join(call)
            kept = self._roster.get(call.agent_id)
            if kept is not None and may_take_calls(kept) and not call.joins:
                self._roster.apply(kept, signals.Reserved(call_id=call.id), call.placed_at)

    def agents(self) -> list[Agent]:
        """List all agents, by login."""
        return self._roster.all()

    def is_away(self, agent_id: int) -> bool:
        """Whether an agent is logged out, or works here no more."""
        agent = self.get(agent_id)
        return agent is None or agent.state is AgentState.LOGGED_OUT

    def get(self, agent_id: int) -> Agent | None:
        """Return the agent as he is now."""
        return self._roster.get(agent_id)

    def named(self, login: str) -> Agent:
        """Return the agent of this login; raises NotFound."""
        return self._roster.named(login)

    def free(self, campaign_id: int | None) -> list[Agent]:
        """List those who may be offered a call of the campaign now, the longest free first."""
        found = [
            agent
            for agent in self._roster.all()
            if may_take_calls(agent)
            and (campaign_id is None or campaign_id in agent.campaign_ids)
            and self._lines.connected(agent.node)
        ]
        return sorted(found, key=lambda agent: (agent.since is not None, agent.since, agent.id))

    def expected_legs(self, node: str) -> list[str]:
        """List the channel ids of the kept legs that should be up on a node."""
        return [agent.channel_id for agent in self._roster.on_node(node) if agent.channel_id is not None]

    def phones(self, node: str) -> list[str]:
        """List the endpoints of all agents' phones on a node."""
        return [agent.endpoint for agent in self._roster.on_node(node)]

    async def add(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict when the login or the phone is taken."""
        agent = await self._store.add_agent(
            login=login, name=name, endpoint=endpoint, node=node, campaign_ids=campaign_ids
        )
        self._roster.know(agent)
        return agent

    async def assign(self, login: str, campaign_ids: Sequence[int]) -> Agent:
        """Set the campaigns an agent works on."""
        agent = self.named(login)
        await self._store.assign(agent.id, campaign_ids)
        known = {stored.id: stored for stored in await self._store.agents()}
        return self._roster.assign(agent, known[agent.id].campaign_ids)

    async def configure(
        self,
        login: str,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
    ) -> Agent:
        """Set what contacts may ask of him and how many he may own; what is not given stays. Raises NotFound."""
        agent = self.named(login)
        await self._store.save_settings(agent.id, skills=skills, weight=weight, max_owned=max_owned)
        return await self._settled(agent)

    async def leave(self, login: str) -> Agent:
        """Note that he works here no more. Raises NotFound, Conflict while he is logged in."""
        agent = self.named(login)
        if agent.state is not AgentState.LOGGED_OUT or self._legs.being_called(agent):
            raise Conflict(f"{login} is {agent.state}; log out first")
        if agent.left_at is None:
            await self._store.save_settings(agent.id, left_at=self._clock.now())
        return await self._settled(agent)

    async def come_back(self, login: str) -> Agent:
        """Note that he works here again; he owns nobody. Raises NotFound."""
        agent = self.named(login)
        await self._store.save_settings(agent.id, left_at=None)
        return await self._settled(agent)

    async def _settled(self, agent: Agent) -> Agent:
        """Take his settings from the store, and only these."""
        stored = next(one for one in await self._store.agents() if one.id == agent.id)
        return self._roster.settle(stored)

    async def login(self, login: str, *, ready: bool = True) -> Agent:
        """Call the agent's phone and keep the leg; return when it is up.

        Raises Conflict (already logged in, or the phone does not answer; the message says what the network said),
        NodeDown, NotFound.
        """
        agent = self.named(login)
        if agent.state is not AgentState.LOGGED_OUT or self._legs.being_called(agent):
            raise Conflict(f"{login} is already logged in")
        if agent.left_at is not None:
            raise Conflict(f"{login} works here no more")
        if not self._lines.connected(agent.node):
            raise NodeDown(f"no connection to the node {agent.node}; {login} cannot be called there now")
        await self._legs.call(agent, pause=None if ready else "login")
        return self._roster.now(agent)

    async def logout(self, login: str) -> Agent:
        """Let the kept leg go. Raises Conflict while a call is up or being placed for the agent."""
        agent = self.named(login)
        if agent.state in (AgentState.RESERVED, AgentState.ON_CALL):
            raise Conflict(f"{login} is {agent.state}; pause first, that holds from the end of the call")
        self._roster.apply(agent, signals.LogoutAsked(), self._clock.now())
        self._legs.call_off(agent)
        await self._legs.let_go(agent)
        return self._roster.now(agent)

    async def ready(self, login: str) -> Agent:
        """Offer the agent calls. Raises Conflict when logged out or when the phone cannot be reached."""
        agent = self._logged_in(login)
        if not agent.phone_reachable:
            raise Conflict(f"the phone {agent.endpoint} of {login} is not registered at {agent.node}")
        return self._roster.apply(agent, signals.ReadyAsked(), self._clock.now())

    async def pause(self, login: str, reason: str) -> Agent:
        """Offer no more calls; on a call this holds from its end. Raises Conflict when logged out."""
        return self._roster.apply(
            self._logged_in(login), signals.PauseAsked(reason=reason), self._clock.now()
        )

    async def hang_up(self, login: str) -> Agent:
        """End the customer's leg of the agent's present call. Raises Conflict when there is none, NodeDown."""
        agent = self._logged_in(login)
        if agent.state is not AgentState.ON_CALL or agent.call_id is None:
            raise Conflict(f"{login} is not on a call")
        await self._lines.hang_up(node=agent.node, channel_id=call_channel(agent.call_id))
        return agent

    def reserve(self, agent_id: int, call_id: str) -> bool:
        """Keep the agent for a call; False when he may not be offered one (any more)."""
        agent = self._roster.get(agent_id)
        if agent is None or not (may_take_calls(agent) or previews(agent)):
            return False
        self._roster.apply(agent, signals.Reserved(call_id=call_id), self._clock.now())
        return True

    def offer(self, agent_id: int) -> bool:
        """Let the agent look at a contact; False when he may not be offered one (any more)."""
        agent = self._roster.get(agent_id)
        if agent is None or not may_take_calls(agent):
            return False
        self._roster.apply(agent, signals.Offered(), self._clock.now())
        return True

    def end_offer(self, agent_id: int) -> None:
        """He looks at nobody any more."""
        agent = self._roster.get(agent_id)
        if agent is not None and agent.state is AgentState.PREVIEW:
            self._roster.apply(agent, signals.OfferOver(), self._clock.now())

    def release(self, agent_id: int, call_id: str) -> None:
        """Undo a reservation that led nowhere."""
        agent = self._roster.get(agent_id)
        if agent is not None and agent.call_id == call_id:
            self._roster.apply(agent, signals.Released(), self._clock.now())

    def tap(self, event: Event) -> None:
        """Let what happened to calls, legs and phones move the agents."""
        match event:
            case CallMoved(call=call, at=at):
                self._on_call(call, at)
            case PhoneMoved(node=node, endpoint=endpoint, reachable=reachable, at=at):
                for agent in self._roster.on_node(node):
                    if agent.endpoint == endpoint:
                        self._deadlines.on_phone(agent, reachable, at)
            case AgentMoved(agent=agent):
                self._deadlines.forget_what_is_over(agent)
            case _:
                self._legs.tap(event)

    async def run(self) -> None:
        """End wrap-ups in time and call phones again after a node was lost."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await every(STEP_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Do what is due now."""
        await self._deadlines.step()
        await self._legs.step(self._tasks)

    def _on_call(self, call: Call, at: datetime) -> None:
        talking = self._join(call)
        for agent in self._roster.holders(call.id):
            if talking is None or agent.id != talking.id:
                self._part(agent, call, _let_go_at(call, at))

    def _join(self, call: Call) -> Agent | None:
        """Have the agent who talks on the call be on it since they were joined; return him, None when nobody does."""
        present = None if call.ended else call.joined
        talking = None if present is None else self._roster.get(present.agent_id)
        if (
            present is not None
            and talking is not None
            and (talking.state, talking.call_id) != (AgentState.ON_CALL, call.id)
        ):
            self._roster.apply(talking, signals.Joined(call_id=call.id), present.joined_at)
        return talking

    def _part(self, agent: Agent, call: Call, at: datetime) -> None:
        if agent.state is AgentState.ON_CALL:
            after = self._roster.apply(agent, signals.Parted(), at)
            if after.state is AgentState.WRAP_UP:
                self._deadlines.begin_wrap_up(after, call.campaign_id)
        elif agent.state is AgentState.RESERVED and (call.ended or call.joined is not None):
            self._roster.apply(agent, signals.Released(), at)

    def _logged_in(self, login: str) -> Agent:
        agent = self.named(login)
        if agent.state is AgentState.LOGGED_OUT:
            raise Conflict(f"{login} is logged out")
        return agent


def _let_go_at(call: Call, at: datetime) -> datetime:
    """Return when the call let those go who do not talk on it; `at` is when it was heard of.

    A talk that is found after a restart began long before. Let go at the moment of the find, an agent who was kept for
    this call and talks on another would begin that talk only then, since no history goes back in time.
    """
    if call.ended or not call.joins:
        return at
    return call.joins[-1].left_at or call.joins[-1].joined_at
