"""Why, over the API."""

import pytest

from cti.model.contacts import CampaignState
from cti.model.standing import Parked
from cti.model.verdicts import SkipReason
from tests.builders import NOW, later, some_contacts
from tests.fakes.site import Site


async def a_list(site: Site, count: int) -> None:
    await site.store.campaigns.add_list(
        campaign_id=1, name="l", source="", contacts=some_contacts(count), at=NOW
    )


async def test_a_number_s_answer_and_history_are_told(site: Site) -> None:
    await a_list(site, 1)
    (one,) = await site.store.campaigns.next_candidates(1, limit=1)
    parked = Parked(candidate=one, reason=SkipReason.FREQUENCY, detail="3 of 3 in 60 s", until=later(60))
    await site.store.queue.park([parked], at=NOW)

    told = await site.told("GET", f"why?number={one.number.removeprefix('+')}")

    (entry,) = told["entries"]
    assert (entry["state"], entry["reason"], entry["words"], entry["until"]) == (
        "waiting",
        "frequency",
        "3 of 3 in 60 s",
        "2026-11-23T09:01:00.000000Z",
    )
    assert [(row["kind"], row["reason"]) for row in told["history"]] == [("skipped", "frequency")]
    assert await site.told("GET", f"why?contact={one.contact_id}") == told


async def test_a_campaign_s_contacts_are_counted_by_reason_and_none_is_silent(site: Site) -> None:
    await a_list(site, 3)
    await site.store.campaigns.set_state(1, CampaignState.PAUSED)

    told = await site.told("GET", "why?campaign=autumn")

    (group,) = told["groups"]
    assert (group["reason"], group["words"], group["entries"]) == (
        "campaign_not_running",
        "campaign autumn is paused",
        3,
    )
    assert len(group["samples"]) == 3
    assert (told["next_at"], told["pacing"]) == (None, None)


@pytest.mark.parametrize(
    "query", ["", "?number=1&contact=1", "?number=abc", "?number=%2B0", "?contact=0", "?who=me"]
)
async def test_a_question_names_exactly_one(site: Site, query: str) -> None:
    await site.refused("GET", f"why{query}", status=422)


async def test_whom_nobody_knows_is_not_found(site: Site) -> None:
    await site.refused("GET", "why?number=4930111", status=404)
    await site.refused("GET", "why?contact=99", status=404)
    await site.refused("GET", "why?campaign=winter", status=404)
