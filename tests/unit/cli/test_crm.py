"""`cti crm`."""

from dataclasses import replace
from datetime import timedelta

from cti.crm.targets import CallFollowers
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Link, RecordRef
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
