"""Every contract test of the stores runs on each of them: in memory, on SQLite, on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cti.storage.database import Database, open_database
from cti.storage.tables import metadata
from tests.fakes.memory_store import MemoryStore
from tests.integration.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

Store = MemoryStore | Database
OpenStore = Callable[[], Awaitable[Store]]

_SHARED = "waihu_contract"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "waihu.db"
    asyncio.run(_open_once(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_shared(postgres_server: PostgresServer) -> str:
    """Give the URL of a migrated PostgreSQL database that the tests share, one after the other."""
    url = postgres_server.make_database(_SHARED)
    asyncio.run(_open_once(url))
    return url


async def _open_once(url: str) -> None:
    async with open_database(url):
        pass


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of an empty SQLite database of this test's own."""
    path = tmp_path / "waihu.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_shared: str) -> str:
    """Give the URL of a PostgreSQL database without rows."""
    emptied = [str(table.delete()) for table in reversed(metadata.sorted_tables)]
    postgres_server.do("; ".join(emptied), database=_SHARED)  # at once: sixty transactions take twice as long
    return postgres_shared


_DATABASES = [
    pytest.param("sqlite_url", id="sqlite"),
    pytest.param("postgres_url", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=_DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database, of each kind in turn."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(params=[pytest.param(None, id="memory"), *_DATABASES])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Give the URL of an empty database, None for the store in memory."""
    return request.getfixturevalue(request.param) if request.param else None


@pytest.fixture
async def open_store(store_url: str | None) -> AsyncIterator[OpenStore]:
    """Give a function that opens the test's store once more: another process's view of the same rows."""
    memory = MemoryStore()
    async with AsyncExitStack() as stack:

        async def opened() -> Store:
            return await stack.enter_async_context(open_database(store_url)) if store_url else memory

        yield opened


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    """Give an empty store."""
    return await open_store()
