"""`kill -9` of the service with calls up: people go on talking, and afterwards every call is accounted for."""

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lab import Lab
from lab.softphone import PhoneCall
from tests.integration.customers import AGENT_TONE, CUSTOMER_TONE, Person
from tests.integration.floor_lab import FloorLab, open_floor, until
from tests.integration.postgres import PostgresServer
from tests.integration.proof import proved, tell

STAYS = Person()
LEAVES_DURING = Person(talks=4.0)
HEARS_ALL_OF_THE_MESSAGE = Person(answer_after=3.5)
HANGS_UP_IN_THE_MESSAGE = Person(answer_after=3.5, talks=2.5)
GONE_EARLY = Person(answer_after=3.5, talks=0.3)
BUSY_DURING = Person(answer_after=3.5, refuse=486)
NEVER = Person(answer_after=None)
ANSWERS_AFTERWARDS = Person(answer_after=9.0, talks=1.0)
FIRST = (
    STAYS,
    STAYS,
    LEAVES_DURING,
    HEARS_ALL_OF_THE_MESSAGE,
    HANGS_UP_IN_THE_MESSAGE,
    GONE_EARLY,
    BUSY_DURING,
    NEVER,
    ANSWERS_AFTERWARDS,
)
"""One for each agent; what they do is seconds after they were called, and the kill comes within two of that."""
AFTERWARDS = (
    *[Person(talks=1.0)] * 6,
    Person(refuse=486),
    Person(answer_after=0.5, refuse=404),
)


async def test_calls_survive_the_daemon_on_sqlite(fresh_lab: Lab, tmp_path: Path) -> None:
    await _calls_survive(fresh_lab, tmp_path / "cti", None, "daemon killed, SQLite")


@pytest.mark.postgres
async def test_calls_survive_the_daemon_on_postgresql(
    fresh_lab: Lab, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = await asyncio.to_thread(postgres_server.make_database, "crash")
    await _calls_survive(fresh_lab, tmp_path / "cti", url, "daemon killed, PostgreSQL")


async def _calls_survive(lab: Lab, folder: Path, database_url: str | None, name: str) -> None:
    async with open_floor(
        lab, folder, agents=len(FIRST), ring_seconds=10, message="cti-sorry", database_url=database_url
    ) as floor:
        numbers = await floor.dial([*FIRST, *AFTERWARDS])
        await until(
            floor.states,
            lambda states: Counter(states) == {"connected": 3, "ringing": 6},
            "three talk and six phones ring",
        )
        before, kept = await floor.agents(), [line.call for line in floor.lines]
        login = (await floor.calls())[numbers[0]]["agent"]
        await floor.daemon.kill()

        during = await _the_outage(floor, numbers, floor.phone(login))
        await floor.daemon.start()
        back = time.monotonic()
        await _all_is_as_before(floor, numbers, before)
        after = Counter(await floor.states())
        for number in numbers[:2]:
            await floor.customers.calls(number)[0].hang_up()
        await floor.finished()

        found = await proved(floor)
        _each_as_he_did(await floor.calls(), numbers)
        _those_after_the_outage(floor, await floor.calls(), numbers, back)
        assert [line.call for line in floor.lines] == kept  # no phone was called a second time
        tell(name, before={"connected": 3, "ringing": 6}, during=during, after=after, end=found)


async def _the_outage(floor: FloorLab, numbers: list[str], agent: PhoneCall) -> dict[str, int]:
    """What people do while the service is dead, up to the middle of a message; returns how many calls are up."""
    talk = floor.customers.calls(numbers[0])[0]
    await _hear_each_other(talk, agent)
    quits = [floor.customers.calls(numbers[place])[0] for place in (2, 4, 5, 6)]
    for call in quits:
        await call.ended(within=15)
    hears_the_message = floor.customers.calls(numbers[3])[0]
    await hears_the_message.hears(within=5)
    await _hear_each_other(talk, agent)
    return {"up": len(floor.customers.up()), "over": len(quits)}


async def _hear_each_other(customer: PhoneCall, agent: PhoneCall) -> None:
    await customer.hears(AGENT_TONE, within=1.0)
    await agent.hears(CUSTOMER_TONE, within=1.0)


async def _all_is_as_before(
    floor: FloorLab, numbers: list[str], before: dict[str, dict[str, object]]
) -> None:
    """Those who talk are on their calls, also in the eyes of the service that was started anew."""
    calls = await until(
        floor.calls,
        lambda calls: sum(call["state"] == "ended" for call in calls.values()) >= 4,
        "what ended in the outage is known",
    )
    agents = await floor.agents()
    for number in numbers[:2]:
        call = calls[number]
        login = call["agent"]
        assert call["state"] == "connected"
        assert (agents[login]["state"], agents[login]["call_id"]) == ("on_call", call["id"])
        since, then = (datetime.fromisoformat(str(a[login]["since"])) for a in (agents, before))
        assert abs(since - then) < timedelta(seconds=1)  # the kill may have come before it was written


def _each_as_he_did(calls: dict[str, dict[str, object]], numbers: list[str]) -> None:
    outcomes = [calls[number]["outcome"] for number in numbers if number != numbers[8]]
    assert outcomes == [
        *["connected"] * 3,
        *["dropped"] * 2,
        "gone_early",
        "busy",
        "no_answer",
        *["connected"] * 6,
        "busy",
        "failed",
    ]
    assert calls[numbers[2]]["ended_by"] in ("customer", "unknown")  # of a talk the records may not say who
    assert [calls[n]["ended_by"] for n in numbers[3:6]] == ["service", "customer", "customer"]


def _those_after_the_outage(
    floor: FloorLab, calls: dict[str, dict[str, object]], numbers: list[str], back: float
) -> None:
    """Who answers, or hears the end of the message, when the service is back is seen as ever.

    On a machine that is slow to start it both may come before that; then the records tell, and they tell less.
    """
    [answers] = floor.customers.calls(numbers[8])
    if (answers.times.answered or 0.0) > back:
        assert calls[numbers[8]]["outcome"] == "connected"
    [hears] = floor.customers.calls(numbers[3])
    if (hears.times.ended or 0.0) > back:
        assert calls[numbers[3]]["message_played_at"] is not None
