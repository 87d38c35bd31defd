"""Preview dialing: an agent is shown a contact, and he says whether to call. A service for what happens by itself.

Whom somebody looks at is known to this process alone: a restart takes every offer back, and nothing was dialed or lost.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.candidate_ports import Gate
from cti.dialer.exchange_ports import Lines
from cti.dialer.owners import owned_targets
from cti.dialer.placing import Order, Placer
from cti.dialer.queue_ports import QueueStore
from cti.dialer.selector import Selector
from cti.dialer.teams import teams
from cti.errors import Conflict, StorageError
from cti.model.agents import Agent, AgentState
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Candidate, Mode
from cti.model.events import AgentMoved, CampaignMoved, Event, PreviewEnded, PreviewOffered
from cti.model.offers import Offer
from cti.model.standing import NOBODY, Parked
from cti.model.verdicts import SkipReason
from cti.service import Absence, every

log = logging.getLogger(__name__)

STEP_SECONDS = 0.25
NONE_SECONDS = 1.0
"""An agent for whom nobody was due is looked after again after this."""


class PreviewDesk:
    """What each agent looks at."""

    name = "preview-desk"

    def __init__(
        self,
        *,
        campaigns: CampaignDesk,
        desk: AgentDesk,
        selector: Selector,
        queue: QueueStore,
        gate: Gate,
        placer: Placer,
        lines: Lines,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._campaigns = campaigns
        self._desk = desk
        self._selector = selector
        self._queue = queue
        self._gate = gate
        self._placer = placer
        self._lines = lines
        self._bus = bus
        self._clock = clock
        self._offers: dict[int, Offer] = {}
        self._none_until: dict[int, float] = {}
        self._absence = Absence(log, "nobody is offered while the database is away")
        self._busy = asyncio.Lock()
        self._wake = asyncio.Event()

    def offer_of(self, login: str) -> Offer | None:
        """Return what the agent looks at. Raises NotFound."""
        return self._offers.get(self._desk.named(login).id)

    def tap(self, event: Event) -> None:
        """Take offers back from whoever went, and of campaigns that stopped; look when somebody is ready."""
        match event:
            case AgentMoved(agent=agent) if agent.state is not AgentState.PREVIEW:
                self._forget(agent.id, "gone" if agent.state is not AgentState.RESERVED else "dialed")
                if agent.state is AgentState.READY:
                    self._wake.set()
            case CampaignMoved(campaign_id=campaign_id, state=state):
                self._none_until.clear()
                if state != CampaignState.RUNNING:
                    self._take_back(campaign_id)
                self._wake.set()

    async def run(self) -> None:
        """Offer, and end what nobody decided in time."""
        await every(STEP_SECONDS, self.step, name=self.name, wake=self._wake)

    async def step(self) -> None:
        """Do what is due now. One at a time with what agents ask for."""
        async with self._busy:
            with self._absence.borne():
                await self._look()

    async def _look(self) -> None:
        await self._end_what_is_late()
        running = [one for one in self._campaigns.running() if one.mode is not Mode.MANUAL]
        sides = teams(self._desk.agents(), running)
        for campaign in running:
            if campaign.mode is Mode.PREVIEW and self._lines.connected(campaign.node):
                await self._offer_to(campaign, sides[campaign.id])

    async def dial(self, login: str) -> Call:
        """Call the contact that the agent looks at. Raises Conflict: none, or a rule forbids him now."""
        async with self._busy:
            agent = self._desk.named(login)
            return await self._dial(agent, self._offer_for(agent))

    async def skip(self, login: str, reason: str) -> None:
        """Call him not now; he is offered again later. Raises Conflict: none, or the campaign allows no skips."""
        async with self._busy:
            agent = self._desk.named(login)
            offer = self._offer_for(agent)
            if not self._campaigns.get(offer.campaign_id).rules.preview.may_skip:
                raise Conflict("this campaign allows no skips")
            await self._skip(agent, offer, reason)

    async def _offer_to(self, campaign: Campaign, team: Sequence[Agent]) -> None:
        members = {agent.id for agent in team}
        now, tick = self._clock.now(), self._clock.monotonic()
        with_team = owned_targets(campaign, self._desk.agents()).with_team
        for agent in self._desk.free(campaign.id):
            if agent.id not in members or tick < self._none_until.get(agent.id, 0.0):
                continue
            held = [offer.candidate.entry_id for offer in self._offers.values()]
            chosen: list[Candidate] = []
            # His own contacts before anybody's.
            for owners in ((agent.id,), (NOBODY, *with_team)):
                chosen = chosen or await self._selector.choose(
                    campaign, wanted=1, owners=owners, now=now, skip=held
                )
            if not chosen:
                self._none_until[agent.id] = tick + NONE_SECONDS
            elif self._desk.offer(agent.id):
                self._show(campaign, agent, chosen[0], now)

    def _show(self, campaign: Campaign, agent: Agent, candidate: Candidate, now: datetime) -> None:
        seconds = campaign.rules.preview.seconds
        until = None if seconds is None else now + timedelta(seconds=seconds)
        self._offers[agent.id] = Offer(campaign_id=campaign.id, candidate=candidate, at=now, until=until)
        self._bus.publish(
            PreviewOffered(
                agent_id=agent.id, campaign_id=campaign.id, candidate=candidate, until=until, at=now
            )
        )

    async def _end_what_is_late(self) -> None:
        now = self._clock.now()
        for agent_id, offer in list(self._offers.items()):
            agent = self._desk.get(agent_id)
            if agent is None or offer.until is None or now < offer.until:
                continue
            if self._campaigns.get(offer.campaign_id).rules.preview.at_end == "skip":
                await self._skip(agent, offer, "time")
                continue
            try:
                await self._dial(agent, offer)
            except (Conflict, StorageError):
                self._end(agent.id, "refused")

    async def _dial(self, agent: Agent, offer: Offer) -> Call:
        campaign, now = self._campaigns.get(offer.campaign_id), self._clock.now()
        [verdict] = await self._gate.ask(campaign, [offer.candidate], now)
        if not verdict.allowed:
            await self._queue.park(
                [
                    Parked(
                        candidate=offer.candidate,
                        reason=verdict.reason or SkipReason.STOPPED,
                        detail=verdict.detail,
                        until=verdict.until,
                    )
                ],
                at=now,
            )
            self._end(agent.id, "refused")
            raise Conflict(
                f"{offer.candidate.number} may not be called now: {verdict.detail or verdict.reason}"
            )
        why = f"preview: {agent.login} looked at him for {(now - offer.at).total_seconds():.0f} s"
        placed = await self._placer.place(campaign, [Order(candidate=offer.candidate, agent=agent, why=why)])
        if not placed:
            self._end(agent.id, "gone")
            raise Conflict(
                f"{offer.candidate.number} could not be called: he, or your phone, is gone meanwhile"
            )
        return placed[0]

    async def _skip(self, agent: Agent, offer: Offer, reason: str) -> None:
        now = self._clock.now()
        seconds = self._campaigns.get(offer.campaign_id).rules.preview.skip_seconds
        skipped = Parked(
            candidate=offer.candidate,
            reason=SkipReason.PREVIEW_SKIPPED,
            detail=f"{agent.login}: {reason}",
            until=now + timedelta(seconds=seconds),
        )
        await self._queue.park([skipped], at=now)
        self._end(agent.id, f"skipped: {reason}")

    def _offer_for(self, agent: Agent) -> Offer:
        offer = self._offers.get(agent.id)
        if offer is None:
            raise Conflict(f"{agent.login} looks at no contact now")
        return offer

    def _take_back(self, campaign_id: int) -> None:
        for agent_id, offer in list(self._offers.items()):
            if offer.campaign_id == campaign_id:
                self._end(agent_id, "campaign stopped")

    def _end(self, agent_id: int, reason: str) -> None:
        self._forget(agent_id, reason)
        self._desk.end_offer(agent_id)

    def _forget(self, agent_id: int, reason: str) -> None:
        offer = self._offers.pop(agent_id, None)
        if offer is not None:
            self._bus.publish(
                PreviewEnded(
                    agent_id=agent_id,
                    campaign_id=offer.campaign_id,
                    contact_id=offer.candidate.contact_id,
                    reason=reason,
                    at=self._clock.now(),
                )
            )
