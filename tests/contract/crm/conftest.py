"""Every adapter passes one suite. It joins by a line in HOUSES: an async context manager that gives its house."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest

from crm_sync.port import Idempotency
from tests.contract.crm.bitrix24_house import bitrix24_house
from tests.contract.crm.fxiaoke_house import fxiaoke_house
from tests.contract.crm.houses import House, StrictHouse
from tests.contract.crm.hubspot_house import hubspot_house
from tests.contract.crm.rest_server import rest_house

OpenHouse = Callable[[], AbstractAsyncContextManager[House]]


def _strict(idempotency: Idempotency) -> OpenHouse:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        yield StrictHouse(idempotency)

    return opened


HOUSES = [
    *(pytest.param(partial(rest_house, each), id=f"rest-{each}") for each in Idempotency),
    pytest.param(_strict(Idempotency.KEY), id="strict-key"),
    pytest.param(_strict(Idempotency.OWN_ID), id="strict-own-id"),
    pytest.param(_strict(Idempotency.MARKER), id="strict-marker"),
    pytest.param(hubspot_house, id="hubspot"),
    pytest.param(bitrix24_house, id="bitrix24"),
    pytest.param(fxiaoke_house, id="fxiaoke"),
]


@pytest.fixture(params=HOUSES)
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Give each CRM in turn, empty."""
    async with request.param() as opened:
        yield opened
