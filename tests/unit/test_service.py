"""The loop that background services share."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from cti.service import Together, every, logged, running
from tests.waiting import patience


class Counting:
    """A service that does what it is told at each beginning."""

    name = "counting"

    def __init__(self, *beginnings: Callable[[], None]) -> None:
        self.beginnings = list(beginnings)
        self.begun = 0
        self.went = asyncio.Event()

    async def run(self) -> None:
        self.begun += 1
        if self.beginnings:
            self.beginnings.pop(0)()
            return
        self.went.set()
        await asyncio.Event().wait()


def fails() -> None:
    raise ValueError("a bug")


def returns() -> None:
    return None


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.service.AGAIN_SECONDS", 0.0)


class Leaving:
    """A service that ends only when others are told to end, too."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told, self.others = asyncio.Event(), list[Leaving]()
        self.began = asyncio.Event()

    async def run(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.told.set()
            for other in self.others:
                await other.told.wait()


async def test_services_together_are_told_to_end_all_at_once() -> None:
    one, other = Leaving("one"), Leaving("other")
    one.others, other.others = [other], [one]
    async with patience(), running(Together("both", one, other)):
        await one.began.wait()
        await other.began.wait()


async def test_one_that_fails_among_others_is_begun_again_and_they_go_on() -> None:
    failing, well = Counting(fails), Counting()
    async with running(Together("both", failing, well)):
        await failing.went.wait()
        await well.went.wait()
    assert (failing.begun, well.begun) == (2, 1)


async def test_a_service_that_fails_or_returns_is_logged_and_begun_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Counting(fails, returns)
    async with running(service):
        await service.went.wait()
    assert service.begun == 3
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert ["failed" in said[0], "ended by itself" in said[1]] == [True, True]


async def test_services_end_last_first() -> None:
    ended: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(self.name)

    async with running(Named("journal"), Named("engine")):
        await asyncio.sleep(0)
    assert ended == ["engine", "journal"]


async def test_a_step_that_fails_does_not_end_the_loop() -> None:
    steps: list[int] = []
    done = asyncio.Event()

    async def step() -> None:
        steps.append(len(steps))
        if len(steps) == 1:
            raise ValueError("a bug")
        done.set()

    async with running(Stepping(step)):
        await done.wait()
    assert len(steps) >= 2


class Stepping:
    name = "stepping"

    def __init__(self, step: Callable[[], object]) -> None:
        self._step = step

    async def run(self) -> None:
        await every(0.0, self._step, name=self.name)  # type: ignore[arg-type]


async def test_a_task_with_a_bug_does_not_end_its_group(caplog: pytest.LogCaptureFixture) -> None:
    async def bug() -> None:
        raise ValueError("a bug")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(logged("placing a call", bug()))
        tasks.create_task(asyncio.sleep(0))
    assert "placing a call failed" in caplog.text


async def test_wakes_during_a_pause_share_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, wake, turn, over = 0, asyncio.Event(), asyncio.sleep, asyncio.Event()

    async def step() -> None:
        nonlocal steps
        steps += 1

    async def pause(seconds: float) -> None:
        assert seconds == 7.0
        await over.wait()

    monkeypatch.setattr("cti.service.asyncio.sleep", pause)
    loop = asyncio.create_task(every(60, step, name="paced", wake=wake, pause=7.0))
    for _ in range(5):
        await turn(0)
        wake.set()
    assert steps == 1
    over.set()
    while steps < 2:
        await turn(0)
    over.clear()
    loop.cancel()
    await asyncio.wait({loop})
    assert steps == 2
