"""When a running campaign has come to its end, and when one that had goes on. Dials nobody."""

from collections.abc import Iterable

from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.campaign_ports import CampaignStore
from cti.dialer.floor_board import FloorBoard
from cti.model.contacts import Campaign, CampaignState, Mode


class CampaignEnds:
    """Which campaigns may be done, and which have grown. The store is asked only about these."""

    def __init__(self, *, store: CampaignStore, campaigns: CampaignDesk, board: FloorBoard) -> None:
        self._store = store
        self._campaigns = campaigns
        self._board = board
        self._grown: set[int] = set()
        """To which a contact was added just now."""
        self._maybe_done: set[int] = set()
        """Whose last call ended, or that were just started: is anything left?"""

    def grew(self, campaign_id: int) -> None:
        """Note that a contact was added."""
        self._grown.add(campaign_id)

    def may_be_done(self, campaign_ids: Iterable[int]) -> None:
        """Note campaigns of which it is to be asked whether anything is left."""
        self._maybe_done.update(campaign_ids)

    async def go_on_with_the_grown(self) -> None:
        """A campaign that had come to its end dials on when a contact comes in."""
        while self._grown:
            campaign_id = self._grown.pop()
            if self._campaigns.get(campaign_id).state is CampaignState.FINISHED:
                await self._campaigns.set_state(campaign_id, CampaignState.RUNNING)

    async def finish_if_done(self, campaign: Campaign) -> None:
        """Asked of the store, so that whoever hears of the end finds every outcome there."""
        if campaign.mode is Mode.MANUAL or campaign.id not in self._maybe_done:
            return
        if self._board.used(campaign.id):
            return
        progress = await self._store.progress(campaign.id)
        if progress.dialing:
            return
        self._maybe_done.discard(campaign.id)
        if not progress.pending and not progress.waiting:
            await self._campaigns.set_state(campaign.id, CampaignState.FINISHED)
