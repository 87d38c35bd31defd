"""Connections and transactions of one database, and what differs between SQLite and PostgreSQL.

`reading()` and `writing()` give a connection inside a transaction: committed when the block ends, rolled back when it
raises, errors translated. Everything else of storage is written once for both.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from sqlalchemy import Table, event, exc, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cti.storage.address import Address
from cti.storage.refusals import translated
from cti.storage.sqlite_thread import connect
from cti.storage.uninterrupted import Begun

BUSY_SECONDS: Final = 5.0
"""How long a SQLite write waits for another process's write before it is a temporary error."""
ANSWER_SECONDS: Final = 30.0
"""How long PostgreSQL may take over one statement of ours; a dead network must not hold a caller for ever."""
CONNECT_SECONDS: Final = 10.0
FRESH_SECONDS: Final = 1.0
"""A connection to PostgreSQL that was used so short a time ago is taken to be alive."""
GIVEN_BACK: Final = "given back"
PLAIN_PLANS: Final = (
    "SELECT set_config('jit', 'off', false), set_config('parallel_setup_cost', '100000', false)"
)
"""PostgreSQL compiles a plan, or begins processes for it, by what it reckons that it costs. A choice among a million
contacts is reckoned to be worth that, runs for some milliseconds, and paid 30 to 80 ms for it (decision 189)."""

Upsert = sqlite.Insert | postgresql.Insert

_to_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


class Connections:
    """Pools of connections to one database. `close` must be awaited at the end."""

    def __init__(self, address: Address, *, survive_power_loss: bool = True) -> None:
        self.label: Final = address.label
        self.begun: Final = Begun()
        self.is_sqlite: Final = address.is_sqlite
        if self.is_sqlite:
            self._writer = _sqlite_engine(address, survive_power_loss, begin="BEGIN IMMEDIATE", size=1)
            self._reader = _sqlite_engine(address, survive_power_loss, begin="BEGIN", size=4)
            self._glance = _sqlite_engine(address, survive_power_loss, begin=None, size=4)
        else:
            self._writer = _postgres_engine(address)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")
            self._glance = self._writer.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database for the whole block."""
        with translated(self.label):
            async with self._reader.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def glancing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for statements that read, each of which sees a state of its own, without BEGIN and COMMIT.

        On the path of each call those two trips cost as much as the statement.
        """
        with translated(self.label):
            async with self._glance.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose changes are committed together at the end of the block.

        SQLite has one writer at a time. Ours queue for the one writing connection, in order and without polling; only
        another process's write makes it wait inside SQLite.
        """
        with translated(self.label):
            async with self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing_once(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one statement that writes, which is a transaction by itself.

        On PostgreSQL the trips of BEGIN and COMMIT are spared; more than one statement would not belong together.
        """
        async with self.writing() if self.is_sqlite else self.glancing() as connection:
            yield connection

    def insert(self, table: Table) -> Upsert:
        """Return an INSERT that has `on_conflict_do_...`, which both databases spell alike."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> list[int]:
        """Return free ids for rows that this `writing` connection is about to insert, rising.

        Letting the database number many rows and asking for the numbers costs a round trip for each on SQLite.
        """
        if self.is_sqlite:
            last = await connection.scalar(select(func.coalesce(func.max(table.c.id), 0)))
            return list(range(int(last or 0) + 1, int(last or 0) + 1 + count))
        numbers = select(func.nextval(func.pg_get_serial_sequence(table.name, "id")))
        each = numbers.select_from(func.generate_series(1, count).table_valued("n"))
        return sorted((await connection.execute(each)).scalars())

    async def close(self) -> None:
        """Let the transactions end that have begun, then close all connections; also when cancelled."""
        await asyncio.shield(self._close())

    async def _close(self) -> None:
        await self.begun.all_ended()
        await self._writer.dispose()
        await self._reader.dispose()
        await self._glance.dispose()


def _sqlite_engine(
    address: Address, survive_power_loss: bool, *, begin: str | None, size: int
) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        async_creator=partial(connect, str(address.url.database), busy_seconds=BUSY_SECONDS),
        pool_size=size,
        max_overflow=0,
        pool_timeout=ANSWER_SECONDS,
        hide_parameters=True,
        json_serializer=_to_json,
    )
    # FULL syncs the log at each commit: committed means on the disk, as with PostgreSQL. NORMAL would still survive
    # the death of the process, but a power cut could take the last attempts back, and somebody would be called twice.
    # (The log itself, WAL, is a property of the file: `migrate` sets it.)
    pragmas = (
        f"PRAGMA synchronous = {'FULL' if survive_power_loss else 'NORMAL'}",
        "PRAGMA foreign_keys = ON",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        # sqlite3 would begin only at the first write, and a reader that turns writer fails at once when another wrote
        if begin is not None:
            connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(address: Address) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": ANSWER_SECONDS},
        pool_size=8,
        max_overflow=0,
        pool_timeout=ANSWER_SECONDS,
        hide_parameters=True,
        json_serializer=_to_json,
    )
    pool, dialect = engine.sync_engine.pool, engine.dialect

    @event.listens_for(pool, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(PLAIN_PLANS)
        cursor.close()
        connection.commit()

    # `pool_pre_ping` asks at each use, which costs as much as a statement. A server that went away is gone for longer
    # than this; and a connection that dies between two uses is a temporary error like one that dies within one.
    @event.listens_for(pool, "checkin")
    def given_back(_connection: Any, record: Any) -> None:
        with suppress(RuntimeError):  # no loop: it was left to the garbage collector, and is not used again
            record.info[GIVEN_BACK] = asyncio.get_running_loop().time()

    @event.listens_for(pool, "checkout")
    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(GIVEN_BACK)
        if since is None or asyncio.get_running_loop().time() - since < FRESH_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError from error

    return engine
