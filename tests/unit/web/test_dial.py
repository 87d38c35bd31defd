"""Click to dial over the API, and the page behind a link."""

from typing import Any

import pytest

from tests.builders import NOW, some_contacts
from tests.fakes.site import Site


async def contacts(site: Site, count: int = 1) -> list[int]:
    await site.store.campaigns.add_list(
        campaign_id=1, name="list", source="", contacts=some_contacts(count), at=NOW
    )
    return sorted(site.store.tables.contacts)


def path_of(link: Any) -> str:
    return str(link["url"])


async def test_an_agent_calls_for_himself_from_a_record(site: Site) -> None:
    [one] = await contacts(site)
    asked = {"contact_id": one, "crm_ref": "crm.lead/4711"}
    call = await site.told("POST", "dial", json=asked, as_="anna", status=201)
    assert (call["contact_id"], call["crm_ref"], call["campaign_id"]) == (one, "crm.lead/4711", 1)


async def test_a_lead_calls_for_an_agent_and_an_agent_for_no_other(site: Site) -> None:
    [one] = await contacts(site)
    await site.told("POST", "dial", json={"contact_id": one, "agent": "bob"}, status=201)
    refusal = await site.refused("POST", "dial", json={"contact_id": one}, status=422)
    assert "agent: is missing" in refusal["message"]
    for path in ("dial", "dial/links"):
        asked = {"contact_id": one, "agent": "bob"}
        await site.refused("POST", path, json=asked, as_="anna", status=403)


async def test_several_who_are_meant_are_told_and_none_is_called(site: Site) -> None:
    ids = await contacts(site)
    number = site.store.tables.contacts[ids[0]].numbers[0].e164
    ids = sorted({*ids, *await contacts_again(site)})
    error = await site.refused("POST", "dial", json={"number": number}, as_="anna", status=409)
    assert [card["contact_id"] for card in error["matches"]] == ids
    assert site.by_hand.calls == []


async def contacts_again(site: Site) -> list[int]:
    await site.store.campaigns.add_list(
        campaign_id=1, name="again", source="", contacts=some_contacts(1), at=NOW
    )
    return sorted(site.store.tables.contacts)


async def a_link(site: Site, **more: Any) -> str:
    [one] = await contacts(site)
    asked = {"contact_id": one, "crm_ref": '"><script>', "agent": "anna", **more}
    return path_of(await site.told("POST", "dial/links", json=asked, status=201))


async def test_opening_a_link_calls_nobody_and_a_click_calls_once(site: Site) -> None:
    link = await a_link(site)
    for _ in range(2):
        page = await site.client.get(link)
        text = await page.text()
        assert (page.status, page.content_type) == (200, "text/html")
        assert "<form method=post>" in text
        assert "&quot;&gt;&lt;script&gt;" in text
        assert "<script" not in text
        assert "src=" not in text
    assert site.by_hand.calls == []
    called = await site.client.post(link)
    assert (called.status, len(site.by_hand.calls)) == (200, 1)
    again = await site.client.post(link)
    assert again.status == 403
    assert "used already" in await again.text()
    assert len(site.by_hand.calls) == 1


async def test_the_page_lets_in_nothing_from_elsewhere_and_is_not_kept(site: Site) -> None:
    page = await site.client.get(await a_link(site))
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("path", ["/dial/forged", "/dial/a.b", "/dial/eyJ2IjoxfQ.AAAA"])
async def test_a_forged_link_is_refused(site: Site, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await site.client.request(method, path)
        assert answer.status == 403
        assert "<h1>No call</h1>" in await answer.text()
    assert site.by_hand.calls == []


async def test_a_link_wants_somebody_and_no_more_time_than_allowed(site: Site) -> None:
    await site.refused("POST", "dial/links", json={"agent": "anna"}, status=422)
    long = {"agent": "anna", "crm_ref": "x", "seconds": 9999}
    await site.refused("POST", "dial/links", json=long, status=422)
    await site.refused("POST", "dial/links", json={"agent": "nobody", "crm_ref": "x"}, status=404)
