"""Dials the running campaigns. A service: looks at the floor, asks the pacer, chooses contacts, has them called.

Chooses no contacts itself (`selector`), places no orders itself (`placing`), joins nobody (`joiner`) and follows no
call (`ami.call_tracker`). `limits` says how many calls may leave, `ends` when a campaign is done. In preview and manual
mode agents decide: see `previews` and `by_hand`.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.decision_log import DecisionLog
from cti.dialer.ends import CampaignEnds
from cti.dialer.exchange_ports import Lines
from cti.dialer.floor_board import FloorBoard, busy
from cti.dialer.joiner import Joiner
from cti.dialer.ledger import DropLedger
from cti.dialer.limits import CallLimits
from cti.dialer.owners import groups, owned_targets
from cti.dialer.pacers import PACED, Pacers
from cti.dialer.placing import AWAY_SECONDS, Order, Placer
from cti.dialer.refusals import IN_A_ROW, Refusals
from cti.dialer.selector import Selector
from cti.dialer.teams import teams
from cti.errors import BadInput, StorageError
from cti.model.agents import Agent, AgentState
from cti.model.contacts import Campaign, CampaignState, Candidate, Mode
from cti.model.events import AgentMoved, CallMoved, CampaignMoved, ContactAdded, Event, NodeLost, NodeUp
from cti.model.standing import NOBODY
from cti.pacing.floor import Budget, Decision, Floor
from cti.service import every

log = logging.getLogger(__name__)

STEP_SECONDS = 0.1
"""The engine also looks at once when an agent becomes free, a call ends, or a campaign starts."""
PAUSE_SECONDS = 0.05
"""Between two steps at least. A commit costs as much as ten calls; what becomes possible meanwhile shares the next."""
OUTLOOK_SECONDS: Final = 2.0
OUTLOOK_CONTACTS: Final = 100
EMPTY_SECONDS: Final = 1.0
"""A campaign in which nobody was due is asked again after this, or when a contact is added."""


class DialEngine:
    """Dials the running campaigns."""

    name = "dial-engine"

    def __init__(
        self,
        *,
        campaigns: CampaignDesk,
        desk: AgentDesk,
        joiner: Joiner,
        selector: Selector,
        placer: Placer,
        board: FloorBoard,
        limits: CallLimits,
        ends: CampaignEnds,
        pacers: Pacers,
        ledger: DropLedger,
        decisions: DecisionLog,
        lines: Lines,
        clock: Clock,
        unasked: Iterable[str] = (),
    ) -> None:
        """`unasked`: nodes of which it is not known yet what is up on them; each waits for its `NodeUp`."""
        self._campaigns = campaigns
        self._desk = desk
        self._joiner = joiner
        self._selector = selector
        self._placer = placer
        self._board = board
        self._limits = limits
        self._ends = ends
        self._pacers = pacers
        self._ledger = ledger
        self._decisions = decisions
        self._lines = lines
        self._clock = clock
        self._unasked = set(unasked)
        self._empty_until: dict[int, float] = {}
        """By campaign: nobody was due; when to ask again (monotonic)."""
        self._outlooks: dict[int, tuple[float, tuple[float, ...]]] = {}
        """By campaign: when the answer chances of the next contacts were asked for, and what they were."""
        self._refusals = Refusals()
        self._wake = asyncio.Event()
        self._troubled = False

    def tap(self, event: Event) -> None:
        """Look at once when something may have become possible."""
        match event:
            case CallMoved(call=call):
                if not call.ended:
                    return
                self._refusals.note(call)
                if call.campaign_id is not None and not self._board.used(call.campaign_id):
                    self._ends.may_be_done([call.campaign_id])
            case AgentMoved(agent=agent) if agent.state is AgentState.READY:
                pass
            case ContactAdded(campaign_id=campaign_id):
                self._empty_until.pop(campaign_id, None)
                self._ends.grew(campaign_id)
            case NodeUp(node=node):
                self._unasked.discard(node)
            case NodeLost(node=node):
                # Agents count as ready until it is known, after the next connect, whose legs are gone.
                self._unasked.add(node)
                return
            case CampaignMoved(campaign_id=campaign_id, state=state):
                self._empty_until.pop(campaign_id, None)
                self._ends.may_be_done([campaign_id])
                if state != CampaignState.RUNNING:
                    return
            case _:
                return
        self._wake.set()

    async def run(self) -> None:
        """Dial for ever."""
        # The last call of one may have ended just before a restart.
        self._ends.may_be_done(campaign.id for campaign in self._campaigns.running())
        async with asyncio.TaskGroup() as tasks:
            self._placer.work_in(tasks)
            self._joiner.work_in(tasks)
            try:
                await every(STEP_SECONDS, self.step, name=self.name, wake=self._wake, pause=PAUSE_SECONDS)
            finally:
                self._placer.work_in(None)
                self._joiner.rest()

    async def step(self) -> None:
        """Look at each running campaign once and place what its pacing allows. A bug in one stops no other."""
        bugs: list[Exception] = []
        await self._ends.go_on_with_the_grown()
        running = self._campaigns.running()
        for campaign in running:
            try:
                if await self._is_refused(campaign):
                    continue
                if campaign.mode in PACED:
                    await self._dial(campaign, running)
                await self._ends.finish_if_done(campaign)
            except BadInput as error:
                # Its rules name what there is not any more, a profile for example: asking on would only fill the log.
                log.error("%s is paused: %s", campaign.name, error)
                await self._campaigns.pause(campaign.id)
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

    def floor(self, campaign: Campaign, team: Sequence[Agent] | None = None) -> Floor:
        """Return the campaign as it is now, with the agents who count for it."""
        team = self._team(campaign, self._campaigns.running()) if team is None else team
        budget = self._ledger.budget(campaign)
        # Who waits for his owner takes nobody of the team.
        waiting = sum(call.owner_agent_id is None for call in self._joiner.waiting_calls(campaign.id))
        free = {agent.id for agent in self._desk.free(campaign.id)}
        return Floor(
            now=self._clock.now().timestamp(),
            idle_agents=sum(agent.id in free for agent in team),
            talking=busy(team, AgentState.ON_CALL),
            wrapping=busy(team, AgentState.WRAP_UP),
            in_flight=self._board.in_flight(campaign.id),
            screening=self._board.screening(campaign),
            waiting=waiting + self._board.arriving(campaign),
            open_calls=self._board.used(campaign.id),
            free_lines=self._limits.free(campaign, agents=len(team)),
            ring_timeout=campaign.ring_seconds,
            grace=campaign.grace_seconds,
            budget=budget or Budget(target=campaign.rules.pacing.drop_target),
            placed=self._board.placed(campaign.id),
        )

    async def _is_refused(self, campaign: Campaign) -> bool:
        """Pause a campaign whose orders Asterisk keeps refusing: dialing on would only use its list up."""
        words = self._refusals.too_many(campaign.id)
        if words is None:
            return False
        log.error("%s is paused: Asterisk refused %d calls in a row: %s", campaign.name, IN_A_ROW, words)
        await self._campaigns.pause(campaign.id)
        return True

    async def _dial(self, campaign: Campaign, running: Sequence[Campaign]) -> None:
        if campaign.node in self._unasked or not self._lines.connected(campaign.node):
            return
        await self._ledger.open(campaign)
        team = self._team(campaign, running)
        if await self._dial_owned(campaign, team):
            team = self._team(campaign, running)
        await self._dial_anybodys(campaign, team)

    def _team(self, campaign: Campaign, running: Sequence[Campaign]) -> Sequence[Agent]:
        """Return the agents who count for this campaign now, and not for another one that dials beside it."""
        working = [agent for agent in self._desk.agents() if agent.state is not AgentState.LOGGED_OUT]
        return teams(working, [one for one in running if one.mode is not Mode.MANUAL]).get(campaign.id, ())

    async def _dial_owned(self, campaign: Campaign, team: Sequence[Agent]) -> bool:
        """Call one owned contact for each owner who is free; he is kept for it. Return whether any was called.

        One call for one owner: more would leave a person waiting for somebody who talks with another.
        """
        members = {agent.id for agent in team}
        singly = {
            agent_id
            for agent_id in owned_targets(campaign, self._desk.agents()).singly
            if agent_id in members
        }
        if not singly or not self._may_ask(campaign):
            return False
        now = self._clock.now()
        due = (await self._selector.lanes(campaign, now, owners=singly)).owners
        free = [agent for agent in self._desk.free(campaign.id) if agent.id in members]
        orders: list[Order] = []
        for agent in groups(free, due).singles[: self._limits.free(campaign, agents=len(team))]:
            chosen = await self._selector.choose(campaign, wanted=1, owners=[agent.id], now=now)
            why = f"{campaign.mode}: {agent.login}, whose contact he is, is free"
            orders += [Order(candidate=one, agent=agent, why=why) for one in chosen]
        return bool(await self._place(campaign, orders))

    async def _dial_anybodys(self, campaign: Campaign, team: Sequence[Agent]) -> None:
        """Call as many of nobody's contacts as the pacer says."""
        owners = {NOBODY, *owned_targets(campaign, self._desk.agents()).with_team}
        floor = replace(self.floor(campaign, team), next_chances=await self._outlook(campaign, owners))
        decision = self._pacers.of(campaign).decide(floor)
        self._decisions.note(campaign.id, floor, decision)
        wanted = min(decision.calls, floor.free_lines)
        if wanted <= 0 or not self._may_ask(campaign):
            return
        candidates = await self._selector.choose(
            campaign, wanted=wanted, owners=owners, now=self._clock.now()
        )
        if len(candidates) < wanted:
            self._empty_until[campaign.id] = self._clock.monotonic() + EMPTY_SECONDS
        orders = self._orders(campaign, candidates, decision, team)
        if orders and not await self._place(campaign, orders):
            self._empty_until[campaign.id] = self._clock.monotonic() + EMPTY_SECONDS

    async def _outlook(self, campaign: Campaign, owners: Collection[int]) -> tuple[float, ...]:
        """Return the answer chances of those who come next, asked anew every few seconds."""
        if campaign.mode is not Mode.PREDICTIVE:
            return ()
        tick = self._clock.monotonic()
        known = self._outlooks.get(campaign.id)
        if known is None or tick >= known[0] + OUTLOOK_SECONDS:
            told = await self._selector.outlook(
                campaign, owners=owners, count=OUTLOOK_CONTACTS, now=self._clock.now()
            )
            known = self._outlooks[campaign.id] = (tick, told)
        return known[1]

    def _may_ask(self, campaign: Campaign) -> bool:
        return self._clock.monotonic() >= self._empty_until.get(campaign.id, 0.0)

    def _orders(
        self,
        campaign: Campaign,
        candidates: Sequence[Candidate],
        decision: Decision,
        team: Sequence[Agent],
    ) -> list[Order]:
        why = f"{campaign.mode}: {decision.why}"
        if not decision.reserve:
            return [Order(candidate=one, agent=None, why=why) for one in candidates]
        members = {agent.id for agent in team}
        free = [agent for agent in self._desk.free(campaign.id) if agent.id in members]
        return [
            Order(candidate=one, agent=agent, why=why) for one, agent in zip(candidates, free, strict=False)
        ]

    async def _place(self, campaign: Campaign, orders: Sequence[Order]) -> int:
        if not orders:
            return 0
        self._limits.spend(campaign, len(orders))
        return len(await self._placer.place(campaign, orders))
