"""What is up, and what pacing learns from it."""

from dataclasses import replace

import pytest

from cti.dialer.agent_states import change_between
from cti.dialer.floor_board import FloorBoard, agent_signal, busy, signals_of
from cti.model.agents import AgentState
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.campaign_rules import CampaignRules, MachineRules
from cti.model.events import AgentMoved, CallMoved
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    Signal,
    TalkEnded,
    WrapUpEnded,
)
from tests.builders import NOW, a_call, a_campaign, an_agent, later

PLACED = a_call(campaign_id=1)
ANSWERED = replace(PLACED, state=CallState.ANSWERED, answered_at=later(12))
WAITING = replace(ANSWERED, waiting_at=later(12.01))
JOINED = replace(
    WAITING,
    state=CallState.CONNECTED,
    connected_at=later(13),
    joins=(Join(agent_id=1, channel_id="x", joined_at=later(13)),),
)


def moved(board: FloorBoard, call: Call, before: CallState = CallState.DIALING) -> None:
    board.tap(CallMoved(before=before, call=call, at=later(20)))


def test_a_line_is_in_use_from_before_the_commit_until_the_end() -> None:
    board = FloorBoard()
    board.hold(1, PLACED.id, reserved=False)
    assert board.used(1) == 1
    moved(board, PLACED)
    assert board.used(1) == 1
    moved(board, replace(PLACED, state=CallState.ENDED, outcome=Outcome.BUSY, ended_at=later(1)))
    assert board.used(1) == 0


def test_a_call_that_was_never_made_uses_no_line() -> None:
    board = FloorBoard()
    board.hold(1, PLACED.id, reserved=True)
    board.let_go(1, PLACED.id)
    assert board.used(1) == 0


def test_a_call_for_which_an_agent_is_kept_is_not_in_flight_for_the_team() -> None:
    board = FloorBoard()
    board.hold(1, PLACED.id, reserved=True)
    moved(board, PLACED)
    assert board.in_flight(1) == ()
    other = a_call(campaign_id=1, answer_chance=0.4)
    moved(board, other)
    assert [one.answer_chance for one in board.in_flight(1)] == [0.4]


def test_who_answered_is_on_the_way_until_he_waits_or_under_detection_where_it_runs() -> None:
    board, plain = FloorBoard(), a_campaign()
    detecting = a_campaign(rules=CampaignRules(machines=MachineRules(detect=True)))
    moved(board, ANSWERED)
    assert (board.arriving(plain), board.screening(plain)) == (1, ())
    assert (board.arriving(detecting), board.screening(detecting)) == (0, (later(12).timestamp(),))
    moved(board, WAITING)
    assert (board.arriving(plain), board.screening(detecting)) == (0, ())


def ended(call: Call, outcome: Outcome) -> Call:
    return replace(call, state=CallState.ENDED, outcome=outcome, ended_at=later(26))


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        pytest.param(PLACED, ANSWERED, [AttemptEnded], id="an answer ends the attempt"),
        pytest.param(ANSWERED, WAITING, [PersonAnswered], id="he waits: a person"),
        pytest.param(PLACED, WAITING, [AttemptEnded, PersonAnswered], id="both heard at once"),
        pytest.param(WAITING, JOINED, [Connected], id="an agent took him"),
        pytest.param(WAITING, replace(WAITING, dropped_at=later(14)), [Dropped], id="nobody took him"),
        pytest.param(JOINED, ended(JOINED, Outcome.CONNECTED), [], id="the end of a talk is the agent's"),
        pytest.param(WAITING, WAITING, [], id="nothing new"),
    ],
)
def test_moves_of_a_call_teach(before: Call, after: Call, kinds: list[type[Signal]]) -> None:
    assert [type(signal) for signal in signals_of(before, after, later(20))] == kinds


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        pytest.param(Outcome.NO_ANSWER, Result.NO_ANSWER, id="nobody answered"),
        pytest.param(Outcome.BUSY, Result.BUSY, id="busy"),
        pytest.param(Outcome.FAILED, Result.FAILED, id="a technical failure is no unanswered call"),
    ],
)
def test_an_unanswered_end_tells_how_and_when(outcome: Outcome, result: Result) -> None:
    [signal] = signals_of(PLACED, ended(PLACED, outcome), later(26))
    assert signal == AttemptEnded(at=later(26).timestamp(), placed_at=NOW.timestamp(), result=result)


def test_an_agents_moves_tell_talk_and_wrap_up() -> None:
    talking = an_agent(state=AgentState.ON_CALL, since=NOW)
    wrapping = replace(talking, state=AgentState.WRAP_UP, since=later(90))
    assert agent_signal(talking, wrapping) == TalkEnded(at=later(90).timestamp(), seconds=90.0)
    ready = replace(wrapping, state=AgentState.READY, since=later(110))
    assert agent_signal(wrapping, ready) == WrapUpEnded(at=later(110).timestamp(), seconds=20.0)
    paused = replace(ready, state=AgentState.PAUSED)
    assert agent_signal(wrapping, paused) == WrapUpEnded(at=later(110).timestamp(), seconds=20.0, free=False)


def test_an_agents_talk_teaches_the_campaign_of_his_call() -> None:
    told: list[tuple[int, Signal]] = []
    board = FloorBoard(learn=lambda campaign_id, signal: told.append((campaign_id, signal)))
    talking = an_agent(state=AgentState.ON_CALL, since=later(13), campaign_ids=(1, 2))
    wrapping = replace(talking, state=AgentState.WRAP_UP, since=later(60))
    for before, after in ((an_agent(), talking), (talking, wrapping)):
        change = change_between(before, after, after.since or NOW)
        assert change is not None
        board.tap(AgentMoved(change=change, agent=after))
        moved(board, JOINED)
    assert (1, TalkEnded(at=later(60).timestamp(), seconds=47.0)) in told


def test_busy_agents_tell_since_when_and_whether_they_go() -> None:
    agents = [
        an_agent(state=AgentState.ON_CALL, since=NOW, pause_next="lunch"),
        an_agent(id=2, state=AgentState.WRAP_UP, since=later(5)),
    ]
    assert [(one.since, one.leaving) for one in busy(agents, AgentState.ON_CALL)] == [(NOW.timestamp(), True)]
    assert [one.leaving for one in busy(agents, AgentState.WRAP_UP)] == [False]
