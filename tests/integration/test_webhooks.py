"""Webhooks over real sockets: receivers that misbehave, names that change, and a service that is killed."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook as Verifier

from cti.clock import SystemClock
from cti.hooks.addresses import Reach
from cti.hooks.sender import open_sender
from cti.hooks.verdicts import Answer
from cti.model.events import NodeLost
from cti.model.queries import CallFilter
from cti.model.webhooks import DeliveryFilter, DeliveryState, WebhookState
from tests.fakes.receiver import MEGABYTE, Receiver, a_receiver
from tests.integration.hook_house import LOOPBACK, House, a_house, story
from tests.waiting import PATIENCE_SECONDS, patience, until


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


async def sent(url: str, *, reach: Reach = LOOPBACK, seconds: float = 15.0) -> Answer:
    async with open_sender(reach=reach, seconds=seconds) as sender:
        return await sender(url, headers={"webhook-id": "x"}, body=b"{}")


async def test_a_body_arrives_byte_by_byte_with_its_headers(receiver: Receiver) -> None:
    answer = await sent(f"{receiver.url}/hook?x=1")
    assert (answer.status, answer.accepted) == (204, True)
    [(headers, body)] = receiver.got
    assert (headers["webhook-id"], headers["content-type"], body) == ("x", "application/json", b"{}")
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("behaviour", "status", "told"),
    [
        ("500", 500, "answered 500: said so"),
        ("410", 410, "answered 410: said so"),
        ("redirect", 307, "redirects are not followed"),
        ("cut", None, "ServerDisconnected"),
    ],
)
async def test_what_is_no_yes_is_told_in_words(
    receiver: Receiver, behaviour: str, status: int | None, told: str
) -> None:
    receiver.behaviours = [behaviour]
    answer = await sent(receiver.url)
    assert (answer.status, answer.accepted, receiver.followed) == (status, False, 0)
    assert told in (answer.problem or "")


async def test_retry_after_is_handed_on(receiver: Receiver) -> None:
    receiver.behaviours = ["429 17"]
    answer = await sent(receiver.url)
    assert (answer.status, answer.retry_after) == (429, "17")


@pytest.mark.parametrize("behaviour", ["silent", "trickle"])
async def test_whoever_takes_too_long_is_left(receiver: Receiver, behaviour: str) -> None:
    receiver.behaviours = [behaviour]
    answer = await sent(receiver.url, seconds=0.5)
    assert (answer.status, answer.error) == (None, "no answer within 0.5 s")


async def test_of_a_gigabyte_little_is_read(receiver: Receiver) -> None:
    receiver.behaviours = ["endless"]
    answer = await sent(receiver.url)
    assert (answer.status, len(answer.text)) == (200, 300)
    await asyncio.sleep(0.2)
    # what fits into the buffers of two sockets may have left before the connection was closed
    assert receiver.sent_bytes < 64 * len(MEGABYTE)


async def test_nobody_listening_is_an_answer_too() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = await sent(f"http://127.0.0.1:{held.getsockname()[1]}")
    assert (answer.status, answer.refused_here) == (None, False)
    assert "connect" in (answer.error or "").casefold()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]"])
async def test_what_is_not_allowed_is_not_reached_however_it_is_spelled(
    receiver: Receiver, host: str
) -> None:
    port = receiver.url.rpartition(":")[2]
    for reach in (Reach(), Reach(plain_http=True), Reach(["10.0.0.0/8"])):
        answer = await sent(f"http://{host}:{port}/", reach=reach, seconds=5)
        assert answer.status is None
        assert answer.error
    assert receiver.got == []


class ChangingNames(AbstractResolver):
    """A name server that says something else each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in addresses
        ]

    async def close(self) -> None: ...


