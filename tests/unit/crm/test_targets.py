"""Which work a call leaves for CRMs."""

from datetime import timedelta

from cti.crm.targets import CallFollowers, Target
from cti.model.calls import CallState, Outcome
from tests.builders import NOW, a_call, later
from tests.contract.crm.houses import a_log

ALL = Target(name="odoo", settle=timedelta(seconds=10))
TALKED = Target(name="bottle", outcomes=frozenset({"connected"}), settle=timedelta(0))
FOLLOWERS = CallFollowers([ALL, TALKED])


def ended(outcome: Outcome, **given: object) -> object:
    return a_call(state=CallState.ENDED, ended_at=later(60), outcome=outcome, **given)


def test_an_ended_call_leaves_one_piece_of_work_for_each_target_that_wants_it() -> None:
    call = ended(Outcome.CONNECTED)

    first, second = FOLLOWERS.ended(call)  # type: ignore[arg-type]

    assert (first.kind, first.key, first.due_at) == ("crm.push.odoo", call.id, later(70))  # type: ignore[attr-defined]
    assert (second.kind, second.due_at) == ("crm.push.bottle", later(60))


def test_a_call_that_is_up_leaves_none_nor_does_its_disposition() -> None:
    call = a_call(state=CallState.CONNECTED)

    assert FOLLOWERS.ended(call) == ()
    assert FOLLOWERS.disposed(call, NOW) == ()


def test_a_target_gets_only_the_outcomes_it_wants() -> None:
    work = FOLLOWERS.ended(ended(Outcome.BUSY))  # type: ignore[arg-type]

    assert [one.kind for one in work] == ["crm.push.odoo"]
    assert [one.kind for one in FOLLOWERS.changed("a" * 32, NOW)] == ["crm.push.odoo", "crm.push.bottle"]


def test_what_people_wait_for_goes_first_and_all_of_it_after_other_work() -> None:
    said = FOLLOWERS.disposed(ended(Outcome.CONNECTED), later(90))[0]  # type: ignore[arg-type]
    talked, machine, busy = (
        FOLLOWERS.ended(ended(outcome))[0]  # type: ignore[arg-type]
        for outcome in (Outcome.CONNECTED, Outcome.MACHINE, Outcome.BUSY)
    )

    assert 0 > said.priority > talked.priority > machine.priority > busy.priority
    assert said.due_at == later(100)


def test_without_targets_nothing_is_written() -> None:
    assert CallFollowers([]).ended(ended(Outcome.CONNECTED)) == ()  # type: ignore[arg-type]


def test_a_link_to_the_recording_stands_only_where_there_is_one() -> None:
    target = Target(name="odoo", recording_url="https://calls.example/{call_id}/sound")
    log = a_log(call_id="b" * 32, recording_seconds=3.0)

    assert target.recording_of(log) == f"https://calls.example/{'b' * 32}/sound"
    assert target.recording_of(a_log()) is None
    assert ALL.recording_of(log) is None
