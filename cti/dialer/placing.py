"""Places calls that somebody chose: commits the attempts, then lets their orders leave. Chooses nobody.

Each attempt is committed before its Originate leaves; an order that never left gives its contact back to the list, one
that may have left is never sent again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.call_ports import CallStore
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.candidate_ports import Gate
from cti.dialer.exchange_ports import Lines, OpenCalls
from cti.dialer.floor_board import FloorBoard
from cti.dialer.last_word import LastWord
from cti.dialer.matching import holds
from cti.dialer.queue_ports import QueueStore
from cti.dialer.selector import parking
from cti.errors import NodeDown, NodeError, NodeRefused, StorageError
from cti.lines.keeper import LineKeeper
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Candidate
from cti.model.events import Event
from cti.model.ids import new_call_id
from cti.model.lines import LineChoice
from cti.model.standing import Parked
from cti.model.verdicts import Verdict
from cti.service import logged

log = logging.getLogger(__name__)

AWAY_SECONDS = 1.0
"""Between two tries while the database is away."""
TOO_LATE_SECONDS = 3.0
"""A commit that took longer (the database was away) is for nothing: the moment it says is wrong, and the listener,
which finds no channel `PLACING_LOOK` after it, would take the call for one that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A contact who is to be called now."""

    candidate: Candidate
    agent: Agent | None
    """Who is to be kept for the call; None: whoever is free when it is answered."""
    why: str
    in_list: bool = True
    """Whether the contact's entry of a list is taken for it."""


