"""Reconciliations over the API: ordered by people, carried out by the process that writes, shown with findings."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from crm_sync.feeds import ApiFeed
from crm_sync.reconciler import Regular, TargetReconciler
from crm_sync.run_feed import ApiRunFeed
from cti.clock import Clock
from cti.crm.reconcile_wire import order_record
from cti.crm.targets import Target
from cti.errors import CtiError
from cti.model.crm import Answer, Rate
from cti.model.crm_reconciliation import PageResult, ReconcileOrder, RunState
from cti.web.deps import DEPS
from tests.contract.crm.planted import ON_ORDER, Bench
from tests.fakes.clock import FakeClock
from tests.fakes.site import TOKENS, Site
from tests.fakes.strict_crm import Row, StrictClient, StrictCrm
from tests.fakes.strict_hands import MAPPING, StrictHands

RUNS = "crm/reconciliations"
EVERY = Regular()


def clock_of(site: Site) -> FakeClock:
    app = site.client.app
    assert app is not None
    clock: Clock = app[DEPS].clock
    assert isinstance(clock, FakeClock)
    return clock


class Process:
    """The process beside the service, over the API, with a CRM in memory."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self.server = StrictCrm()
        self.hands = StrictHands(self.server)
        self.clock = clock_of(site)
        self.feed = ApiRunFeed(ApiFeed(session, str(site.client.make_url("/"))))
        self.crm = StrictClient(self.server)

    async def reconcile(self, every: Regular = EVERY) -> bool:
        reconciler = TargetReconciler(
            target="odoo", crm=self.crm, mapping=MAPPING, feed=self.feed, clock=self.clock, regular=every
        )
        return await reconciler.step()


