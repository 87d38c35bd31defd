"""A small campaign over all kinds of numbers, three agents on softphones, from the list to the reconciled account."""

import asyncio
import csv
import io
import sqlite3
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp

from cti.model.ids import call_channel, new_call_id
from lab import Lab
from lab.daemon import ADMIN_TOKEN, agent_token
from lab.softphone import share_of_tone
from lab.softphone.audio import encode
from tests.integration.customers import AGENT_TONE, CUSTOMER_TONE
from tests.integration.floor_lab import CAMPAIGN, FloorLab, open_floor, until
from tests.integration.proof import proved, tell

STAYS: Final = "+4930200009901"
"""600 Hz until the agent hangs up."""
TALKS: Final = "+4930201039901"
"""600 Hz for three seconds."""
PLAN: Final[dict[str, tuple[str, int, int | None]]] = {
    STAYS: ("connected", 16, None),
    TALKS: ("connected", 16, None),
    "+4930202021301": ("connected", 16, None),
    "+4930203022101": ("connected", 16, None),
    "+4930204028001": ("connected", 16, None),
    "+4930205009001": ("connected", 16, None),
    "+4930206029800": ("connected", 16, None),
    "+4930207003001": ("busy", 17, 486),
    "+4930208009700": ("busy", 17, 486),
    "+4930209004000": ("no_answer", 19, 480),
    "+4930210000000": ("no_answer", 19, 480),
    "+4930211006001": ("no_answer", 19, 480),
    "+4930212005001": ("failed", 1, 404),
    "+4930213009200": ("failed", 1, 404),
    "+4930214007001": ("failed", 34, 503),
    "+4930215009301": ("failed", 21, 403),
    "+4930216009400": ("failed", 22, 410),
    "+4930217009500": ("failed", 28, 484),
    "+4930218009600": ("failed", 38, 500),
}
"""Outcome, Q.850 cause and SIP code by number; what a number does stands in its last digits (docs/reference/lab.md)."""
DROPPED: Final = "+4930230001002"
GONE_EARLY: Final = "+4930231009002"
NEXT: Final = {
    "logged_out": {"ready"},
    "ready": {"reserved", "paused", "logged_out"},
    "reserved": {"on_call", "ready", "logged_out"},
    "on_call": {"wrap_up"},
    "wrap_up": {"ready"},
    "paused": {"ready"},
}
"""How agents may move in this story."""


async def test_a_campaign_from_the_list_to_the_reconciled_account(fresh_lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "cti"
    async with open_floor(
        fresh_lab, folder, agents=3, trunk="carrier", ring_seconds=5, grace_seconds=2
    ) as floor:
        async with floor.daemon.events("agent.state_changed") as events:
            assert (await anext(events))["type"] == "hello"
            moves: list[dict[str, Any]] = []
            watching = asyncio.create_task(_collect(events, moves))
            await floor.import_numbers(PLAN)
            await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
            await _agent_ends_the_call(floor)
            await floor.finished()
            await _nobody_there(floor)
            found = await proved(floor)
            watching.cancel()
        calls = await floor.calls()
        _each_as_the_plan_says(calls)
        _no_agent_in_two_places(moves)
        await _both_voices(floor, calls[TALKS])
        await _reports_agree(floor, found)
        await _planted_differences_are_found(floor, folder, calls[TALKS]["id"])
        tell("end to end", end=found)


async def _collect(events: AsyncIterator[dict[str, Any]], moves: list[dict[str, Any]]) -> None:
    async for event in events:
        moves.append(event)


async def _agent_ends_the_call(floor: FloorLab) -> None:
    """The agent of the person who stays hangs up, says how it went, and it is kept."""
    calls = await until(
        floor.calls, lambda calls: STAYS in calls and calls[STAYS]["state"] == "connected", "they talk"
    )
    login, call_id = calls[STAYS]["agent"], calls[STAYS]["id"]
    await floor.phone(login).hears(CUSTOMER_TONE)
    verdict = {"disposition": "sale", "note": "Möchte Tee; 喝茶\nam Dienstag"}
    token = agent_token(int(login[1:]))
    assert await _as_agent(floor, token, "PUT", f"calls/{call_id}/disposition", verdict) == 200
    assert await _as_agent(floor, token, "POST", f"agents/{login}/hangup", {}) == 200
    kept = await until(
        lambda: floor.daemon.get(f"calls/{call_id}"), lambda c: c["state"] == "ended", "it ends"
    )
    assert (kept["disposition"], kept["note"], kept["ended_by"]) == (*verdict.values(), "agent")


async def _as_agent(floor: FloorLab, token: str, method: str, path: str, body: object) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{floor.daemon.url}/api/v1/{path}", json=body) as answer,
    ):
        return answer.status


