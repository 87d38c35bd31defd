"""One service per database: two would each think that the agents and the lists are theirs.

The lock goes with its process, however that ends. On SQLite it is a lock on a file beside the database; on PostgreSQL
an advisory lock held by a connection of its own, which is lost, unnoticed, when PostgreSQL itself is restarted.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from cti.errors import Conflict, StorageError
from cti.storage.address import Address, parse_address
from cti.storage.refusals import translated

LOCK_NUMBER: Final = 0x57_61_69_68_75
"""Which of PostgreSQL's advisory locks: the letters of the product's name."""
TRIES: Final = 20
TRY_SECONDS: Final = 0.25
"""Between tries: PostgreSQL needs a moment to notice that a service was killed."""


@asynccontextmanager
async def only_service(url: str) -> AsyncIterator[None]:
    """Be the only service on this database for as long as the block lasts.

    Raises Conflict when another one is, SettingsError, StorageError.
    """
    address = parse_address(url)
    async with _file_lock(address) if address.is_sqlite else _advisory_lock(address):
        yield


@asynccontextmanager
async def _file_lock(address: Address) -> AsyncIterator[None]:
    file = await asyncio.to_thread(_open_beside, address)
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _taken(address) from None
        yield


def _open_beside(address: Address) -> BinaryIO:
    path = Path(f"{address.url.database}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}", temporary=False) from error


@asynccontextmanager
async def _advisory_lock(address: Address) -> AsyncIterator[None]:
    engine = create_async_engine(address.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with translated(address.label):
            connection = await engine.connect()
        try:
            await _lock(connection, address)
            yield
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _lock(connection: AsyncConnection, address: Address) -> None:
    for _ in range(TRIES):
        with translated(address.label):
            if await connection.scalar(text("SELECT pg_try_advisory_lock(:n)"), {"n": LOCK_NUMBER}):
                return
        await asyncio.sleep(TRY_SECONDS)
    raise _taken(address)


def _taken(address: Address) -> Conflict:
    return Conflict(f"another service uses the {address.label}; end it first")
