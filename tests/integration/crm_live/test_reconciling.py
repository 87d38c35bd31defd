"""Differences that users make in a real CRM are found and mended, and nothing else is; the deleted stays deleted."""

from datetime import datetime, timedelta

import pytest

from cti.clock import SystemClock
from lab.crm.bottle import BottleCrm
from lab.crm.odoo import Odoo
from tests.contract.crm.bottle_house import bottle_house
from tests.contract.crm.odoo_house import LEAD, ODOO_HOUSES, odoo_house
from tests.contract.crm.planted import Bench, prove
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.integration.crm_live.hands import BottleHands, OdooHands

pytestmark = pytest.mark.crm_live


@pytest.fixture
def bottle(bottle_server: BottleCrm) -> BottleCrm:
    """Give it. Not async: it lives in another event loop."""
    return bottle_server


def some_hours_ago() -> datetime:
    """Return when the calls began: a CRM refuses those of the future, and the run takes hours of ours."""
    return (SystemClock().now() - timedelta(hours=8)).replace(microsecond=0)


async def test_in_odoo(odoo_server: Odoo) -> None:
    began = some_hours_ago()
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        bench = Bench(
            crm=house.crm,
            mapping=house.mapping,
            store=MemoryStore(),
            clock=FakeClock(began + timedelta(minutes=2)),
            crm_ref=f"{LEAD}:{house.lead}",
            began=began,
        )
        calls = await prove(bench, OdooHands(house))

        copies = await house.ask(
            "crm.phonecall", "search_count", domain=[["opportunity_id", "=", house.lead]]
        )
        assert copies == len(calls), "the deleted one less, and the copy that a user made, which is his"


async def test_in_bottlecrm(bottle: BottleCrm) -> None:
    began = some_hours_ago()
    async with bottle_house(bottle) as house:
        bench = Bench(
            crm=house.crm,
            mapping=house.mapping,
            store=MemoryStore(),
            clock=FakeClock(began + timedelta(minutes=2)),
            crm_ref=f"lead:{house.lead}",
            began=began,
        )
        await prove(bench, BottleHands(house))