async def _nobody_there(floor: FloorLab) -> None:
    """The only agent leaves while a phone rings: one person hears the message, one has hung up before."""
    await floor.all_agents("ready")
    for login in ("a001", "a002"):
        await floor.daemon.post(f"agents/{login}/pause", {"reason": "coffee"})
    for number in (DROPPED, GONE_EARLY):
        await floor.import_numbers([number], name=number)
        await floor.daemon.post(f"campaigns/{CAMPAIGN}/start")
        await until(floor.states, lambda states: states == ["ringing"], "it rings")
        await floor.phone("a003").hang_up()
        await floor.finished()
        await floor.daemon.post("agents/a003/login")


def _each_as_the_plan_says(calls: dict[str, dict[str, Any]]) -> None:
    told = {
        number: (calls[number]["outcome"], calls[number]["cause"], calls[number]["sip_code"])
        for number in PLAN
    }
    assert told == PLAN
    assert (calls[DROPPED]["outcome"], calls[GONE_EARLY]["outcome"]) == ("dropped", "gone_early")
    assert calls[DROPPED]["message_played_at"]
    assert calls[TALKS]["ended_by"] == "customer"
    assert calls[TALKS]["talk_seconds"] > 2.5
    timeouts = {number for number, call in calls.items() if call["end_reason"] == "ring_timeout"}
    assert timeouts == {"+4930209004000", "+4930210000000"}


def _no_agent_in_two_places(moves: list[dict[str, Any]]) -> None:
    """Every agent goes from state to state without a gap, and is on one call at a time."""
    for login in {move["agent"]["login"] for move in moves}:
        own = [move for move in moves if move["agent"]["login"] == login]
        states = [own[0]["before"], *(move["after"] for move in own)]
        assert [move["before"] for move in own] == states[:-1]
        assert all(after in NEXT[before] for before, after in pairwise(states)), states
        for move, after in pairwise(own):
            if move["after"] in ("reserved", "on_call") and after["after"] in ("on_call", "wrap_up"):
                assert move["call_id"] == after["call_id"]


async def _both_voices(floor: FloorLab, call: dict[str, Any]) -> None:
    """Left the customer, right the agent, from the answer to the end."""
    seconds, left, right = _channels(await _recording(floor, call["id"]))
    answered, ended = (datetime.fromisoformat(call[name]) for name in ("answered_at", "ended_at"))
    assert abs(seconds - (ended - answered).total_seconds()) < 0.3
    assert (share_of_tone(left, CUSTOMER_TONE), share_of_tone(right, AGENT_TONE)) > (0.9, 0.9)
    assert (share_of_tone(left, AGENT_TONE), share_of_tone(right, CUSTOMER_TONE)) == (0.0, 0.0)


async def _recording(floor: FloorLab, call_id: str) -> bytes:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
        session.get(f"{floor.daemon.url}/api/v1/calls/{call_id}/recording") as answer,
    ):
        return await answer.read()


def _channels(sound: bytes) -> tuple[float, bytes, bytes]:
    with wave.open(io.BytesIO(sound)) as wav:
        assert (wav.getnchannels(), wav.getframerate()) == (2, 8000)
        seconds = wav.getnframes() / wav.getframerate()
        samples = memoryview(wav.readframes(wav.getnframes())).cast("h")
    return seconds, encode(list(samples[0::2])), encode(list(samples[1::2]))


async def _reports_agree(floor: FloorLab, found: dict[str, Any]) -> None:
    report = await floor.daemon.get("reports/calls_by_outcome")
    told = {row["outcome"]: row["calls"] for row in report["rows"]}
    assert told == {name: found[name] for name in told}
    assert sum(told.values()) == found["placed"]


async def _planted_differences_are_found(floor: FloorLab, folder: Path, call_id: str) -> None:
    """A channel nobody here knows, and a call whose record was changed."""
    now = datetime.now(UTC)
    unknown = call_channel(new_call_id(now))
    row = ("CHAN_START", f"{now.timestamp():.6f}", unknown, unknown, "PJSIP/carrier-ffff", "", "", "")
    with (floor.lab.pbx.cel / "cti.csv").open("a", newline="") as cel:
        csv.writer(cel, quoting=csv.QUOTE_ALL).writerow(row)
    with sqlite3.connect(folder / "waihu.db") as database:
        database.execute("UPDATE calls SET cause = 17 WHERE id = ?", (call_id,))
    database.close()
    compared = await floor.daemon.post("reconcile")
    found = {(each["subject"], each["channel_id"]) for each in compared["differences"]}
    assert compared["ok"] is False
    assert found == {("unknown_channel", unknown), ("cause", call_channel(call_id))}
