"""The loop that all background services share.

A service has a name, `run()` for ever, and says nothing about tasks. `every()` is the usual `run`: a step, again and
again, which survives the errors of one step. `running()` starts services and ends them in reverse order.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Protocol

from cti.errors import StorageError

log = logging.getLogger(__name__)


AGAIN_SECONDS = 1.0
"""Before a service that failed is begun again."""


class Service(Protocol):
    """Something that runs in the background until it is cancelled."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...


async def every(
    seconds: float,
    step: Callable[[], Awaitable[object]],
    *,
    name: str,
    wake: asyncio.Event | None = None,
    pause: float = 0.0,
) -> None:
    """Run `step` for ever: at least every `seconds`, at once when `wake` is set. Errors of a step are logged.

    After a step there is a pause of so many seconds, also when `wake` is set meanwhile: what wakes it a hundred times
    a second is then seen to in fewer, larger steps.
    """
    wake = wake or asyncio.Event()
    while True:
        wake.clear()
        try:
            await step()
        except Exception:
            log.exception("%s: this step failed; the next one comes in %g s", name, seconds)
            await asyncio.sleep(min(seconds, 1.0))
        if pause:
            await asyncio.sleep(pause)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds - pause)):
                await wake.wait()


@asynccontextmanager
async def running(*services: Service) -> AsyncIterator[None]:
    """Run the services for as long as the block lasts; end them last first.

    A service whose `run` returns or raises is a bug: it is logged, and the service is begun again, since one that is
    silently gone (a campaign that runs and dials nothing) is worse than one that stumbles.
    """
    async with AsyncExitStack() as stack:
        for service in services:
            task = asyncio.create_task(_guarded(service), name=service.name)
            stack.push_async_callback(_end, task)
        yield


class Together:
    """Services that are ended all at once, for such as take their time to end. A service itself."""

    def __init__(self, name: str, *services: Service) -> None:
        self.name = name
        self._services = services

    async def run(self) -> None:
        """Run them until cancelled; each is begun again when it fails."""
        async with asyncio.TaskGroup() as tasks:
            for service in self._services:
                tasks.create_task(_guarded(service), name=service.name)


async def _guarded(service: Service) -> None:
    while True:
        try:
            await service.run()
            log.error("%s ended by itself; it begins again in %g s", service.name, AGAIN_SECONDS)
        except Exception:
            log.exception("%s failed; it begins again in %g s", service.name, AGAIN_SECONDS)
        await asyncio.sleep(AGAIN_SECONDS)


class Absence:
    """The database is away: said once, not at every step, until a step went well again."""

    def __init__(self, logger: logging.Logger, sentence: str) -> None:
        """`sentence` says what does not happen meanwhile."""
        self._logger = logger
        self._sentence = sentence
        self._is_known = False

    @contextmanager
    def borne(self) -> Iterator[None]:
        """Run a step; a StorageError ends it, and is told if it is the first."""
        try:
            yield
        except StorageError as error:
            if not self._is_known:
                self._logger.error("%s: %s", self._sentence, error)
            self._is_known = True
        else:
            self._is_known = False


async def logged(what: str, doing: Awaitable[object]) -> None:
    """Await something in a task of a group, so that its bug is logged and does not end the whole group."""
    try:
        await doing
    except Exception:
        log.exception("%s failed", what)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
