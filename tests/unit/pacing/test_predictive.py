"""Decisions of the predictive pacer."""

import logging
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.pacing.floor import Budget, Floor
from cti.pacing.learner import Learner
from cti.pacing.predictive import Predictive
from cti.pacing.signals import Dropped, Signal, TalkEnded
from tests.unit.pacing.floors import NOW, busy, experienced, floors, in_flight, signals

HALF_BUSY = Floor(
    now=NOW,
    idle_agents=4,
    talking=busy(20, 60, 90, 150),
    wrapping=busy(5, 18),
    budget=Budget(live=1000, dropped=20, seconds_left=14_400),
)


@settings(max_examples=150, deadline=None)
@given(floor=floors, told=signals, taught=st.booleans())
def test_no_decision_is_negative_or_beyond_a_limit_and_each_says_why(
    floor: Floor, told: list[Signal], taught: bool
) -> None:
    pacer = experienced(attempts=60) if taught else Predictive()
    for signal in sorted(told, key=lambda one: one.at):
        pacer.learn(signal)
    decision = pacer.decide(floor)
    assert 0 <= decision.calls <= floor.free_lines
    assert floor.contacts_left is None or decision.calls <= floor.contacts_left
    assert decision.why
    assert "failed" not in decision.why
    assert floor.agents or not decision.calls


@settings(max_examples=40, deadline=None)
@given(looks=st.lists(floors, min_size=1, max_size=4), told=signals)
def test_the_same_signals_and_floors_give_the_same_decisions(looks: list[Floor], told: list[Signal]) -> None:
    def shift() -> list[object]:
        pacer = experienced(attempts=60)
        for signal in told:
            pacer.learn(signal)
        return [pacer.decide(floor) for floor in looks]

    assert shift() == shift()


def test_more_calls_are_placed_than_agents_are_free() -> None:
    decision = experienced().decide(HALF_BUSY)
    assert decision.calls > 4
    assert not decision.reserve
    assert {"risk", "theta", "answer_rate", "budget_left", "expected_free"} <= set(decision.inputs)


def test_a_list_that_answers_less_gets_more_calls() -> None:
    tired, fresh = (experienced(answers=answers).decide(HALF_BUSY).calls for answers in (1, 5))
    assert tired > fresh


@pytest.mark.parametrize(
    ("change", "calls", "words"),
    [
        pytest.param({"budget": Budget(live=100, dropped=9)}, 4, "budget is spent", id="overspent"),
        pytest.param(
            {"budget": Budget(live=100, dropped=9), "in_flight": in_flight(3, 8)}, 2, "spent", id="two coming"
        ),
        pytest.param({"budget": Budget(target=0.0)}, 4, "budget is spent", id="no drop is allowed"),
        pytest.param({"free_lines": 3}, 3, "limits allow", id="three lines"),
        pytest.param({"contacts_left": 1}, 1, "limits allow", id="the last contact"),
        pytest.param({"idle_agents": 0, "talking": (), "wrapping": ()}, 0, "nobody works", id="nobody works"),
        pytest.param({"waiting": 4, "talking": busy(1, 1), "wrapping": ()}, 0, "", id="all owned by waiting"),
    ],
)
def test_limits_and_fall_backs(change: dict[str, object], calls: int, words: str) -> None:
    decision = experienced().decide(replace(HALF_BUSY, **change))  # type: ignore[arg-type]
    assert decision.calls == calls
    assert words in decision.why


def test_one_call_for_each_free_agent_until_enough_is_known() -> None:
    decision = Predictive().decide(replace(HALF_BUSY, in_flight=in_flight(2)))
    assert decision.calls == 3
    assert "0 attempts are known" in decision.why


def test_counters_from_before_a_restart_bind_a_pacer_that_knows_nothing() -> None:
    spent = replace(HALF_BUSY, budget=Budget(live=2000, dropped=61, seconds_left=1800))
    assert experienced().decide(spent).calls == 4


def test_a_rolling_window_is_planned_over_a_span() -> None:
    decision = experienced().decide(replace(HALF_BUSY, budget=Budget(live=1000, dropped=20)))
    assert decision.calls > 4


@pytest.mark.parametrize(
    "fewer",
    [
        pytest.param({"waiting": 2}, id="waiting persons own agents"),
        pytest.param({"in_flight": in_flight(9, 10, 10, 11)}, id="calls about to be answered"),
        pytest.param({"screening": (NOW - 1.0, NOW - 2.0), "detection": 2.5}, id="answered, under detection"),
        pytest.param({"talking": (), "wrapping": ()}, id="nobody will come free"),
        pytest.param(
            {"talking": busy(20, 60, 90, 150, leaving=True), "wrapping": busy(5, 18, leaving=True)},
            id="those who will come free are going to leave",
        ),
        pytest.param({"next_chances": (0.9,) * 40}, id="the next contacts mostly answer"),
        pytest.param({"budget": Budget(live=1000, dropped=45, seconds_left=14_400)}, id="little budget"),
    ],
)
def test_fewer_calls_when(fewer: dict[str, object]) -> None:
    pacer = experienced()
    assert pacer.decide(replace(HALF_BUSY, **fewer)).calls < pacer.decide(HALF_BUSY).calls  # type: ignore[arg-type]


def test_contacts_who_hardly_ever_answer_get_more_calls() -> None:
    pacer = experienced()
    many = pacer.decide(replace(HALF_BUSY, next_chances=(0.05,) * 200)).calls
    assert many > pacer.decide(HALF_BUSY).calls


def test_drops_make_it_careful() -> None:
    careful, bold = experienced(), experienced()
    for _ in range(30):
        careful.learn(Dropped(at=NOW))
    assert careful.decide(HALF_BUSY).inputs["theta"] < bold.decide(HALF_BUSY).inputs["theta"]


def test_a_bug_in_the_learner_means_one_call_for_each_free_agent_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no attempts")

    pacer = experienced()
    monkeypatch.setattr(Learner, "learned", broken)
    with caplog.at_level(logging.ERROR):
        decisions = [pacer.decide(HALF_BUSY) for _ in range(3)]
    assert {decision.calls for decision in decisions} == {4}
    assert "ZeroDivisionError: no attempts" in decisions[0].why
    assert len(caplog.records) == 1
    monkeypatch.undo()
    assert pacer.decide(HALF_BUSY).calls == 4
    later = replace(HALF_BUSY, now=NOW + 61, talking=busy(-41, -1, 29), wrapping=busy(-56, -43))
    assert pacer.decide(later).calls > 4


def test_a_signal_that_cannot_be_learned_reaches_nobody(caplog: pytest.LogCaptureFixture) -> None:
    pacer = experienced()
    with caplog.at_level(logging.ERROR):
        pacer.learn(TalkEnded(at=NOW, seconds="long"))  # type: ignore[arg-type]
    decision = pacer.decide(HALF_BUSY)
    assert decision.calls == 4
    assert "failed" in decision.why
    assert caplog.records