@pytest.fixture
async def process(site: Site) -> Any:
    headers = {"Authorization": f"Bearer {TOKENS['sync']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Process(site, session)


async def calls_out_of_step(site: Site, process: Process) -> set[tuple[str, str]]:
    """Leave one call deleted, one doubled, one lost; return what is to be found."""
    target = Target(name="odoo", settle=timedelta(0))
    bench = Bench(crm=process.crm, mapping=MAPPING, store=site.store, clock=process.clock, given=target)
    process.clock.advance(120)
    deleted, doubled = await bench.call(), await bench.call()
    await bench.push()
    lost = await bench.call()
    await bench.lose_work()
    await process.hands.delete(await bench.remote(deleted))
    await process.hands.double(await bench.remote(doubled))
    process.clock.advance(3600)
    return {(deleted.id, "deleted"), (doubled.id, "double"), (lost.id, "unwritten")}


async def test_a_run_that_people_order_is_carried_out_and_shown(site: Site, process: Process) -> None:
    planted = await calls_out_of_step(site, process)

    told = await site.told("POST", RUNS, json={"target": "odoo"}, status=202)
    (ordered,) = told["reconciliations"]
    assert (ordered["state"], ordered["ordered_by"], ordered["mend"]) == ("waiting", "lead", False)
    assert await process.reconcile(ON_ORDER)

    run = await site.told("GET", f"{RUNS}/{ordered['id']}")
    assert (run["state"], run["looked"], run["there"]) == ("done", 3, 2)
    assert run["counts"] == {"deleted": 1, "double": 1, "unwritten": 1}
    assert run["mended"] == {"flagged": 1, "pushed": 1}
    assert {(one["call_id"], one["kind"]) for one in run["findings"]} == planted
    assert run["next"] is None
    (double,) = (await site.told("GET", f"{RUNS}/{ordered['id']}?kind=double"))["findings"]
    assert len(double["remotes"]) == 2
    target = (await site.told("GET", "crm"))["targets"][0]
    assert target["reconciled"]["counts"] == run["counts"]
    assert target["reconciled"]["age_seconds"] == 0
    assert (target["waiting"], target["oldest_waiting_seconds"]) == (1, 0)


async def test_on_order_extra_records_are_removed(site: Site, process: Process) -> None:
    await calls_out_of_step(site, process)
    await site.told("POST", RUNS, json={"target": "odoo", "mend": True}, status=202)
    assert await process.reconcile(ON_ORDER)

    (run,) = (await site.told("GET", RUNS))["reconciliations"]
    assert run["mended"] == {"flagged": 1, "pushed": 1, "removed": 1}
    assert len(process.server.rows) == 1


async def test_runs_and_findings_come_in_pages(site: Site, process: Process) -> None:
    await calls_out_of_step(site, process)
    await site.told("POST", RUNS, json={"target": "odoo"}, status=202)
    assert await process.reconcile(ON_ORDER)
    await site.told("POST", RUNS, status=202, json={"since": "2026-11-23T00:00:00Z"})

    first = await site.told("GET", f"{RUNS}?limit=2")
    assert [run["target"] for run in first["reconciliations"]] == ["rest", "odoo"]
    rest = await site.told("GET", f"{RUNS}?before={first['next']}")
    assert [run["state"] for run in rest["reconciliations"]] == ["done"]
    assert rest["next"] is None
    number = rest["reconciliations"][0]["id"]
    page = await site.told("GET", f"{RUNS}/{number}?limit=2")
    left = await site.told("GET", f"{RUNS}/{number}?after={page['next']}")
    assert [len(page["findings"]), len(left["findings"])] == [2, 1]


async def test_regular_runs_and_pauses_go_over_the_api_too(site: Site, process: Process) -> None:
    process.server.away = True
    assert await process.reconcile()
    (run,) = (await site.told("GET", RUNS))["reconciliations"]
    assert (run["ordered_by"], run["state"]) == ("regular", "waiting")
    assert run["message"] == "away: nobody listens"
    assert (await site.told("GET", "crm"))["targets"][0]["state"] == "paused"
    assert not await process.reconcile(), "it waits"


async def test_a_run_that_somebody_else_has_now_is_refused(site: Site, process: Process) -> None:
    await site.told("POST", RUNS, json={"target": "odoo"}, status=202)
    feed = process.feed
    order = await feed.take("odoo", every=timedelta(0), span=timedelta(hours=1))
    assert order is not None
    assert await feed.spend(order, rate=Rate(per_second=1.0), requests=1) == 0
    assert await feed.spend(order, rate=Rate(per_second=1.0), requests=1) == pytest.approx(1.0)
    assert await feed.known(order, ["0" * 32]) == set()
    assert await feed.calls(order, ["0" * 32]) == ()
    process.clock.advance(3600)
    assert await feed.take("odoo", every=timedelta(0), span=timedelta(hours=1)) is not None

    with pytest.raises(CtiError, match="no longer ours"):
        await feed.end(order, RunState.DONE, "")
    nothing = PageResult(found=(), looked=0, there=0, requests=0, reached="", reached_at=None)
    with pytest.raises(CtiError, match="no longer ours"):
        await feed.found(order, nothing)


async def test_a_crm_full_of_somebody_else_s_calls_is_reconciled(site: Site, process: Process) -> None:
    """Another service writes into the same CRM: more ids than one request may bring."""
    process.clock.advance(7200)
    started = {"started": (process.clock.now() - timedelta(hours=1)).isoformat()}
    for mark in (f"{number:032x}" for number in range(2500)):
        process.server.rows[mark] = Row(id=mark, mark=mark, home=None, fields=started)

    assert await process.reconcile()

    (run,) = (await site.told("GET", RUNS))["reconciliations"]
    assert (run["state"], run["counts"]) == ("done", {"foreign": 2500})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"target": "nobody"}, 404),
        ({"since": "2026-11-24T00:00:00Z"}, 422),
        ({"since": "2026-11-22T00:00:00"}, 422),
        ({"since": "2020-01-01T00:00:00Z"}, 422),
        ({"mend": "yes"}, 422),
    ],
)
async def test_what_cannot_be_ordered_is_refused(site: Site, body: dict[str, Any], status: int) -> None:
    assert (await site.refused("POST", RUNS, json=body, status=status))["message"]
    assert (await site.told("GET", RUNS))["reconciliations"] == []


async def test_a_process_cannot_hand_in_another_s_work(site: Site, process: Process) -> None:
    await site.told("POST", RUNS, json={"target": "odoo"}, status=202)
    order = await process.feed.take("odoo", every=timedelta(0), span=timedelta(hours=1))
    assert order is not None
    forged = ReconcileOrder(work=order.work, run=replace(order.run, id=order.run.id + 1))
    with pytest.raises(CtiError, match="not that of its run"):
        await process.feed.postpone(forged, seconds=1, message="", answer=Answer.OK)
    await site.refused("GET", f"{RUNS}/{order.run.id + 1}", status=404)
    await site.refused("GET", f"{RUNS}/{order.run.id}?kind=odd", status=422)


async def test_numbers_that_are_none_or_too_large_are_refused(site: Site, process: Process) -> None:
    await site.told("POST", RUNS, json={"target": "odoo"}, status=202)
    order = await process.feed.take("odoo", every=timedelta(0), span=timedelta(hours=1))
    assert order is not None
    body = {
        "order": order_record(order),
        "seconds": 1,
        "message": "",
        "answer": "throttle",
        "pause_seconds": 1e300,
    }
    await site.refused("POST", "crm/work/run-postpone", as_="sync", json=body, status=422)
    for more in ("many", [1], 1e300):
        told = {"target": "odoo", "settlements": [], "more_requests": more}
        await site.refused("POST", "crm/work/settle", as_="sync", json=told, status=422)
    await site.refused("GET", f"{RUNS}?before={10**30}", status=422)
    await site.refused("GET", f"{RUNS}/{order.run.id}?after={10**30}", status=422)
