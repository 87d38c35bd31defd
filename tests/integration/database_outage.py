"""The database goes away in the middle of a list and comes back: what both lengths of that test share."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Final

from tests.integration.customers import Person
from tests.integration.floor_lab import FloorLab, until_so
from tests.integration.postgres import PostgresServer
from tests.integration.proof import proved, tell

AGENTS: Final = 6
SHORT_TALKS: Final = (
    Person(talks=1.0),
    Person(answer_after=0.6, talks=2.0),
    Person(refuse=486),
    Person(answer_after=1.0, talks=4.0),
) * 4


AWAY: Final = ("wait to be written", "while the database is away")
"""What the service says of it. SQLite's writers queue: the first one waits and says it, the others may be spared."""


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Hold the write lock of an SQLite file, as another program would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def stopped(server: PostgresServer) -> AsyncIterator[None]:
    """Stop a PostgreSQL and start it again."""
    await asyncio.to_thread(server.stop)
    yield
    await asyncio.to_thread(server.start)


async def outlived(
    floor: FloorLab, outage: AbstractAsyncContextManager[None], *, seconds: float, name: str
) -> None:
    """Take the database away in the middle of a list; calls go on, and afterwards all of them are in it."""
    numbers = await floor.dial(SHORT_TALKS)
    await until_so(lambda: len(floor.customers.up()) >= 3, "three people talk")
    async with outage:
        over = floor.customers.up()
        await asyncio.sleep(seconds)  # the length of the outage itself
        for call in over:
            await call.ended()
        during = sum(floor.customers.invited().values())
    await floor.finished()
    log = floor.daemon.log_end(10_000)
    assert any(words in log for words in AWAY), log
    assert during < len(numbers)  # nobody is dialed who could not be written down
    tell(name, seconds=seconds, rung_until_its_end=during, end=await proved(floor))
