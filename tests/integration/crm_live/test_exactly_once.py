"""Each call stands in a real CRM once, with its newest facts, after kills, outages and answers that were lost."""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from cti.crm.feed import TableFeed
from tests.integration.crm_live.houses import ProofHouse
from tests.integration.crm_live.proof import Faults, Plan, proved
from tests.integration.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

SHORT = Plan(
    leads=16,
    called_thrice=2,
    with_deal=4,
    kills=1,
    down_seconds=2.5,
    calls_per_second=4.0,
    drain_seconds=120.0,
    lose_every=3,
)
LONG = Plan(
    leads=200,
    called_thrice=20,
    with_deal=50,
    kills=10,
    down_seconds=30.0,
    calls_per_second=1.5,
    drain_seconds=900.0,
)


async def test_twenty_calls(house: ProofHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are short, so that a kill costs seconds; they are still longer than a request may take."""
    short = partial(TableFeed, lease_for=timedelta(seconds=10))
    monkeypatch.setattr("cti.wiring.crm.TableFeed", short)

    faults = await proved(house, SHORT, tmp_path, f"sqlite:///{tmp_path / 'waihu.db'}")

    tell(faults, SHORT)
    assert (faults.kills, faults.outages) == (1, 1)
    assert faults.lost > 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_hundreds_of_calls_by_way_of_the_service(house: ProofHouse, tmp_path: Path) -> None:
    faults = await proved(house, LONG, tmp_path, f"sqlite:///{tmp_path / 'waihu.db'}")

    tell(faults, LONG)
    _hard_enough(faults)


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(1800)
async def test_hundreds_of_calls_on_one_database(
    house: ProofHouse, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """Each process takes calls from the database itself."""
    faults = await proved(house, LONG, tmp_path, postgres_server.make_database(f"proof_{house.adapter}"))

    tell(faults, LONG)
    _hard_enough(faults)


def _hard_enough(faults: Faults) -> None:
    """Nothing was shown by a run in which nothing happened. Odoo takes many calls in one write, so it has few."""
    assert (faults.kills, faults.outages) == (10, 1)
    assert faults.killed_writing > 5
    assert faults.unsure_after_kills > 0
    assert faults.lost > 2
    assert min(faults.writes) > 5, "both processes wrote"


def tell(faults: Faults, plan: Plan) -> None:
    print(f"{plan.calls} calls on {plan.leads} leads: {asdict(faults)}")
