"""Valid values with defaults, for tests that care about one field."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cti.model.agents import Agent, AgentState
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Candidate, NewContact, NewNumber
from cti.model.ids import new_call_id

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """Return the moment that many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def a_call(**given: Any) -> Call:
    """Build a call that was just placed."""
    values: dict[str, Any] = {
        "id": new_call_id(NOW),
        "node": "pbx",
        "number": "+4930901820",
        "placed_at": NOW,
        "trunk": "carrier",
    }
    return Call(**values | given)


def an_agent(**given: Any) -> Agent:
    """Build an agent who is ready, with a leg that is up."""
    values: dict[str, Any] = {
        "id": 1,
        "login": "anna",
        "name": "Anna",
        "endpoint": "a001",
        "node": "pbx",
        "state": AgentState.READY,
        "since": NOW,
        "channel_id": "waihu-a-1-00000000000a",
        "channel": "PJSIP/a001-00000001",
        "campaign_ids": (1,),
    }
    return Agent(**values | given)


def a_campaign(**given: Any) -> Campaign:
    """Build a running campaign."""
    values: dict[str, Any] = {
        "id": 1,
        "name": "autumn",
        "node": "pbx",
        "trunk": "carrier",
        "state": CampaignState.RUNNING,
    }
    return Campaign(**values | given)


def a_candidate(**given: Any) -> Candidate:
    """Build the next contact of a list, in Berlin."""
    values: dict[str, Any] = {
        "entry_id": 1,
        "list_id": 1,
        "campaign_id": 1,
        "contact_id": 1,
        "number_id": 1,
        "number": "+4930901820",
        "name": "Contact",
    }
    return Candidate(**values | given)


def some_contacts(count: int) -> list[NewContact]:
    """Build contacts with one number each."""
    return [
        NewContact(name=f"Contact {n}", numbers=(NewNumber(e164=f"+49309{n:07d}", raw=f"0309{n:07d}"),))
        for n in range(count)
    ]
