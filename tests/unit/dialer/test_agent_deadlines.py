"""What ends by itself for agents, and what keeps it from ending."""

import pytest

from cti.bus import EventBus
from cti.dialer.agent_deadlines import AgentDeadlines
from cti.dialer.kept_legs import KeptLegs
from cti.dialer.roster import Roster
from cti.model.agents import Agent, AgentState
from tests.builders import an_agent
from tests.fakes.clock import FakeClock
from tests.fakes.lines import FakeLines

WRAP_UP_SECONDS = {1: 10.0, 2: None, None: 99.0}
"""By campaign; None: without any."""


class Desk:
    """One agent with his deadlines; a phone may be away for 5 s."""

    def __init__(self, **agent: object) -> None:
        self.clock, self.lines = FakeClock(), FakeLines()
        self.roster = Roster(bus=EventBus())
        self.roster.know(an_agent(**agent))
        self.deadlines = AgentDeadlines(
            roster=self.roster,
            legs=KeptLegs(roster=self.roster, lines=self.lines, clock=self.clock, answer_seconds=20.0),
            clock=self.clock,
            wrap_up_seconds=WRAP_UP_SECONDS.__getitem__,
            reconnect_seconds=5.0,
        )

    @property
    def agent(self) -> Agent:
        return self.roster.all()[0]

    async def after(self, seconds: float) -> AgentState:
        """Return his state when so much time has gone by."""
        self.clock.advance(seconds)
        await self.deadlines.step()
        return self.agent.state


@pytest.mark.parametrize(
    ("campaign", "own", "ends"),
    [
        pytest.param(1, (), True, id="of the campaign whose call it was"),
        pytest.param(None, (1, 2), True, id="of the first of his own when the call had none"),
        pytest.param(None, (2, 1), False, id="of the first of his own, which has none"),
        pytest.param(2, (1,), False, id="of a campaign that has none"),
        pytest.param(None, (), False, id="of no campaign at all"),
    ],
)
async def test_a_wrap_up_has_the_time(campaign: int | None, own: tuple[int, ...], ends: bool) -> None:
    desk = Desk(state=AgentState.WRAP_UP, campaign_ids=own)
    desk.deadlines.begin_wrap_up(desk.agent, campaign)

    assert await desk.after(9.9) is AgentState.WRAP_UP
    assert await desk.after(0.1) is (AgentState.READY if ends else AgentState.WRAP_UP)


async def test_the_end_of_a_wrap_up_that_he_cut_short_does_not_end_the_next() -> None:
    desk = Desk(state=AgentState.WRAP_UP)
    desk.deadlines.begin_wrap_up(desk.agent, 1)
    desk.roster.know(an_agent(state=AgentState.READY))
    desk.deadlines.forget_what_is_over(desk.agent)
    desk.roster.know(an_agent(state=AgentState.WRAP_UP))
    desk.deadlines.begin_wrap_up(desk.agent, 2)

    assert await desk.after(60) is AgentState.WRAP_UP


async def test_a_phone_that_is_told_to_be_away_once_more_has_no_longer_for_it() -> None:
    desk = Desk()
    desk.deadlines.on_phone(desk.agent, False, desk.clock.now())
    assert await desk.after(4) is AgentState.PAUSED
    desk.deadlines.on_phone(desk.agent, False, desk.clock.now())

    assert await desk.after(1) is AgentState.LOGGED_OUT
    assert desk.lines.hung_up == [an_agent().channel_id]


async def test_a_phone_that_comes_back_is_not_missed() -> None:
    desk = Desk()
    for reachable in (False, True):
        desk.deadlines.on_phone(desk.agent, reachable, desk.clock.now())

    assert await desk.after(60) is AgentState.READY


async def test_who_talks_while_his_phone_is_away_is_logged_out_only_afterwards() -> None:
    desk = Desk(state=AgentState.ON_CALL, call_id="a")
    desk.deadlines.on_phone(desk.agent, False, desk.clock.now())

    assert await desk.after(60) is AgentState.ON_CALL
    assert desk.lines.hung_up == []
    desk.roster.know(an_agent(state=AgentState.WRAP_UP, phone_reachable=False))
    assert await desk.after(0) is AgentState.LOGGED_OUT
