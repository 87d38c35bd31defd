"""Agents at work: what they ask for, what their phones do, what calls do to them.

Holds the present state of every agent, applies the table of `agent_states`, tells each change on the bus (the journal
stores it). A service only for what happens by itself: wrap-up that ends, phones to be called again. Chooses no calls.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer import agent_states as signals
from cti.dialer.agent_states import AgentSignal, change_between, may_take_calls, moved
from cti.dialer.ports import AgentStore, Lines
from cti.errors import Conflict, NodeDown, NodeError, NodeRefused, NotFound
from cti.model.agents import Agent, AgentState
from cti.model.calls import Call
from cti.model.events import AgentMoved, CallMoved, Event, LegGone, LegUp, NodeLost, NodeUp, PhoneMoved
from cti.model.ids import agent_of_channel, call_channel, new_leg_channel
from cti.service import every, logged

log = logging.getLogger(__name__)

STEP_SECONDS = 0.25
RECALL_SECONDS = 3.0
"""Between two tries to call a phone again after its node was lost."""
STOP_SECONDS = 30.0
"""An Asterisk that is told to stop hangs up, waits up to 15 s for the channels to end (main/asterisk.c), and goes."""


class AgentDesk:
    """All agents, as they are now."""

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
        self._bus = bus
        self._clock = clock
        self._wrap_up_seconds = wrap_up_seconds
        self._answer_seconds = answer_seconds
        self._reconnect_seconds = reconnect_seconds
        self._phones_gone: dict[int, datetime] = {}
        self._agents: dict[int, Agent] = {}
        self._holders: dict[str, set[int]] = {}
        """By call id: who is kept for it, talks on it, or wraps it up. A call does not know all of them."""
        self._logins: dict[int, asyncio.Future[None]] = {}
        self._wrap_up_ends: dict[int, datetime] = {}
        self._recalled: dict[int, float] = {}
        self._cut_off: dict[int, tuple[Agent, datetime | None]] = {}
        """Whose leg was ended on Asterisk's side, as they were, and when: it may be about to stop; None: it did."""
        self._strays: list[tuple[str, str]] = []
        """Legs to be let go, by node and channel id."""
        self._tasks: asyncio.TaskGroup | None = None

    async def load(self, open_calls: Sequence[Call]) -> None:
        """Take the agents from the store; let go of those whose call ended while the daemon was away."""
        now = self._clock.now()
        up = {call.id: call for call in open_calls}
        for agent in await self._store.agents():
            self._know(agent)
            if agent.call_id is not None and agent.call_id not in up:
                self._apply(agent, signals.Released(), now)
                self._apply(self._agents[agent.id], signals.Parted(), now)
            if self._agents[agent.id].state is AgentState.WRAP_UP:
                self._begin_wrap_up(self._agents[agent.id], None)
        for call in open_calls:
            # Calls are committed before they leave, agents' changes a moment later: a kill may have come between.
            kept = self._agents.get(call.agent_id or 0)
            if kept is not None and may_take_calls(kept) and not call.joins:
                self._apply(kept, signals.Reserved(call_id=call.id), call.placed_at)

    def agents(self) -> list[Agent]:
        """List all agents, by login."""
        return sorted(self._agents.values(), key=lambda agent: agent.login)

    def get(self, agent_id: int) -> Agent | None:
        """Return the agent as he is now."""
        return self._agents.get(agent_id)

    def named(self, login: str) -> Agent:
        """Return the agent of this login; raises NotFound."""
        for agent in self._agents.values():
            if agent.login == login:
                return agent
        raise NotFound(f"there is no agent with the login {login!r}")

    def free(self, campaign_id: int | None) -> list[Agent]:
        """List those who may be offered a call of the campaign now, the longest free first."""
        found = [
            agent
            for agent in self._agents.values()
            if may_take_calls(agent)
            and (campaign_id is None or campaign_id in agent.campaign_ids)
            and self._lines.connected(agent.node)
        ]
        return sorted(found, key=lambda agent: (agent.since is not None, agent.since, agent.id))

    def expected_legs(self, node: str) -> list[str]:
        """List the channel ids of the kept legs that should be up on a node."""
        return [a.channel_id for a in self._agents.values() if a.node == node and a.channel_id is not None]

    def phones(self, node: str) -> list[str]:
        """List the endpoints of all agents' phones on a node."""
        return [agent.endpoint for agent in self._agents.values() if agent.node == node]

    async def add(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict when the login or the phone is taken."""
        agent = await self._store.add_agent(
            login=login, name=name, endpoint=endpoint, node=node, campaign_ids=campaign_ids
        )
        self._agents[agent.id] = agent
        return agent

    async def assign(self, login: str, campaign_ids: Sequence[int]) -> Agent:
        """Set the campaigns an agent works on."""
        agent_id = self.named(login).id
        await self._store.assign(agent_id, campaign_ids)
        known = {agent.id: agent for agent in await self._store.agents()}
        present = self._agents[agent_id]
        self._agents[agent_id] = replace(present, campaign_ids=known[agent_id].campaign_ids)
        return self._agents[agent_id]

    async def login(self, login: str, *, ready: bool = True) -> Agent:
        """Call the agent's phone and keep the leg; return when it is up.

        Raises Conflict (already logged in, or the phone does not answer; the message says what the network said),
        NodeDown, NotFound.
        """
        agent = self.named(login)
        if agent.state is not AgentState.LOGGED_OUT or agent.id in self._logins:
            raise Conflict(f"{login} is already logged in")
        if not self._lines.connected(agent.node):
            raise NodeDown(f"no connection to the node {agent.node}; {login} cannot be called there now")
        await self._call_phone(agent, pause=None if ready else "login")
        return self._agents[agent.id]

    async def logout(self, login: str) -> Agent:
        """Let the kept leg go. Raises Conflict while a call is up or being placed for the agent."""
        agent = self.named(login)
        if agent.state in (AgentState.RESERVED, AgentState.ON_CALL):
            raise Conflict(f"{login} is {agent.state}; pause first, that holds from the end of the call")
        self._apply(agent, signals.LogoutAsked(), self._clock.now())
        answered = self._logins.get(agent.id)
        if answered is not None and not answered.done():
            answered.set_exception(Conflict(f"{login} logged out before his phone answered"))
        await self._let_leg_go(agent)
        return self._agents[agent.id]

    async def ready(self, login: str) -> Agent:
        """Offer the agent calls. Raises Conflict when logged out or when the phone cannot be reached."""
        agent = self._logged_in(login)
        if not agent.phone_reachable:
            raise Conflict(f"the phone {agent.endpoint} of {login} is not registered at {agent.node}")
        return self._apply(agent, signals.ReadyAsked(), self._clock.now())

    async def pause(self, login: str, reason: str) -> Agent:
        """Offer no more calls; on a call this holds from its end. Raises Conflict when logged out."""
        return self._apply(self._logged_in(login), signals.PauseAsked(reason=reason), self._clock.now())

    async def hang_up(self, login: str) -> Agent:
        """End the customer's leg of the agent's present call. Raises Conflict when there is none, NodeDown."""
        agent = self._logged_in(login)
        if agent.state is not AgentState.ON_CALL or agent.call_id is None:
            raise Conflict(f"{login} is not on a call")
        await self._lines.hang_up(node=agent.node, channel_id=call_channel(agent.call_id))
        return agent

    def reserve(self, agent_id: int, call_id: str) -> bool:
        """Keep the agent for a call; False when he may not be offered one (any more)."""
        agent = self._agents[agent_id]
        if not may_take_calls(agent):
            return False
        self._apply(agent, signals.Reserved(call_id=call_id), self._clock.now())
        return True

    def release(self, agent_id: int, call_id: str) -> None:
        """Undo a reservation that led nowhere."""
        agent = self._agents[agent_id]
        if agent.call_id == call_id:
            self._apply(agent, signals.Released(), self._clock.now())

    def tap(self, event: Event) -> None:
        """Let what happened to calls, legs and phones move the agents."""
        match event:
            case CallMoved(call=call, at=at):
                self._on_call(call, at)
            case LegUp():
                self._on_leg_up(event)
            case LegGone():
                self._on_leg_gone(event)
            case NodeLost(node=node):
                self._on_node_lost(node)
            case NodeUp(node=node, restarted=restarted, at=at):
                self._on_node_up(node, restarted, at)
            case PhoneMoved(node=node, endpoint=endpoint, reachable=reachable, at=at):
                for agent in list(self._agents.values()):
                    if (agent.node, agent.endpoint) == (node, endpoint):
                        self._on_phone(agent, reachable, at)

    async def run(self) -> None:
        """End wrap-ups in time and call phones again after a node was lost."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await every(STEP_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        for agent_id, end in list(self._wrap_up_ends.items()):
            if now >= end:
                del self._wrap_up_ends[agent_id]
                self._apply(self._agents[agent_id], signals.WrapUpOver(), now)
        for agent_id, gone_at in list(self._phones_gone.items()):
            if now >= gone_at + timedelta(seconds=self._reconnect_seconds):
                await self._let_go(self._agents[agent_id], now)
        strays, self._strays = self._strays, []
        for node, channel_id in strays:
            await self._hang_up_leg(node, channel_id)
        for agent in self._to_call_again():
            self._recalled[agent.id] = self._clock.monotonic()
            again = logged(f"calling the phone of {agent.login} again", self._call_again(agent.id))
            if self._tasks is None:
                await again
            else:
                # A phone may ring for long; nobody else waits for it.
                self._tasks.create_task(again, name=f"recall-{agent.login}")

    async def _call_again(self, agent_id: int) -> None:
        agent = self._agents[agent_id]
        if _wants_call(agent) and agent_id not in self._logins:
            with suppress(Conflict, NodeError):
                await self._call_phone(agent, pause=agent.pause_next)

    async def _let_go(self, agent: Agent, now: datetime) -> None:
        """His phone stayed away: log him out. On a call he stays until the leg itself dies (`rtp_timeout`)."""
        if agent.state is AgentState.ON_CALL or agent.id not in self._phones_gone:
            return
        self._apply(agent, signals.LegEnded(reason=signals.PHONE_GONE), now)
        await self._let_leg_go(agent)

    async def _let_leg_go(self, agent: Agent) -> None:
        if agent.channel_id is not None:
            await self._hang_up_leg(agent.node, agent.channel_id)

    async def _hang_up_leg(self, node: str, channel_id: str) -> None:
        """End a leg that is nobody's any more; as long as the order may not have arrived, later again."""
        try:
            if not self._lines.connected(node):
                raise NodeDown(f"no connection to the node {node}")
            await self._lines.hang_up(node=node, channel_id=channel_id)
        except NodeRefused as error:
            log.error("the leg %s is nobody's, and stays up: %s", channel_id, error)
        except NodeError:
            self._strays.append((node, channel_id))

    def _to_call_again(self) -> list[Agent]:
        mono = self._clock.monotonic()
        return [
            agent
            for agent in self._agents.values()
            if _wants_call(agent)
            and agent.id not in self._logins
            and self._lines.connected(agent.node)
            and mono - self._recalled.get(agent.id, -RECALL_SECONDS) >= RECALL_SECONDS
        ]

    async def _call_phone(self, agent: Agent, *, pause: str | None) -> None:
        channel_id = new_leg_channel(agent.id)
        agent = self._apply(agent, signals.PhoneCalled(channel_id=channel_id, pause=pause), self._clock.now())
        answered = self._logins[agent.id] = asyncio.get_running_loop().create_future()
        try:
            await self._lines.call_phone(agent, channel_id)
            async with asyncio.timeout(self._answer_seconds):
                await answered
        except TimeoutError:
            await self._hang_up_leg(agent.node, channel_id)
            raise Conflict(
                f"the phone {agent.endpoint} of {agent.login} did not answer within {self._answer_seconds:g} s"
            ) from None
        finally:
            self._logins.pop(agent.id, None)
            if self._agents[agent.id].channel is None:
                self._forget_leg(agent.id)

    def _forget_leg(self, agent_id: int) -> None:
        """The login failed: no leg is expected, and the reason he was logged out for stands."""
        agent = self._agents[agent_id]
        reason = agent.reason or "login_failed"
        self._apply(agent, signals.LegEnded(reason=reason), self._clock.now())

    def _on_call(self, call: Call, at: datetime) -> None:
        present = None if call.ended else call.joined
        concerned = {*self._holders.get(call.id, ()), *(() if present is None else (present.agent_id,))}
        for agent in [self._agents[key] for key in concerned if key in self._agents]:
            if present is not None and present.agent_id == agent.id:
                if (agent.state, agent.call_id) != (AgentState.ON_CALL, call.id):
                    self._apply(agent, signals.Joined(call_id=call.id), present.joined_at)
            elif agent.call_id == call.id:
                self._part(agent, call, at)

    def _part(self, agent: Agent, call: Call, at: datetime) -> None:
        if agent.state is AgentState.ON_CALL:
            after = self._apply(agent, signals.Parted(), at)
            if after.state is AgentState.WRAP_UP:
                self._begin_wrap_up(after, call.campaign_id)
        elif agent.state is AgentState.RESERVED and (call.ended or call.joined is not None):
            self._apply(agent, signals.Released(), at)

    def _begin_wrap_up(self, agent: Agent, campaign_id: int | None) -> None:
        campaign = campaign_id or (agent.campaign_ids[0] if agent.campaign_ids else None)
        seconds = self._wrap_up_seconds(campaign)
        if seconds is not None:
            self._wrap_up_ends[agent.id] = self._clock.now() + timedelta(seconds=seconds)

    def _on_phone(self, agent: Agent, reachable: bool, at: datetime) -> None:
        after = self._apply(agent, signals.PhoneCame() if reachable else signals.PhoneWent(), at)
        if not after.phone_reachable and after.state is not AgentState.LOGGED_OUT:
            self._phones_gone.setdefault(agent.id, self._clock.now())

    def _on_leg_up(self, event: LegUp) -> None:
        agent = self._agents.get(agent_of_channel(event.channel_id) or 0)
        if agent is None or agent.channel_id != event.channel_id:
            log.warning("a leg nobody waits for is up: %s", event.channel_id)
            self._strays.append((event.node, event.channel_id))
            return
        self._apply(agent, signals.LegAnswered(channel=event.channel), event.at)
        answered = self._logins.get(agent.id)
        if answered is not None and not answered.done():
            answered.set_result(None)

    def _on_leg_gone(self, event: LegGone) -> None:
        agent = self._agents.get(agent_of_channel(event.channel_id) or 0)
        if agent is None or agent.channel_id != event.channel_id:
            return
        answered = self._logins.get(agent.id)
        if answered is not None and not answered.done():
            why = event.cause_text or f"cause {event.cause}"
            answered.set_exception(
                Conflict(f"the phone {agent.endpoint} of {agent.login} did not take the call: {why}")
            )
            return
        if event.by_node:
            self._cut_off[agent.id] = (agent, self._clock.now())
        reason = signals.NODE_LOST if event.node_lost else signals.PHONE_GONE
        self._apply(agent, signals.LegEnded(reason=reason), event.at)

    def _on_node_lost(self, node: str) -> None:
        long_ago = self._clock.now() - timedelta(seconds=STOP_SECONDS)
        for agent, at in list(self._cut_off.values()):
            if agent.node != node or at is None:
                continue
            if at < long_ago:
                del self._cut_off[agent.id]
            else:
                self._cut_off[agent.id] = (agent, None)

    def _on_node_up(self, node: str, restarted: bool, at: datetime) -> None:
        for before, _ in list(self._cut_off.values()):
            if before.node == node:
                del self._cut_off[before.id]
                pause = before.reason if before.state is AgentState.PAUSED else before.pause_next
                if restarted and self._agents[before.id].reason == signals.PHONE_GONE:
                    self._apply(self._agents[before.id], signals.CutOff(pause=pause), at)

    def _logged_in(self, login: str) -> Agent:
        agent = self.named(login)
        if agent.state is AgentState.LOGGED_OUT:
            raise Conflict(f"{login} is logged out")
        return agent

    def _apply(self, agent: Agent, signal: AgentSignal, at: datetime) -> Agent:
        # Some moments are told by Asterisk's clock, and a history that went back in time would count wrong.
        at = at if agent.since is None else max(at, agent.since)
        after = moved(agent, signal, at)
        if after is agent:
            return agent
        self._know(after)
        if after.state is not AgentState.WRAP_UP:
            self._wrap_up_ends.pop(after.id, None)
        if after.state is AgentState.LOGGED_OUT or after.phone_reachable:
            self._phones_gone.pop(after.id, None)
        change = change_between(agent, after, at)
        if change is not None:
            self._bus.publish(AgentMoved(change=change, agent=after))
        return after

    def _know(self, agent: Agent) -> None:
        before = self._agents.get(agent.id)
        self._agents[agent.id] = agent
        if before is not None and before.call_id is not None:
            holders = self._holders[before.call_id]
            holders.discard(agent.id)
            if not holders:
                del self._holders[before.call_id]
        if agent.call_id is not None:
            self._holders.setdefault(agent.call_id, set()).add(agent.id)


def _wants_call(agent: Agent) -> bool:
    """Whether his phone is to be called again: he did not log out himself."""
    lost = agent.state is AgentState.LOGGED_OUT and agent.reason == signals.NODE_LOST
    return lost and agent.phone_reachable
