"""Places calls. A service: looks at the floor, asks the pacing function, commits, dials.

Joins nobody (`joiner`) and follows no call (`ami.call_tracker`). Each attempt is committed before its Originate
leaves; an order that never left gives its contact back to the list, one that may have left is never sent again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.joiner import Joiner
from cti.dialer.matching import holds
from cti.dialer.ports import CallStore, CampaignStore, Lines, OpenCalls
from cti.dialer.refusals import IN_A_ROW, Refusals
from cti.errors import NodeDown, NodeError, NodeRefused, StorageError
from cti.model.agents import Agent, AgentState
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Candidate
from cti.model.events import AgentMoved, CallMoved, CampaignMoved, Event, NodeLost, NodeUp
from cti.model.ids import new_call_id
from cti.pacing.floor import Floor, Pacing
from cti.pacing.progressive import progressive
from cti.pacing.throttle import Throttle
from cti.service import every, logged

log = logging.getLogger(__name__)

STEP_SECONDS = 0.1
"""The engine also looks at once when an agent becomes free, a call ends, or a campaign starts."""
PAUSE_SECONDS = 0.05
"""Between two steps at least. A commit costs as much as ten calls; what becomes possible meanwhile shares the next."""
AWAY_SECONDS = 1.0
"""Between two tries while the database is away."""
TOO_LATE_SECONDS = 3.0
"""A commit that took longer (the database was away) is for nothing: the moment it says is wrong, and the listener,
which finds no channel `PLACING_LOOK` after it, would take the call for one that never was."""
LOOK_AHEAD = 500
"""Contacts fetched at a time; one query then serves some seconds of the fastest dialing."""


class DialEngine:
    """Dials the running campaigns."""

    name = "dial-engine"

    def __init__(
        self,
        *,
        calls: CallStore,
        contacts: CampaignStore,
        campaigns: CampaignDesk,
        desk: AgentDesk,
        joiner: Joiner,
        open_calls: OpenCalls,
        lines: Lines,
        bus: EventBus,
        clock: Clock,
        recording_name: Callable[[str, str, datetime], str | None],
        pacing: Pacing = progressive,
        calls_per_second: Callable[[str], float] = lambda node: 20.0,
        node_lines: Callable[[str], int] = lambda node: 100,
        unasked: Iterable[str] = (),
    ) -> None:
        """`unasked`: nodes of which it is not known yet what is up on them; each waits for its `NodeUp`."""
        self._calls = calls
        self._contacts = contacts
        self._campaigns = campaigns
        self._desk = desk
        self._joiner = joiner
        self._open = open_calls
        self._lines = lines
        self._bus = bus
        self._clock = clock
        self._recording_name = recording_name
        self._pacing = pacing
        self._calls_per_second = calls_per_second
        self._node_lines = node_lines
        self._unasked = set(unasked)
        self._throttles: dict[str, Throttle] = {}
        self._ahead: dict[int, list[Candidate]] = {}
        self._lines_used: dict[int | None, set[str]] = {}
        self._placed: dict[int, int] = {}
        self._refusals = Refusals()
        self._maybe_done: set[int] = set()
        """Campaigns whose last call ended, or that were just started: is anything left?"""
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._troubled = False

    def tap(self, event: Event) -> None:
        """Keep count of the lines used, and look at once when something may have become possible."""
        match event:
            case CallMoved(call=call):
                used = self._lines_used.setdefault(call.campaign_id, set())
                if not call.ended:
                    used.add(call.id)
                    return
                used.discard(call.id)
                self._refusals.note(call)
                if call.campaign_id is not None and not used:
                    self._maybe_done.add(call.campaign_id)
            case AgentMoved(agent=agent) if agent.state is AgentState.READY:
                pass
            case NodeUp(node=node):
                self._unasked.discard(node)
            case NodeLost(node=node):
                # Agents count as ready until it is known, after the next connect, whose legs are gone.
                self._unasked.add(node)
                return
            case CampaignMoved(campaign_id=campaign_id, state=state):
                self._ahead.pop(campaign_id, None)
                self._maybe_done.add(campaign_id)
                if state != CampaignState.RUNNING:
                    return
            case _:
                return
        self._wake.set()

    async def run(self) -> None:
        """Dial for ever."""
        # The last call of one may have ended just before a restart.
        self._maybe_done.update(campaign.id for campaign in self._campaigns.running())
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._joiner.work_in(tasks)
            try:
                await every(STEP_SECONDS, self.step, name=self.name, wake=self._wake, pause=PAUSE_SECONDS)
            finally:
                self._tasks = None
                self._joiner.rest()

    async def step(self) -> None:
        """Look at each running campaign once and place what its pacing allows. A bug in one stops no other."""
        bugs: list[Exception] = []
        for campaign in self._campaigns.running():
            try:
                if await self._is_refused(campaign):
                    continue
                await self._dial(campaign)
                await self._finish_if_done(campaign)
            except StorageError as error:
                if not self._troubled:
                    log.error("%s: no call is placed while the database is away: %s", campaign.name, error)
                self._troubled = True
                await asyncio.sleep(AWAY_SECONDS)
            except Exception as error:
                bugs.append(error)
            else:
                self._troubled = False
        if bugs:
            raise ExceptionGroup("campaigns that could not be dialed", bugs)

    def floor(self, campaign: Campaign) -> Floor:
        """Return the campaign as it is now."""
        used = len(self._lines_used.get(campaign.id, ()))
        return Floor(
            now=self._clock.now().timestamp(),
            idle_agents=len(self._free(campaign)),
            waiting=self._joiner.waiting(campaign.id),
            open_calls=used,
            free_lines=max(0, min(campaign.max_lines - used, self._free_on_node(campaign.node))),
            placed=self._placed.get(campaign.id, 0),
        )

    def _free(self, campaign: Campaign) -> list[Agent]:
        """List who may be offered its calls: a leg on another node cannot be joined."""
        return [agent for agent in self._desk.free(campaign.id) if agent.node == campaign.node]

    def _free_on_node(self, node: str) -> int:
        campaigns = [c.id for c in self._campaigns.all() if c.node == node]
        return self._node_lines(node) - sum(len(self._lines_used.get(key, ())) for key in campaigns)

    async def _is_refused(self, campaign: Campaign) -> bool:
        """Pause a campaign whose orders Asterisk keeps refusing: dialing on would only use its list up."""
        words = self._refusals.too_many(campaign.id)
        if words is None:
            return False
        log.error("%s is paused: Asterisk refused %d calls in a row: %s", campaign.name, IN_A_ROW, words)
        await self._campaigns.pause(campaign.id)
        return True

    async def _dial(self, campaign: Campaign) -> None:
        if campaign.node in self._unasked or not self._lines.connected(campaign.node):
            return
        decision = self._pacing(self.floor(campaign))
        throttle = self._throttle(campaign.node)
        wanted = min(decision.calls, throttle.allowed(self._clock.monotonic()))
        if wanted <= 0:
            return
        candidates = await self._next(campaign, wanted)
        if not candidates:
            return
        throttle.spend(len(candidates))
        orders = self._orders(campaign, candidates, reserve=decision.reserve)
        await self._place(campaign, orders)

    def _throttle(self, node: str) -> Throttle:
        if node not in self._throttles:
            self._throttles[node] = Throttle(self._calls_per_second(node))
        return self._throttles[node]

    async def _next(self, campaign: Campaign, wanted: int) -> list[Candidate]:
        ahead = self._ahead.get(campaign.id, [])
        if len(ahead) < wanted:
            ahead = await self._contacts.next_candidates(campaign.id, limit=max(LOOK_AHEAD, 2 * wanted))
        self._ahead[campaign.id] = ahead[wanted:]
        return ahead[:wanted]

    async def _finish_if_done(self, campaign: Campaign) -> None:
        """Asked of the store, so that whoever hears of the end finds every outcome there."""
        if campaign.id not in self._maybe_done or self._lines_used.get(campaign.id):
            return
        progress = await self._contacts.progress(campaign.id)
        if progress.dialing:
            return
        self._maybe_done.discard(campaign.id)
        if not progress.pending:
            await self._campaigns.set_state(campaign.id, CampaignState.FINISHED)

    def _orders(
        self, campaign: Campaign, candidates: Sequence[Candidate], *, reserve: bool
    ) -> list[tuple[Call, Candidate]]:
        """Make the calls, each with the agent it is for."""
        orders = []
        agents = iter(self._free(campaign)) if reserve else iter(())
        for candidate in candidates:
            now = self._clock.now()
            call_id = new_call_id(now)
            agent = next(agents, None)
            if reserve and (agent is None or not self._desk.reserve(agent.id, call_id)):
                break
            call = Call(
                id=call_id,
                node=campaign.node,
                trunk=campaign.trunk,
                number=candidate.number,
                placed_at=now,
                campaign_id=campaign.id,
                list_id=candidate.list_id,
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
            )
            orders.append((call, candidate))
        return orders

    async def _place(self, campaign: Campaign, orders: Sequence[tuple[Call, Candidate]]) -> None:
        """Commit the attempts, then let their Originates leave."""
        calls = {call.id: call for call, _ in orders}
        for call_id in calls:
            self._lines_used.setdefault(campaign.id, set()).add(call_id)
        try:
            committed = set(await self._commit(orders))
        except Exception:
            for call in calls.values():
                self._give_up(call)
            raise
        sending = []
        for call in calls.values():
            if call.id not in committed:
                self._give_up(call)
                continue
            self._publish(self._open.place(call))
            if self._still_wanted(call):
                sending.append(call)
            else:
                self._publish(self._open.not_sent(call.id, self._clock.now()))
        self._placed[campaign.id] = self._placed.get(campaign.id, 0) + len(sending)
        await self._send_all(sending, campaign)

    def _still_wanted(self, call: Call) -> bool:
        """Whether what the call was placed for still holds now that it is committed."""
        if (self._clock.now() - call.placed_at).total_seconds() > TOO_LATE_SECONDS:
            return False
        if call.campaign_id not in {campaign.id for campaign in self._campaigns.running()}:
            return False
        agent = None if call.agent_id is None else self._desk.get(call.agent_id)
        return call.agent_id is None or (agent is not None and holds(agent, call))

    async def _commit(self, orders: Sequence[tuple[Call, Candidate]]) -> list[str]:
        """Commit the attempts; while the database is away, again and again: whether it took the first is not known."""
        while True:
            try:
                return await self._calls.place(orders)
            except StorageError as error:
                if not error.temporary:
                    raise
                if not self._troubled:
                    log.error("no call is placed while the database is away: %s", error)
                self._troubled = True
                await asyncio.sleep(AWAY_SECONDS)

    def _give_up(self, call: Call) -> None:
        """The call was never made: somebody else took the contact, or the database refused it."""
        self._lines_used.setdefault(call.campaign_id, set()).discard(call.id)
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
                caller_id=campaign.caller_id,
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
