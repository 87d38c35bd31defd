"""Webhooks over the API."""

from typing import Any

import pytest

from cti.hooks.signing import new_secret
from cti.model.webhooks import Delivery, DeliveryState
from tests.builders import NOW, later
from tests.fakes.site import Site

URL = "https://crm.example/hook"


async def a_webhook(site: Site, **more: Any) -> Any:
    body = {"name": "crm", "url": URL, "events": ["call.*"], **more}
    return await site.told("POST", "webhooks", json=body, as_="admin", status=201)


async def logged(site: Site, webhook_id: int, n: int, state: DeliveryState) -> str:
    one = Delivery(
        webhook_id=webhook_id,
        event_id=f"{n:032x}",
        type="call.ended",
        at=later(n),
        body="{}",
        state=state,
        attempts=3,
        status=500,
        error="answered 500",
        milliseconds=7,
        tried_at=NOW,
    )
    await site.store.hooks.note([one])
    return one.event_id


async def test_a_webhook_is_made_and_its_secret_is_told_once(site: Site) -> None:
    made = await a_webhook(site, campaigns=["autumn"])
    assert made["secret"].startswith("whsec_")
    assert (made["events"], made["campaign_ids"], made["state"], made["created_by"]) == (
        ["call.*"],
        [1],
        "on",
        "admin",
    )
    listed = await site.told("GET", "webhooks", as_="admin")
    one = await site.told("GET", "webhooks/crm", as_="admin")
    assert "secret" not in listed["webhooks"][0]
    assert "secret" not in one
    assert made["secret"] not in str(listed) + str(one)
    assert one["deliveries"] == {"waiting": 0, "delivered": 0, "failed": 0, "held": 0}


async def test_a_secret_is_rotated_and_may_be_given(site: Site) -> None:
    before, given = await a_webhook(site), new_secret()
    after = await site.told("POST", "webhooks/crm/secret", as_="admin")
    assert after["secret"] != before["secret"]
    assert after["old_secret_until"] == "2026-11-24T09:00:00.000000Z"
    last = await site.told("POST", "webhooks/crm/secret", json={"secret": given}, as_="admin")
    assert last["secret"] == given
    [stored] = await site.store.hooks.webhooks()
    assert (stored.secret, stored.old_secret) == (given, after["secret"])


async def test_a_webhook_is_changed_switched_and_removed(site: Site) -> None:
    await a_webhook(site)
    change = {"name": "crm2", "url": "https://b.example/x", "events": ["recording.ready"], "on": False}
    after = await site.told("PATCH", "webhooks/crm", json=change, as_="admin")
    assert (after["name"], after["url"], after["state"]) == ("crm2", "https://b.example/x", "off")
    await site.refused(
        "POST", "webhooks/crm2/replay", json={"since": NOW.isoformat()}, as_="admin", status=409
    )
    assert (await site.told("PATCH", "webhooks/crm2", json={"on": True}, as_="admin"))["state"] == "on"
    await site.told("DELETE", "webhooks/crm2", as_="admin")
    await site.refused("GET", "webhooks/crm2", as_="admin", status=404)


async def test_deliveries_are_listed_and_replayed(site: Site) -> None:
    hook = (await a_webhook(site))["id"]
    for n, state in enumerate((DeliveryState.FAILED, DeliveryState.DELIVERED, DeliveryState.HELD)):
        await logged(site, hook, n, state)
    listed = await site.told("GET", "webhooks/crm/deliveries?limit=2&body=true", as_="admin")
    assert [(one["state"], one["body"]) for one in listed["deliveries"]] == [
        ("held", "{}"),
        ("delivered", "{}"),
    ]
    failed = await site.told("GET", "webhooks/crm/deliveries?state=failed", as_="admin")
    assert failed["deliveries"] == [
        {
            "event_id": f"{0:032x}",
            "type": "call.ended",
            "at": "2026-11-23T09:00:00.000000Z",
            "state": "failed",
            "attempts": 3,
            "status": 500,
            "error": "answered 500",
            "milliseconds": 7,
            "tried_at": "2026-11-23T09:00:00.000000Z",
        }
    ]
    span = {"since": NOW.isoformat()}
    answer = await site.told("POST", "webhooks/crm/replay", json=span, as_="admin", status=202)
    assert answer == {"replayed": 2}
    one = f"webhooks/crm/deliveries/{1:032x}/replay"
    assert await site.told("POST", one, as_="admin", status=202) == {"replayed": 1}
    await site.refused("POST", one, as_="admin", status=404)
    assert {work.wish.key for work in site.store.tables.works.values()} == {
        f"{hook}/{n:032x}" for n in range(3)
    }


async def test_a_test_says_what_came_of_it(site: Site) -> None:
    await a_webhook(site)
    answer = await site.told("POST", "webhooks/crm/test", as_="admin")
    assert answer == {"accepted": True, "status": 204, "problem": None}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"url": "ftp://a.example"}, "url: must begin with https"),
        ({"url": "https://user:pw@a.example/"}, "no user or password"),
        ({"events": ["cal.ended"]}, "there is no event 'cal.ended'"),
        ({"events": []}, "events"),
        ({"secret": "whsec_c2hvcnQ="}, "secret: must be whsec_"),
        ({"name": "a b"}, "name"),
        ({"evnts": ["x"]}, "there is no such field"),
    ],
)
async def test_what_is_wrong_is_refused_with_the_field(site: Site, body: Any, told: str) -> None:
    given = {"name": "crm", "url": URL, "events": ["call.*"], **body}
    error = await site.refused("POST", "webhooks", json=given, as_="admin", status=422)
    assert told in error["message"]
    assert await site.store.hooks.webhooks() == []


async def test_names_are_taken_once_and_campaigns_must_be_there(site: Site) -> None:
    await a_webhook(site)
    same = {"name": "crm", "url": URL, "events": ["*"]}
    await site.refused("POST", "webhooks", json=same, as_="admin", status=409)
    other = same | {"name": "b", "campaigns": ["none"]}
    await site.refused("POST", "webhooks", json=other, as_="admin", status=404)
