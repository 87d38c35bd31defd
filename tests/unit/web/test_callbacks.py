"""Callbacks over the API."""

from typing import Any

import pytest

from cti.model.contacts import NewContact, NewNumber
from tests.builders import NOW, a_call
from tests.fakes.site import Site


async def a_contact(site: Site, zone: str | None = "America/New_York") -> int:
    contact = NewContact(name="王伟", numbers=(NewNumber(e164="+12125550100", raw="", zone=zone),))
    await site.store.campaigns.add_list(
        campaign_id=1, name=f"l{site.store.tables.new_id()}", source="", contacts=[contact], at=NOW
    )
    return max(site.store.tables.contacts)


async def planned(site: Site, *, as_: str = "lead", status: int = 201, **given: Any) -> Any:
    body = {"contact_id": await a_contact(site), "campaign": "autumn", "local": "2026-12-01T15:30"}
    return await site.told("POST", "callbacks", json=body | given, status=status, as_=as_)


async def test_a_time_is_the_contact_s_own_and_told_in_utc_too(site: Site) -> None:
    made = await planned(site, note="about the offer")

    assert (made["due_at"], made["due_local"], made["zone"]) == (
        "2026-12-01T20:30:00.000000Z",
        "2026-12-01T15:30:00-05:00",
        "America/New_York",
    )
    assert (made["state"], made["agent"], made["note"], made["warnings"]) == (
        "planned",
        None,
        "about the offer",
        [],
    )


async def test_a_zone_that_is_named_goes_before_the_contact_s(site: Site) -> None:
    made = await planned(site, zone="Asia/Shanghai")

    assert (made["due_at"], made["zone"]) == ("2026-12-01T07:30:00.000000Z", "Asia/Shanghai")


async def test_a_time_that_the_clocks_leave_out_is_told(site: Site) -> None:
    made = await planned(site, local="2027-03-14T02:30")

    assert made["warnings"] == ["02:30 does not exist on that day in America/New_York; 03:30 is taken"]


async def test_a_contact_nobody_knows_the_zone_of_needs_one(site: Site) -> None:
    contact = await a_contact(site, zone=None)
    body = {"contact_id": contact, "campaign": "autumn", "local": "2026-12-01T15:30"}

    error = await site.refused("POST", "callbacks", json=body, status=422)
    assert "nobody knows in which time zone" in error["message"]
    await site.told("POST", "callbacks", json=body | {"zone": "Europe/Berlin"}, status=201)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"zone": "Europe/Atlantis"}, "there is no time zone 'Europe/Atlantis'"),
        ({"local": "2020-01-01T10:00"}, "is over"),
        ({"local": "tomorrow"}, "local"),
        ({"local": "2026-12-01T15:30+01:00"}, "local"),
        ({"at": "2026-12-01T15:30:00Z"}, "not both"),
        ({"call_id": "0" * 32}, "exactly one of"),
        ({"campaign": None}, "campaign: is missing"),
        ({"agent": "anna", "anyone": True}, "not both"),
        ({"note": "a\0b"}, "control character"),
        ({"when": "now"}, "there is no such field"),
    ],
)
async def test_a_wrong_wish_is_refused_and_nothing_is_planned(
    site: Site, wrong: dict[str, Any], told: str
) -> None:
    body = {"contact_id": await a_contact(site), "campaign": "autumn", "local": "2026-12-01T15:30"}

    error = await site.refused("POST", "callbacks", json=body | wrong, status=422)

    assert told in error["message"]
    assert site.store.tables.callbacks == {}


async def test_out_of_a_call_it_needs_no_more_words(site: Site) -> None:
    call = a_call(contact_id=await a_contact(site), campaign_id=1, agent_id=site.anna)
    await site.store.calls.place([(call, None)])
    body = {"call_id": call.id, "local": "2026-12-01T15:30"}

    made = await site.told("POST", "callbacks", json=body, status=201, as_="anna")

    assert (made["agent"], made["call_id"], made["created_by"]) == ("anna", call.id, "anna")


async def test_an_agent_promises_nothing_for_others_and_sees_only_his_own(site: Site) -> None:
    mine = await planned(site, as_="anna")
    others = await planned(site, agent="bob")
    call = a_call(contact_id=await a_contact(site), campaign_id=1, agent_id=site.bob)
    await site.store.calls.place([(call, None)])

    seen = (await site.told("GET", "callbacks", as_="anna"))["callbacks"]

    assert [one["id"] for one in seen] == [mine["id"]]
    await site.refused("GET", f"callbacks/{others['id']}", status=403, as_="anna")
    await site.refused("PATCH", f"callbacks/{others['id']}", json={"note": "x"}, status=403, as_="anna")
    await site.refused("PATCH", f"callbacks/{mine['id']}", json={"agent": "bob"}, status=403, as_="anna")
    out_of_his = {"call_id": call.id, "local": "2026-12-01T15:30"}
    await site.refused("POST", "callbacks", json=out_of_his, status=403, as_="anna")


async def test_a_contact_somebody_else_owns_is_not_promised(site: Site) -> None:
    contact = await a_contact(site)
    site.store.tables.ownerships[contact].owner = site.bob
    body = {"contact_id": contact, "campaign": "autumn", "local": "2026-12-01T15:30"}

    await site.refused("POST", "callbacks", json=body, status=403, as_="anna")


async def test_it_is_moved_given_away_settled_and_all_of_it_is_history(site: Site) -> None:
    made = await planned(site, agent="anna")
    path = f"callbacks/{made['id']}"

    moved = await site.told("PATCH", path, json={"local": "2026-12-02T09:00"})
    given = await site.told("PATCH", path, json={"agent": "bob", "note": "he is ill"})
    done = await site.told("PATCH", path, json={"state": "done"})

    assert moved["due_local"] == "2026-12-02T09:00:00-05:00"
    assert (given["agent"], given["note"], done["state"]) == ("bob", "he is ill", "done")
    history = (await site.told("GET", path))["history"]
    assert [move["kind"] for move in history] == ["made", "moved", "changed", "done"]
    await site.refused("PATCH", path, json={"note": "again"}, status=409)
    assert (await site.told("GET", "callbacks"))["callbacks"] == []
    assert len((await site.told("GET", "callbacks?state=all"))["callbacks"]) == 1


async def test_what_is_not_there_is_not_found(site: Site) -> None:
    await site.refused("GET", "callbacks/99", status=404)
    await planned(site, contact_id=9999, status=404)
    await planned(site, campaign="winter", status=404)
    await planned(site, agent="nobody", status=404)
