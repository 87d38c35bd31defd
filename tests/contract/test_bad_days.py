"""The database is locked, gone for a while, or the process dies in the middle of writing."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from cti.errors import StorageError
from cti.storage import connections, migrate
from cti.storage.database import Database, open_database
from tests.builders import NOW, a_call
from tests.integration.postgres import PostgresServer, running_postgres
from tests.waiting import until

WRITER = """
import asyncio, sys
from cti.storage.database import open_database
from tests.builders import a_call

async def write_for_ever(url):
    async with open_database(url) as database:
        while True:
            calls = [a_call() for _ in range(5)]
            placed = await database.calls.place([(call, None) for call in calls])
            print(" ".join(placed), flush=True)

asyncio.run(write_for_ever(sys.argv[1]))
"""


def killed_writer(url: str) -> set[str]:
    """Let a process place calls, kill it without warning, and return the ids that it said were committed."""
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    return {call_id for line in told if line.endswith("\n") for call_id in line.split()}


async def test_what_was_committed_is_there_after_kill_9(database_url: str) -> None:
    committed = await asyncio.to_thread(killed_writer, database_url)

    async with open_database(database_url) as database:
        found = [call.id for call in await database.calls.open_calls()]

    assert len(committed) >= 100
    assert committed <= set(found)
    assert len(found) % 5 == 0, "a transaction was kept in part"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for locks a moment only."""
    for module in (connections, migrate):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)


@pytest.fixture
def other_writer(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """Give another process's connection to the same file."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        yield connection


async def test_sqlite_locked_for_longer_is_a_temporary_error(
    quick: None, sqlite_url: str, other_writer: sqlite3.Connection
) -> None:
    call = a_call()
    async with open_database(sqlite_url) as database:
        other_writer.execute("BEGIN IMMEDIATE")

        with pytest.raises(StorageError, match="locked") as refused:
            await database.calls.place([(call, None)])
        assert refused.value.temporary
        assert await database.calls.open_calls() == []

        other_writer.execute("COMMIT")
        assert await database.calls.place([(call, None)]) == [call.id]


async def test_sqlite_locked_for_a_moment_is_waited_for(
    sqlite_url: str, other_writer: sqlite3.Connection
) -> None:
    call = a_call()
    async with open_database(sqlite_url) as database:
        other_writer.execute("BEGIN IMMEDIATE")
        placing = asyncio.create_task(database.calls.place([(call, None)]))
        await asyncio.wait({placing}, timeout=0.2)
        assert not placing.done()

        other_writer.execute("COMMIT")

        assert await placing == [call.id]


async def test_a_locked_file_cannot_be_opened_for_now(quick: None, tmp_path: Path) -> None:
    path = tmp_path / "waihu.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="locked") as refused:
            async with open_database(f"sqlite:///{path}"):
                pass
    assert refused.value.temporary


async def test_a_file_that_is_no_database_is_a_lasting_error(tmp_path: Path) -> None:
    path = tmp_path / "waihu.db"
    path.write_text("this is a letter to my aunt, not a database; it is long enough to have a header" * 20)

    with pytest.raises(StorageError, match="not a database") as refused:
        async with open_database(f"sqlite:///{path}"):
            pass

    assert not refused.value.temporary
    assert str(path) in str(refused.value)


async def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        async with open_database(f"sqlite:///{tmp_path}"):
            pass


async def test_a_cancelled_write_leaves_the_database_usable(database_url: str) -> None:
    async with open_database(database_url) as database:
        for _ in range(20):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.002):
                    await database.calls.place([(a_call(), None) for _ in range(50)])

        call = a_call()
        assert await database.calls.place([(call, None)]) == [call.id]


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Give a server that the test may stop; asking for the shared one skips where there is none."""
    with running_postgres() as server:
        yield server


@pytest.mark.postgres
async def test_postgres_gone_for_a_while_is_a_temporary_error_and_the_same_database_works_again(
    own_server: PostgresServer,
) -> None:
    async with open_database(own_server.url()) as database:
        call = a_call()
        await database.calls.place([(call, None)])
        own_server.stop()

        for _ in range(3):
            with pytest.raises(StorageError, match=r"127\.0\.0\.1") as refused:
                await database.calls.open_calls()
            assert refused.value.temporary

        own_server.start()
        assert await database.calls.open_calls() == [call]
        another = a_call()
        assert await database.calls.place([(another, None)]) == [another.id]


@pytest.mark.postgres
async def test_postgres_stopped_under_load_loses_nothing_committed(own_server: PostgresServer) -> None:
    async with open_database(own_server.url()) as database:
        committed: list[set[str]] = [set() for _ in range(4)]
        writers = [asyncio.create_task(place_until_refused(database, into)) for into in committed]
        await until(lambda: all(committed))

        await asyncio.to_thread(own_server.stop)
        refusals = await asyncio.gather(*writers)
        await asyncio.to_thread(own_server.start)
        found = {call.id for call in await database.calls.open_calls()}

    assert [str(refusal) for refusal in refusals if not refusal.temporary] == []
    assert set().union(*committed) <= found


async def place_until_refused(database: Database, committed: set[str]) -> StorageError:
    """Place calls until the first refusal, and return that; `committed` takes their ids."""
    while True:
        try:
            committed.update(await database.calls.place([(a_call(placed_at=NOW), None) for _ in range(3)]))
        except StorageError as refusal:
            return refusal


@pytest.mark.postgres
async def test_nobody_hears_the_password(own_server: PostgresServer) -> None:
    own_server.stop()
    place = f"127.0.0.1:{own_server.port}"

    with pytest.raises(StorageError, match=place) as refused:
        async with open_database(f"postgresql://waihu:hush-hush@{place}/postgres"):
            pass

    assert refused.value.temporary
    assert "hush" not in str(refused.value)
