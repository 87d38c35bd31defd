"""Whether what was recorded fits the call."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cti.errors import GiveUp
from cti.model.work import COLLECT_RECORDING, Work
from cti.recording.verdict import order_of, too_long, too_short
from cti.recording.wav import sound_seconds

SECOND = 32_000
CALL = "0" * 32
PAYLOAD = {
    "call_id": CALL,
    "node": "pbx",
    "name": f"2026/11/23/{CALL}",
    "answered_at": "2026-11-23T12:00:00+00:00",
    "ended_at": "2026-11-23T12:00:05.500000+00:00",
}


def work(payload: dict[str, Any]) -> Work:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Work(
        id=1,
        kind=COLLECT_RECORDING,
        key=CALL,
        version=1,
        payload=payload,
        attempts=1,
        lease="a",
        leased_until=at,
    )


@pytest.mark.parametrize(
    ("sound", "expected", "short", "long"),
    [
        pytest.param(5 * SECOND, 5.0, False, False, id="exactly the call"),
        pytest.param(5 * SECOND, 5.9, False, False, id="less than a second missing"),
        pytest.param(5 * SECOND, 6.1, True, False, id="more than a second missing"),
        pytest.param(5 * SECOND, 3.9, False, True, id="more than a second too much"),
        pytest.param(98 * SECOND, 100.0, False, False, id="2 % of a long call"),
        pytest.param(97 * SECOND, 100.0, True, False, id="more than 2 % of a long call"),
        pytest.param(0, 5.0, True, False, id="empty"),
        pytest.param(0, 0.4, False, False, id="nothing of nearly nothing"),
    ],
)
def test_sound_and_call_must_be_of_one_length(sound: int, expected: float, short: bool, long: bool) -> None:
    assert (too_short(sound, expected) is not None) == short
    assert (too_long(sound, expected) is not None) == long


def test_the_sentence_names_both_lengths() -> None:
    assert too_short(2 * SECOND, 9.0) == "the recording has 2.00 s of a call of 9.00 s"
    assert sound_seconds(2 * SECOND) == 2.0


def test_an_order_is_read_from_its_payload() -> None:
    order = order_of(work(PAYLOAD))
    assert (order.call_id, order.node, order.expected_seconds) == (CALL, "pbx", 5.5)


@pytest.mark.parametrize(
    "change",
    [{"name": "../../x"}, {"answered_at": "soon"}, {"ended_at": "2026-11-23T12:00:00"}, {"name": None}],
    ids=["path out of the folder", "no time", "no time zone", "no name"],
)
def test_an_order_that_makes_no_sense_is_given_up(change: dict[str, Any]) -> None:
    with pytest.raises(GiveUp, match="cannot be read"):
        order_of(work({**PAYLOAD, **change}))


def test_an_order_without_a_field_is_given_up() -> None:
    with pytest.raises(GiveUp):
        order_of(work({"call_id": CALL}))
