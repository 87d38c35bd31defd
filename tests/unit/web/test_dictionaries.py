"""Dictionaries over the API, and what they allow there."""

from typing import Any

import pytest

from tests.builders import NOW, a_call, some_contacts
from tests.fakes.site import Site

CALL = f"{1:032x}"


async def test_a_dictionary_is_shown_added_to_and_changed(site: Site) -> None:
    await site.dictionaries.load()
    made = await site.told(
        "POST",
        "dictionaries/dispositions",
        json={"code": "fax", "labels": {"en": "Fax"}, "campaign": "autumn", "meanings": ["final"]},
        status=201,
    )
    assert made == {
        "code": "fax",
        "labels": {"en": "Fax"},
        "meanings": ["final"],
        "position": 0,
        "retired_at": None,
        "campaign_id": 1,
    }
    told = await site.told("GET", "dictionaries/dispositions?campaign=autumn", as_="anna")
    codes = [entry["code"] for entry in told["entries"]]
    assert {"fax", "sale"} <= set(codes)
    everywhere = await site.told("GET", "dictionaries/dispositions", as_="anna")
    assert "fax" not in [entry["code"] for entry in everywhere["entries"]]

    changed = await site.told(
        "PATCH", "dictionaries/dispositions/fax?campaign=1", json={"labels": {"zh": "传真"}, "retired": True}
    )
    assert (changed["labels"], changed["retired_at"]) == ({"zh": "传真"}, "2026-11-23T09:00:00.000000Z")
    in_use = await site.told("GET", "dictionaries/dispositions?campaign=1&retired=false")
    assert "fax" not in [entry["code"] for entry in in_use["entries"]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "dictionaries/colours", None, 404),
        ("POST", "dictionaries/stages", {"code": "a/b"}, 422),
        ("POST", "dictionaries/stages", {"code": ""}, 422),
        ("POST", "dictionaries/stages", {"code": "x", "meanings": ["final"]}, 422),
        ("POST", "dictionaries/dispositions", {"code": "x", "meanings": ["good"]}, 422),
        ("POST", "dictionaries/stages", {"code": "x", "campaign": "spring"}, 404),
        ("POST", "dictionaries/stages", {"code": "won"}, 409),
        ("PATCH", "dictionaries/stages/nothing", {"retired": True}, 404),
        ("PATCH", "dictionaries/stages/won", {"code": "lost"}, 422),
    ],
)
async def test_what_is_wrong_is_refused(
    site: Site, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    await site.dictionaries.load()
    await site.refused(method, path, json=body, status=status)


async def test_a_verdict_must_be_a_code_in_use(site: Site) -> None:
    await site.dictionaries.load()
    await site.store.calls.place([(a_call(id=CALL, agent_id=site.anna, campaign_id=1), None)])
    path = f"calls/{CALL}/disposition"
    unknown = await site.refused("PUT", path, json={"disposition": "sold"}, as_="anna", status=422)
    assert "disposition: there is no 'sold'; there are: sale, interested, callback" in unknown["message"]
    without = await site.refused("PUT", path, json={"disposition": "other"}, as_="anna", status=422)
    assert without["message"] == "note: 'other' needs one"
    await site.dictionaries.change(*_key("sale"), retired=True)
    await site.refused("PUT", path, json={"disposition": "sale"}, as_="anna", status=422)
    assert site.store.tables.verdicts == {}
    await site.told("PUT", path, json={"disposition": "other", "note": "moved"}, as_="anna")


def _key(code: str) -> Any:
    from cti.model.dictionaries import DictionaryKind

    return DictionaryKind.DISPOSITIONS, code, 0


async def test_a_verdict_that_means_do_not_call_lists_the_number(site: Site) -> None:
    await site.dictionaries.load()
    await site.store.calls.place([(a_call(id=CALL, agent_id=site.anna), None)])
    await site.told("PUT", f"calls/{CALL}/disposition", json={"disposition": "do_not_call"}, as_="anna")
    (listed,) = site.store.tables.listings.values()
    assert (listed.key, listed.reason) == ("+4930901820", "disposition do_not_call")


async def test_a_pause_must_have_a_code_in_use(site: Site) -> None:
    await site.dictionaries.load()
    error = await site.refused("POST", "agents/anna/pause", json={"reason": "nap"}, as_="anna", status=422)
    assert "reason: there is no 'nap'; there are: pause, coffee, lunch" in error["message"]
    await site.told("POST", "agents/anna/pause", json={}, as_="anna")
    await site.told("POST", "agents/anna/pause", json={"reason": "lunch"}, as_="anna")


async def test_a_preview_is_skipped_with_a_code_in_use(site: Site) -> None:
    await site.dictionaries.load()
    path = "agents/anna/preview/skip"
    error = await site.refused("POST", path, json={"reason": "bored"}, as_="anna", status=422)
    assert "reason: there is no 'bored'; there are: skipped, not_now" in error["message"]
    await site.refused("POST", path, json={"reason": "not_now"}, as_="anna", status=409)


async def test_a_contact_s_stage_and_new_tags_must_be_codes_in_use(site: Site) -> None:
    await site.store.campaigns.add_list(
        campaign_id=1, name="first", source="", contacts=some_contacts(1), at=NOW
    )
    path = f"contacts/{min(site.store.tables.contacts)}"
    await site.told("PATCH", path, json={"tags": ["old"]})
    await site.dictionaries.load()
    await site.told("POST", "dictionaries/tags", json={"code": "vip"}, status=201)
    await site.refused("PATCH", path, json={"stage": "sold out"}, status=422)
    await site.refused("PATCH", path, json={"tags": ["vvip"]}, status=422)
    told = await site.told("PATCH", path, json={"stage": "won", "tags": ["old", "vip"]})
    assert (told["stage"], told["tags"]) == ("won", ["old", "vip"])
