"""Contacts over the API: found, looked at, changed; agents see their own and nobody's."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from cti.model.conditions import Op
from tests.builders import NOW, a_call, some_contacts
from tests.fakes.memory_looks import set_columns
from tests.fakes.site import Site


async def three_contacts(site: Site) -> list[int]:
    """Store three: anna's, bob's, and nobody's."""
    await site.store.campaigns.add_list(
        campaign_id=1, name="first", source="", contacts=some_contacts(3), at=NOW
    )
    ids = sorted(site.store.tables.contacts)
    for contact_id, owner in zip(ids, (site.anna, site.bob, None), strict=True):
        set_columns(site.store.tables, contact_id, {"owner_agent_id": owner})
    return ids


def found(told: dict[str, Any]) -> list[str]:
    return [contact["name"] for contact in told["contacts"]]


async def test_contacts_are_found_by_a_condition(site: Site) -> None:
    await three_contacts(site)
    condition = quote(
        json.dumps({"any": [{"field": "owner", "is": "bob"}, {"field": "name", "contains": "T 2"}]})
    )

    told = await site.told("GET", f"contacts?condition={condition}&sort=name&count=true")

    assert (found(told), told["next"], told["count"]) == (["Contact 1", "Contact 2"], None, 2)
    assert told["contacts"][0]["owner"] == "bob"
    assert told["contacts"][0]["numbers"][0]["e164"] == "+493090000001"


async def test_pages_follow_one_another(site: Site) -> None:
    await three_contacts(site)
    body: dict[str, Any] = {"sort": "-id", "limit": 2}
    first = await site.told("POST", "contacts/find", json=body)
    second = await site.told("POST", "contacts/find", json=body | {"cursor": first["next"]})
    assert (found(first), found(second)) == (["Contact 2", "Contact 1"], ["Contact 0"])
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("condition=%7B", "condition: is not JSON"),
        ('condition={"field":"x","is":1}', "condition.field: there is no field 'x'"),
        ('condition={"field":"owner","is":"zoe"}', "condition.is: there is no agent 'zoe'"),
        ("zone=Mars", "zone: 'Mars' is no IANA time zone"),
        ("zone=../../etc/passwd", "is no IANA time zone"),
        ("cursor=abc", "cursor: is none of ours"),
        ("limit=0", "limit"),
        ("sort=weight", "sort"),
        ("condition=" + "[" * 2000, "condition: is not JSON"),
    ],
)
async def test_a_wrong_question_is_refused_in_words(site: Site, query: str, told: str) -> None:
    assert told in (await site.refused("GET", f"contacts?{query}", status=422))["message"]


async def test_an_agent_finds_his_own_and_nobody_s(site: Site) -> None:
    ids = await three_contacts(site)
    assert found(await site.told("GET", "contacts?sort=id", as_="anna")) == ["Contact 0", "Contact 2"]
    trick = {"any": [{}, {"field": "owner", "is": "bob"}]}
    told = await site.told("POST", "contacts/find", json={"condition": trick, "sort": "id"}, as_="anna")
    assert found(told) == ["Contact 0", "Contact 2"]
    await site.refused("GET", f"contacts/{ids[1]}", as_="anna", status=404)
    await site.refused("PATCH", f"contacts/{ids[1]}", json={"name": "x"}, as_="anna", status=404)
    assert site.store.tables.contact_changes == []


async def test_me_is_who_asks(site: Site) -> None:
    await three_contacts(site)
    body = {"condition": {"field": "owner", "is": "me"}}
    assert found(await site.told("POST", "contacts/find", json=body, as_="anna")) == ["Contact 0"]
    assert found(await site.told("POST", "contacts/find", json=body)) == []


