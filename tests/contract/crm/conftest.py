"""Every adapter passes one suite. It joins by a line in HOUSES: an async context manager that gives its house.

A house that stands on a real server is a `Live`: the server is a fixture of the whole run, and is handed to it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from crm_sync.port import Idempotency
from tests.contract.crm.bitrix24_house import bitrix24_house
from tests.contract.crm.bottle_house import bottle_house, bottle_server
from tests.contract.crm.fxiaoke_house import fxiaoke_house
from tests.contract.crm.houses import House, StrictHouse
from tests.contract.crm.hubspot_house import hubspot_house
from tests.contract.crm.odoo_house import ODOO_HOUSES, odoo_house, odoo_server
from tests.contract.crm.rest_server import rest_house

__all__ = ["bottle_server", "odoo_server"]

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@dataclass(frozen=True)
class Live:
    """A house on a real server, which is begun when the first test asks for it."""

    server: str
    """Name of the fixture that runs it."""
    house: OpenHouse
    """Given the server, and `table`."""
    table: tuple[tuple[str, Any], ...] = ()


def _strict(idempotency: Idempotency) -> OpenHouse:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield StrictHouse(idempotency)

    return opened


HOUSES = [
    *(pytest.param(partial(rest_house, each), id=f"rest-{each}") for each in Idempotency),
    *(
        pytest.param(partial(rest_house, Idempotency.MARKER, paging=each), id=f"rest-by-{each}")
        for each in ("offset", "page", "next")
    ),
    pytest.param(_strict(Idempotency.KEY), id="strict-key"),
    pytest.param(_strict(Idempotency.OWN_ID), id="strict-own-id"),
    pytest.param(_strict(Idempotency.MARKER), id="strict-marker"),
    pytest.param(hubspot_house, id="hubspot"),
    pytest.param(bitrix24_house, id="bitrix24"),
    pytest.param(fxiaoke_house, id="fxiaoke"),
    pytest.param(Live("bottle_server", bottle_house), id="bottle", marks=pytest.mark.crm_live),
    *(
        pytest.param(
            Live("odoo_server", odoo_house, tuple(table.items())), id=name, marks=pytest.mark.crm_live
        )
        for name, table in ODOO_HOUSES.items()
    ),
]


@pytest.fixture(params=HOUSES)
def open_house(request: pytest.FixtureRequest) -> OpenHouse:
    """Give what opens each CRM in turn. Not async: a server is begun outside of the test's loop."""
    opens = request.param
    if isinstance(opens, Live):
        return partial(opens.house, request.getfixturevalue(opens.server), **dict(opens.table))
    assert callable(opens)
    return opens


@pytest.fixture
async def house(open_house: OpenHouse) -> AsyncIterator[House]:
    """Give each CRM in turn, empty."""
    async with open_house() as opened:
        yield opened
