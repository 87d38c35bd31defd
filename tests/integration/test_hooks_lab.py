"""Webhooks, screen pop, links that dial and material, on a real Asterisk: one call from a link to its last webhook."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from standardwebhooks import Webhook as Verifier

from lab import Lab
from lab.daemon import agent_token
from tests.fakes.receiver import a_receiver
from tests.integration.customers import Person
from tests.integration.floor_lab import open_floor, until
from tests.waiting import PATIENCE_SECONDS, patience

MORE = f"""
[webhooks]
allow = ["127.0.0.1"]

[dial_links]
keys = ["{"k" * 40}"]
"""
PAGE = "https://crm.example/lead/{crm_ref}?tel={number}&rep={agent}"
EXPECTED = {
    "call.started",
    "call.ringing",
    "call.answered",
    "call.connected",
    "call.ended",
    "call.screen_pop",
    "call.disposition_set",
    "material.requested",
    "recording.ready",
    "agent.state_changed",
}


async def test_a_click_in_a_crm_becomes_a_call_whose_story_arrives(fresh_lab: Lab, tmp_path: Path) -> None:
    rules = {
        "pop": {"url": PAGE},
        "material": {"by_disposition": {"sale": {"template": "welcome", "channel": "wechat"}}},
    }
    async with (
        a_receiver() as receiver,
        open_floor(fresh_lab, tmp_path / "cti", agents=1, mode="manual", rules=rules, more=MORE) as floor,
    ):
        events = ["call.*", "material.*", "recording.ready", "agent.*"]
        hook = await floor.daemon.post("webhooks", {"name": "crm", "url": receiver.url, "events": events})
        [number] = await floor.dial([Person(talks=1.0)])
        [contact] = (await floor.daemon.get("contacts"))["contacts"]

        async def told() -> list[dict[str, Any]]:
            verifier = Verifier(hook["secret"])
            return [verifier.verify(body, headers) for headers, body in receiver.got]

        headers = {"Authorization": f"Bearer {agent_token(1)}"}
        async with (
            aiohttp.ClientSession(headers=headers) as rep,
            rep.ws_connect(f"{floor.daemon.url}/api/v1/events?types=call.screen_pop") as page,
        ):
            assert (await page.receive_json())["type"] == "hello"
            asked = {"number": number, "crm_ref": "odoo/crm.lead:4711"}
            async with rep.post(f"{floor.daemon.url}/api/v1/dial/links", json=asked) as made:
                link = floor.daemon.url + (await made.json())["url"]
            async with rep.get(link) as shown:
                assert (shown.status, "odoo/crm.lead:4711" in await shown.text()) == (200, True)
            clicks = await asyncio.gather(*(rep.post(link) for _ in range(3)))
            assert sorted(click.status for click in clicks) == [200, 403, 403]
            pops = [await asyncio.wait_for(page.receive_json(), PATIENCE_SECONDS) for _ in range(2)]
            assert [pop["moment"] for pop in pops] == ["ring", "connect"]
            assert {pop["contact"]["contact_id"] for pop in pops} == {contact["id"]}
            digits = number.removeprefix("+")
            assert (
                pops[0]["url"] == f"https://crm.example/lead/odoo%2Fcrm.lead%3A4711?tel=%2B{digits}&rep=a001"
            )
            call_id = pops[0]["call_id"]
            said = {"disposition": "sale", "note": "喝茶"}
            for _ in range(2):  # the same again asks for nothing more
                async with rep.put(
                    f"{floor.daemon.url}/api/v1/calls/{call_id}/disposition", json=said
                ) as verdict:
                    assert verdict.status == 200
        async with patience():
            while {one["type"] for one in await told()} < EXPECTED:
                await asyncio.sleep(0.2)
        found = await told()
        assert {one["type"] for one in found} >= EXPECTED
        about = [one["data"]["call"] for one in found if one["type"] == "call.ended"]
        assert [(one["id"], one["crm_ref"], one["outcome"]) for one in about] == [
            (call_id, "odoo/crm.lead:4711", "connected")
        ]
        [material] = [one["data"] for one in found if one["type"] == "material.requested"]
        assert (material["template"], material["contact_id"], material["crm_ref"]) == (
            "welcome",
            contact["id"],
            "odoo/crm.lead:4711",
        )

        async def logged() -> list[dict[str, Any]]:
            path = "webhooks/crm/deliveries"
            return list((await floor.daemon.get(path, state="delivered", limit="1000"))["deliveries"])

        log = await until(logged, lambda rows: "call.ended" in {row["type"] for row in rows}, "it is logged")
        assert "call.screen_pop" not in {row["type"] for row in log}
