"""The suite of every `AmiClient` (tests/contract/test_ami_client.py) on a real Asterisk."""

from collections.abc import AsyncIterator

import pytest

from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient, connected_client
from lab import Lab
from tests.contract.test_ami_client import (
    test_a_control_character_is_refused_and_the_header_named,
    test_a_list_comes_without_its_first_and_last_message,
    test_a_refused_action_raises_in_asterisks_words,
    test_a_value_asterisk_could_not_read_is_refused,
    test_a_wrong_header_name_is_refused,
    test_actions_sent_together_are_answered_in_their_order_refused_ones_too,
    test_an_action_is_answered,
    test_the_first_thing_to_hear_is_that_it_is_connected,
)

__all__ = [
    "test_a_control_character_is_refused_and_the_header_named",
    "test_a_list_comes_without_its_first_and_last_message",
    "test_a_refused_action_raises_in_asterisks_words",
    "test_a_value_asterisk_could_not_read_is_refused",
    "test_a_wrong_header_name_is_refused",
    "test_actions_sent_together_are_answered_in_their_order_refused_ones_too",
    "test_an_action_is_answered",
    "test_the_first_thing_to_hear_is_that_it_is_connected",
]


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[PanoramiskClient]:
    pbx = lab.pbx
    account = AmiAccount(node="pbx", host=pbx.host, port=pbx.ami_port, user=pbx.user, secret=pbx.secret)
    async with connected_client(account) as connected:
        yield connected
