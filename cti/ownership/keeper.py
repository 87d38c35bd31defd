"""Moves contacts by the rules of their campaigns, without anybody asking. A service.

Back to the pool: too long without a conversation, or too many failed attempts in a row. To an agent: he talked with
nobody's contact to success.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cti.errors import StorageError
from cti.model.contacts import Campaign
from cti.model.events import DispositionSet, Event
from cti.model.ownership import MoveKind, Success, Terms, Untouched, Wish
from cti.ownership.house import House
from cti.ownership.limits import expiries
from cti.service import every

log = logging.getLogger(__name__)

STEP_SECONDS = 300.0
"""Between two looks for contacts that are due to go back; their rules count in days."""
BITE = 100
LOOK_BACK = timedelta(days=2)
"""How old a call may be whose success makes an owner."""
BY_RULE = "rule"


class OwnershipKeeper:
    """Returns by themselves, and owners by success."""

    name = "ownership-keeper"

    def __init__(
        self,
        *,
        house: House,
        success_codes: Callable[[int], Collection[str]],
    ) -> None:
        """`success_codes`: the dispositions that mean success in a campaign."""
        self._house = house
        self._success_codes = success_codes
        self._disposed: dict[str, str] = {}
        self._looked_back = False
        self._returned_at: datetime | None = None
        self._wake = asyncio.Event()

    def tap(self, event: Event) -> None:
        """Take note of dispositions that may make an owner."""
        match event:
            case DispositionSet(call_id=call_id, disposition=disposition):
                if any(disposition in self._success_codes(one.id) for one in self._owning()):
                    self._disposed[call_id] = disposition
                    self._wake.set()

    async def run(self) -> None:
        """Work for ever."""
        await every(STEP_SECONDS, self.step, name=self.name, wake=self._wake)

    async def step(self) -> None:
        """Do what is due now."""
        await self._own_successes()
        now = self._house.clock.now()
        if self._returned_at is None or now - self._returned_at >= timedelta(seconds=STEP_SECONDS):
            self._returned_at = now
            await self._return_what_is_due(now)

    async def _own_successes(self) -> None:
        """See to the calls that were told; the first time also to those the service did not live to see to."""
        since = self._house.clock.now() - LOOK_BACK
        if not self._looked_back:
            codes = {code for campaign in self._owning() for code in self._success_codes(campaign.id)}
            found = await self._house.store.successes(codes, since=since) if codes else []
            self._looked_back = True
            await self._make_owners(found)
        for call_id, disposition in list(self._disposed.items()):
            try:
                found = await self._house.store.successes({disposition}, since=since, call_id=call_id)
                await self._make_owners(found)
            except StorageError as error:
                if error.temporary:
                    raise
                log.warning("call %s made nobody an owner: %s", call_id, error)
            self._disposed.pop(call_id, None)

    async def _make_owners(self, found: Sequence[Success]) -> None:
        owning = {campaign.id: campaign for campaign in self._owning()}
        agents = {agent.id: agent for agent in self._house.agents()}
        for one in found:
            campaign, agent = owning.get(one.campaign_id), agents.get(one.agent_id)
            if campaign is None or agent is None or one.disposition not in self._success_codes(campaign.id):
                continue
            reason = f"{one.disposition} in {campaign.name}"
            terms = self._house.terms(MoveKind.WON, BY_RULE, [agent], named=campaign.id, reason=reason)
            wish = Wish(contact_id=one.contact_id, before=None, after=agent.id)
            moved = await self._house.store.move([wish], terms=replace(terms, dialing_too=True))
            self._house.tell(moved)
            for refused in moved.refused.values():
                log.info("%s does not own contact %d by success: %s", agent.login, one.contact_id, refused)

    async def _return_what_is_due(self, now: datetime) -> None:
        owners = sorted(await self._house.store.owned())
        for campaign in self._house.campaigns():
            for untouched, reason in expiries(campaign, now):
                for agent_id in owners:
                    await self._return(campaign.id, agent_id, untouched, reason, now)

    async def _return(
        self, campaign_id: int, agent_id: int, untouched: Untouched, reason: str, now: datetime
    ) -> None:
        terms = Terms(kind=MoveKind.EXPIRED, by=BY_RULE, at=now, reason=reason, untouched=untouched)
        while due := await self._house.store.due(campaign_id, agent_id, untouched, limit=BITE):
            wishes = [Wish(contact_id=one, before=agent_id, after=None) for one in due]
            moved = await self._house.store.move(wishes, terms=terms)
            self._house.tell(moved)
            if len(due) < BITE or not moved.moves:
                return

    def _owning(self) -> list[Campaign]:
        return [campaign for campaign in self._house.campaigns() if campaign.rules.ownership.own_on_success]
