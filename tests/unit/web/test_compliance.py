"""Profiles, previews, reasons and consent over the API."""

from dataclasses import replace
from typing import Any

import pytest

from cti.model.campaign_rules import CampaignRules, ComplianceRules
from cti.model.contacts import EntryState
from tests.builders import NOW, some_contacts
from tests.fakes.site import Site


async def filled(site: Site, count: int = 7, profile: str = "none", **overrides: Any) -> None:
    """Give the campaign a list, and rules."""
    rules = CampaignRules(compliance=ComplianceRules(profile=profile, overrides=overrides))
    site.store.tables.campaigns[1] = replace(site.store.tables.campaigns[1], rules=rules)
    await site.store.campaigns.add_list(
        campaign_id=1, name="first", source="", contacts=some_contacts(count), at=NOW
    )


async def test_the_profiles_are_told_with_their_keys(site: Site) -> None:
    told = (await site.told("GET", "compliance/profiles"))["profiles"]

    assert [one["name"] for one in told] == ["cn", "none", "uk", "us"]
    assert told[3]["keys"]["hours"] == {"every_day": ["08:00-21:00"]}


async def test_a_preview_counts_by_reason_with_a_few_of_each(site: Site) -> None:
    await filled(site)
    await site.told("POST", "do-not-call", json={"numbers": ["+493090000001", "+49309000000*"]}, status=201)
    for entry in list(site.store.tables.entries.values())[:1]:
        site.store.tables.stopped[entry.contact_id] = NOW

    told = await site.told("GET", "campaigns/1/compliance/preview")

    assert (told["looked_at"], told["allowed"], told["next"]) == (7, 0, None)
    assert told["refused"] == {"stopped": 1, "do_not_call": 6}
    assert len(told["samples"]["do_not_call"]) == 5
    assert told["samples"]["do_not_call"][0]["detail"] == "+493090000001 stands in the do-not-call list"


async def test_a_preview_of_many_goes_on_page_by_page(site: Site) -> None:
    await filled(site, 7)
    waiting = list(site.store.tables.entries.values())[3]
    waiting.state = EntryState.WAITING

    pages, start = [], "pending-0"
    while start:
        page = await site.told("GET", f"campaigns/1/compliance/preview?at_most=4&start={start}")
        pages.append(page["looked_at"])
        start = page["next"]

    assert sum(pages) == 7
    assert max(pages) == 4


async def test_a_preview_at_another_time_answers_for_that_time(site: Site) -> None:
    await filled(site, 2, "uk")

    day = await site.told("GET", "campaigns/autumn/compliance/preview?at=2026-11-23T12:00:00Z")
    night = await site.told("GET", "campaigns/autumn/compliance/preview?at=2026-11-23T22:00:00Z")

    assert (day["allowed"], day["refused"]) == (2, {})
    assert (night["allowed"], night["refused"]) == (0, {"outside_hours": 2})
    assert night["samples"]["outside_hours"][0]["until"] == "2026-11-24T07:00:00.000000Z"


async def test_what_a_campaign_loosens_is_a_warning_of_the_preview(site: Site) -> None:
    await filled(site, 1, "cn", consent="not_needed")

    told = await site.told("GET", "campaigns/1/compliance/preview")

    assert "consent: less strict than the profile" in [one["message"] for one in told["warnings"]]


async def test_a_campaign_is_held_against_its_profile(site: Site) -> None:
    await filled(site, 1, "us")

    told = await site.told("GET", "campaigns/1/compliance")

    found = {one["subject"]: one["ok"] for one in told["findings"]}
    assert found["profile us: ring_seconds"] is True
    assert found["profile us: caller_id"] is False


async def test_a_start_tells_what_the_profile_asks_for_and_the_campaign_has_not(site: Site) -> None:
    await filled(site, 1, "uk")

    told = await site.told("POST", "campaigns/1/start")
    paused = await site.told("POST", "campaigns/1/pause")

    assert told["state"] == "running"
    assert [one["message"] for one in told["warnings"]] == ["the campaign shows no number"]
    assert paused["warnings"] == []


async def test_a_campaign_whose_rules_cannot_be_kept_is_not_started(site: Site) -> None:
    await filled(site, 1, "uk", hours={"sunday": ["20:00-10:00"]})
    await site.told("POST", "campaigns/1/stop")

    error = await site.refused("POST", "campaigns/1/start", status=422)

    assert error["message"].startswith("rules.compliance.overrides.hours.sunday: '20:00-10:00' ends before")
    assert (await site.told("GET", "campaigns/1"))["state"] == "stopped"


