"""When a campaign is done, and when one that was goes on."""

import pytest

from cti.dialer.ends import CampaignEnds
from cti.model.contacts import CampaignState, EntryState, Progress
from tests.unit.dialer.floor import Floor


def ends_of(floor: Floor) -> tuple[CampaignEnds, list[int]]:
    """Return the ends, and a list of the campaigns that the store is asked about."""
    asked: list[int] = []
    progress = floor.store.campaigns.progress

    async def noted(campaign_id: int) -> Progress:
        asked.append(campaign_id)
        return await progress(campaign_id)

    floor.store.campaigns.progress = noted  # type: ignore[method-assign]
    return CampaignEnds(store=floor.store.campaigns, campaigns=floor.campaigns, board=floor.board), asked


@pytest.mark.parametrize(
    ("left", "state"),
    [
        pytest.param(EntryState.DONE, CampaignState.FINISHED, id="nobody"),
        pytest.param(EntryState.PENDING, CampaignState.RUNNING, id="somebody is to be dialed"),
        pytest.param(EntryState.WAITING, CampaignState.RUNNING, id="somebody is to be dialed later"),
        pytest.param(
            EntryState.DIALING, CampaignState.RUNNING, id="the outcome of somebody is not written yet"
        ),
    ],
)
async def test_a_campaign_is_done_when_nobody_is_left(
    floor: Floor, left: EntryState, state: CampaignState
) -> None:
    campaign = await floor.campaign(2)
    ends, _ = ends_of(floor)
    first, second = floor.store.tables.entries.values()
    first.state, second.state = EntryState.DONE, left
    ends.may_be_done([campaign.id])

    await ends.finish_if_done(campaign)

    assert floor.campaigns.get(campaign.id).state is state


async def test_the_store_is_asked_once_about_a_campaign_and_not_while_calls_are_up(floor: Floor) -> None:
    campaign = await floor.campaign(1)
    ends, asked = ends_of(floor)
    await ends.finish_if_done(campaign)
    ends.may_be_done([campaign.id])
    floor.board.hold(campaign.id, "a", reserved=False)
    await ends.finish_if_done(campaign)
    assert asked == []

    floor.board.let_go(campaign.id, "a")
    for _ in range(3):
        await ends.finish_if_done(campaign)

    assert asked == [campaign.id]


async def test_only_a_campaign_that_was_done_goes_on_when_it_grows(floor: Floor) -> None:
    paused, done = await floor.campaign(1), await floor.campaign(1, name="winter")
    await floor.campaigns.set_state(paused.id, CampaignState.PAUSED)
    await floor.campaigns.set_state(done.id, CampaignState.FINISHED)
    ends, _ = ends_of(floor)
    for campaign in (paused, done):
        ends.grew(campaign.id)

    await ends.go_on_with_the_grown()

    states = [floor.campaigns.get(campaign.id).state for campaign in (paused, done)]
    assert states == [CampaignState.PAUSED, CampaignState.RUNNING]
