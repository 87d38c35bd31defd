"""Brings a database to the schema of this code, with the steps in `migrations/`.

Alembic keeps its present step in module globals, and a migration may take long: so each runs in a thread, one at a
time in a process. Between processes the database's own lock decides.
"""

import asyncio
import threading
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from cti.errors import StorageError
from cti.storage.address import Address
from cti.storage.connections import BUSY_SECONDS, CONNECT_SECONDS
from cti.storage.refusals import translated

_FOLDER: Final = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME: Final = threading.Lock()
_ADVISORY_KEY: Final = 0x7761_6968_75
"""PostgreSQL's advisory lock of Waihu's migrations: the letters of `waihu`."""


async def migrate(address: Address) -> None:
    """Bring the database to the newest step.

    Raises StorageError: not reachable now (temporary), or made by a newer version of Waihu (not temporary).
    """
    with translated(address.label):
        await asyncio.to_thread(_migrate, address)


def alembic_config() -> Config:
    """Return Alembic's settings; they hold the folder alone, the connection is handed over by attribute."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def known_steps() -> tuple[str, ...]:
    """Return the names of all steps this code knows, newest first."""
    return tuple(step.revision for step in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def _migrate(address: Address) -> None:
    with _ONE_AT_A_TIME:
        if address.is_sqlite:
            _migrate_sqlite(address)
        else:
            asyncio.run(_migrate_postgres(address))


def _migrate_sqlite(address: Address) -> None:
    engine = create_engine(
        address.url.set(drivername="sqlite"),
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        poolclass=NullPool,
        hide_parameters=True,
    )
    with engine.connect() as connection:
        # a log beside the file: readers and the writer do not wait for each other; the file remembers it
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade(connection, address.label)
        connection.commit()


async def _migrate_postgres(address: Address) -> None:
    engine = create_async_engine(
        address.url, connect_args={"timeout": CONNECT_SECONDS}, poolclass=NullPool, hide_parameters=True
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY})
            await connection.run_sync(_upgrade, address.label)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, label: str) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    steps = known_steps()
    if present is not None and present not in steps:
        raise StorageError(
            f"{label} is at step {present}, which this version of Waihu does not know: a newer one has opened it."
            " Install that version, or restore the database from before.",
            temporary=False,
        )
    if present == steps[0]:
        return
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
