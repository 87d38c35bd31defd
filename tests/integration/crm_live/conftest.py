"""The real CRMs, one of each for the whole run."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.crm.bottle_house import bottle_server
from tests.contract.crm.odoo_house import odoo_server
from tests.integration.crm_live.houses import BottleProof, OdooProof, ProofHouse

__all__ = ["bottle_server", "odoo_server"]

HOUSES: dict[str, Callable[[Any], ProofHouse]] = {"bottle": BottleProof, "odoo": OdooProof}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.crm_live) for name in HOUSES])
def house(request: pytest.FixtureRequest) -> ProofHouse:
    """Give each CRM in turn. Not async: servers of the whole run live in another event loop."""
    return HOUSES[request.param](request.getfixturevalue(f"{request.param}_server"))
