"""The steps in `cti/storage/migrations` make what `cti/storage/tables` describes, on both databases."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cti.errors import StorageError
from cti.model.follow_ups import FollowLink
from cti.storage.address import parse_address
from cti.storage.database import open_database
from cti.storage.migrate import alembic_config, known_steps
from cti.storage.tables import metadata
from tests.builders import NOW, later
from tests.integration.postgres import PostgresServer


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """Give the URL of a database that has no tables; the SQLite file's folder does not exist yet either."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/waihu.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"fresh_{abs(hash(request.node.nodeid))}"
    return server.make_database(name)


def engine_of(url: str) -> AsyncEngine:
    return create_async_engine(parse_address(url).url)


async def undone(url: str, to: str) -> None:
    """Take steps back until this one is the last."""

    def undo(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, to)

    engine = engine_of(url)
    async with engine.begin() as connection:
        await connection.run_sync(undo)
    await engine.dispose()


async def carried_out(url: str, *statements: str) -> None:
    engine = engine_of(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def test_the_migrated_database_is_what_the_code_describes(fresh_url: str) -> None:
    async with open_database(fresh_url):
        pass
    engine = engine_of(fresh_url)

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_name": _is_described},
        )
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def _is_described(name: str | None, kind: str, _parents: Any) -> bool:
    """Say whether `tables/` would describe it: the search index is each database's own (`segment_index`)."""
    return kind != "table" or not (name or "").startswith("segment_index")


async def test_partial_indexes_have_their_conditions(fresh_url: str) -> None:
    """Alembic does not compare these."""
    async with open_database(fresh_url):
        pass
    question = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        if fresh_url.startswith("sqlite")
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %'"
    )
    engine = engine_of(fresh_url)
    async with engine.connect() as connection:
        made = {row[0]: row[1] for row in await connection.execute(text(question))}
    await engine.dispose()

    described = {
        index.name
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert set(made) == described
    assert "'waiting'" in made["ix_work_due"]
    assert "'done'" in made["uq_work_kind_key"]


async def test_a_database_that_is_there_keeps_its_rows(fresh_url: str) -> None:
    async with open_database(fresh_url) as database:
        await database.agents.add_agent(login="anna", name="Anna", endpoint="a", node="pbx")

    async with open_database(fresh_url) as database:
        assert [agent.login for agent in await database.agents.agents()] == ["anna"]


async def test_processes_that_open_a_new_database_at_once_all_succeed(fresh_url: str) -> None:
    async def opened() -> int:
        async with open_database(fresh_url) as database:
            return len(await database.agents.agents())

    assert await asyncio.gather(*(opened() for _ in range(4))) == [0, 0, 0, 0]


async def test_a_database_newer_than_the_code_is_refused_in_words(fresh_url: str) -> None:
    async with open_database(fresh_url):
        pass
    await carried_out(fresh_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StorageError, match=r"9999.*newer") as refused:
        async with open_database(fresh_url):
            pass

    assert not refused.value.temporary


async def test_every_step_can_be_undone(fresh_url: str) -> None:
    async with open_database(fresh_url):
        pass
    await undone(fresh_url, "base")

    async with open_database(fresh_url) as database:
        assert await database.agents.agents() == []


async def test_what_is_remembered_of_follow_ups_outlives_its_new_key(fresh_url: str) -> None:
    link = FollowLink(
        target="odoo",
        callback_id=12,
        contact_id=3,
        ref="odoo/crm.lead:1",
        remote="mail.activity:9",
        written=(later(60), later(3600)),
        agent_id=4,
        written_at=NOW,
    )
    ended = replace(link, callback_id=13, standing=False)
    async with open_database(fresh_url) as database:
        for one in (link, ended, replace(link, callback_id=None)):
            await database.follow_ups.put(one)

    await undone(fresh_url, "0018")
    async with open_database(fresh_url) as database:
        kept = await database.follow_ups.links("odoo", ["12", "13", "contact-3"])

    assert kept == {"12": link, "13": ended}, "the step before had no place for a contact's own"


def test_steps_are_one_line_of_numbers() -> None:
    steps = known_steps()
    assert list(steps) == sorted(steps, reverse=True)
    assert all(step.isdigit() and len(step) == 4 for step in steps)
