"""Agents' kept legs: a phone is called once, its leg is kept, lost, let go, or called again. Chooses no calls.

A leg that is nobody's is hung up, for as long as the order may not have arrived. When a node is lost with its legs, the
phones are called again by themselves once it is back: nobody logged out.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from cti.clock import Clock
from cti.dialer import agent_states as signals
from cti.dialer.exchange_ports import Lines
from cti.dialer.roster import Roster
from cti.errors import Conflict, NodeDown, NodeError, NodeRefused
from cti.model.agents import Agent, AgentState
from cti.model.events import Event, LegGone, LegUp, NodeLost, NodeUp
from cti.model.ids import agent_of_channel, new_leg_channel
from cti.service import logged

log = logging.getLogger(__name__)

RECALL_SECONDS = 3.0
"""Between two tries to call a phone again after its node was lost."""
STOP_SECONDS = 30.0
"""An Asterisk that is told to stop hangs up, waits up to 15 s for the channels to end (main/asterisk.c), and goes."""


class KeptLegs:
    """The legs of all agents in the roster."""

    def __init__(self, *, roster: Roster, lines: Lines, clock: Clock, answer_seconds: float) -> None:
        self._roster = roster
        self._lines = lines
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._logins: dict[int, asyncio.Future[None]] = {}
        self._recalled: dict[int, float] = {}
        self._cut_off: dict[int, tuple[Agent, datetime | None]] = {}
        """Whose leg was ended on Asterisk's side, as they were, and when: it may be about to stop; None: it did."""
        self._strays: list[tuple[str, str]] = []
        """Legs to be let go, by node and channel id."""

    def being_called(self, agent: Agent) -> bool:
        """Whether his phone is being called now."""
        return agent.id in self._logins

    async def call(self, agent: Agent, *, pause: str | None) -> None:
        """Call his phone and keep the leg; return when it is up. `pause`: the reason to begin with a pause.

        Raises Conflict when the phone does not take the call, NodeError.
        """
        channel_id = new_leg_channel(agent.id)
        agent = self._roster.apply(
            agent, signals.PhoneCalled(channel_id=channel_id, pause=pause), self._clock.now()
        )
        answered = self._logins[agent.id] = asyncio.get_running_loop().create_future()
        try:
            await self._lines.call_phone(agent, channel_id)
            async with asyncio.timeout(self._answer_seconds):
                await answered
        except TimeoutError:
            await self._hang_up(agent.node, channel_id)
            raise Conflict(
                f"the phone {agent.endpoint} of {agent.login} did not answer within {self._answer_seconds:g} s"
            ) from None
        finally:
            self._logins.pop(agent.id, None)
            if self._roster.now(agent).channel is None:
                self._forget(self._roster.now(agent))

    def call_off(self, agent: Agent) -> None:
        """End the waiting of whoever called his phone."""
        self._fail(agent, f"{agent.login} logged out before his phone answered")

    async def let_go(self, agent: Agent) -> None:
        """Hang up the leg he had, if any."""
        if agent.channel_id is not None:
            await self._hang_up(agent.node, agent.channel_id)

    def tap(self, event: Event) -> None:
        """Let what happened to legs and nodes move the agents."""
        match event:
            case LegUp():
                self._on_up(event)
            case LegGone():
                self._on_gone(event)
            case NodeLost(node=node):
                self._on_node_lost(node)
            case NodeUp(node=node, restarted=restarted, at=at):
                self._on_node_up(node, restarted, at)

    async def step(self, tasks: asyncio.TaskGroup | None) -> None:
        """Let go of strays, and call phones again; in `tasks`, as a phone may ring for long and nobody else waits."""
        strays, self._strays = self._strays, []
        for node, channel_id in strays:
            await self._hang_up(node, channel_id)
        for agent in self._to_call_again():
            self._recalled[agent.id] = self._clock.monotonic()
            again = logged(f"calling the phone of {agent.login} again", self._call_again(agent))
            if tasks is None:
                await again
            else:
                tasks.create_task(again, name=f"recall-{agent.login}")

    async def _call_again(self, agent: Agent) -> None:
        agent = self._roster.now(agent)
        if _wants_call(agent) and not self.being_called(agent):
            with suppress(Conflict, NodeError):
                await self.call(agent, pause=agent.pause_next)

    def _to_call_again(self) -> list[Agent]:
        mono = self._clock.monotonic()
        return [
            agent
            for agent in self._roster.all()
            if _wants_call(agent)
            and not self.being_called(agent)
            and self._lines.connected(agent.node)
            and mono - self._recalled.get(agent.id, -RECALL_SECONDS) >= RECALL_SECONDS
        ]

    async def _hang_up(self, node: str, channel_id: str) -> None:
        """End a leg that is nobody's any more; as long as the order may not have arrived, later again."""
        try:
            if not self._lines.connected(node):
                raise NodeDown(f"no connection to the node {node}")
            await self._lines.hang_up(node=node, channel_id=channel_id)
        except NodeRefused as error:
            log.error("the leg %s is nobody's, and stays up: %s", channel_id, error)
        except NodeError:
            self._strays.append((node, channel_id))

    def _forget(self, agent: Agent) -> None:
        """The login failed: no leg is expected, and the reason he was logged out for stands."""
        reason = agent.reason or "login_failed"
        self._roster.apply(agent, signals.LegEnded(reason=reason), self._clock.now())

    def _fail(self, agent: Agent, why: str) -> bool:
        """Tell whoever waits for his phone that it will not answer; False when nobody waits."""
        answered = self._logins.get(agent.id)
        if answered is None or answered.done():
            return False
        answered.set_exception(Conflict(why))
        return True

    def _owner(self, channel_id: str) -> Agent | None:
        agent = self._roster.get(agent_of_channel(channel_id))
        return agent if agent is not None and agent.channel_id == channel_id else None

    def _on_up(self, event: LegUp) -> None:
        agent = self._owner(event.channel_id)
        if agent is None:
            log.warning("a leg nobody waits for is up: %s", event.channel_id)
            self._strays.append((event.node, event.channel_id))
            return
        self._roster.apply(agent, signals.LegAnswered(channel=event.channel), event.at)
        answered = self._logins.get(agent.id)
        if answered is not None and not answered.done():
            answered.set_result(None)

    def _on_gone(self, event: LegGone) -> None:
        agent = self._owner(event.channel_id)
        if agent is None:
            return
        why = event.cause_text or f"cause {event.cause}"
        if self._fail(agent, f"the phone {agent.endpoint} of {agent.login} did not take the call: {why}"):
            return
        if event.by_node:
            self._cut_off[agent.id] = (agent, self._clock.now())
        reason = signals.NODE_LOST if event.node_lost else signals.PHONE_GONE
        self._roster.apply(agent, signals.LegEnded(reason=reason), event.at)

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
            if before.node != node:
                continue
            del self._cut_off[before.id]
            pause = before.reason if before.state is AgentState.PAUSED else before.pause_next
            agent = self._roster.now(before)
            if restarted and agent.reason == signals.PHONE_GONE:
                self._roster.apply(agent, signals.CutOff(pause=pause), at)


def _wants_call(agent: Agent) -> bool:
    """Whether his phone is to be called again: he did not log out himself."""
    lost = agent.state is AgentState.LOGGED_OUT and agent.reason == signals.NODE_LOST
    return lost and agent.phone_reachable
