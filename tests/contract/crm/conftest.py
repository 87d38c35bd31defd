"""Every adapter passes one suite. It joins by a line in HOUSES: an async context manager that gives its house."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest

from crm_sync.port import Idempotency
from lab.crm.odoo import Odoo
from tests.contract.crm.houses import House, StrictHouse
from tests.contract.crm.odoo_house import ODOO_HOUSES, odoo_house, odoo_server
from tests.contract.crm.rest_server import rest_house

__all__ = ["odoo_server"]

OpenHouse = Callable[[], AbstractAsyncContextManager[House]]


def _strict(idempotency: Idempotency) -> OpenHouse:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield StrictHouse(idempotency)

    return opened


class OnOdoo:
    """A house on the session's Odoo, which is begun when the first test asks for it."""

    def __init__(self, **table: str) -> None:
        self.table = table

    def on(self, server: Odoo) -> OpenHouse:
        return partial(odoo_house, server, **self.table)


HOUSES = [
    *(pytest.param(partial(rest_house, each), id=f"rest-{each}") for each in Idempotency),
    pytest.param(_strict(Idempotency.KEY), id="strict-key"),
    pytest.param(_strict(Idempotency.OWN_ID), id="strict-own-id"),
    pytest.param(_strict(Idempotency.MARKER), id="strict-marker"),
    *(
        pytest.param(OnOdoo(**table), id=name, marks=pytest.mark.crm_live)
        for name, table in ODOO_HOUSES.items()
    ),
]


@pytest.fixture(params=HOUSES)
def open_house(request: pytest.FixtureRequest) -> OpenHouse:
    """Give what opens each CRM in turn. Not async: a server is begun outside of the test's loop."""
    opens = request.param
    if isinstance(opens, OnOdoo):
        return opens.on(request.getfixturevalue("odoo_server"))
    assert callable(opens)
    return opens


@pytest.fixture
async def house(open_house: OpenHouse) -> AsyncIterator[House]:
    """Give each CRM in turn, empty."""
    async with open_house() as opened:
        yield opened
