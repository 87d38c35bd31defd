"""`cti crm`."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from cti.crm.targets import CallFollowers
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Link, RecordRef
from cti.model.crm_reconciliation import Finding, FindingKind, Found, PageResult, RunState
from tests.builders import NOW, a_call
from tests.fakes.crm_parts import TARGETS
from tests.unit.cli.conftest import Terminal


def ended(terminal: Terminal) -> Call:
    store, call = terminal.site.store, a_call()
    done = replace(call, state=CallState.ENDED, ended_at=NOW, outcome=Outcome.CONNECTED)

    async def fill() -> None:
        await store.calls.place([(call, None)])
        await store.calls.save([done], works=CallFollowers(TARGETS).ended(done))

    terminal.meanwhile(fill())
    return call


def buried(terminal: Terminal) -> int:
    work = terminal.site.store.work

    async def bury() -> int:
        (one,) = await work.lease(kinds=("crm.push.rest",), limit=1, now=NOW, lease_for=timedelta(minutes=1))
        await work.bury(one, error="there is no field 'x'", now=NOW)
        return one.id

    number: int = terminal.meanwhile(bury())
    return number


def test_status_shows_each_crm(terminal: Terminal) -> None:
    ended(terminal)

    said = terminal.said("crm", "status", "--csv")

    assert said.splitlines()[0].startswith("target,adapter,state")
    assert "odoo,odoo,ok" in said
    assert "rest,rest,ok" in said


def test_dead_letters_are_shown_replayed_and_discarded(terminal: Terminal) -> None:
    call = ended(terminal)
    number = buried(terminal)

    assert call.id in terminal.said("crm", "dead", "--json")
    assert f"{number} is tried again" in terminal.said("crm", "replay", str(number))
    number = buried(terminal)
    assert "1 are tried again" in terminal.said("crm", "replay", "--all", "--target", "rest")
    number = buried(terminal)
    assert f"{number} is given up" in terminal.said("crm", "discard", str(number))
    assert "there is no dead letter" in terminal.said("crm", "replay", "4711", code=1)
    assert "give a NUMBER or --all" in terminal.said("crm", "replay", code=2)


def test_a_call_is_pushed_and_its_links_are_shown(terminal: Terminal) -> None:
    call = ended(terminal)
    link = Link(target="odoo", call_id=call.id, remote=RecordRef("crm.phonecall", "7"), version=1)
    terminal.meanwhile(terminal.site.store.crm.put_links([link]))

    assert "odoo, rest" in terminal.said("crm", "push", call.id)
    assert "crm.phonecall:7" in terminal.said("crm", "links", call.id, "--csv")
    assert "there is no call" in terminal.said("crm", "push", "0" * 32, code=1)


def test_a_crm_is_resumed(terminal: Terminal) -> None:
    assert "rest is ok" in terminal.said("crm", "resume", "rest")
    assert "there is no CRM 'x'" in terminal.said("crm", "resume", "x", code=1)


def end_runs(terminal: Terminal) -> None:
    """Carry out what is ordered from now on: each finds one double."""
    runs = terminal.site.store.reconciliations
    finding = Finding(
        kind=FindingKind.DOUBLE,
        call_id="f" * 32,
        remotes=(RecordRef("call", "1"), RecordRef("call", "2")),
        detail="2 records",
    )
    page = PageResult(
        found=(Found(finding=finding),), looked=5, there=6, requests=2, reached="f" * 32, reached_at=NOW
    )

    async def carry_out() -> None:
        while True:
            await asyncio.sleep(0.01)
            for run in await runs.runs():
                if run.state is RunState.WAITING:
                    await runs.end(run.id, RunState.RUNNING, "the CRM is away", keep=9, now=NOW)
                elif run.state is RunState.RUNNING and run.looked:
                    await runs.end(run.id, RunState.DONE, "", keep=9, now=NOW)
                elif run.state is RunState.RUNNING:
                    await runs.found(run.id, page, now=NOW)

    async def begin() -> None:
        terminal.kept = asyncio.create_task(carry_out())  # type: ignore[attr-defined]

    terminal.meanwhile(begin())


def test_a_reconciliation_is_waited_for_and_shown(terminal: Terminal) -> None:
    end_runs(terminal)

    said = terminal.said("crm", "reconcile", "odoo", "--mend")

    assert "double 1" in said
    assert "call:1, call:2" in said
    assert "double" in terminal.said("crm", "reconciliations", "--csv")
    (run,) = terminal.meanwhile(terminal.site.store.reconciliations.runs())
    assert run.mend
    assert "2 records" in terminal.said("crm", "reconciliations", str(run.id), "--json")
    assert terminal.said("crm", "reconciliations", str(run.id), "--kind", "moved", "--json") == "[]\n"
    assert "1 double" in terminal.said("crm", "status")


def test_a_reconciliation_can_be_ordered_and_left_alone(terminal: Terminal) -> None:
    said = terminal.said("crm", "reconcile", "--no-wait", "--since", "2026-11-22T00:00:00Z")
    assert "waiting" in said
    assert len(terminal.meanwhile(terminal.site.store.reconciliations.runs())) == 2
    assert "there is no CRM 'nobody'" in terminal.said("crm", "reconcile", "nobody", code=1)
