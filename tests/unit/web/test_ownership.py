"""The pool, claims, returns, transfers and assignment over the API."""

from dataclasses import replace
from typing import Any

import pytest

from cti.model.agents import AgentState
from cti.model.campaign_rules import CampaignRules, OwnershipRules
from cti.model.events import ContactMoved
from cti.model.vocabulary import EventType
from tests.builders import NOW, a_campaign, some_contacts
from tests.fakes.site import Site


async def contacts_of(site: Site, count: int = 4) -> list[int]:
    """Put contacts into the campaign's list; return their ids."""
    await site.store.campaigns.add_list(
        campaign_id=1, name="first", source="x", contacts=some_contacts(count), at=NOW
    )
    return sorted(site.store.tables.contacts)


def rule(site: Site, **rules: Any) -> None:
    campaign = site.store.tables.campaigns[1]
    site.store.tables.campaigns[1] = replace(campaign, rules=CampaignRules(ownership=OwnershipRules(**rules)))


async def test_an_agent_sees_the_pool_and_claims_for_himself(site: Site) -> None:
    one, other, *rest = await contacts_of(site)
    rule(site, max_owned=3)

    seen = await site.told("GET", "pool?campaign=autumn&limit=2", as_="anna")
    assert (seen["counts"], seen["room"]) == ([{"campaign_id": 1, "fresh": 4, "returned": 0}], 3)
    assert [contact["contact_id"] for contact in seen["contacts"]] == [one, other]
    assert "number" not in seen["contacts"][0]
    told = await site.told("POST", "pool/claim", json={"count": 2}, as_="anna")
    assert [(move["contact_id"], move["from"], move["to"], move["kind"]) for move in told["moves"]] == [
        (one, None, "anna", "claimed"),
        (other, None, "anna", "claimed"),
    ]
    picked = {"contacts": [one, *rest, 99]}
    told = await site.told("POST", "pool/claim", json=picked, as_="anna")
    assert [move["contact_id"] for move in told["moves"]] == rest[:1]
    assert [(one["contact_id"], one["reason"]) for one in told["refused"]] == [
        (one, "owned"),
        (rest[1], "cap"),
        (99, "unknown"),
    ]
    error = await site.refused("POST", "pool/claim", json={"count": 1}, as_="anna", status=409)
    assert "as many contacts as the rules allow" in error["message"]


async def test_a_claim_is_told_on_the_bus_to_those_it_concerns(site: Site) -> None:
    [one] = await contacts_of(site, 1)
    with site.bus.subscribe() as events:
        await site.told("POST", "pool/claim", json={"count": 1}, as_="anna")
        event = await events.get()
    assert event == ContactMoved(
        contact_id=one, before=None, after=site.anna, kind="claimed", reason="", by="anna", at=NOW
    )
    assert EventType.CONTACT_CLAIMED == "contact.claimed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({}, 422, id="neither count nor contacts"),
        pytest.param({"count": 1, "contacts": [1]}, 422, id="both"),
        pytest.param({"contacts": [1], "list": 1}, 422, id="a list with contacts"),
        pytest.param({"count": 0}, 422, id="none"),
        pytest.param({"count": 501}, 422, id="too many"),
        pytest.param({"count": 1, "agent": "bob"}, 403, id="for somebody else"),
        pytest.param({"count": 1, "campaign": "nowhere"}, 404, id="a campaign that is not there"),
    ],
)
async def test_a_claim_that_may_not_be_is_refused(site: Site, body: dict[str, Any], status: int) -> None:
    await contacts_of(site)
    await site.refused("POST", "pool/claim", json=body, as_="anna", status=status)


