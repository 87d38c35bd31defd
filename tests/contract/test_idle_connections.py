"""Connections to PostgreSQL that died while nobody used them."""

import pytest

from cti.errors import StorageError
from cti.storage import connections
from cti.storage.database import open_database
from tests.integration.postgres import PostgresServer

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'idle%' AND pid <> pg_backend_pid()"

pytestmark = pytest.mark.postgres


async def test_one_that_was_idle_is_replaced_unnoticed(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "FRESH_SECONDS", 0.0)
    async with open_database(postgres_server.make_database("idle_long")) as database:
        await database.crm.standings()
        postgres_server.do(KILL)
        assert await database.crm.standings() == []


async def test_one_that_was_just_used_is_a_passing_trouble_once(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "FRESH_SECONDS", 3600.0)
    async with open_database(postgres_server.make_database("idle_briefly")) as database:
        await database.crm.standings()
        postgres_server.do(KILL)
        with pytest.raises(StorageError) as told:
            await database.crm.standings()
        assert told.value.temporary
        assert await database.crm.standings() == []
