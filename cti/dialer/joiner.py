"""Joins people who answered with agents, at once. No service: it acts on the bus's events, in tasks of its group.

The customer waits in the dialplan's safety net meanwhile; when nobody can take him before the grace ends, the dialplan
plays the message and he counts as dropped. A contact that belongs to an agent waits for him, as long as the campaign's
`ownership.spill` says.
"""

import asyncio
import logging
from collections.abc import Callable

from cti.clock import Clock, SystemClock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.exchange_ports import Lines
from cti.dialer.matching import agent_for, in_turn, spills_at
from cti.errors import NodeDown, NodeRefused, NodeSilent
from cti.model.agents import Agent, AgentState
from cti.model.calls import Call, CallState
from cti.model.campaign_rules import Spill
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

    def __init__(
        self,
        *,
        desk: AgentDesk,
        lines: Lines,
        clock: Clock | None = None,
        spill: Callable[[int | None], Spill] = lambda campaign_id: Spill.NEVER,
    ) -> None:
        """`spill`: a campaign's rule for contacts whose owner cannot take them."""
        self._desk = desk
        self._lines = lines
        self._clock = clock or SystemClock()
        self._spill = spill
        self._waiting: dict[str, Call] = {}
        self._spills: dict[str, asyncio.TimerHandle] = {}
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
        for call_id in list(self._spills):
            self._spills.pop(call_id).cancel()

    def waiting(self, campaign_id: int | None) -> int:
        """Count the people of a campaign whom nobody is being joined with yet."""
        return len(self.waiting_calls(campaign_id))

    def waiting_calls(self, campaign_id: int | None) -> list[Call]:
        """List them, those with an owner first; such a one waits for that agent, and not for the team."""
        return in_turn(call for call in self._waiting.values() if call.campaign_id == campaign_id)

    def tap(self, event: Event) -> None:
        """Offer whoever answers; offer those who wait to whoever becomes free."""
        match event:
            case CallMoved(call=call):
                if not wants_agent(call):
                    self._forget(call)
                elif call.id not in self._joining:
                    self._offer(call)
            case AgentMoved(agent=agent) if agent.state in (AgentState.READY, AgentState.LOGGED_OUT):
                # Who logs out lets those go to others who waited for him, where the rule says so.
                self._offer_all()
            case NodeUp() | PhoneMoved(reachable=True):
                self._offer_all()

    def _forget(self, call: Call) -> None:
        for kept in (self._waiting, self._joining, self._tried):
            kept.pop(call.id, None)
        self._await_no_more(call)

    def _offer_all(self) -> None:
        for call in in_turn(self._waiting.values()):
            self._offer(call)

    def _offer(self, call: Call) -> None:
        tried = self._tried.setdefault(call.id, set())
        reserved, owner = self._agent(call.agent_id), self._agent(call.owner_agent_id)
        spill, now = self._spill(call.campaign_id), self._clock.now()
        agent = agent_for(
            call,
            reserved=reserved,
            free=self._desk.free(call.campaign_id),
            owner=owner,
            spill=spill,
            now=now,
            tried=tried,
        )
        if agent is None or self._tasks is None or not self._lines.connected(call.node):
            self._waiting[call.id] = call
            if agent is None and spill is Spill.AFTER_GRACE:
                self._offer_again_later(call)
            return
        if reserved is not None and agent is not reserved:
            self._desk.release(reserved.id, call.id)
        if agent is not reserved or agent.state is not AgentState.RESERVED:
            self._desk.reserve(agent.id, call.id)
        self._waiting.pop(call.id, None)
        self._await_no_more(call)
        self._joining[call.id] = agent.id
        what = f"joining {call.id}"
        self._tasks.create_task(logged(what, self._join(call, agent)), name=what)

    def _agent(self, agent_id: int | None) -> Agent | None:
        return None if agent_id is None else self._desk.get(agent_id)

    def _offer_again_later(self, call: Call) -> None:
        """Shortly before the grace ends whoever waits for his owner goes to anybody."""
        at = spills_at(call)
        if self._tasks is None or call.owner_agent_id is None or at is None or call.id in self._spills:
            return
        seconds = (at - self._clock.now()).total_seconds()
        if seconds > 0:
            self._spills[call.id] = asyncio.get_running_loop().call_later(seconds, self.spill, call.id)

    def spill(self, call_id: str) -> None:
        """Offer somebody who waits once more: his time for others has come."""
        self._spills.pop(call_id, None)
        if call_id in self._waiting:
            self._offer(self._waiting[call_id])

    def _await_no_more(self, call: Call) -> None:
        timer = self._spills.pop(call.id, None)
        if timer is not None:
            timer.cancel()

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