async def test_an_agent_claims_only_from_campaigns_he_works_on(site: Site) -> None:
    other = await site.store.campaigns.add_campaign(a_campaign(name="winter"))
    await site.store.campaigns.add_list(
        campaign_id=other.id, name="w", source="x", contacts=some_contacts(1), at=NOW
    )
    [one] = sorted(site.store.tables.contacts)

    body = {"count": 1, "campaign": "winter"}
    assert (
        "does not work on it"
        in (await site.refused("POST", "pool/claim", json=body, as_="anna", status=422))["message"]
    )
    told = await site.told("POST", "pool/claim", json={"contacts": [one]}, as_="anna")
    assert told["refused"][0]["reason"] == "unknown"
    await site.refused("GET", "pool?campaign=winter", as_="anna", status=403)
    assert [one["campaign_id"] for one in (await site.told("GET", "pool"))["counts"]] == [1, other.id]


async def test_what_is_given_back_lies_in_the_pool_and_is_protected(site: Site) -> None:
    [one] = await contacts_of(site, 1)
    rule(site, protect_days=7)
    await site.told("POST", "pool/claim", json={"count": 1}, as_="anna")

    body = {"reason": "speaks no German"}
    move = await site.told("POST", f"contacts/{one}/return", json=body, as_="anna")

    assert (move["from"], move["to"], move["kind"], move["reason"]) == (
        "anna",
        None,
        "returned",
        body["reason"],
    )
    assert (await site.told("POST", "pool/claim", json={"count": 1}, as_="anna"))["moves"] == []
    picked = await site.told("POST", "pool/claim", json={"contacts": [one]}, as_="anna")
    assert picked["refused"][0]["reason"] == "protected"
    by_lead = await site.told("POST", "pool/claim", json={"contacts": [one], "agent": "anna"})
    assert [move["to"] for move in by_lead["moves"]] == ["anna"]


async def test_only_the_owner_or_a_lead_gives_back(site: Site) -> None:
    [one] = await contacts_of(site, 1)
    body = {"reason": "x"}
    await site.refused("POST", f"contacts/{one}/return", json=body, status=409)
    await site.told("POST", "pool/claim", json={"count": 1, "agent": "bob"})
    await site.refused("POST", f"contacts/{one}/return", json=body, as_="anna", status=409)
    await site.refused("POST", f"contacts/{one}/return", json={}, status=422)
    await site.refused("POST", "contacts/999/return", json=body, status=404)
    assert (await site.told("POST", f"contacts/{one}/return", json=body))["from"] == "bob"


async def test_a_transfer_moves_a_contact_and_his_history_tells_it(site: Site) -> None:
    [one] = await contacts_of(site, 1)
    await site.told("POST", "pool/claim", json={"count": 1}, as_="anna")
    await site.told("POST", f"contacts/{one}/transfer", json={"to": "bob", "reason": "language"})

    moves = (await site.told("GET", f"contacts/{one}/moves", as_="anna"))["moves"]
    assert [(move["from"], move["to"], move["kind"], move["by"]) for move in moves] == [
        (None, "anna", "claimed", "anna"),
        ("anna", "bob", "transferred", "lead"),
    ]
    error = await site.refused("POST", f"contacts/{one}/transfer", json={"to": "bob"}, status=409)
    assert str(one) in error["message"]
    await site.refused("POST", f"contacts/{one}/transfer", json={"to": "nobody"}, status=404)
    await site.refused("GET", "contacts/999/moves", status=404)


async def test_an_agent_does_not_see_the_history_of_contacts_that_never_were_his(site: Site) -> None:
    [one] = await contacts_of(site, 1)
    await site.told("POST", "pool/claim", json={"count": 1, "agent": "bob"})
    assert (await site.told("GET", f"contacts/{one}/moves", as_="anna"))["moves"] == []


