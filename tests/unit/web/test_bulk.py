"""Actions on many, lists from a query, and saved views over the API."""

from typing import Any

import pytest

from cti.model.work import Work
from tests.builders import NOW, a_call, later, some_contacts
from tests.fakes.memory_looks import set_columns
from tests.fakes.site import Site


async def contacts(site: Site, count: int = 3) -> list[int]:
    await site.store.campaigns.add_list(
        campaign_id=1, name="first", source="", contacts=some_contacts(count), at=NOW
    )
    return sorted(site.store.tables.contacts)


async def carried_out(site: Site, action: dict[str, Any]) -> dict[str, Any]:
    """Carry out what the work runner would."""
    work = Work(
        id=1,
        kind="",
        key="",
        version=1,
        payload={"id": action["id"]},
        attempts=1,
        lease="",
        leased_until=later(9),
    )
    await site.bulk.carry_out(work)
    told: dict[str, Any] = await site.told("GET", f"contacts/bulk/{action['id']}")
    return told


async def test_an_action_is_tried_out_begun_watched_and_taken_back(site: Site) -> None:
    ids = await contacts(site)
    set_columns(site.store.tables, ids[0], {"stopped_at": NOW})
    body = {"action": "stop", "condition": {"field": "campaign", "is": "autumn"}}

    tried = await site.told("POST", "contacts/bulk", json=body | {"dry_run": True})
    begun = await site.told("POST", "contacts/bulk", json=body, status=202)
    ended = await carried_out(site, begun)

    assert tried == {"dry_run": True, "matched": 3, "would_change": 2, "left": {"already": 1}}
    assert (begun["state"], begun["matched"], begun["changed"]) == ("running", 3, 0)
    assert (ended["state"], ended["changed"], ended["left"], ended["by"]) == (
        "done",
        2,
        {"already": 1},
        "lead",
    )
    assert ended["condition"] == body["condition"]
    undo = await site.told("POST", f"contacts/bulk/{ended['id']}/undo", status=202)
    assert (await carried_out(site, undo))["changed"] == 2
    history = (await site.told("GET", "contacts/bulk"))["actions"]
    assert [one["action"] for one in history] == ["undo", "stop"]
    assert history[1]["undone_by"] == undo["id"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"action": "stop"}, "condition: give a condition or ids"),
        ({"action": "stop", "ids": [1], "condition": {}}, "condition: give a condition or ids"),
        ({"action": "stop", "ids": []}, "ids"),
        ({"action": "burn", "ids": [1]}, "action"),
        ({"action": "tag", "ids": [1]}, "tag: is missing; tag needs it"),
        ({"action": "stage", "ids": [1]}, "stage: is missing"),
        ({"action": "move", "ids": [1], "list": 9}, "campaign: is missing"),
        (
            {"action": "move", "ids": [1], "list": 999, "campaign": "autumn"},
            "list: the campaign has no list 999",
        ),
        ({"action": "stop", "condition": {"field": "x", "is": 1}}, "condition.field: there is no field 'x'"),
        ({"action": "stop", "condition": {"field": "owner", "is": "zoe"}}, "there is no agent 'zoe'"),
        ({"action": "priority", "ids": [1], "priority": 5000}, "priority"),
    ],
)
async def test_a_wrong_action_is_refused_and_nothing_is_begun(
    site: Site, body: dict[str, Any], told: str
) -> None:
    await contacts(site)
    assert told in (await site.refused("POST", "contacts/bulk", json=body, status=422))["message"]
    assert (await site.told("GET", "contacts/bulk"))["actions"] == []


async def test_a_list_is_made_from_a_query(site: Site) -> None:
    await contacts(site)
    await site.told("POST", "campaigns", json={"name": "winter"}, status=201)
    body = {"name": "again", "condition": {"field": "name", "contains": "contact"}, "priority": 2}
    path = "campaigns/winter/lists/from-query"
    assert (await site.told("POST", path, json=body | {"dry_run": True}))["would_change"] == 3
    made = await carried_out(site, await site.told("POST", path, json=body, status=202))
    assert made["changed"] == 3
    assert (await site.told("GET", "campaigns/winter"))["progress"]["pending"] == 3
    await site.refused("POST", path, json=body, status=409)
    await site.refused("POST", "campaigns/spring/lists/from-query", json=body, status=404)


async def test_views_are_listed_with_what_each_shows_to_whoever_asks(site: Site) -> None:
    ids = await contacts(site)
    set_columns(site.store.tables, ids[0], {"owner_agent_id": site.anna, "next_follow_up_at": later(-60)})
    set_columns(site.store.tables, ids[1], {"owner_agent_id": site.bob, "next_follow_up_at": later(-90_000)})
    told = await site.told("GET", "views", as_="anna")
    assert {view["id"]: view["count"] for view in told["views"]} == {
        "mine": 1,
        "due_today": 1,
        "overdue": 1,
        "never_called": 2,
        "stopped": 0,
    }
    leads = {view["id"]: view["count"] for view in (await site.told("GET", "views"))["views"]}
    assert (leads["mine"], leads["overdue"], leads["never_called"]) == (0, 2, 3)
    rows = await site.told("GET", "views/overdue/rows?limit=1")
    assert [row["name"] for row in rows["contacts"]] == ["Contact 1"]
    more = await site.told("GET", f"views/overdue/rows?limit=1&cursor={rows['next']}")
    assert [row["name"] for row in more["contacts"]] == ["Contact 0"]


async def test_a_view_is_kept_shared_and_removed(site: Site) -> None:
    await contacts(site)
    body = {"name": "Two", "condition": {"field": "name", "contains": "2"}}
    own = await site.told("POST", "views", json=body, as_="anna", status=201)
    await site.refused("POST", "views", json=body, as_="anna", status=409)
    await site.refused("POST", "views", json=body | {"shared": True}, as_="anna", status=403)
    shared = await site.told("POST", "views", json=body | {"shared": True}, status=201)
    seen = [view["id"] for view in (await site.told("GET", "views?counts=false", as_="anna"))["views"]]
    assert seen[-2:] == [own["id"], shared["id"]]
    assert own["id"] not in [view["id"] for view in (await site.told("GET", "views"))["views"]]
    await site.refused("DELETE", f"views/{shared['id']}", as_="anna", status=404)
    await site.refused("DELETE", "views/mine", status=404)
    await site.told("DELETE", f"views/{own['id']}", as_="anna")
    await site.told("DELETE", f"views/{shared['id']}", as_="admin")
    assert site.store.tables.views == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x", "condition": {"field": "nothing", "is": 1}},
        {"name": "x", "condition": {"field": "stage", "is": "a"}, "about": "calls"},
        {"name": "", "condition": {}},
        {"name": "x"},
    ],
)
async def test_a_wrong_view_is_refused(site: Site, wrong: dict[str, Any]) -> None:
    await site.refused("POST", "views", json=wrong, status=422)


async def test_a_view_over_calls_shows_an_agent_his_own_alone(site: Site) -> None:
    for n, agent in enumerate((site.anna, site.bob), 1):
        await site.store.calls.place([(a_call(id=f"{n:032x}", agent_id=agent), None)])
    view = await site.told(
        "POST", "views", json={"name": "All", "about": "calls", "condition": {}, "shared": True}, status=201
    )
    path = f"views/{view['id']}/rows"
    assert len((await site.told("GET", path))["calls"]) == 2
    assert [call["agent_id"] for call in (await site.told("GET", path, as_="anna"))["calls"]] == [site.anna]
    counts = {one["id"]: one["count"] for one in (await site.told("GET", "views", as_="anna"))["views"]}
    assert counts[view["id"]] == 1