@pytest.mark.parametrize(
    ("compliance", "said"),
    [
        pytest.param({"profile": "usa"}, "rules.compliance.profile: there is no profile 'usa'", id="profile"),
        pytest.param({"overrides": {"wndows": []}}, "overrides.wndows: there is no such key", id="key"),
        pytest.param(
            {"overrides": {"attempts_total": 0}}, "overrides.attempts_total: Input should be", id="value"
        ),
    ],
)
async def test_rules_that_cannot_be_kept_are_refused_before_they_are_stored(
    site: Site, compliance: dict[str, Any], said: str
) -> None:
    rules = {"compliance": compliance}

    made = await site.refused("POST", "campaigns", json={"name": "spring", "rules": rules}, status=422)
    changed = await site.refused("PATCH", "campaigns/1", json={"rules": rules}, status=422)

    assert said in made["message"]
    assert said in changed["message"]
    assert [one["name"] for one in (await site.told("GET", "campaigns"))["campaigns"]] == ["autumn"]


async def test_rules_that_name_no_profile_are_told_as_such(site: Site) -> None:
    await filled(site, 1, "atlantis")

    error = await site.refused("GET", "campaigns/1/compliance/preview", status=422)

    assert error["message"].startswith("rules.compliance.profile: there is no profile 'atlantis'")


async def test_why_tells_every_check_for_a_number(site: Site) -> None:
    await filled(site, 1, "cn")

    told = await site.told(
        "GET", "campaigns/1/compliance/why", params={"number": "+493090000000", "at": "2026-11-23T22:00:00Z"}
    )

    assert (told["law"], told["allowed"], len(told["contact_ids"])) == ("cn", False, 1)
    refused = [one["check"] for one in told["checks"] if not one["allowed"]]
    assert refused == ["no_consent", "outside_hours"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("start=nowhere", "is no place in a preview", id="place"),
        pytest.param("start=done-1", "is no place in a preview", id="state"),
        pytest.param("at=2026-11-23T12:00", "at:", id="time without zone"),
        pytest.param("at_most=0", "at_most:", id="none"),
        pytest.param("list=1", "list: there is no such field", id="unknown field"),
    ],
)
async def test_a_wrong_question_is_refused_with_its_field(site: Site, query: str, said: str) -> None:
    error = await site.refused("GET", f"campaigns/1/compliance/preview?{query}", status=422)

    assert said in error["message"]


async def test_consent_by_number_is_written_for_everybody_who_has_it(site: Site) -> None:
    await filled(site, 1)
    await filled_again(site)
    said = {"number": "+493090000000", "standing": "withdrawn", "source": "call", "evidence": "「别打了」"}

    made = (await site.told("POST", "consents", json=said, status=201))["consents"]
    told = (await site.told("GET", "consents", params={"number": "030 90000000"}))["consents"]

    assert len({one["contact_id"] for one in made}) == 2
    assert made == told
    assert {one["recorded_by"] for one in told} == {"lead"}
    preview = await site.told("GET", "campaigns/1/compliance/preview")
    assert preview["refused"] == {"no_consent": 2}


async def filled_again(site: Site) -> None:
    await site.store.campaigns.add_list(
        campaign_id=1, name="second", source="", contacts=some_contacts(1), at=NOW
    )


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        pytest.param({}, 422, "exactly one of contact_id and number", id="nobody"),
        pytest.param({"contact_id": 1, "number": "+493090000000"}, 422, "exactly one", id="both"),
        pytest.param({"number": "+4911111111"}, 404, "no contact has the number", id="a stranger"),
        pytest.param({"contact_id": 999_999}, 404, "no contact 999999", id="no contact"),
        pytest.param({"contact_id": 1, "at": "2099-01-01T00:00:00Z"}, 422, "future", id="time to come"),
        pytest.param({"contact_id": 1, "standing": "maybe"}, 422, "standing", id="word"),
    ],
)
async def test_wrong_consent_is_refused(site: Site, wrong: dict[str, Any], status: int, said: str) -> None:
    body = {"standing": "given", "source": "web form"} | wrong

    error = await site.refused("POST", "consents", json=body, status=status)

    assert said in error["message"]
