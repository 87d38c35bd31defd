"""A reconciliation finds what was planted, and nothing else, on every store."""

from crm_sync.port import Idempotency
from tests.builders import later
from tests.contract.conftest import Store
from tests.contract.crm.planted import Bench, prove
from tests.fakes.clock import FakeClock
from tests.fakes.strict_crm import StrictClient, StrictCrm
from tests.fakes.strict_hands import MAPPING, StrictHands


async def test_differences_planted_by_hand_are_found_and_mended(store: Store) -> None:
    server = StrictCrm(idempotency=Idempotency.MARKER)
    bench = Bench(crm=StrictClient(server), mapping=MAPPING, store=store, clock=FakeClock(later(120)))
    await prove(bench, StrictHands(server))
