"""The brake between a worker's loop and its threads."""

import threading

import pytest

from cti.asr.brake import Brake, Stopped, still
from cti.errors import TooSlow


class Turning:
    """A clock that moves as told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_an_open_brake_lets_pass_until_the_limit() -> None:
    clock = Turning()
    passing = still(Brake(), most_seconds=10, monotonic=clock)
    clock.at = 10.0
    passing()
    clock.at = 10.1
    with pytest.raises(TooSlow, match="not transcribed within 10 s"):
        passing()


def test_the_time_that_a_brake_is_drawn_does_not_count() -> None:
    brake, clock = Brake(), Turning()
    brake.set(True)
    passed = brake.passed
    brake.passed = lambda: clock.at  # type: ignore[method-assign]
    passing = still(brake, most_seconds=1, monotonic=clock)
    clock.at = 500.0
    passing()
    brake.passed = passed  # type: ignore[method-assign]


def test_a_thread_waits_at_a_drawn_brake_and_goes_on_when_it_is_released() -> None:
    brake, reached = Brake(), threading.Event()
    brake.set(True)

    def run() -> None:
        brake.passed()
        reached.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert not reached.wait(0.05)
    brake.set(False)
    assert reached.wait(10)
    thread.join()


@pytest.mark.parametrize("drawn", [True, False])
def test_the_end_frees_every_thread_with_an_error(drawn: bool) -> None:
    brake = Brake()
    brake.set(drawn)
    ends: list[BaseException] = []

    def run() -> None:
        try:
            while True:
                brake.passed()
        except Stopped as end:
            ends.append(end)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    brake.end()
    for thread in threads:
        thread.join(10)
    assert len(ends) == 3
