"""The traps of panoramisk 1.4, each on a real socket: what the library does by itself must not happen to us."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cti.ami.message import Message
from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient, Patience, connected_client
from cti.ami.ports import Connected, Gap, Happening, Lost
from cti.errors import NodeDown, NodeRefused, NodeSilent
from cti.service import running
from tests.fakes.ami_server import AmiServer, block, error, listed, success
from tests.waiting import PATIENCE_SECONDS, until

QUICK = Patience(
    connect=PATIENCE_SECONDS,
    answer=PATIENCE_SECONDS,
    pong=PATIENCE_SECONDS,
    retry_first=0.01,
    retry_longest=0.05,
    retry_refused=0.05,
)
ORIGINATE = {
    "Action": "Originate",
    "ActionID": "waihu-c-1",
    "Channel": "PJSIP/+49301@carrier",
    "Async": "true",
}


def account(server: AmiServer, secret: str = "secret") -> AmiAccount:  # noqa: S107 # the fake server's
    return AmiAccount(node="pbx", host="127.0.0.1", port=server.port, user="cti", secret=secret)


@asynccontextmanager
async def a_client(server: AmiServer, patience: Patience = QUICK) -> AsyncIterator[PanoramiskClient]:
    async with connected_client(account(server), patience=patience) as client:
        assert await client.next() == Connected()
        yield client


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    async with AmiServer() as server:
        yield server


async def reconnected(client: PanoramiskClient) -> Lost:
    """Wait until the connection is lost and there again."""
    lost = await client.next()
    assert isinstance(lost, Lost)
    while (following := await client.next()) != Connected():
        assert isinstance(following, Lost)
    return lost


def half_read(client: PanoramiskClient) -> bool:
    """Whether a part of a message has arrived; nothing else tells that two writes came as two reads."""
    assert client._link is not None
    return bool(client._link.protocol._rest)


async def message(client: PanoramiskClient) -> Message:
    happening: Happening = await client.next()
    assert isinstance(happening, Message)
    return happening


@pytest.mark.parametrize("name", ["Originate", "Bridge", "Setvar", "Hangup", "Redirect", "CoreStatus"])
async def test_an_action_without_an_answer_is_not_sent_again_after_a_reconnect(
    server: AmiServer, name: str
) -> None:
    server.cut_after = name
    async with a_client(server) as client:
        with pytest.raises(NodeSilent, match=name):
            await client.send({**ORIGINATE, "Action": name})
        await reconnected(client)
        await client.send({"Action": "Ping"})
        assert server.logins == 2
        assert len(server.actions(name)) == 1


async def test_every_action_under_way_is_told_that_its_answer_will_not_come(server: AmiServer) -> None:
    server.answers["Originate"] = server.answers["CoreShowChannels"] = lambda action: None
    async with a_client(server) as client:
        waiting = [
            asyncio.ensure_future(client.send(ORIGINATE)),
            asyncio.ensure_future(
                client.send_all({"Action": "Ping"}, {**ORIGINATE, "ActionID": "waihu-c-2"})
            ),
            asyncio.ensure_future(client.collect({"Action": "CoreShowChannels"})),
        ]
        await server.until_received("CoreShowChannels")
        server.drop()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [NodeSilent] * 3


async def test_nothing_is_kept_for_later_while_there_is_no_connection(server: AmiServer) -> None:
    async with a_client(server) as client:
        await server.stop()
        assert isinstance(await client.next(), Lost)
        assert not client.connected
        with pytest.raises(NodeDown):
            await client.send(ORIGINATE)
        await server.listen()
        while await client.next() != Connected():
            pass
        await client.send({"Action": "Ping"})
        assert server.actions("Originate") == []


async def test_the_answer_to_an_originate_comes_before_the_phone_rings_and_its_event_is_not_hidden(
    server: AmiServer,
) -> None:
    server.answers["Originate"] = lambda action: success(action, Message="Originate successfully queued")
    async with a_client(server) as client:
        assert (await client.send(ORIGINATE))["Message"] == "Originate successfully queued"
        await server.say(Event="OriginateResponse", ActionID="waihu-c-1", Response="Failure", Reason="3")
        assert (await message(client))["Reason"] == "3"


async def test_the_event_of_an_originate_whose_answer_was_not_awaited_is_not_hidden(
    server: AmiServer,
) -> None:
    server.answers["Originate"] = lambda action: None
    async with a_client(server, Patience(answer=0.05)) as client:
        with pytest.raises(NodeSilent, match="did not answer to Originate"):
            await client.send(ORIGINATE)
        await server.say(Event="OriginateResponse", ActionID="waihu-c-1", Response="Success")
        assert (await message(client))["Response"] == "Success"


@pytest.mark.parametrize("cut", range(1, 12))
async def test_a_letter_split_over_two_reads_is_kept(server: AmiServer, cut: int) -> None:
    whole = block({"Event": "Newchannel", "CallerIDName": "王小明 😀"})
    at = whole.index("王".encode()) + cut
    async with a_client(server) as client:
        await server.write(whole[:at])
        while not half_read(client):
            await asyncio.sleep(0)
        await server.write(whole[at:])
        assert (await message(client))["CallerIDName"] == "王小明 😀"


async def test_a_message_may_come_byte_by_byte(server: AmiServer) -> None:
    async with a_client(server) as client:
        for byte in block({"Event": "Hangup", "Uniqueid": "waihu-c-é"}):
            await server.write(bytes([byte]))
        assert dict(await message(client)) == {"Event": "Hangup", "Uniqueid": "waihu-c-é"}


async def test_bytes_that_are_no_utf8_spoil_only_their_own_letter(server: AmiServer) -> None:
    async with a_client(server) as client:
        await server.write(b"Event: A\r\nName: M\xfcller\r\n\r\nEvent: B\r\n\r\n")
        assert (await message(client))["Name"] == "M\ufffdller"
        assert (await message(client))["Event"] == "B"


async def test_events_come_in_order_whoever_waits_for_answers_meanwhile(server: AmiServer) -> None:
    async with a_client(server) as client:
        for number in range(300):
            await server.say(Event="Newstate", Number=str(number))
            if number % 50 == 0:
                await client.send({"Action": "Ping"})
        assert [(await message(client))["Number"] for _ in range(300)] == [str(n) for n in range(300)]


async def test_what_does_not_fit_leaves_a_gap_at_its_place_and_the_connection_stays(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = PanoramiskClient(account(server), patience=QUICK, inbox_size=3)
    async with running(client):
        await client.first_try()
        for number in range(5):
            await server.say(Event="Newstate", Number=str(number))
        await client.send({"Action": "Ping"})
        assert await client.next() == Connected()
        assert [(await message(client))["Number"] for _ in range(2)] == ["0", "1"]
        assert await client.next() == Gap(missed=3)
        await server.say(Event="Newstate", Number="5")
        assert (await message(client))["Number"] == "5"
        assert client.missed == 3
        assert server.logins == 1
    assert "thrown away" in caplog.text


async def test_a_list_that_is_refused_says_so_and_does_not_wait_for_rows(server: AmiServer) -> None:
    server.answers["CoreShowChannels"] = lambda action: error(action, "Permission denied")
    async with a_client(server) as client:
        with pytest.raises(NodeRefused, match="Permission denied"):
            await client.collect({"Action": "CoreShowChannels"})


async def test_events_between_the_rows_of_a_list_are_not_taken_for_rows(server: AmiServer) -> None:
    def answer(action: dict[str, list[str]]) -> bytes:
        rows = listed(action, "CoreShowChannel", [{"Uniqueid": "1"}, {"Uniqueid": "2"}])
        start, rest = rows.split(b"\r\n\r\n", 1)
        return start + b"\r\n\r\n" + block({"Event": "Hangup", "Uniqueid": "9"}) + rest

    server.answers["CoreShowChannels"] = answer
    async with a_client(server) as client:
        rows = await client.collect({"Action": "CoreShowChannels"})
        assert [row["Uniqueid"] for row in rows] == ["1", "2"]
        assert (await message(client))["Event"] == "Hangup"


async def test_a_connection_whose_other_end_is_gone_is_found_by_a_ping(server: AmiServer) -> None:
    async with a_client(server, Patience(ping_every=0.02, pong=0.05, retry_first=0.01)) as client:
        await server.until_received("Ping", 2)
        server.answers["Ping"] = lambda action: None
        lost = await client.next()
        assert isinstance(lost, Lost)
        assert "does not answer to a ping" in lost.reason


async def test_a_wrong_password_names_node_and_user_is_said_once_and_is_tried_again(
    server: AmiServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = PanoramiskClient(account(server, "wrong"), patience=QUICK)
    async with running(client):
        with pytest.raises(NodeRefused, match=r"node pbx .* refused the AMI user cti: Authentication failed"):
            await client.first_try()
        await server.until_received("Login", 3)
        server.secret = "wrong"
        assert isinstance(await client.next(), Lost)
        assert await client.next() == Connected()
    assert [record.levelno for record in caplog.records if record.name.startswith("cti.")].count(
        logging.ERROR
    ) == 1


async def test_nobody_listening_is_said_with_the_address() -> None:
    async with AmiServer() as server:
        closed = account(server)
    with pytest.raises(NodeDown, match=rf"node pbx \(127\.0\.0\.1:{closed.port}\): nobody listens there"):
        async with connected_client(closed, patience=QUICK):
            pass


async def test_a_port_that_is_no_asterisk_is_said_so() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    other = AmiAccount(node="pbx", host="127.0.0.1", port=port, user="cti", secret="secret")
    client = PanoramiskClient(other, patience=Patience(connect=0.1, retry_first=0.01))
    async with running(client):  # on a busy machine the first try may give up before it was connected
        await until(lambda: "does not answer like an Asterisk" in str(client.problem))
    server.close()


async def test_an_asterisk_that_still_starts_is_waited_for(server: AmiServer) -> None:
    server.booted = False
    client = PanoramiskClient(account(server), patience=QUICK)
    async with running(client):
        await server.until_received("Login")
        await server.say(Event="Newchannel", Uniqueid="too early")
        with pytest.raises(NodeDown):
            await client.send({"Action": "Ping"})
        await server.say(Event="FullyBooted", Status="Fully Booted")
        assert await client.next() == Connected()
        await client.send({"Action": "Ping"})


async def test_orders_are_told_apart_from_what_asterisk_says_at_the_same_time(server: AmiServer) -> None:
    """Many at once, answered in another order than they were asked."""
    held: list[bytes] = []
    server.answers["Setvar"] = lambda action: held.append(success(action, Message=action["Value"][0]))
    async with a_client(server) as client:
        asked = [
            asyncio.ensure_future(client.send({"Action": "Setvar", "Variable": "A", "Value": str(n)}))
            for n in range(50)
        ]
        await server.until_received("Setvar", 50)
        await server.write(b"".join(reversed(held)))
        assert [answer["Message"] for answer in await asyncio.gather(*asked)] == [str(n) for n in range(50)]


async def test_when_it_ends_nothing_connects_again(server: AmiServer) -> None:
    async with a_client(server):
        server.drop()
    logins = server.logins
    await asyncio.sleep(0.1)
    assert server.logins == logins
