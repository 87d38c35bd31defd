"""Fills a store with what calls refer to: a campaign with a list, and an agent."""

from typing import Any

from cti.model.calls import Call
from cti.model.contacts import Candidate
from tests.builders import NOW, a_call, a_campaign, some_contacts


async def a_stored_campaign(store: Any, *, contacts: int = 3, name: str = "autumn") -> int:
    """Store a campaign with one list and return its id."""
    campaign = await store.campaigns.add_campaign(a_campaign(name=name))
    await store.campaigns.add_list(
        campaign_id=campaign.id, name="first", source="first.csv", contacts=some_contacts(contacts), at=NOW
    )
    return int(campaign.id)


async def a_stored_agent(store: Any, *, login: str = "anna", campaign_ids: tuple[int, ...] = ()) -> int:
    """Store an agent and return his id."""
    agent = await store.agents.add_agent(
        login=login, name=login.title(), endpoint=f"phone-{login}", node="pbx", campaign_ids=campaign_ids
    )
    return int(agent.id)


def call_for(candidate: Candidate, **given: Any) -> Call:
    """Build a call at a candidate."""
    facts = {
        "number": candidate.number,
        "campaign_id": candidate.campaign_id,
        "list_id": candidate.list_id,
        "contact_id": candidate.contact_id,
        "number_id": candidate.number_id,
        "try_number": candidate.tries + 1,
    }
    return a_call(**facts | given)


async def placed_calls(store: Any, campaign_id: int, count: int) -> list[Call]:
    """Place calls at the campaign's next contacts and return them."""
    candidates = await store.campaigns.next_candidates(campaign_id, limit=count)
    calls = [call_for(candidate) for candidate in candidates]
    await store.calls.place(list(zip(calls, candidates, strict=True)))
    return calls
