"""The softphone's SIP on a bare socket, with the other side's packets repeated, changed and out of place."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from lab import LabError, PortTaken
from lab.softphone import Behaviour, CallState, Ending, Softphone, sdp, tone
from lab.softphone import message as sip
from lab.softphone.message import SipMessage


@dataclass(eq=False)
class Exchange(asyncio.DatagramProtocol):
    """The other side: sends what it is told, keeps what comes."""

    phone: Softphone
    socket: asyncio.DatagramTransport | None = None
    inbox: asyncio.Queue[SipMessage] = field(default_factory=asyncio.Queue)

    def datagram_received(self, datagram: bytes, _: tuple[str, int]) -> None:
        if message := sip.parse(datagram):
            self.inbox.put_nowait(message)

    def send(self, message: SipMessage) -> None:
        assert self.socket is not None
        self.socket.sendto(sip.render(message), self.phone.address)

    async def next(self, *, skip: tuple[int, ...] = (100,)) -> SipMessage:
        while True:
            message = await asyncio.wait_for(self.inbox.get(), 5)
            if not (message.is_response and message.status in skip):
                return message

    def request(
        self, method: str, *, sequence: int = 1, user: str = "anyone", call: str = "c1"
    ) -> SipMessage:
        assert self.socket is not None
        host, port = self.socket.get_extra_info("sockname")
        body = sdp.describe(host, port, version=sequence) if method in ("INVITE", "UPDATE") else ""
        headers = (
            ("via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{method}{sequence}"),
            ("from", f"<sip:exchange@{host}:{port}>;tag=theirs"),
            ("to", f"<sip:{user}@{host}>"),
            ("contact", f"<sip:exchange@{host}:{port}>"),
            ("call-id", call),
            ("cseq", f"{sequence} {method}"),
        )
        return SipMessage(f"{method} sip:{user}@{host} SIP/2.0", headers, body)


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with Softphone.open(stranger=Behaviour(voice=tone(600))) as phone:
        other = Exchange(phone)
        loop = asyncio.get_running_loop()
        other.socket, _ = await loop.create_datagram_endpoint(lambda: other, local_addr=("127.0.0.1", 0))
        yield other
        for call in phone.strangers:
            call.end(Ending.DIED)
        other.socket.close()


async def answered(exchange: Exchange) -> SipMessage:
    exchange.send(exchange.request("INVITE"))
    answer = await exchange.next()
    assert answer.status == 200
    return answer


async def test_an_answer_is_repeated_until_it_is_acknowledged(exchange: Exchange) -> None:
    first, again = await answered(exchange), await exchange.next()
    assert again == first
    exchange.send(exchange.request("ACK"))
    exchange.send(exchange.request("OPTIONS", call="c2"))
    assert (await exchange.next()).method == "OPTIONS"
    call = exchange.phone.strangers[0]
    assert call.times.acknowledged is not None
    await asyncio.sleep(1.2)
    assert exchange.inbox.empty()


async def test_a_repeated_invite_makes_no_second_call(exchange: Exchange) -> None:
    exchange.send(exchange.request("INVITE"))
    exchange.send(exchange.request("INVITE"))
    tags = {sip.parameter((await exchange.next()).header("to"), "tag") for _ in range(2)}
    assert len(tags) == 1
    assert len(exchange.phone.strangers) == 1


async def test_a_changed_invite_moves_the_voice(exchange: Exchange) -> None:
    await answered(exchange)
    exchange.send(exchange.request("ACK"))
    hold = exchange.request("INVITE", sequence=2)
    exchange.send(replace(hold, body=sdp.describe("127.0.0.1", 5, version=2, direction="sendonly")))
    answer = await exchange.next()
    assert (answer.status, sdp.direction(answer.body)) == (200, "recvonly")
    assert exchange.phone.strangers[0].voice_to == ("127.0.0.1", 5)


async def test_the_other_sides_bye_is_answered_also_when_it_comes_twice(exchange: Exchange) -> None:
    await answered(exchange)
    exchange.send(exchange.request("ACK"))
    for _ in range(2):
        exchange.send(exchange.request("BYE", sequence=2))
        assert (await exchange.next()).status == 200
    assert exchange.phone.strangers[0].ending is Ending.REMOTE


async def test_our_bye_is_repeated_until_it_is_answered(exchange: Exchange) -> None:
    await answered(exchange)
    exchange.send(exchange.request("ACK"))
    hanging_up = asyncio.create_task(exchange.phone.strangers[0].hang_up())
    first = await exchange.next()
    assert first == await exchange.next()
    assert (first.method, first.header("to")) == ("BYE", exchange.request("INVITE").header("from"))
    exchange.send(sip.response(first, 200))
    await hanging_up


async def test_a_call_given_up_while_it_rings_ends_with_487(exchange: Exchange) -> None:
    exchange.phone.stranger = Behaviour(answer_after=None)
    exchange.send(exchange.request("INVITE"))
    assert (await exchange.next()).status == 180
    exchange.send(exchange.request("CANCEL"))
    ends = [await exchange.next(), await exchange.next()]
    assert {(end.status, end.method) for end in ends} == {(200, "CANCEL"), (487, "INVITE")}
    assert exchange.phone.strangers[0].ending is Ending.CANCELLED


@pytest.mark.parametrize(
    ("method", "status"), [("BYE", 481), ("CANCEL", 481), ("OPTIONS", 200), ("PUBLISH", 501)]
)
async def test_a_request_out_of_the_blue_is_answered(exchange: Exchange, method: str, status: int) -> None:
    exchange.send(exchange.request(method, call="unknown"))
    assert (await exchange.next()).status == status


async def test_an_unknown_user_is_not_found(exchange: Exchange) -> None:
    exchange.phone.stranger = None
    exchange.send(exchange.request("INVITE"))
    assert (await exchange.next()).status == 404


async def test_who_waits_for_a_sound_is_told_that_the_call_ended(exchange: Exchange) -> None:
    await answered(exchange)
    call = exchange.phone.strangers[0]
    waiting = asyncio.create_task(call.hears(600))
    await asyncio.sleep(0)
    exchange.send(exchange.request("BYE", sequence=2))
    with pytest.raises(LabError, match="ended before 600"):
        await waiting
    assert call.state is CallState.ENDED


async def test_a_port_that_is_taken_is_named(exchange: Exchange) -> None:
    with pytest.raises(PortTaken, match=str(exchange.phone.address[1])):
        async with Softphone.open(port=exchange.phone.address[1]):
            pass