async def test_a_name_that_changes_to_the_inside_between_two_looks_gains_nothing(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    names = ChangingNames(["127.0.0.9"], ["127.0.0.1"])
    reach = Reach(["127.0.0.9"])  # stands for a public address; nobody listens there
    async with open_sender(reach=reach, seconds=PATIENCE_SECONDS, resolver=names) as sender:
        first = await sender(f"http://evil.example:{port}/", headers={}, body=b"{}")
        # asked once: what was judged is what was connected to
        assert (first.status, first.refused_here, names.asked) == (None, False, 1)
        second = await sender(f"http://evil.example:{port}/", headers={}, body=b"{}")
    assert (second.status, second.refused_here, names.asked) == (None, True, 2)
    assert receiver.got == []


async def test_one_address_inside_among_those_of_a_name_is_enough_to_refuse_it(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    names = ChangingNames(["93.184.216.34", "127.0.0.1"])
    async with open_sender(reach=Reach(plain_http=True), resolver=names) as sender:
        answer = await sender(f"http://evil.example:{port}/", headers={}, body=b"{}")
    assert (answer.refused_here, receiver.got) == (True, [])


async def test_every_event_of_a_call_arrives_signed_and_is_logged(receiver: Receiver, tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        hook = await house.desk.add(name="crm", url=receiver.url, events=["call.*", "node.lost"], by="test")
        for move in story(1):
            house.bus.publish(move)
        house.bus.publish(NodeLost(node="pbx", reason="gone", at=SystemClock().now()))
        await receiver.until(4)
        kinds = {Verifier(hook.secret).verify(body, headers)["type"] for headers, body in receiver.got}
        assert kinds == {"call.started", "call.ringing", "call.ended", "node.lost"}
        # It came before its sender has heard that it was taken.
        async with patience():
            while len(await house.deliveries()) < 4:
                await house.log.flush()
                await asyncio.sleep(0.01)
    async with a_house(tmp_path) as house:
        assert {one.state for one in await house.deliveries()} == {DeliveryState.DELIVERED}
        assert len(await house.deliveries()) == 4


async def test_no_event_is_lost_by_restarts_and_none_has_two_ids(receiver: Receiver, tmp_path: Path) -> None:
    receiver.behaviours = ["500", "cut", "503 1"]
    calls = 12
    for number in range(calls):
        async with a_house(tmp_path) as house:
            if not house.book.all():
                await house.desk.add(name="crm", url=receiver.url, events=["call.ended"], by="test")
            for move in story(number):
                house.bus.publish(move)
            await house.journal.flush()
            await asyncio.sleep(0.01 * number)
    wanted = {f"{number:032x}" for number in range(calls)}
    async with a_house(tmp_path) as house:
        secret = house.book.all()[0].secret
        await until(lambda: {one["call"]["id"] for one in said_to(receiver, secret)} >= wanted)
    ids = {(one["call"]["id"], one["id"]) for one in said_to(receiver, secret)}
    assert {call_id for call_id, _ in ids} == wanted
    assert len(ids) == calls


def said_to(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """Return what came, each signed with this secret."""
    verifier = Verifier(secret)
    return [verifier.verify(body, headers)["data"] for headers, body in receiver.got]


async def run_and_kill(module: str, folder: Path, *, done: int, seconds: float) -> None:
    """Kill it a moment after it has done so many."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.integration.{module}", str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    async with patience():
        for number in range(done + 1):
            assert await child.stdout.readline() == f"{number}\n".encode()
    await asyncio.sleep(seconds)  # so that each kill finds it at something else
    child.kill()
    await child.wait()


async def test_no_end_of_a_call_that_is_stored_is_lost_by_kills(receiver: Receiver, tmp_path: Path) -> None:
    """A process that ends calls is killed (SIGKILL) again and again; then all that is stored arrives."""
    async with a_house(tmp_path) as house:
        hook = await house.desk.add(name="crm", url=receiver.url, events=["call.ended"], by="test")
    for done, seconds in ((5, 0.001), (10, 0.004), (20, 0.01), (40, 0.03)):
        await run_and_kill("hook_process", tmp_path, done=done, seconds=seconds)
    async with a_house(tmp_path) as house:
        stored = {row.call.id async for row in house.database.facts.all_call_rows(CallFilter(limit=1000))}
        await until(lambda: {one["call"]["id"] for one in said_to(receiver, hook.secret)} >= stored)
    said = said_to(receiver, hook.secret)
    assert len(stored) >= 75
    assert {one["call"]["id"] for one in said} == stored
    assert len({(one["call"]["id"], one["id"]) for one in said}) == len(stored)


async def test_no_recording_or_transcript_that_is_stored_is_lost_by_kills(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with a_house(tmp_path) as house:
        events = ["recording.ready", "transcript.ready"]
        hook = await house.desk.add(name="crm", url=receiver.url, events=events, by="test")
    for done, seconds in ((2, 0.001), (5, 0.004), (8, 0.01), (12, 0.03)):
        await run_and_kill("hook_sounds", tmp_path, done=done, seconds=seconds)

    def told() -> set[tuple[str, str]]:
        return {(one["type"], one["call_id"]) for one in said_to(receiver, hook.secret)}

    async with a_house(tmp_path) as house:
        stored = await stored_sounds(house)
        await until(lambda: told() >= stored)
    assert len(stored) >= 2 * 27
    assert told() == stored
    assert len({(one["type"], one["call_id"], one["id"]) for one in said_to(receiver, hook.secret)}) == len(
        stored
    )


async def stored_sounds(house: House) -> set[tuple[str, str]]:
    """Return which events must come: one for each recording that is kept and each transcript that is stored."""
    recordings = await house.database.recordings.recordings_after("", limit=1000)
    calls = [row.call.id async for row in house.database.facts.all_call_rows(CallFilter(limit=1000))]
    transcribed = [one for one in calls if await house.database.transcripts.current(one)]
    return {("recording.ready", one) for one, _ in recordings} | {
        ("transcript.ready", one) for one in transcribed
    }


async def test_a_slow_receiver_does_not_hold_up_another(receiver: Receiver, tmp_path: Path) -> None:
    waits = {"seconds": PATIENCE_SECONDS, "lease_seconds": PATIENCE_SECONDS}
    async with a_receiver() as other, a_house(tmp_path, **waits) as house:
        receiver.behaviours = ["silent"] * 100
        await house.desk.add(name="slow", url=receiver.url, events=["call.ended"], by="test")
        await house.desk.add(name="fast", url=other.url, events=["call.ended"], by="test")
        for number in range(20):
            house.bus.publish(story(number)[-1])
        await other.until(20)
        assert len(receiver.got) <= 8


async def test_what_was_held_is_replayed_when_the_receiver_is_back(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with a_house(tmp_path) as house:
        hook = await house.desk.add(name="crm", url=receiver.url, events=["call.ended"], by="test")
        await house.book.change(hook.id, state=WebhookState.SUSPENDED, state_reason="test")
        for number in range(3):
            house.bus.publish(story(number)[-1])
        async with patience():
            while len(await house.deliveries(state=DeliveryState.HELD)) < 3:
                await asyncio.sleep(0.05)
        assert receiver.got == []
        await house.desk.change("crm", on=True)
        span = DeliveryFilter(webhook_id=0, since=SystemClock().now() - timedelta(hours=1))
        assert await house.desk.replay("crm", span) == 3
        await receiver.until(3)
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 3
