"""One suite for every `AmiClient`: the fake, the real one on a small server; on a real Asterisk see integration."""

from collections.abc import AsyncIterator

import pytest

from cti.ami.message import Message
from cti.ami.panoramisk_client import AmiAccount, Patience, connected_client
from cti.ami.ports import AmiClient, Connected
from cti.errors import BadInput, ControlCharacter, NodeRefused
from tests.fakes.ami_client import FakeAmiClient
from tests.fakes.ami_server import AmiServer
from tests.waiting import PATIENCE_SECONDS

QUICK = Patience(
    connect=PATIENCE_SECONDS,
    answer=PATIENCE_SECONDS,
    pong=PATIENCE_SECONDS,
    retry_first=0.01,
    retry_longest=0.05,
)


@pytest.fixture(params=["fake", "server"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[AmiClient]:
    if request.param == "fake":
        yield FakeAmiClient()
        return
    async with AmiServer() as server:
        account = AmiAccount(node="pbx", host="127.0.0.1", port=server.port, user="cti", secret="secret")
        async with connected_client(account, patience=QUICK) as connected:
            yield connected


async def test_the_first_thing_to_hear_is_that_it_is_connected(client: AmiClient) -> None:
    assert client.connected
    assert await client.next() == Connected()


async def test_an_action_is_answered(client: AmiClient) -> None:
    assert (await client.send({"Action": "Ping"}))["Response"] == "Success"


async def test_a_refused_action_raises_in_asterisks_words(client: AmiClient) -> None:
    with pytest.raises(NodeRefused, match="No such channel"):
        await client.send({"Action": "Hangup", "Channel": "waihu-c-nobody"})


async def test_actions_sent_together_are_answered_in_their_order_refused_ones_too(client: AmiClient) -> None:
    answers = await client.send_all(
        {"Action": "Ping"}, {"Action": "Hangup", "Channel": "waihu-c-nobody"}, {"Action": "Ping"}
    )
    assert [answer.refused for answer in answers] == [False, True, False]


async def test_a_list_comes_without_its_first_and_last_message(client: AmiClient) -> None:
    rows = await client.collect({"Action": "CoreShowChannels"})
    assert all(row["Event"] == "CoreShowChannel" for row in rows)


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\x00b", "a\x7f", "\t"])
async def test_a_control_character_is_refused_and_the_header_named(client: AmiClient, value: str) -> None:
    with pytest.raises(ControlCharacter, match="CallerID"):
        await client.send({"Action": "Ping", "CallerID": value})
    with pytest.raises(ControlCharacter, match="Variable"):
        await client.send_all({"Action": "Ping"}, {"Action": "Ping", "Variable": ["A=1", f"B={value}"]})
    with pytest.raises(ControlCharacter, match="Filter"):
        await client.collect({"Action": "CoreShowChannels", "Filter": value})


@pytest.mark.parametrize("name", ["Caller ID", "X: y\r\nZ", "", "姓名"])
async def test_a_wrong_header_name_is_refused(client: AmiClient, name: str) -> None:
    with pytest.raises(BadInput):
        await client.send({"Action": "Ping", name: "x"})


@pytest.mark.parametrize("value", ["x" * 1000, "\ud800"], ids=["too long for Asterisk", "half a letter"])
async def test_a_value_asterisk_could_not_read_is_refused(client: AmiClient, value: str) -> None:
    with pytest.raises(BadInput, match="Data"):
        await client.send({"Action": "Ping", "Data": value})


def test_a_repeated_header_gives_the_first_value_and_keeps_them_all() -> None:
    message = Message(["Event: UserEvent", "Uniqueid: ours", "Uniqueid: from the dialplan"])
    assert message["Uniqueid"] == "ours"
    assert message.every("Uniqueid") == ("ours", "from the dialplan")
