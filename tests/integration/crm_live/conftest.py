"""The real CRMs, one of each for the whole run. Where one cannot be had its tests are skipped, and fail in CI."""

import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from lab.crm.bottle import BottleCrm, bottle_crm
from lab.crm.odoo import Odoo, open_odoo
from lab.errors import NotPrepared
from tests.integration.crm_live.houses import BottleProof, OdooProof, ProofHouse


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bottle_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BottleCrm]:
    try:
        async with bottle_crm(tmp_path_factory.mktemp("bottle")) as server:
            yield server
    except NotPrepared as missing:
        not_to_be_had("BOTTLECRM", missing)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def odoo_server() -> AsyncIterator[Odoo]:
    try:
        async with open_odoo() as server:
            yield server
    except NotPrepared as missing:
        not_to_be_had("ODOO", missing)


def not_to_be_had(name: str, missing: NotPrepared) -> None:
    """Skip, so that it is seen; fail where CI says that nothing may be left out."""
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(f"NO {name}, NOT TESTED: {missing}")
    pytest.fail(str(missing))


HOUSES: dict[str, Callable[..., ProofHouse]] = {"bottle": BottleProof, "odoo": OdooProof}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.crm_live) for name in HOUSES])
def house(request: pytest.FixtureRequest) -> ProofHouse:
    """Give each CRM in turn. Not async: servers of the whole run live in another event loop."""
    make: Callable[[Any], ProofHouse] = HOUSES[request.param]
    return partial(make, request.getfixturevalue(f"{request.param}_server"))()
