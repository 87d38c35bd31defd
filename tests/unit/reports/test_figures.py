"""Figures from calls and from agents' histories."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.model.agents import AgentChange, AgentState
from cti.model.calls import Call, CallState, Join, Outcome
from cti.reports.figures import agent_seconds, counts, talk_seconds
from tests.builders import NOW, a_call, later

ENDED_CALLS = st.builds(lambda outcome: an_end(outcome), st.sampled_from([*Outcome, None]))
ANY_CALLS = st.lists(
    ENDED_CALLS | st.builds(a_call, state=st.sampled_from([CallState.PLACING, CallState.RINGING]))
)


def an_end(outcome: Outcome | None, **given_values: object) -> Call:
    return a_call(state=CallState.ENDED, outcome=outcome, ended_at=later(30), **given_values)


def a_talk(*stays: tuple[float, float | None]) -> Call:
    """A call answered at 5 s and ended at 30 s, joined for these stays."""
    joins = tuple(
        Join(
            agent_id=1,
            channel_id="waihu-a-1-0a",
            joined_at=later(start),
            left_at=None if end is None else later(end),
        )
        for start, end in stays
    )
    return an_end(Outcome.CONNECTED, answered_at=later(5), connected_at=joins[0].joined_at, joins=joins)


@given(ANY_CALLS, st.booleans())
def test_both_sums_of_the_outcomes_hold(calls: list[Call], over: bool) -> None:
    got = counts(calls, over=over)
    assert got.placed == got.answered + got.no_answer + got.busy + got.failed + got.lost
    assert got.answered == got.connected + got.dropped + got.gone_early + got.machine
    assert got.placed + got.open == len(calls)
    assert got.open == 0 or not over


def test_each_outcome_is_counted_under_its_name() -> None:
    got = counts(an_end(outcome) for outcome in Outcome)
    assert [getattr(got, outcome) for outcome in Outcome] == [1] * len(Outcome)


def test_a_call_that_goes_on_is_open_and_lost_once_all_is_over() -> None:
    assert (counts([a_call()]).open, counts([a_call()]).placed) == (1, 0)
    assert (counts([a_call()], over=True).lost, counts([a_call()], over=True).placed) == (1, 1)


def test_an_end_without_an_outcome_is_lost() -> None:
    assert counts([an_end(None)]).lost == 1


def test_the_drop_rate_is_of_the_calls_that_persons_answered() -> None:
    ends = [Outcome.CONNECTED] * 6 + [Outcome.DROPPED, Outcome.GONE_EARLY, Outcome.MACHINE, Outcome.BUSY]
    assert counts(map(an_end, ends)).drop_rate == 1 / 8


@pytest.mark.parametrize("ends", [[], [Outcome.BUSY], [Outcome.MACHINE]])
def test_without_persons_there_is_no_drop_rate(ends: list[Outcome]) -> None:
    assert counts(map(an_end, ends)).drop_rate is None


def test_talk_is_the_time_with_agents_and_the_last_stay_ends_with_the_call() -> None:
    assert talk_seconds(a_talk((6, 10), (12, None))) == 4 + 18


def test_the_wait_for_an_agent_is_averaged_over_the_joined_calls() -> None:
    got = counts([a_talk((6, 9)), a_talk((8, 9)), an_end(Outcome.DROPPED, answered_at=later(5))])
    assert got.answer_to_join_seconds == 2.0
    assert counts([]).answer_to_join_seconds is None


def change(agent_id: int, seconds: float, after: AgentState) -> AgentChange:
    return AgentChange(agent_id=agent_id, at=later(seconds), before=AgentState.LOGGED_OUT, after=after)


def test_an_agent_s_time_is_split_by_state_within_the_span() -> None:
    changes = [
        change(1, -50, AgentState.READY),
        change(1, 10, AgentState.ON_CALL),
        change(2, 15, AgentState.READY),
        change(1, 40, AgentState.READY),
    ]
    assert agent_seconds(changes, since=NOW, until=later(60)) == {
        1: {AgentState.READY: 10 + 20, AgentState.ON_CALL: 30},
        2: {AgentState.READY: 45},
    }


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(-100, 100), st.sampled_from(AgentState)), max_size=20))
def test_nobody_spends_more_than_the_span(steps: list[tuple[int, float, AgentState]]) -> None:
    changes = [change(*step) for step in sorted(steps, key=lambda step: step[1])]
    for states in agent_seconds(changes, since=NOW, until=later(60)).values():
        assert all(seconds > 0 for seconds in states.values())
        assert sum(states.values()) <= 60 + 1e-6


def test_a_span_that_lies_in_the_past_of_all_changes_is_empty() -> None:
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert agent_seconds([change(1, 0, AgentState.READY)], since=long_ago, until=long_ago) == {}