class Placer:
    """Makes calls of orders."""

    def __init__(
        self,
        *,
        calls: CallStore,
        campaigns: CampaignDesk,
        desk: AgentDesk,
        open_calls: OpenCalls,
        lines: Lines,
        board: FloorBoard,
        keeper: LineKeeper,
        queue: QueueStore,
        gate: Gate,
        bus: EventBus,
        clock: Clock,
        recording_name: Callable[[str, str, datetime], str | None],
        expecting: Callable[[Call], None] = lambda call: None,
    ) -> None:
        """`expecting` is told each call before it is committed: it may still come to nothing."""
        self._calls = calls
        self._campaigns = campaigns
        self._desk = desk
        self._open = open_calls
        self._lines = lines
        self._board = board
        self._keeper = keeper
        self._queue = queue
        self._last_word = LastWord(gate=gate, clock=clock)
        self._without_line: dict[int, str] = {}
        """By campaign: why the last contact without a line had none; told once."""
        self._bus = bus
        self._clock = clock
        self._recording_name = recording_name
        self._expecting = expecting
        self._tasks: asyncio.TaskGroup | None = None
        self._troubled = False

    def work_in(self, tasks: asyncio.TaskGroup | None) -> None:
        """Let orders leave in tasks of this group from now on; None: one after the other."""
        self._tasks = tasks

    async def place(self, campaign: Campaign, orders: Sequence[Order]) -> list[Call]:
        """Commit the calls and let them leave; return those whose orders were to leave. Raises StorageError.

        An order whose agent may no longer be kept, or whose contact or number somebody else took, makes no call.
        """
        mine = [order for order in orders if self._last_word.take(order.candidate.number)]
        leaving: list[Call] = []
        try:
            leaving = await self._place(campaign, mine)
        finally:
            numbers = [order.candidate.number for order in mine]
            self._last_word.put_down(numbers, called=[call.number for call in leaving])
        self._board.sent(campaign.id, len(leaving))
        await self._send_all(leaving, campaign)
        return leaving

    async def _place(self, campaign: Campaign, orders: Sequence[Order]) -> list[Call]:
        """Commit the calls; return those that are still wanted."""
        made: list[tuple[Call, Order]] = []
        refused: list[Parked] = []
        for order in orders:
            verdict = await self._last_word.refusal(campaign, order.candidate)
            if verdict is not None:
                if order.in_list:
                    refused.append(parking(order.candidate, verdict, self._clock.now()))
                continue
            line = self._keeper.choose_line(campaign, order.candidate, self._clock.now())
            if isinstance(line, Verdict):
                self._no_line(campaign, order, line, refused)
            elif (call := self._made(campaign, order, line)) is not None:
                made.append((call, order))
                self._expecting(call)
                self._keeper.take(call)
                self._board.hold(campaign.id, call.id, reserved=order.agent is not None)
        if refused:
            await self._queue.park(refused, at=self._clock.now())
        if not made:
            return []
        calls = [call for call, _ in made]
        try:
            rows = [(call, order.candidate if order.in_list else None) for call, order in made]
            committed = set(await self._commit(rows))
        except BaseException:
            for call in calls:
                self._give_up(call)
            raise
        leaving = self._begin([call for call in calls if call.id in committed])
        for call in calls:
            if call.id not in committed:
                self._give_up(call)
        return leaving

    def _no_line(self, campaign: Campaign, order: Order, why: Verdict, refused: list[Parked]) -> None:
        """Put the contact off until there may be a line for him; where nobody knows when, he stays where he is."""
        if why.until is not None and why.reason is not None and order.in_list:
            parked = Parked(candidate=order.candidate, reason=why.reason, detail=why.detail, until=why.until)
            refused.append(parked)
        elif self._without_line.get(campaign.id) != why.detail:
            log.warning("%s: %s is not dialed: %s", campaign.name, order.candidate.number, why.detail)
            self._without_line[campaign.id] = why.detail

    def _made(self, campaign: Campaign, order: Order, line: LineChoice) -> Call | None:
        """Make the call and keep its agent for it."""
        now, candidate, agent = self._clock.now(), order.candidate, order.agent
        call_id = new_call_id(now)
        if agent is not None and not self._desk.reserve(agent.id, call_id):
            return None
        return Call(
            id=call_id,
            node=campaign.node,
            trunk=line.trunk,
            number=candidate.number,
            placed_at=now,
            campaign_id=campaign.id,
            list_id=candidate.list_id if order.in_list else None,
            contact_id=candidate.contact_id,
            number_id=candidate.number_id,
            agent_id=agent.id if agent else None,
            owner_agent_id=candidate.owner_agent_id,
            crm_ref=candidate.crm_ref,
            try_number=candidate.tries + 1,
            ring_seconds=campaign.ring_seconds,
            grace_seconds=campaign.grace_seconds,
            machines=campaign.rules.machines.wanted,
            grace_start=campaign.rules.pacing.grace_start.value,
            recording=self._recording_name(campaign.node, call_id, now) if campaign.record else None,
            mode=campaign.mode.value,
            caller_id=line.caller_id,
            next_trunk=line.next_trunk,
            answer_chance=candidate.answer_chance,
            why=f"{order.why}; {line.why}",
        )

    def _begin(self, committed: Sequence[Call]) -> list[Call]:
        """Follow the committed calls; return those that are still wanted."""
        leaving = []
        for call in committed:
            self._publish(self._open.place(call))
            if self._still_wanted(call):
                leaving.append(call)
            else:
                self._publish(self._open.not_sent(call.id, self._clock.now()))
        return leaving

    def _still_wanted(self, call: Call) -> bool:
        """Whether what the call was placed for still holds now that it is committed."""
        if (self._clock.now() - call.placed_at).total_seconds() > TOO_LATE_SECONDS:
            return False
        agent = None if call.agent_id is None else self._desk.get(call.agent_id)
        if call.agent_id is not None and (agent is None or not holds(agent, call)):
            return False
        return (
            call.campaign_id is None or self._campaigns.get(call.campaign_id).state is CampaignState.RUNNING
        )

    async def _commit(self, rows: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        """Commit the attempts; while the database is away, again and again: whether it took the first is not known."""
        while True:
            try:
                committed = await self._calls.place(rows)
            except StorageError as error:
                if not error.temporary:
                    raise
                if not self._troubled:
                    log.error("no call is placed while the database is away: %s", error)
                self._troubled = True
                await asyncio.sleep(AWAY_SECONDS)
            else:
                self._troubled = False
                return committed

    def _give_up(self, call: Call) -> None:
        """The call was never made: somebody else took the contact, or the database refused it."""
        self._board.let_go(call.campaign_id, call.id)
        self._keeper.give_back(call)
        if call.agent_id is not None:
            self._desk.release(call.agent_id, call.id)

    async def _send_all(self, calls: Sequence[Call], campaign: Campaign) -> None:
        if self._tasks is None:
            await asyncio.gather(*(self._send(call, campaign) for call in calls))
            return
        for call in calls:
            what = f"placing {call.id}"
            self._tasks.create_task(logged(what, self._send(call, campaign)), name=what)

    async def _send(self, call: Call, campaign: Campaign) -> None:
        try:
            await self._lines.place(
                call,
                caller_id=call.caller_id or "",
                message=campaign.message,
                machines=campaign.rules.machines,
            )
        except NodeDown as error:
            log.warning("%s was not dialed: %s", call.number, error)
            self._publish(self._open.not_sent(call.id, self._clock.now()))
        except NodeRefused as error:
            log.warning("%s was refused: %s", call.number, error)
            self._publish(self._open.refused(call.id, str(error), self._clock.now()))
        except NodeError as error:
            # It may have left: what became of it is asked when the connection is back.
            log.warning("%s: the order may or may not have arrived: %s", call.number, error)

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._bus.publish(event)
