"""Live events over a WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from cti.model.agents import AgentChange, AgentState
from cti.model.calls import CallState
from cti.model.events import AgentMoved, CallMoved, CampaignMoved, DispositionSet, NodeLost, ScreenPop
from cti.model.look_ups import FoundRecord
from cti.model.pops import ContactCard, PopMoment
from tests.builders import NOW, a_call, an_agent
from tests.fakes.site import TOKENS, Site

Socket = aiohttp.ClientWebSocketResponse[Any]


def node_lost(reason: str = "gone") -> NodeLost:
    return NodeLost(node="pbx", reason=reason, at=NOW)


@asynccontextmanager
async def listening(site: Site, *, as_: str = "lead", types: str = "*") -> AsyncIterator[Socket]:
    headers = {"Authorization": f"Bearer {TOKENS[as_]}"}
    async with site.client.ws_connect(site.url(f"events?types={types}"), headers=headers) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        yield socket


async def test_events_come_as_they_happen(site: Site) -> None:
    async with listening(site) as socket:
        call = a_call(state=CallState.RINGING)
        site.bus.publish(CallMoved(before=CallState.DIALING, call=call, at=NOW))
        told = await socket.receive_json()
    assert (told["v"], told["type"], told["call"]["id"]) == (1, "call.ringing", call.id)


async def test_a_browser_says_its_token_first(site: Site) -> None:
    async with site.client.ws_connect(site.url("events")) as socket:
        await socket.send_json({"token": TOKENS["lead"]})
        assert (await socket.receive_json())["type"] == "hello"
        site.bus.publish(node_lost())
        assert (await socket.receive_json())["type"] == "node.lost"


@pytest.mark.parametrize("first", ['{"token": "wrong"}', "token", "{}", '{"token": "x", "more": 1}', "[1]"])
async def test_a_wrong_token_closes_the_connection(site: Site, first: str) -> None:
    async with site.client.ws_connect(site.url("events")) as socket:
        await socket.send_str(first)
        message = await socket.receive()
    assert (message.type, socket.close_code) == (WSMsgType.CLOSE, 1008)


async def test_a_wrong_token_in_the_header_is_refused_at_once(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with listening(site, as_="nobody"):
            pass
    assert refusal.value.status == 401


async def test_only_the_types_asked_for_come(site: Site) -> None:
    async with listening(site, types="campaign.*,node.lost") as socket:
        site.bus.publish(DispositionSet(call_id="1", agent_id=site.anna, disposition="x", note="", at=NOW))
        site.bus.publish(node_lost())
        site.bus.publish(CampaignMoved(campaign_id=1, name="a", state="paused", at=NOW))
        assert [(await socket.receive_json())["type"] for _ in range(2)] == [
            "node.lost",
            "campaign.state_changed",
        ]


async def test_an_agent_hears_of_himself_and_his_calls_alone(site: Site) -> None:
    def changed(agent_id: int) -> AgentMoved:
        change = AgentChange(agent_id=agent_id, at=NOW, before=AgentState.READY, after=AgentState.PAUSED)
        return AgentMoved(change=change, agent=an_agent(id=agent_id))

    async with listening(site, as_="anna") as socket:
        site.bus.publish(node_lost())
        site.bus.publish(changed(site.bob))
        site.bus.publish(
            CallMoved(
                before=CallState.DIALING, call=a_call(agent_id=site.bob, state=CallState.RINGING), at=NOW
            )
        )
        site.bus.publish(changed(site.anna))
        assert (await socket.receive_json())["agent"]["id"] == site.anna
        site.bus.publish(
            CallMoved(
                before=CallState.DIALING, call=a_call(agent_id=site.anna, state=CallState.RINGING), at=NOW
            )
        )
        assert (await socket.receive_json())["call"]["agent_id"] == site.anna


async def test_a_client_that_is_too_slow_is_told_how_much_it_missed(site: Site) -> None:
    async with listening(site) as socket:
        for number in range(12):  # in one go: the queue of 5 has no chance to empty
            site.bus.publish(node_lost(str(number)))
        told = [await socket.receive_json() for _ in range(6)]
    assert told[0] == {"v": 1, "type": "missed", "missed": 7}
    assert [event["reason"] for event in told[1:]] == ["0", "1", "2", "3", "4"]


async def test_a_client_that_does_not_read_slows_nobody(site: Site) -> None:
    events, heavy = 60, "x" * 1_000_000  # 60 MB: more than any socket's buffers hold
    async with listening(site) as slow, listening(site) as quick:
        for _ in range(events):
            site.bus.publish(node_lost(heavy))
            assert len((await quick.receive_json())["reason"]) == len(heavy)
        seen, missed = 0, 0
        while seen + missed < events:
            told = await slow.receive_json()
            seen, missed = seen + (told["type"] == "node.lost"), missed + told.get("missed", 0)
    assert missed > 0


async def test_a_client_that_leaves_is_forgotten(site: Site) -> None:
    async with listening(site):
        assert len(site.bus._subscriptions) == 1
    while site.bus._subscriptions:
        await asyncio.sleep(0)


async def test_an_event_that_cannot_be_told_ends_the_connection_and_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(site) as socket:
        site.bus.publish(object())  # type: ignore[arg-type]
        message = await socket.receive()
    assert (message.type, socket.close_code) == (WSMsgType.CLOSE, 1011)
    assert "live events to a client failed" in caplog.text


async def test_a_screen_pop_goes_to_its_agents_page_alone(site: Site) -> None:
    record = FoundRecord(crm_ref="odoo/lead:1", target="odoo", kind="lead", name="Anna", contact_id=7)

    def pop(agent_id: int) -> ScreenPop:
        return ScreenPop(
            call_id="1",
            agent_id=agent_id,
            campaign_id=1,
            moment=PopMoment.CONNECT,
            number="+4930901820",
            crm_ref="lead/1",
            contact=ContactCard(contact_id=7, name="王小明", crm_ref="lead/1", crm_deal="deal/9"),
            matches=(),
            more_matches=False,
            url="https://crm.example/lead/1",
            until=NOW,
            at=NOW,
        )

    async with listening(site, as_="anna", types="call.*") as socket:
        site.bus.publish(pop(site.bob))
        site.bus.publish(pop(site.anna))
        told = await socket.receive_json()
        site.bus.publish(replace(pop(site.anna), records=(record,), more_records=True, revision=2))
        second = await socket.receive_json()
    assert (told["records"], told["more_records"], told["revision"]) == ([], False, 1)
    assert (second["records"][0]["crm_ref"], second["records"][0]["contact_id"]) == ("odoo/lead:1", 7)
    assert (second["more_records"], second["revision"]) == (True, 2)
    assert second["id"] != told["id"], "a reader that drops what it has seen already must see it"
    assert (told["type"], told["agent_id"], told["url"]) == (
        "call.screen_pop",
        site.anna,
        "https://crm.example/lead/1",
    )
    assert (told["contact"]["name"], told["contact"]["crm_deal"]) == ("王小明", "deal/9")
