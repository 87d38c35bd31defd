"""In a real CRM: what people did to a call's record stays when ours changes, is told, and gives way on order alone."""

from datetime import datetime, timedelta

import pytest

from cti.clock import SystemClock
from cti.model.crm import RecordRef
from lab.crm.bottle import BottleCrm
from lab.crm.odoo import Odoo
from tests.contract.crm.bottle_house import BottleHouse, bottle_house
from tests.contract.crm.odoo_house import LEAD, ODOO_HOUSES, OdooHouse, odoo_house
from tests.contract.crm.planted import SETTLED, Bench, told_of_ours
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

pytestmark = pytest.mark.crm_live

TYPED = "he will be back in May"


@pytest.fixture
def bottle(bottle_server: BottleCrm) -> BottleCrm:
    """Give it. Not async: it lives in another event loop."""
    return bottle_server


def bench_on(house: OdooHouse | BottleHouse, crm_ref: str) -> Bench:
    """Return our side. The calls began some hours ago: a CRM refuses those of the future."""
    began: datetime = (SystemClock().now() - timedelta(hours=8)).replace(microsecond=0)
    clock = FakeClock(began + timedelta(minutes=2))
    return Bench(
        crm=house.crm, mapping=house.mapping, store=MemoryStore(), clock=clock, crm_ref=crm_ref, began=began
    )


async def test_in_odoo_a_call_that_was_moved_stays_there(odoo_server: Odoo) -> None:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        bench = bench_on(house, f"{LEAD}:{house.lead}")
        call, other = await bench.call(), await bench.call()
        await bench.push()
        remote = await bench.remote(call)
        by_hand = await house.by_hand(remote)

        for note in ("wants an offer", "has bought"):  # each is an update of its own
            for each in (call, other):
                await bench.dispose(each, note)
            await bench.push()

        assert await seen(house, call.id, *by_hand) == by_hand
        assert "has bought" in (await seen(house, call.id, "note"))["note"]
        assert (await seen(house, other.id, "home"))["home"] == str(house.lead)
        bench.clock.advance(SETTLED.total_seconds())
        _, found = await bench.reconcile()
        assert told_of_ours(found) == {(call.id, "moved"), (call.id, "differing")}
        await bench.push()
        assert await seen(house, call.id, *by_hand) == by_hand, "told only"

        await bench.reconcile(overwrite=True)
        await bench.push()

        assert (await seen(house, call.id, "home"))["home"] == str(house.lead)
        bench.clock.advance(SETTLED.total_seconds())
        assert told_of_ours((await bench.reconcile())[1]) == set()


async def test_in_odoo_what_a_person_typed_stays(odoo_server: Odoo) -> None:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        await typed_stays(house, bench_on(house, f"{LEAD}:{house.lead}"))


async def test_in_bottlecrm_what_a_person_typed_stays(bottle: BottleCrm) -> None:
    async with bottle_house(bottle) as house:
        await typed_stays(house, bench_on(house, f"lead:{house.lead}"))


async def typed_stays(house: OdooHouse | BottleHouse, bench: Bench) -> None:
    """Have a person type over the note, ours change twice, and reconciliations tell it; then order ours."""
    call = await bench.call()
    await bench.push()
    await house.type_over(await bench.remote(call), TYPED)

    for note in ("wants an offer", "has bought"):
        await bench.dispose(call, note)
        await bench.push()
        assert (await seen(house, call.id, "note"))["note"] == TYPED

    assert "sold" in (await seen(house, call.id, "title"))["title"], "what nobody changed comes"
    bench.clock.advance(SETTLED.total_seconds())
    _, found = await bench.reconcile()
    (one,) = (one for one in found if one.call_id == call.id)
    assert f"changed there by somebody: {house.note}" in one.detail
    await bench.push()
    assert (await seen(house, call.id, "note"))["note"] == TYPED

    await bench.reconcile(overwrite=True)
    await bench.push()

    assert "has bought" in (await seen(house, call.id, "note"))["note"]
    bench.clock.advance(SETTLED.total_seconds())
    assert told_of_ours((await bench.reconcile())[1]) == set()


async def test_what_a_person_takes_back_is_brought_up_to_date(odoo_server: Odoo) -> None:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        bench = bench_on(house, f"{LEAD}:{house.lead}")
        call = await bench.call()
        await bench.push()
        remote = await bench.remote(call)
        before = (await seen(house, call.id, "note"))["note"]
        await house.type_over(remote, TYPED)
        await bench.dispose(call, "has bought")
        await bench.push()

        await house.type_over(RecordRef(remote.kind, remote.id), before)
        bench.clock.advance(SETTLED.total_seconds())
        await bench.reconcile()
        await bench.push()

        assert "has bought" in (await seen(house, call.id, "note"))["note"]


async def seen(house: OdooHouse | BottleHouse, call_id: str, *names: str) -> dict[str, str]:
    """Return what stands there for a call, read past the adapter."""
    row = next(one for one in await house.standing(call_id) if one["id"])
    return {name: row[name] for name in names}
