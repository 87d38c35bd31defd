"""The agents' table: what each signal does in each state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.dialer.agent_states import (
    NODE_LOST,
    PHONE_GONE,
    AgentSignal,
    Joined,
    LegAnswered,
    LegEnded,
    LogoutAsked,
    Parted,
    PauseAsked,
    PhoneCalled,
    PhoneCame,
    PhoneWent,
    ReadyAsked,
    Released,
    Reserved,
    WrapUpOver,
    change_between,
    may_take_calls,
    moved,
)
from cti.model.agents import Agent, AgentState
from tests.builders import NOW, an_agent, later

LEG = "waihu-a-1-00000000000a"
ALL: list[AgentSignal] = [
    PhoneCalled(channel_id=LEG),
    LegAnswered(channel="PJSIP/a001-1"),
    LegEnded(reason=PHONE_GONE),
    LegEnded(reason=NODE_LOST),
    Reserved(call_id="c1"),
    Released(),
    Joined(call_id="c1"),
    Parted(),
    ReadyAsked(),
    PauseAsked(reason="lunch"),
    WrapUpOver(),
    PhoneWent(),
    PhoneCame(),
    LogoutAsked(),
]


def after(*signals: AgentSignal, start: Agent | None = None) -> Agent:
    agent = start or an_agent(state=AgentState.LOGGED_OUT, channel=None, channel_id=None)
    for seconds, signal in enumerate(signals, 1):
        agent = moved(agent, signal, later(seconds))
    return agent


UP = (PhoneCalled(channel_id=LEG), LegAnswered(channel="PJSIP/a001-1"))


@pytest.mark.parametrize(
    ("signals", "state", "reason"),
    [
        pytest.param((), AgentState.LOGGED_OUT, None, id="at first"),
        pytest.param(UP, AgentState.READY, None, id="his phone was called and answered"),
        pytest.param(
            (PhoneCalled(channel_id=LEG, pause="login"), UP[1]),
            AgentState.PAUSED,
            "login",
            id="login with a pause",
        ),
        pytest.param((*UP, Reserved(call_id="c1")), AgentState.RESERVED, None, id="a call is placed for him"),
        pytest.param((*UP, Reserved(call_id="c1"), Released()), AgentState.READY, None, id="nobody answered"),
        pytest.param(
            (*UP, Reserved(call_id="c1"), Joined(call_id="c1")), AgentState.ON_CALL, None, id="joined"
        ),
        pytest.param(
            (*UP, Joined(call_id="c1"), Parted()), AgentState.WRAP_UP, None, id="the customer hung up"
        ),
        pytest.param(
            (*UP, Joined(call_id="c1"), Parted(), WrapUpOver()), AgentState.READY, None, id="wrap-up over"
        ),
        pytest.param(
            (*UP, Joined(call_id="c1"), PauseAsked(reason="lunch"), Parted(), WrapUpOver()),
            AgentState.PAUSED,
            "lunch",
            id="a pause asked for during the call holds after the wrap-up",
        ),
        pytest.param(
            (*UP, Reserved(call_id="c1"), PauseAsked(reason="lunch"), Released()),
            AgentState.PAUSED,
            "lunch",
            id="a pause asked for while reserved",
        ),
        pytest.param(
            (*UP, Reserved(call_id="c1"), PauseAsked(reason="lunch"), ReadyAsked(), Released()),
            AgentState.READY,
            None,
            id="and taken back",
        ),
        pytest.param((*UP, PhoneWent()), AgentState.PAUSED, PHONE_GONE, id="the phone went away"),
        pytest.param((*UP, PhoneWent(), PhoneCame()), AgentState.READY, None, id="and came back"),
        pytest.param(
            (*UP, PauseAsked(reason="lunch"), PhoneWent(), PhoneCame()),
            AgentState.PAUSED,
            "lunch",
            id="a phone that comes back ends no pause of his own",
        ),
        pytest.param(
            (*UP, Joined(call_id="c1"), PhoneWent(), Parted(), WrapUpOver()),
            AgentState.PAUSED,
            PHONE_GONE,
            id="the phone went away during the call",
        ),
        pytest.param(
            (*UP, LegEnded(reason=PHONE_GONE)), AgentState.LOGGED_OUT, PHONE_GONE, id="his leg died"
        ),
        pytest.param(
            (*UP, PauseAsked(reason="lunch"), LegEnded(reason=NODE_LOST), *UP[1:]),
            AgentState.PAUSED,
            "lunch",
            id="a pause survives the loss of the node",
        ),
        pytest.param((*UP, LogoutAsked()), AgentState.LOGGED_OUT, None, id="he went"),
        pytest.param(
            (*UP, Joined(call_id="c1"), LogoutAsked()),
            AgentState.ON_CALL,
            None,
            id="he may not go during a call",
        ),
    ],
)
def test_an_agent_goes_through_his_states(
    signals: tuple[AgentSignal, ...], state: AgentState, reason: str | None
) -> None:
    agent = after(*signals)
    assert (agent.state, agent.reason) == (state, reason)


def test_a_reserved_agent_may_not_be_offered_another_call() -> None:
    agent = after(*UP)
    assert may_take_calls(agent)
    assert not may_take_calls(moved(agent, Reserved(call_id="c1"), NOW))


def test_a_second_reservation_changes_nothing() -> None:
    agent = after(*UP, Reserved(call_id="c1"))
    assert moved(agent, Reserved(call_id="c2"), NOW) is agent


def test_the_call_is_forgotten_when_the_wrap_up_ends() -> None:
    wrapping = after(*UP, Joined(call_id="c1"), Parted())
    assert wrapping.call_id == "c1"
    assert moved(wrapping, ReadyAsked(), NOW).call_id is None


def test_a_change_names_the_call_it_ends() -> None:
    before = after(*UP, Reserved(call_id="c1"))
    change = change_between(before, moved(before, Released(), NOW), NOW)
    assert change is not None
    assert (change.before, change.after, change.call_id) == (AgentState.RESERVED, AgentState.READY, "c1")


def test_a_fact_alone_is_no_change() -> None:
    before = after(*UP, Joined(call_id="c1"))
    changed = moved(before, PauseAsked(reason="lunch"), NOW)
    assert changed.pause_next == "lunch"
    assert change_between(before, changed, NOW) is None


@given(st.lists(st.sampled_from(ALL), max_size=30))
def test_any_order_of_signals_leaves_a_sane_agent(signals: list[AgentSignal]) -> None:
    agent = after(*signals)
    if agent.state in (AgentState.RESERVED, AgentState.ON_CALL):
        assert agent.call_id is not None
    if agent.state in (AgentState.READY, AgentState.PAUSED, AgentState.LOGGED_OUT):
        assert agent.call_id is None
    if agent.state is AgentState.LOGGED_OUT:
        assert not may_take_calls(agent)
    if agent.state is AgentState.READY:
        assert agent.phone_reachable
    assert moved(replace(agent), LegEnded(reason=PHONE_GONE), NOW).state is AgentState.LOGGED_OUT
