"""A SQLite connection on its thread, one trip there and back for each statement.

aiosqlite makes a trip for the cursor, the statement, its rows and the cursor's end each; under load those trips cost as
much as SQLite's own work. Here a statement is carried out and its rows are fetched in one. Nothing is known of SQL.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiosqlite

_ROWS_AT_A_TIME = 64
"""Aiosqlite's own number; not used by us, who fetch all rows."""


async def connect(path: str, *, busy_seconds: float) -> "ThreadedConnection":
    """Open a database file. Transactions are begun and ended by statements alone."""
    connection = ThreadedConnection(
        lambda: sqlite3.connect(path, timeout=busy_seconds, isolation_level=None), _ROWS_AT_A_TIME
    )
    # a process that ends in disorder must not wait for this thread
    connection._thread.daemon = True
    await connection
    return connection


class ThreadedConnection(aiosqlite.Connection):
    """What SQLAlchemy wants of an aiosqlite connection, with a cursor of ours."""

    _settled = False
    """The last trip came back, so that whether a transaction is open can be seen from here."""

    def cursor(self) -> "ThreadedCursor":  # type: ignore[override]
        """Return a cursor; costs no trip."""
        return ThreadedCursor(self)

    async def carry_out(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Return what `work` returns when the thread calls it."""
        self._settled = False
        found = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        self._settled = True
        return found

    async def commit(self) -> None:
        """End the transaction; costs no trip when none is open."""
        if not self._settled or self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Take the transaction back; costs no trip when none is open, as when SQLAlchemy tidies up after each use."""
        if not self._settled or self.in_transaction:
            await super().rollback()


class ThreadedCursor:
    """The result of one statement at a time, all its rows fetched."""

    arraysize = 1

    def __init__(self, connection: ThreadedConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "ThreadedCursor":
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "ThreadedCursor":
        """Carry out a statement and fetch its rows."""
        return await self._run(lambda cursor: cursor.execute(statement, parameters))

    async def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "ThreadedCursor":
        """Carry out a statement for each row of parameters."""
        return await self._run(lambda cursor: cursor.executemany(statement, rows))

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """The thread's cursor is closed already."""

    async def _run(self, act: Callable[[sqlite3.Cursor], object]) -> "ThreadedCursor":
        def work(connection: sqlite3.Connection) -> None:
            cursor = connection.cursor()
            try:
                act(cursor)
                self.description, self.rowcount = cursor.description, cursor.rowcount
                self.lastrowid = cursor.lastrowid
                self._rows = cursor.fetchall() if cursor.description else []
            finally:
                cursor.close()

        await self._connection.carry_out(work)
        return self
