"""The contract of `ReconciliationStore`: runs that are ordered once, findings that are still true when written."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.crm.targets import kind_of
from cti.errors import NotFound
from cti.model.crm import Link, RecordRef
from cti.model.crm_reconciliation import (
    CRM_RECONCILE,
    REGULAR,
    Finding,
    FindingKind,
    Found,
    Mended,
    PageResult,
    Reconciliation,
    RunState,
)
from cti.model.work import NewWork, Work
from tests.builders import NOW, a_call, later
from tests.contract.conftest import OpenStore, Store

HOUR = timedelta(hours=1)
ONE, OTHER = "0" * 31 + "1", "0" * 31 + "2"


def a_run(**given: Any) -> Reconciliation:
    values = {"target": "odoo", "ordered_by": "anna", "ordered_at": NOW}
    return Reconciliation(**values | {"since": later(-3600), "until": NOW} | given)


def a_link(call_id: str = ONE, **given: Any) -> Link:
    values = {"target": "odoo", "call_id": call_id, "version": 1, "fingerprint": "f", "pushed_at": NOW}
    return Link(**values | {"remote": RecordRef("call", "17")} | given)


def found(link: Link, **given: Any) -> Found:
    finding = Finding(
        kind=FindingKind.DIFFERING,
        call_id=link.call_id,
        remotes=(RecordRef("call", "17"),),
        fields=("note",),
        detail="note: there '你好', ours 'x'",
        mended=Mended.PUSHED,
    )
    return Found(**{"finding": finding, "before": link} | given)


def a_page(*all_found: Found, **given: Any) -> PageResult:
    values = {"looked": 3, "there": 2, "requests": 1, "reached": ONE, "reached_at": later(5)}
    return PageResult(found=all_found, **values | given)


async def waiting(store: Store, kind: str) -> list[Work]:
    return await store.work.lease(kinds=(kind,), limit=10, now=later(1), lease_for=HOUR)


async def test_a_run_is_ordered_with_its_work_and_kept(store: Store) -> None:
    run = await store.reconciliations.order(a_run(mend=True), now=NOW)

    assert await store.reconciliations.run(run.id) == run
    assert await store.reconciliations.runs() == [run]
    assert await store.reconciliations.runs(target="rest") == []
    (work,) = await waiting(store, CRM_RECONCILE + "odoo")
    assert work.key == str(run.id)
    begun = await store.reconciliations.begin(run.id, now=later(1))
    assert begun == replace(run, state=RunState.RUNNING, began_at=later(1))
    again = await store.reconciliations.begin(run.id, now=later(9))
    assert again == begun, "it began once"


async def test_runs_are_listed_newest_first_in_pages(store: Store) -> None:
    runs = [await store.reconciliations.order(a_run(), now=NOW) for _ in range(3)]
    first = await store.reconciliations.runs(limit=2)
    rest = await store.reconciliations.runs(before=first[-1].id)
    assert [run.id for run in first + rest] == [run.id for run in reversed(runs)]


async def test_a_regular_run_comes_once_in_its_time(store: Store) -> None:
    wish = a_run(ordered_by=REGULAR)
    order = store.reconciliations.order_if_due
    first = await order(wish, every=HOUR, now=NOW)
    assert first is not None
    assert await order(wish, every=HOUR, now=NOW + 2 * HOUR) is None, "one waits"
    await store.reconciliations.end(first.id, RunState.DONE, "", keep=9, now=NOW)
    assert await order(wish, every=HOUR, now=NOW + HOUR / 2) is None
    assert await order(replace(wish, target="rest"), every=HOUR, now=NOW) is not None
    assert await order(wish, every=HOUR, now=NOW + HOUR) is not None


async def test_of_many_processes_one_orders_the_regular_run(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    wish = a_run(ordered_by=REGULAR)
    ordered = await asyncio.gather(
        *(store.reconciliations.order_if_due(wish, every=HOUR, now=NOW) for store in stores)
    )
    assert sum(run is not None for run in ordered) == 1


async def test_a_page_is_written_as_a_whole(store: Store) -> None:
    run = await store.reconciliations.order(a_run(), now=NOW)
    link, other = a_link(), a_link(OTHER)
    await store.crm.put_links([link, other])
    flagged = replace(link, deleted_at=NOW)

    after = await store.reconciliations.found(
        run.id,
        a_page(found(link, after=flagged), found(other, after=replace(other, fingerprint=""), push=True)),
        now=NOW,
    )

    assert (after.looked, after.there, after.requests, after.reached) == (3, 2, 1, ONE)
    assert (after.reached_at, dict(after.counts)) == (later(5), {"differing": 2})
    assert dict(after.mended) == {"pushed": 2}
    assert await store.reconciliations.run(run.id) == after
    assert (await store.crm.links("odoo", [ONE, OTHER]))[ONE] == flagged
    (work,) = await waiting(store, kind_of("odoo"))
    assert (work.key, work.payload) == (OTHER, {"call_id": OTHER})
    (_, told), (number, _) = await store.reconciliations.findings(run.id)
    assert told == found(link).finding
    assert await store.reconciliations.findings(run.id, after=number) == []
    assert len(await store.reconciliations.findings(run.id, limit=1)) == 1
    assert await store.reconciliations.findings(run.id, kind=FindingKind.DOUBLE) == []
    more = await store.reconciliations.found(run.id, a_page(found(link)), now=NOW)
    assert (more.looked, dict(more.counts)) == (6, {"differing": 2}), "that link has changed"


async def test_nothing_is_written_of_a_call_that_has_changed_since(store: Store) -> None:
    run = await store.reconciliations.order(a_run(), now=NOW)
    seen = a_link()
    await store.crm.put_links([replace(seen, version=2), a_link(OTHER)])
    await store.work.add([NewWork(kind=kind_of("odoo"), key=OTHER, payload={})], now=NOW)
    gone = Link(target="odoo", call_id="0" * 31 + "3")
    never = Found(finding=found(gone).finding, before=gone, after=replace(gone, sending_at=NOW), push=True)

    after = await store.reconciliations.found(
        run.id,
        a_page(found(seen, after=replace(seen, deleted_at=NOW)), found(a_link(OTHER), push=True), never),
        now=NOW,
    )

    assert dict(after.counts) == {"differing": 1}
    ((_, told),) = await store.reconciliations.findings(run.id)
    assert told.call_id == gone.call_id
    links = await store.crm.links("odoo", [ONE, gone.call_id])
    assert links[ONE] == replace(seen, version=2)
    assert links[gone.call_id].unsure
    assert {work.key for work in await waiting(store, kind_of("odoo"))} == {OTHER, gone.call_id}


async def test_what_is_no_call_of_ours_needs_no_link(store: Store) -> None:
    run = await store.reconciliations.order(a_run(), now=NOW)
    await store.reconciliations.found(run.id, a_page(found(a_link(), before=None)), now=NOW)
    assert len(await store.reconciliations.findings(run.id)) == 1
    with pytest.raises(NotFound):
        await store.reconciliations.found(run.id + 1, a_page(), now=NOW)


async def test_busy_is_what_waits_is_held_is_dead_or_was_given_up(store: Store) -> None:
    kind, ids = kind_of("odoo"), [str(n) * 32 for n in range(6)]
    busy = store.reconciliations.busy
    works = [NewWork(kind=kind, key=key, payload={}, priority=-n) for n, key in enumerate(ids[:4])]
    await store.work.add(works, now=NOW)
    held, dead, given_up = await store.work.lease(kinds=(kind,), limit=3, now=NOW, lease_for=HOUR)
    await store.work.bury(dead, error="no", now=NOW)
    await store.work.bury(given_up, error="no", now=NOW)
    await store.work.discard(given_up.id, now=later(1))
    await store.work.add([NewWork(kind=kind_of("rest"), key=ids[4], payload={})], now=NOW)
    done = NewWork(kind=kind, key=ids[5], payload={})
    await store.work.add([done], now=NOW)
    await store.work.finish(held, now=NOW)

    assert await busy("odoo", ids) == {ids[1], ids[2], ids[3], ids[5]}
    assert await busy("odoo", []) == set()

    await store.crm.put_links([a_link(ids[2], pushed_at=later(2))])
    assert ids[2] not in await busy("odoo", ids), "it has been written since"


async def test_which_ids_are_calls(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])
    assert await store.reconciliations.known([call.id, ONE]) == {call.id}


async def test_the_last_runs_are_kept_and_the_last_of_each_is_told(store: Store) -> None:
    runs = [await store.reconciliations.order(a_run(), now=NOW) for _ in range(4)]
    await store.reconciliations.found(runs[0].id, a_page(found(a_link(), before=None)), now=NOW)
    for run in runs[:3]:
        await store.reconciliations.end(run.id, RunState.DONE, "well", keep=2, now=later(run.id))
    kept = await store.reconciliations.runs()
    assert [run.id for run in kept] == [run.id for run in reversed(runs[1:])]
    assert await store.reconciliations.findings(runs[0].id) == []
    (last,) = (await store.reconciliations.latest()).values()
    assert (last.id, last.state, last.message) == (runs[2].id, RunState.DONE, "well")
    assert last.ended_at == later(runs[2].id)
    assert await store.reconciliations.begin(last.id, now=NOW) is None
    await store.reconciliations.end(runs[3].id, RunState.WAITING, "away", keep=2, now=NOW)
    paused = await store.reconciliations.run(runs[3].id)
    assert paused is not None
    assert (paused.state, paused.message, paused.ended_at) == (RunState.WAITING, "away", None)
