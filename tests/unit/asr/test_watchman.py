"""The watchman draws the brake and releases it."""

import logging

import pytest

from cti.asr.brake import Brake
from cti.asr.pressure import Limits, Look
from cti.asr.watchman import Watchman, look_at_machine
from cti.errors import StorageError
from tests.fakes.clock import FakeClock


class Around:
    """A watchman and what he sees."""

    def __init__(self, **limits: float) -> None:
        self.brake, self.clock, self.machine = Brake(), FakeClock(), Look()
        self.calls: int | Exception = 0
        self.asked = 0
        self.cpu = 0.0
        self.watchman = Watchman(
            brake=self.brake,
            limits=Limits(**limits),  # type: ignore[arg-type]
            live_calls=self.live_calls,
            machine=lambda: self.machine,
            monotonic=self.clock.monotonic,
            cpu_seconds=lambda: self.cpu,
        )

    async def live_calls(self) -> int:
        self.asked += 1
        if isinstance(self.calls, Exception):
            raise self.calls
        return self.calls

    async def drawn(self, seconds: float = 1.0) -> bool:
        self.clock.advance(seconds)
        await self.watchman.step()
        return self.brake.drawn


async def test_many_calls_draw_the_brake_and_fewer_release_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    around = Around(live_calls=10)
    around.calls = 11
    assert await around.drawn()
    around.calls = 8
    assert await around.drawn(1)  # asked again only after some seconds
    assert around.asked == 1
    assert not await around.drawn(5)
    assert [record.message for record in caplog.records] == [
        "transcription pauses: 11 calls are up; the limit is 10",
        "transcription goes on",
    ]


async def test_without_that_limit_nobody_is_asked_and_not_knowing_never_pauses() -> None:
    around = Around(stalled=0.5)
    assert not await around.drawn()
    assert around.asked == 0
    around = Around(live_calls=0)
    around.calls = StorageError("away", temporary=True)
    assert not await around.drawn()


async def test_a_budget_of_half_a_core_is_kept_over_the_window() -> None:
    around = Around(cores=0.5)
    working = 0
    for _ in range(200):
        if not await around.drawn(1):
            around.cpu += 1
            working += 1
    assert 85 <= working <= 105


async def test_a_crowded_machine_draws_the_brake() -> None:
    around = Around(stalled=0.5)
    around.machine = Look(stalled=0.7)
    assert await around.drawn()
    assert around.watchman.reason is not None


def test_this_machine_can_be_looked_at() -> None:
    seen = look_at_machine()
    assert seen.load_per_core is None or seen.load_per_core >= 0
    assert seen.stalled is None or 0 <= seen.stalled <= 1
