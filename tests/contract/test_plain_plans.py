"""Short statements are neither compiled by PostgreSQL nor given processes of their own."""

import pytest
from sqlalchemy import text

from cti.storage.address import parse_address
from cti.storage.connections import Connections

pytestmark = pytest.mark.postgres

DEAR = text("EXPLAIN SELECT count(*) FROM generate_series(1, 9999) a, generate_series(1, 9999) b")
SHOWN = text("SELECT current_setting('jit'), current_setting('parallel_setup_cost')")


async def test_no_plan_is_compiled_however_dear_it_is_reckoned(postgres_url: str) -> None:
    connections = Connections(parse_address(postgres_url))
    async with connections.glancing() as connection:
        plan = list((await connection.execute(DEAR)).scalars())
    await connections.close()

    assert plan[0].startswith("Aggregate")
    assert not [step for step in plan if "JIT" in step]


async def test_what_is_set_outlives_a_transaction_that_is_undone(postgres_url: str) -> None:
    connections = Connections(parse_address(postgres_url))
    with pytest.raises(ZeroDivisionError):
        await undone(connections)
    async with connections.reading() as connection:
        shown = tuple((await connection.execute(SHOWN)).one())
    await connections.close()

    assert shown == ("off", "100000")


async def undone(connections: Connections) -> None:
    """Have the first transaction of the first connection fail."""
    async with connections.writing() as connection:
        await connection.execute(SHOWN)
        raise ZeroDivisionError
