"""Campaigns: made, filled from a file, started, paused, stopped. Holds their present settings; dials nothing."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.campaign_ports import CampaignStore
from cti.dialer.retry_checks import check_codes, check_known, check_retry, wants_other_numbers
from cti.errors import BadInput, Conflict, NotFound
from cti.model.campaign_rules import CampaignRules, Spill
from cti.model.contacts import Campaign, CampaignState, Mode, Progress
from cti.model.events import CampaignMoved


class CampaignDesk:
    """All campaigns, as they are now."""

    def __init__(
        self,
        *,
        store: CampaignStore,
        bus: EventBus,
        clock: Clock,
        nodes: Collection[str],
        has_other_numbers: Callable[[int], Awaitable[bool]] | None = None,
        dispositions: Callable[[int], Collection[str]] = lambda campaign_id: (),
    ) -> None:
        """`has_other_numbers` says whether any contact of a campaign has a second number; None: nobody knows.

        `dispositions` tells the codes of a campaign, retired ones too; none: every code is allowed.
        """
        self._store = store
        self._bus = bus
        self._clock = clock
        self._nodes = nodes
        self._has_other_numbers = has_other_numbers
        self._dispositions = dispositions
        self._campaigns: dict[int, Campaign] = {}

    async def load(self) -> None:
        """Take the campaigns from the store; those that ran go on."""
        self._campaigns = {campaign.id: campaign for campaign in await self._store.campaigns()}

    async def campaigns(self) -> Sequence[Campaign]:
        """List all campaigns, oldest first."""
        return self.all()

    def all(self) -> list[Campaign]:
        """List all campaigns as they are now, oldest first."""
        return list(self._campaigns.values())

    def get(self, campaign_id: int) -> Campaign:
        """Return a campaign as it is now; raises NotFound."""
        try:
            return self._campaigns[campaign_id]
        except KeyError:
            raise NotFound(f"there is no campaign {campaign_id}") from None

    def running(self) -> list[Campaign]:
        """List those that dial."""
        return [c for c in self._campaigns.values() if c.state is CampaignState.RUNNING]

    def rules(self, campaign_id: int) -> CampaignRules:
        """Return a campaign's rules; those of a plain one when it is not known."""
        campaign = self._campaigns.get(campaign_id)
        return CampaignRules() if campaign is None else campaign.rules

    def wrap_up_seconds(self, campaign_id: int | None) -> float | None:
        """Return after how long an agent is ready by himself, None when he says it."""
        campaign = self._campaigns.get(campaign_id or 0)
        return None if campaign is None else campaign.wrap_up_seconds

    def spill(self, campaign_id: int | None) -> Spill:
        """Return who takes a contact whose owner cannot; of a campaign that nobody knows: nobody."""
        campaign = self._campaigns.get(campaign_id or 0)
        return Spill.NEVER if campaign is None else campaign.rules.ownership.spill

    async def add(self, campaign: Campaign) -> Campaign:
        """Store a campaign, stopped. Raises Conflict (name), NotFound (node), BadInput (a disposition in the rules)."""
        if campaign.node not in self._nodes:
            raise NotFound(f"there is no node {campaign.node!r}; the settings name {', '.join(self._nodes)}")
        self._check_codes(campaign)
        made = await self._store.add_campaign(replace(campaign, state=CampaignState.STOPPED))
        self._campaigns[made.id] = made
        return made

    async def change(self, campaign: Campaign) -> Campaign:
        """Write all settings but the state, also while it dials.

        Raises Conflict (name), NotFound (id, node), BadInput (a disposition in the rules that is not there).
        """
        before = self.get(campaign.id)
        if campaign.node != before.node:
            raise Conflict(f"{before.name} dials on {before.node}; that cannot be changed")
        if campaign.rules.retry != before.rules.retry:  # what was allowed once stays when other things change
            self._check_codes(campaign)
        changed = replace(campaign, state=before.state)
        await self._store.update_campaign(changed)
        # The state may have moved meanwhile.
        self._campaigns[campaign.id] = replace(changed, state=self.get(campaign.id).state)
        return self._campaigns[campaign.id]

    async def start(self, campaign_id: int) -> Campaign:
        """Begin or go on to dial. Raises Conflict when no contact is left, BadInput for rules that cannot be."""
        await self._check_rules(self.get(campaign_id))
        progress = await self._store.progress(self.get(campaign_id).id)
        campaign = self.get(campaign_id)
        if campaign.mode is not Mode.MANUAL and progress.pending + progress.waiting == 0:
            raise Conflict(f"{self.get(campaign_id).name} has no contact left to dial; import a list first")
        return await self.set_state(campaign_id, CampaignState.RUNNING)

    async def _check_rules(self, campaign: Campaign) -> None:
        check_retry(campaign.rules.retry)
        rules = wants_other_numbers(campaign.rules.retry)
        if not rules or self._has_other_numbers is None or await self._has_other_numbers(campaign.id):
            return
        raise BadInput(
            f"rules.retry.{rules[0]}.next_number: no contact of {campaign.name} has a second number"
        )

    async def pause(self, campaign_id: int) -> Campaign:
        """Place no new calls; those that are up go on."""
        return await self.set_state(campaign_id, CampaignState.PAUSED)

    async def stop(self, campaign_id: int) -> Campaign:
        """Place no new calls and count the campaign as not working."""
        return await self.set_state(campaign_id, CampaignState.STOPPED)

    async def set_state(self, campaign_id: int, state: CampaignState) -> Campaign:
        """Store and tell the new state."""
        campaign = replace(self.get(campaign_id), state=state)
        await self._store.set_state(campaign_id, state)
        self._campaigns[campaign_id] = campaign
        self._bus.publish(
            CampaignMoved(
                campaign_id=campaign_id, name=campaign.name, state=state.value, at=self._clock.now()
            )
        )
        return campaign

    async def progress(self, campaign_id: int) -> Progress:
        """Count how far a campaign has come; raises NotFound."""
        return await self._store.progress(self.get(campaign_id).id)

    def _check_codes(self, campaign: Campaign) -> None:
        """Raise BadInput for a rule about a disposition that nobody can choose."""
        known = self._dispositions(campaign.id)
        check_codes(campaign.rules.retry, known)
        check_known(campaign.rules.material.by_disposition, known, where="rules.material.by_disposition")
