"""Imports over the API: what they were told, tried out, looked at, undone."""

import json
from typing import Any

import pytest

from tests.fakes.site import Site

FILE = "手机号,客户,city\n030 23125001,Ada,Köln\n030 23125002,Bob,Bonn\nxyz,Cid,Ulm\n".encode()
MAPPING = json.dumps({"city": "field:town"})


async def sent(site: Site, query: str = "", *, content: bytes = FILE, status: int = 201) -> dict[str, Any]:
    answer: dict[str, Any] = await site.told(
        "POST", f"campaigns/autumn/lists?name=spring{query}", data=content, status=status
    )
    return answer


async def test_an_import_is_told_with_its_counts_columns_and_encoding(site: Site) -> None:
    told = await sent(site, f"&source=a.csv&priority=7&mapping={MAPPING}")

    assert (told["state"], told["by"], told["source"], told["priority"]) == ("done", "lead", "a.csv", 7)
    assert told["columns"] == {"手机号": "number", "客户": "name", "city": "field:town"}
    assert (told["encoding"], told["region"]) == ("utf-8", "DE")
    assert (told["added"], told["refused_by_code"]) == (2, {"bad_number": 1})
    assert told["progress"] == {"percent": 100.0, "rows_read": 3, "rows_written": 2, "rows_total": 2}
    assert [contact.fields for contact in site.store.tables.contacts.values()] == [
        {"town": "Köln"},
        {"town": "Bonn"},
    ]


async def test_imports_are_listed_newest_first_and_by_campaign(site: Site) -> None:
    first = await sent(site)
    second = await sent(site, "2", content=b"number\n+493023125003\n")

    listed = (await site.told("GET", "imports"))["imports"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert (await site.told("GET", f"imports?before={second['id']}&campaign=autumn"))["imports"] == [
        listed[1]
    ]
    await site.refused("GET", "imports?campaign=winter", status=404)
    await site.refused("GET", "imports/9999", status=404)


async def test_who_does_not_wait_is_told_at_once_and_asks_again(site: Site) -> None:
    begun = await sent(site, "&wait=false", status=202)
    assert begun["state"] in {"waiting", "reading"}

    while (told := await site.told("GET", f"imports/{begun['id']}"))["state"] != "done":
        assert told["progress"]["percent"] in (None, 0.0) or told["progress"]["percent"] <= 100
    assert told["taken"] == 2


async def test_a_dry_run_shows_what_would_be_and_writes_nothing(site: Site) -> None:
    told = await sent(site, "&dry_run=true")

    assert (told["dry_run"], told["list_id"], told["added"], told["refused_count"]) == (True, None, 2, 1)
    assert told["samples"][0]["numbers"][0]["e164"] == "+493023125001"
    assert told["refused"][0]["line"] == 4
    assert (site.store.tables.contacts, site.store.tables.lists) == ({}, {})
    assert (await sent(site))["added"] == 2


async def test_refused_rows_are_paged(site: Site) -> None:
    content = b"number\n" + b"x\n" * 25
    begun = await sent(site, content=content)

    lines, after = [], 0
    while after is not None:
        page = await site.told("GET", f"imports/{begun['id']}?after={after}&limit=10")
        lines += [row["line"] for row in page["refused"]]
        after = page["next"]

    assert lines == list(range(2, 27))


async def test_known_contacts_are_dealt_with_by_the_chosen_rule(site: Site) -> None:
    await sent(site)
    skipped = await sent(site, "2")
    merged = await sent(site, "3&rule=merge&scope=everywhere")

    assert (skipped["taken"], skipped["refused_by_code"]) == (0, {"already_known": 2, "bad_number": 1})
    assert (merged["merged"], merged["joined"]) == (2, 0)


async def test_an_import_is_undone(site: Site) -> None:
    done = await sent(site)

    told = await site.told("POST", f"imports/{done['id']}/undo")

    assert (told["state"], told["undo"]["by"]) == ("undone", "lead")
    assert (told["undo"]["contacts_removed"], told["undo"]["entries_removed"]) == (2, 2)
    assert site.store.tables.contacts == {}
    assert "undone" in (await site.refused("POST", f"imports/{done['id']}/undo", status=409))["message"]


async def test_a_list_whose_numbers_need_a_region_is_refused_as_a_whole(site: Site) -> None:
    content = b"number\n2125550123\n2125550124\n"
    error = await site.refused("POST", "campaigns/autumn/lists?name=x&region=", data=content, status=422)
    assert "region" in error["message"]
    refused = await site.refused("POST", "campaigns/autumn/lists?name=x&region=ZZ", data=content, status=422)
    assert refused["message"].startswith("region: must be a country")
    assert site.store.tables.contacts == {}


async def test_what_failed_is_listed_with_its_reason(site: Site) -> None:
    await site.refused("POST", "campaigns/autumn/lists?name=x", data=b"a,b\n1,2\n", status=422)
    (told,) = (await site.told("GET", "imports"))["imports"]
    assert (told["state"], told["taken"]) == ("failed", 0)
    assert told["error"].startswith("no column for the number")


LEAD = {
    "numbers": ["030 23125001"],
    "name": "Ada",
    "key": "form-1",
    "tags": ["hot"],
    "fields": {"城市": "北京"},
}


async def test_a_lead_is_taken_told_on_the_bus_and_first_in_the_queue(site: Site) -> None:
    await sent(site, content=b"number\n+493023125009\n")
    with site.bus.subscribe() as heard:
        told = await site.told("POST", "campaigns/autumn/leads", json=LEAD, status=201)
        event = await heard.get()

    assert told == {
        "contact_id": told["contact_id"],
        "entry_id": told["entry_id"],
        "state": "pending",
        "known": False,
        "again": False,
    }
    assert (event.campaign_id, event.entry_id) == (1, told["entry_id"])
    contact = site.store.tables.contacts[told["contact_id"]]
    assert (contact.numbers[0].e164, contact.fields) == ("+493023125001", {"城市": "北京", "tags": ["hot"]})
    assert max(site.store.tables.entries.values(), key=lambda entry: entry.priority).id == told["entry_id"]


async def test_the_same_lead_again_is_the_same_lead(site: Site) -> None:
    first = await site.told("POST", "campaigns/autumn/leads", json=LEAD, status=201)
    with site.bus.subscribe() as heard:
        again = await site.told("POST", "campaigns/autumn/leads", json=LEAD)
        await site.told("POST", "campaigns/autumn/leads", json=LEAD | {"key": "form-2"}, status=201)
        event = await heard.get()
    assert again == first | {"known": True, "again": True}
    assert event.entry_id == first["entry_id"]
    assert heard.missed == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"numbers": []}, "numbers"),
        ({"numbers": ["hello"]}, "numbers.0: not a phone number"),
        ({"numbers": ["2125550123"], "region": ""}, "region"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"consent": "perhaps"}, "consent"),
        ({"score": "high"}, "score"),
        ({"name": "a\nb"}, "name"),
        ({"fields": {"a": 1}}, "fields"),
        ({"colour": "red"}, "colour"),
        ({"consent_at": "yesterday"}, "consent_at"),
    ],
)
async def test_a_wrong_lead_is_refused_naming_the_field(
    site: Site, wrong: dict[str, Any], field: str
) -> None:
    error = await site.refused("POST", "campaigns/autumn/leads", json=LEAD | wrong, status=422)
    assert field in error["message"]
    assert site.store.tables.contacts == {}