async def test_one_contact_is_told_with_entries_calls_and_history(site: Site) -> None:
    ids = await three_contacts(site)
    await site.store.calls.place([(a_call(contact_id=ids[0]), None), (a_call(contact_id=ids[1]), None)])
    await site.told("PATCH", f"contacts/{ids[0]}", json={"tags": ["vip"]}, as_="anna")

    told = await site.told("GET", f"contacts/{ids[0]}", as_="anna")

    assert told["entries"][0] | {"id": 0} == {
        "id": 0,
        "list_id": 4,
        "list": "first",
        "campaign_id": 1,
        "campaign": "autumn",
        "state": "pending",
        "tries": 0,
        "priority": 0,
        "due_at": None,
        "reason": None,
        "reason_detail": None,
    }
    assert [call["contact_id"] for call in told["calls"]] == [ids[0]]
    assert told["history"] == [
        {
            "at": "2026-11-23T09:00:00.000000Z",
            "by": "anna",
            "kind": "edit",
            "bulk": None,
            "change": {"tags_added": ["vip"]},
        }
    ]
    await site.refused("GET", "contacts/99999", status=404)
    await site.refused("GET", f"contacts/{'9' * 18}", status=404)


async def test_a_contact_is_changed_and_the_rest_stays(site: Site) -> None:
    ids = await three_contacts(site)
    path = f"contacts/{ids[0]}"
    await site.told("PATCH", path, json={"stage": "won", "score": 2, "fields": {"city": "Ulm"}})

    told = await site.told(
        "PATCH",
        path,
        json={
            "name": "王",
            "score": None,
            "next_follow_up_at": "2026-11-24T10:00:00+01:00",
            "zone": "Asia/Tokyo",
        },
    )

    assert (told["name"], told["stage"], told["score"], told["fields"]) == (
        "王",
        "won",
        None,
        {"city": "Ulm"},
    )
    assert (told["next_follow_up_at"], told["zone"]) == ("2026-11-24T09:00:00.000000Z", "Asia/Tokyo")
    assert site.store.tables.entries[min(site.store.tables.entries)].zone == "Asia/Tokyo"


async def test_an_edited_follow_up_is_written_for_the_crm_and_other_edits_are_not(site: Site) -> None:
    contact_id = (await three_contacts(site))[0]
    path = f"contacts/{contact_id}"
    await site.told("PATCH", path, json={"name": "Another"})
    assert site.store.tables.works == {}

    await site.told("PATCH", path, json={"next_follow_up_at": "2026-11-24T10:00:00+01:00"})

    (row,) = site.store.tables.works.values()
    assert (row.wish.kind, row.wish.key) == ("crm.follow_up.odoo", f"contact-{contact_id}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": ""},
        {"name": "a\nb"},
        {"owner": "bob"},
        {"score": "3"},
        {"zone": "Mars/Base"},
        {"next_follow_up_at": "2026-11-24T10:00:00"},
        {"tags": ["a\x00"]},
        {"tags": "vip"},
        {"fields": {"": "x"}},
        {"stopped_at": None},
    ],
)
async def test_a_wrong_change_changes_nothing(site: Site, wrong: dict[str, Any]) -> None:
    ids = await three_contacts(site)
    await site.refused("PATCH", f"contacts/{ids[0]}", json=wrong, status=422)
    assert site.store.tables.contact_changes == []


async def test_calls_are_narrowed_by_a_condition(site: Site) -> None:
    ids = await three_contacts(site)
    for n, contact_id in enumerate((*ids, None)):
        call = a_call(id=f"{n:032x}", contact_id=contact_id, agent_id=site.anna if n else site.bob)
        await site.store.calls.place([(replace(call, number="+4930901820"), None)])
    condition = quote(json.dumps({"contact": {"field": "owner", "empty": True}}))
    told = await site.told("GET", f"calls?condition={condition}")
    assert [call["contact_id"] for call in told["calls"]] == [ids[2]]
    everything = quote(json.dumps({"any": [{}]}))
    told = await site.told("GET", f"calls?condition={everything}", as_="anna")
    assert {call["agent_id"] for call in told["calls"]} == {site.anna}
    error = await site.refused("GET", "calls?condition=%7B%22field%22%3A%22stage%22%7D", status=422)
    assert "condition.field: there is no field 'stage'" in error["message"]
    assert Op.IS_NOT.value not in error["message"]
