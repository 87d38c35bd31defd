"""The bus: taps miss nothing, subscriptions are bounded, all see one order."""

import pytest

from cti.bus import EventBus
from cti.model.events import Event, NodeLost, NodeUp
from tests.builders import NOW

UP = NodeUp(node="pbx", version="22", restarted=False, at=NOW)
LOST = NodeLost(node="pbx", reason="cut", at=NOW)


def test_what_a_tap_publishes_comes_after_what_it_answers() -> None:
    bus, seen = EventBus(), []

    def answers(event: Event) -> None:
        if event is UP:
            bus.publish(LOST)

    bus.tap(answers)
    bus.tap(seen.append)
    bus.publish(UP)
    assert seen == [UP, LOST]


def test_a_broken_tap_stops_neither_the_others_nor_the_publisher(caplog: pytest.LogCaptureFixture) -> None:
    bus, seen = EventBus(), []

    def breaks(event: Event) -> None:
        raise ValueError("a bug")

    bus.tap(breaks)
    bus.tap(seen.append)
    bus.publish(UP)
    bus.publish(LOST)
    assert seen == [UP, LOST]
    assert "a bug" in caplog.text


async def test_a_full_subscription_counts_what_it_missed() -> None:
    bus = EventBus()
    with bus.subscribe(size=1) as subscription:
        bus.publish(UP)
        bus.publish(LOST)
        assert await subscription.get() is UP
        assert subscription.missed == 1


def test_a_subscription_ends_with_its_block() -> None:
    bus = EventBus()
    with bus.subscribe(size=1) as subscription:
        pass
    bus.publish(UP)
    assert subscription.missed == 0
