"""Every adapter passes one suite. It joins by a line in HOUSES: an async context manager that gives its house.

A house that stands on a real server is a `Live`: the server is a fixture of the whole run, and is handed to it.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from crm_sync.port import Idempotency
from lab.crm.bottle import BottleCrm, bottle_crm
from lab.errors import NotPrepared
from tests.contract.crm.bottle_house import bottle_house
from tests.contract.crm.houses import House, StrictHouse
from tests.contract.crm.rest_server import rest_house

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@dataclass(frozen=True)
class Live:
    """A house on a real server."""

    server: str
    """Name of the fixture that runs it."""
    house: OpenHouse


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
    pytest.param(Live("bottle_server", bottle_house), id="bottle", marks=pytest.mark.crm_live),
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bottle_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BottleCrm]:
    """Run a BottleCRM, which all tests share; each makes records of its own."""
    async with bottle_or_skip(tmp_path_factory) as server:
        yield server


@asynccontextmanager
async def bottle_or_skip(folders: pytest.TempPathFactory) -> AsyncIterator[BottleCrm]:
    """Run one; where its packages cannot be had skip, and fail where CI says that nothing may be."""
    try:
        async with bottle_crm(folders.mktemp("bottle")) as server:
            yield server
    except NotPrepared as missing:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(f"NO BOTTLECRM, NOT TESTED: {missing}")
        pytest.fail(str(missing))


@pytest.fixture(params=HOUSES)
def open_house(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Give what opens each CRM in turn. Not async: a server of the whole run lives in another event loop."""
    if isinstance(request.param, Live):
        return partial(request.param.house, request.getfixturevalue(request.param.server))
    opener: OpenHouse = request.param
    return opener


@pytest.fixture
async def house(open_house: OpenHouse) -> AsyncIterator[House]:
    """Give each CRM in turn, empty."""
    async with open_house() as opened:
        yield opened