async def test_a_dry_run_tells_who_would_get_how_many_and_moves_nobody(site: Site) -> None:
    everyone = await contacts_of(site, 5)
    site.store.tables.ownerships[everyone[0]].stopped_at = NOW
    body: dict[str, Any] = {"campaign": "autumn", "dry_run": True}

    plan = await site.told("POST", "contacts/assign", json=body)

    assert (plan["given"], plan["not_given"]) == ({"anna": 2, "bob": 2}, {"stopped": 1})
    assert (plan["looked_at"], plan["dry_run"]) == (5, True)
    assert plan["samples"][0]["message"].startswith("he is stopped")
    assert site.store.tables.owner_moves == []
    done = await site.told("POST", "contacts/assign", json=body | {"dry_run": False})
    assert {**done, "dry_run": True} == plan
    assert len(site.store.tables.owner_moves) == 4


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param({"to": ["anna"]}, "campaign", id="nobody to give"),
        pytest.param({"contacts": [1]}, "to", id="nobody to give to"),
        pytest.param({"campaign": 1, "attribute": "shoe"}, "attribute", id="an attribute that is none"),
        pytest.param({"campaign": 1, "method": "dice"}, "method", id="a method that is none"),
        pytest.param({"campaign": 1, "most": 0}, "most", id="none"),
    ],
)
async def test_an_assignment_that_means_nothing_is_refused(
    site: Site, body: dict[str, Any], word: str
) -> None:
    assert word in (await site.refused("POST", "contacts/assign", json=body, status=422))["message"]


async def test_an_agent_s_settings_are_changed_and_the_rest_stays(site: Site) -> None:
    told = await site.told("PATCH", "agents/anna", json={"skills": ["中文"], "weight": 2, "max_owned": 10})
    assert (told["skills"], told["weight"], told["max_owned"]) == (["中文"], 2.0, 10)
    told = await site.told("PATCH", "agents/anna", json={"max_owned": None})
    assert (told["skills"], told["weight"], told["max_owned"]) == (["中文"], 2.0, None)
    for wrong in ({"weight": -1}, {"max_owned": -1}, {"skills": ["a\nb"]}, {"left": True}, {"shoe": 1}):
        await site.refused("PATCH", "agents/anna", json=wrong, status=422)


async def test_the_contacts_of_who_leaves_go_to_others_by_weight_and_the_rest_to_the_pool(site: Site) -> None:
    await contacts_of(site, 5)
    await site.told("POST", "pool/claim", json={"count": 5}, as_="anna")
    await site.told("PATCH", "agents/bob", json={"max_owned": 3})
    body = {"to": ["bob"], "dry_run": True}
    await site.agents._settle("anna", left_at=None)
    site.agents._change("anna", state=AgentState.LOGGED_OUT)

    plan = await site.told("POST", "agents/anna/leave", json=body)
    assert (plan["given"], plan["not_given"]) == ({"bob": 3}, {"cap": 2})
    assert (await site.told("GET", "agents/anna"))["left_at"] is None
    done = await site.told("POST", "agents/anna/leave", json=body | {"dry_run": False})

    assert (done["given"], done["not_given"]) == (plan["given"], plan["not_given"])
    assert await site.store.ownership.owned() == {site.bob: 3}
    assert (await site.told("GET", "agents/anna"))["left_at"] is not None
    assert (await site.told("GET", "pool?limit=0"))["counts"][0]["returned"] == 2
    back = await site.told("PATCH", "agents/anna", json={"left": False})
    assert back["left_at"] is None


async def test_who_leaves_is_not_gone_when_those_who_should_take_over_cannot(site: Site) -> None:
    await contacts_of(site, 1)
    await site.told("POST", "pool/claim", json={"count": 1}, as_="anna")
    site.agents._change("anna", state=AgentState.LOGGED_OUT)
    await site.refused("POST", "agents/anna/leave", json={"to": ["anna"]}, status=422)
    await site.refused("POST", "agents/anna/leave", json={"to": ["nobody"]}, status=404)
    assert (await site.told("GET", "agents/anna"))["left_at"] is None


async def test_who_is_logged_in_cannot_leave(site: Site) -> None:
    site.agents._change("anna", state=AgentState.READY)
    await site.refused("POST", "agents/anna/leave", json={}, status=409)
