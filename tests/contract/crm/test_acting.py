"""What the live tests do with real CRMs, done with the fakes: so that they can be trusted when somebody runs them."""

from dataclasses import replace

import pytest

from tests.contract.crm.houses import House, a_log
from tests.live.acting import acted_out


async def test_a_call_goes_through_its_life(house: House) -> None:
    if not house.crm.capabilities.reads_back:
        pytest.skip("this CRM does not read back")
    first = house.write(a_log())

    await acted_out(
        house.crm, first, house.write(replace(first.log, note="changed"), home=first.home), house.delete
    )
