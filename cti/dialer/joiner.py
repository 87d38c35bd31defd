"""Joins people who answered with agents, at once. No service: it acts on the bus's events, in tasks of its group.

The customer waits in the dialplan's safety net meanwhile; when nobody can take him before the grace ends, the dialplan
plays the message and he counts as dropped.
"""

import asyncio
import logging

from cti.dialer.agent_desk import AgentDesk
from cti.dialer.matching import agent_for
from cti.dialer.ports import Lines
from cti.errors import NodeDown, NodeRefused, NodeSilent
from cti.model.agents import Agent, AgentState
from cti.model.calls import Call, CallState
from cti.model.events import AgentMoved, CallMoved, Event, NodeUp, PhoneMoved
from cti.service import logged

log = logging.getLogger(__name__)


def wants_agent(call: Call) -> bool:
    """Whether this person waits in the safety net and nobody has fetched him."""
    return (
        call.state is CallState.ANSWERED
        and call.waiting_at is not None
        and call.dropped_at is None
        and not call.joins
    )


class Joiner:
    """Answered calls that wait, and joins under way."""

    def __init__(self, *, desk: AgentDesk, lines: Lines) -> None:
        self._desk = desk
        self._lines = lines
        self._waiting: dict[str, Call] = {}
        self._joining: dict[str, int] = {}
        self._tried: dict[str, set[int]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def work_in(self, tasks: asyncio.TaskGroup) -> None:
        """Run joins in this group from now on; people who answered before are offered now."""
        self._tasks = tasks
        self._offer_all()

    def rest(self) -> None:
        """Join nobody more: the group ends."""
        self._tasks = None

    def waiting(self, campaign_id: int | None) -> int:
        """Count the people of a campaign whom nobody is being joined with yet."""
        return sum(call.campaign_id == campaign_id for call in self._waiting.values())

    def tap(self, event: Event) -> None:
        """Offer whoever answers; offer those who wait to whoever becomes free."""
        match event:
            case CallMoved(call=call):
                if not wants_agent(call):
                    self._forget(call)
                elif call.id not in self._joining:
                    self._offer(call)
            case AgentMoved(agent=agent) if agent.state is AgentState.READY:
                self._offer_all()
            case NodeUp() | PhoneMoved(reachable=True):
                self._offer_all()

    def _forget(self, call: Call) -> None:
        for kept in (self._waiting, self._joining, self._tried):
            kept.pop(call.id, None)

    def _offer_all(self) -> None:
        for call in list(self._waiting.values()):
            self._offer(call)

    def _offer(self, call: Call) -> None:
        tried = self._tried.setdefault(call.id, set())
        reserved = self._desk.get(call.agent_id) if call.agent_id is not None else None
        agent = agent_for(call, reserved=reserved, free=self._desk.free(call.campaign_id), tried=tried)
        if agent is None or self._tasks is None or not self._lines.connected(call.node):
            self._waiting[call.id] = call
            return
        if reserved is not None and agent is not reserved:
            self._desk.release(reserved.id, call.id)
        if agent is not reserved or agent.state is not AgentState.RESERVED:
            self._desk.reserve(agent.id, call.id)
        self._waiting.pop(call.id, None)
        self._joining[call.id] = agent.id
        what = f"joining {call.id}"
        self._tasks.create_task(logged(what, self._join(call, agent)), name=what)

    async def _join(self, call: Call, agent: Agent) -> None:
        try:
            await self._lines.join(call, agent)
        except NodeRefused as error:
            log.warning("%s could not be joined with %s: %s", call.number, agent.login, error)
            if self._joining.get(call.id) == agent.id:
                self._tried.setdefault(call.id, set()).add(agent.id)
                del self._joining[call.id]
                self._desk.release(agent.id, call.id)
                self._offer(call)
        except (NodeDown, NodeSilent) as error:
            # He may be joined or not; what is up is asked when the connection is back.
            log.warning("%s was answered while %s was away: %s", call.number, call.node, error)
            if self._joining.pop(call.id, None) is not None:
                self._waiting[call.id] = call
