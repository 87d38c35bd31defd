"""Answers why: of a contact, of a number, of a whole campaign. Reads, decides nothing, dials nobody."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cti.clock import Clock
from cti.dialer.candidate_ports import Gate
from cti.dialer.pending_answer import MOST_BEFORE, Sight, pending_answer
from cti.dialer.queue_ports import ReasonStore
from cti.errors import NotFound
from cti.model.agents import Agent, AgentState
from cti.model.contacts import Campaign, EntryState
from cti.model.decisions import PacingDecision
from cti.model.standing import NOBODY
from cti.model.verdicts import ALLOWED, SkipReason
from cti.model.whys import (
    Answer,
    CampaignWhy,
    ContactWhy,
    EntryWhy,
    LaneCount,
    ReasonGroup,
    Standing,
)

HISTORY: Final = 100
SAMPLES: Final = 3


class Whys:
    """Answers from what is stored and from what is so now."""

    def __init__(
        self,
        *,
        store: ReasonStore,
        gate: Gate,
        agents: Callable[[], Sequence[Agent]],
        campaigns: Callable[[], Sequence[Campaign]],
        clock: Clock,
        pacing: Callable[[int], PacingDecision | None] = lambda campaign_id: None,
    ) -> None:
        """`pacing` tells a campaign's last decision on how many calls to place."""
        self._store = store
        self._gate = gate
        self._agents = agents
        self._campaigns = campaigns
        self._clock = clock
        self._pacing = pacing

    async def of_number(self, number: str) -> ContactWhy:
        """Answer for a number in E.164, whoever has it. Raises NotFound when nobody knows it."""
        standings = await self._store.standings(number=number)
        history = await self._store.history(number=number, limit=HISTORY)
        if not standings and not history:
            raise NotFound(f"no contact of any list has the number {number}, and it was never dialed")
        entries = [await self._why(one) for one in standings]
        return ContactWhy(entries=tuple(entries), history=tuple(history))

    async def of_contact(self, contact_id: int) -> ContactWhy:
        """Answer for a contact. Raises NotFound when he stands in no list and was never dialed."""
        standings = await self._store.standings(contact_id=contact_id)
        history = await self._store.history(contact_id=contact_id, limit=HISTORY)
        if not standings and not history:
            raise NotFound(f"contact {contact_id} stands in no list, and was never dialed")
        entries = [await self._why(one) for one in standings]
        return ContactWhy(entries=tuple(entries), history=tuple(history))

    async def of_campaign(self, campaign: Campaign) -> CampaignWhy:
        """Answer for every entry of a campaign that is not being dialed, by reason."""
        groups = [*await self._pending(campaign), *await self._parked(campaign)]
        groups.sort(key=lambda group: -group.entries)
        moments = [group.answer.until for group in groups if group.answer.until is not None]
        return CampaignWhy(
            campaign_id=campaign.id,
            groups=tuple(groups),
            next_at=min(moments, default=None),
            pacing=self._pacing(campaign.id),
        )

    async def _why(self, standing: Standing) -> EntryWhy:
        if standing.state is not EntryState.PENDING:
            return EntryWhy(standing=standing, answer=stored_answer(standing))
        campaign = self._campaign(standing.candidate.campaign_id)
        if campaign is None:
            answer = Answer(reason=SkipReason.CAMPAIGN_NOT_RUNNING, words="its campaign is not known here")
            return EntryWhy(standing=standing, answer=answer)
        now = self._clock.now()
        [verdict] = await self._gate.ask(campaign, [standing.candidate], now)
        before = await self._store.before(standing.candidate, owner_id=standing.owner_id, limit=MOST_BEFORE)
        answer = pending_answer(
            self._sight(campaign), owner_id=standing.owner_id, verdict=verdict, before=before
        )
        return EntryWhy(standing=standing, answer=answer)

    async def _pending(self, campaign: Campaign) -> list[ReasonGroup]:
        """Answer lane by lane, and put lanes with one answer together."""
        lanes = await self._store.lane_counts(campaign.id)
        now, sight = self._clock.now(), self._sight(campaign)
        open_zones = self._gate.open_zones(campaign, {lane.zone for lane in lanes}, now)
        found: dict[Answer, list[LaneCount]] = {}
        closed: dict[str, Answer] = {}
        for lane in lanes:
            if lane.zone in open_zones:
                answer = pending_answer(sight, owner_id=lane.owner_id)
            else:
                if lane.zone not in closed:
                    closed[lane.zone] = await self._closed(campaign, sight, lane, now)
                answer = closed[lane.zone]
            found.setdefault(answer, []).append(lane)
        return [await self._pending_group(campaign, answer, alike) for answer, alike in found.items()]

    async def _closed(self, campaign: Campaign, sight: Sight, lane: LaneCount, now: datetime) -> Answer:
        """Ask the gate about the first of a lane in a zone that is closed: it knows until when."""
        first = await self._store.samples(
            campaign.id, EntryState.PENDING, owner_id=lane.owner_id, zone=lane.zone, limit=1
        )
        verdicts = await self._gate.ask(campaign, [one.candidate for one in first], now)
        verdict = next(iter(verdicts), ALLOWED)
        return pending_answer(sight, owner_id=NOBODY, verdict=verdict)

    async def _pending_group(
        self, campaign: Campaign, answer: Answer, lanes: Sequence[LaneCount]
    ) -> ReasonGroup:
        samples = await self._store.samples(
            campaign.id, EntryState.PENDING, owner_id=lanes[0].owner_id, zone=lanes[0].zone, limit=SAMPLES
        )
        return ReasonGroup(
            state=EntryState.PENDING,
            answer=answer,
            entries=sum(lane.entries for lane in lanes),
            samples=tuple(samples),
        )

    async def _parked(self, campaign: Campaign) -> list[ReasonGroup]:
        groups = []
        for count in await self._store.reason_counts(campaign.id):
            samples = await self._store.samples(campaign.id, count.state, reason=count.reason, limit=SAMPLES)
            words = count.reason or "done with"
            answer = Answer(reason=count.reason or "", words=words.replace("_", " "), until=count.next_at)
            groups.append(
                ReasonGroup(state=count.state, answer=answer, entries=count.entries, samples=tuple(samples))
            )
        return groups

    def _campaign(self, campaign_id: int) -> Campaign | None:
        return next((one for one in self._campaigns() if one.id == campaign_id), None)

    def _sight(self, campaign: Campaign) -> Sight:
        mine = [agent for agent in self._agents() if campaign.id in agent.campaign_ids]
        here = [agent for agent in mine if agent.state is not AgentState.LOGGED_OUT]
        free = [agent for agent in here if agent.state is AgentState.READY and agent.phone_reachable]
        return Sight(
            campaign=campaign,
            present=frozenset(agent.id for agent in here),
            free=frozenset(agent.id for agent in free),
        )


def stored_answer(standing: Standing) -> Answer:
    """Return the answer for an entry that is not pending: what was stored when it left the queue."""
    if standing.state is EntryState.DIALING:
        return Answer(reason="", words=f"is being called now (call {standing.call_id})")
    reason = standing.reason or ""
    words = standing.detail or (reason.replace("_", " ") if reason else "done with after its last call")
    return Answer(reason=reason, words=words, until=standing.due_at)
