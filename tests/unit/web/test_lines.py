"""Numbers to show and trunks, over the API."""

from typing import Any

import pytest

from tests.builders import later
from tests.fakes.site import Site

BERLIN, MUNICH = "+4930901820", "+498912345678"


async def a_pool(site: Site, **more: Any) -> Any:
    body = {"name": "main", "numbers": [{"number": MUNICH}, {"number": BERLIN}], **more}
    return await site.told("POST", "caller-pools", json=body, status=201)


async def test_a_pool_is_made_and_listed_with_its_use(site: Site) -> None:
    made = await a_pool(site, per_hour=20, failures=3)
    assert (made["name"], made["per_hour"], made["failures"], made["health_calls"]) == ("main", 20, 3, 100)
    assert [one["number"] for one in made["numbers"]] == [BERLIN, MUNICH]
    assert made["numbers"][0] == {
        "number": BERLIN,
        "areas": [],
        "weight": 1.0,
        "per_hour": None,
        "per_day": None,
        "retired": False,
        "rests_until": None,
        "rest_reason": None,
        "calls_hour": 0,
        "calls_day": 0,
        "judged": 0,
        "answered": 0,
        "answer_rate": None,
    }
    assert (await site.told("GET", "caller-pools")) == {"pools": [made]}
    assert await site.told("GET", "caller-pools/main") == made


async def test_a_pool_and_some_of_its_numbers_are_changed(site: Site) -> None:
    await a_pool(site, per_hour=20)
    change = {
        "name": "Haupt",
        "per_hour": None,
        "health_calls": None,
        "numbers": [{"number": BERLIN, "areas": ["+4930", "+4933"], "weight": 2, "per_day": 9}],
    }
    after = await site.told("PATCH", "caller-pools/main", json=change)
    assert (after["name"], after["per_hour"], after["health_calls"]) == ("Haupt", None, 100)
    berlin, munich = after["numbers"]
    assert (berlin["areas"], berlin["weight"], berlin["per_day"]) == (["+4930", "+4933"], 2.0, 9)
    assert munich["weight"] == 1.0
    await site.refused("GET", "caller-pools/main", status=404)
    [stored] = await site.store.callers.pools()
    assert stored.name == "Haupt"


async def test_a_number_rests_until_it_is_woken(site: Site) -> None:
    await a_pool(site)
    until = later(3600).isoformat()
    rests = {"numbers": [{"number": BERLIN, "rests_until": until}]}
    resting = (await site.told("PATCH", "caller-pools/main", json=rests))["numbers"][0]
    assert (resting["rests_until"], resting["rest_reason"]) == ("2026-11-23T10:00:00.000000Z", "by hand")
    wakes = {"numbers": [{"number": BERLIN, "rests_until": None}]}
    awake = (await site.told("PATCH", "caller-pools/main", json=wakes))["numbers"][0]
    assert (awake["rests_until"], awake["rest_reason"]) == (None, None)


async def test_a_number_is_added_and_retired(site: Site) -> None:
    await a_pool(site)
    change = {"numbers": [{"number": "+494012345678"}, {"number": MUNICH, "retired": True}]}
    numbers = (await site.told("PATCH", "caller-pools/main", json=change))["numbers"]
    assert [(one["number"], one["retired"]) for one in numbers] == [
        (BERLIN, False),
        ("+494012345678", False),
        (MUNICH, True),
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "a", "numbers": []}, "numbers"),
        ({"name": "a/b", "numbers": [{"number": BERLIN}]}, "name: must hold no slash"),
        ({"name": "a", "numbers": [{"number": "030 901820"}]}, "numbers.0.number"),
        ({"name": "a", "numbers": [{"number": BERLIN}, {"number": BERLIN}]}, "stands twice"),
        ({"name": "a", "numbers": [{"number": BERLIN, "areas": ["030"]}]}, "numbers.0.areas.0"),
        ({"name": "a", "numbers": [{"number": BERLIN, "wieght": 1}]}, "there is no such field"),
        ({"name": "a", "numbers": [{"number": BERLIN}], "failures": 0}, "failures"),
    ],
)
async def test_a_pool_that_is_wrong_is_refused_with_the_field(site: Site, body: Any, told: str) -> None:
    error = await site.refused("POST", "caller-pools", json=body, status=422)
    assert told in error["message"]
    assert await site.store.callers.pools() == []


async def test_names_and_numbers_that_are_taken_are_conflicts(site: Site) -> None:
    await a_pool(site)
    other = {"name": "other", "numbers": [{"number": BERLIN}]}
    assert BERLIN in (await site.refused("POST", "caller-pools", json=other, status=409))["message"]
    same = {"name": "main", "numbers": [{"number": "+494012345678"}]}
    await site.refused("POST", "caller-pools", json=same, status=409)
    await site.refused("PATCH", "caller-pools/none", json={"per_day": 1}, status=404)


async def test_trunks_are_told_with_their_breakers(site: Site) -> None:
    [cheap, dear] = (await site.told("GET", "trunks"))["trunks"]
    assert cheap == {
        "node": "pbx",
        "endpoint": "cheap",
        "channels": 30,
        "calls_per_second": None,
        "priority": 1,
        "failure_share": 0.5,
        "rest_seconds": 30.0,
        "in_use": 0,
        "breaker": "closed",
        "judged": 0,
        "failed": 0,
        "tries_again_at": None,
    }
    assert (dear["endpoint"], dear["calls_per_second"]) == ("dear", 5.0)


@pytest.mark.parametrize("path", ["caller-pools", "trunks", "caller-pools/main"])
async def test_agents_have_no_business_here(site: Site, path: str) -> None:
    await site.refused("GET", path, as_="anna", status=403)
