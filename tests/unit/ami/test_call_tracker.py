"""Calls, legs and phones, moved by signals in order, out of order, and when none comes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.ami.call_state import NEXT
from cti.ami.call_tracker import CallTracker
from cti.ami.ports import ChannelFacts
from cti.ami.signals import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    ContactSeen,
    Created,
    GraceOver,
    HangUpAsked,
    HungUp,
    MessagePlayed,
    OriginateFailed,
    Ringing,
    Signal,
    Waiting,
)
from cti.model.calls import Call, CallState, EndedBy, EndReason, Outcome
from cti.model.events import CallMoved, LegGone, LegUp, PhoneMoved
from cti.model.stories import Stay, Story
from tests.builders import NOW, a_call, later

LEG = "waihu-a-7-0a"
LEG_NAME = "PJSIP/a007-01"


class Tracked:
    """One call on one node, and everything that was told."""

    def __init__(self, **given: Any) -> None:
        self.tracker = CallTracker()
        self.call = a_call(ring_seconds=20.0, grace_seconds=2.0, **given)
        self.told: list[object] = list(self.tracker.place(self.call))
        self.id = self.call.channel_id

    def hear(self, *signals: Signal) -> Call:
        for signal in signals:
            self.told.extend(self.tracker.apply(signal, "pbx"))
        return self.now()

    def now(self) -> Call:
        return [event.call for event in self.told if isinstance(event, CallMoved)][-1]

    def created(self, at: float = 0.1) -> Created:
        return Created(channel_id=self.id, at=later(at), channel="PJSIP/carrier-01")

    def ringing(self, at: float = 1.0) -> Ringing:
        return Ringing(channel_id=self.id, at=later(at))

    def answered(self, at: float = 5.0) -> Answered:
        return Answered(channel_id=self.id, at=later(at))

    def waiting(self, at: float = 5.1) -> Waiting:
        return Waiting(channel_id=self.id, at=later(at))

    def hung_up(self, at: float, cause: int | None = 16, **more: Any) -> HungUp:
        return HungUp(channel_id=self.id, at=later(at), cause=cause, **more)

    def bridged(self, at: float = 5.2, leg: str = LEG, bridge: str = "b1") -> list[Signal]:
        return [
            BridgeEntered(channel_id=self.id, at=later(at), channel="PJSIP/carrier-01", bridge_id=bridge),
            BridgeEntered(channel_id=leg, at=later(at), channel=LEG_NAME, bridge_id=bridge),
        ]

    def asked(self, at: float, channel_id: str | None = None, *, far_end: bool = True) -> HangUpAsked:
        return HangUpAsked(channel_id=channel_id or self.id, at=later(at), far_end=far_end)

    def up_to_answer(self) -> Call:
        return self.hear(self.created(), self.ringing(), self.answered(), self.waiting())


@pytest.fixture
def tracked() -> Tracked:
    return Tracked()


def test_a_call_goes_from_the_order_to_the_talk_to_the_end(tracked: Tracked) -> None:
    call = tracked.hear(
        tracked.created(),
        tracked.ringing(),
        tracked.answered(),
        tracked.waiting(),
        *tracked.bridged(),
        tracked.asked(15),
        tracked.hung_up(15, cause_text="Normal Clearing"),
    )
    states = [event.call.state for event in tracked.told if isinstance(event, CallMoved)]
    assert list(dict.fromkeys(states)) == list(CallState)
    assert (call.dialing_at, call.ringing_at, call.answered_at) == (later(0.1), later(1), later(5))
    assert (call.waiting_at, call.connected_at, call.ended_at) == (later(5.1), later(5.2), later(15))
    [join] = call.joins
    assert (join.agent_id, join.channel_id, join.joined_at, join.left_at) == (7, LEG, later(5.2), later(15))
    assert (call.agent_id, call.channel) == (7, "PJSIP/carrier-01")
    assert (call.outcome, call.end_reason, call.ended_by) == (
        Outcome.CONNECTED,
        EndReason.HUNG_UP,
        EndedBy.CUSTOMER,
    )
    assert (call.cause, call.cause_text) == (16, "Normal Clearing")
    assert tracked.tracker.open_calls() == []


def test_a_record_that_was_chosen_stays_with_the_call_to_its_end(tracked: Tracked) -> None:
    tracked.up_to_answer()
    (moved,) = tracked.tracker.linked(tracked.call.id, "odoo/lead:7", later(6))
    assert (moved.before, moved.call.state, moved.at) == (CallState.ANSWERED, CallState.ANSWERED, later(6))
    assert tracked.hear(tracked.hung_up(9)).crm_ref == moved.call.crm_ref == "odoo/lead:7"
    assert tracked.tracker.linked(tracked.call.id, "odoo/lead:8", later(10)) == ()


def test_the_same_word_again_is_no_news(tracked: Tracked) -> None:
    tracked.up_to_answer()
    before = len(tracked.told)
    tracked.hear(tracked.ringing(6), tracked.answered(6), tracked.waiting(6), tracked.created(6))
    assert len(tracked.told) == before


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (17, Outcome.BUSY),
        (18, Outcome.NO_ANSWER),
        (19, Outcome.NO_ANSWER),
        (20, Outcome.NO_ANSWER),
        (1, Outcome.FAILED),
        (21, Outcome.FAILED),
        (34, Outcome.FAILED),
        (0, Outcome.FAILED),
        (16, Outcome.FAILED),
        (None, Outcome.FAILED),
    ],
)
def test_without_an_answer_the_cause_says_the_outcome(
    tracked: Tracked, cause: int | None, outcome: Outcome
) -> None:
    call = tracked.hear(tracked.created(), tracked.ringing(), tracked.hung_up(3, cause, sip_code=486))
    assert (call.outcome, call.end_reason, call.ended_by, call.sip_code) == (
        outcome,
        EndReason.HUNG_UP,
        None,
        486,
    )


@pytest.mark.parametrize("cause", [0, 16, 19], ids=["older versions", "other versions", "since late 2025"])
@pytest.mark.parametrize("response", ["before", "after", "never"])
def test_our_own_ring_timeout_is_known_whatever_the_version_says(
    tracked: Tracked, cause: int, response: str
) -> None:
    failed = OriginateFailed(channel_id=tracked.id, at=later(20.1), reason=3)
    signals: dict[str, list[Signal]] = {
        "before": [failed, tracked.hung_up(20.2, cause)],
        "after": [tracked.hung_up(20.1, cause), failed],
        "never": [tracked.hung_up(20.1, cause)],
    }
    call = tracked.hear(tracked.created(), tracked.ringing(), *signals[response])
    assert (call.outcome, call.end_reason) == (Outcome.NO_ANSWER, EndReason.RING_TIMEOUT)


def test_busy_at_the_very_end_of_the_ringing_is_busy(tracked: Tracked) -> None:
    call = tracked.hear(tracked.created(), tracked.hung_up(20.2, 17))
    assert (call.outcome, call.end_reason) == (Outcome.BUSY, EndReason.HUNG_UP)


def test_a_refusal_of_the_network_is_no_timeout_of_ours(tracked: Tracked) -> None:
    call = tracked.hear(
        tracked.created(),
        OriginateFailed(channel_id=tracked.id, at=later(3), reason=0),
        tracked.hung_up(3, 19, sip_code=480),
    )
    assert (call.outcome, call.end_reason) == (Outcome.NO_ANSWER, EndReason.HUNG_UP)


def test_a_failed_order_without_a_channel_ends_after_a_short_wait(tracked: Tracked) -> None:
    tracked.hear(OriginateFailed(channel_id=tracked.id, at=later(0.1), reason=0))
    assert tracked.tracker.give_up(later(1), "pbx") == ()
    assert tracked.tracker.give_up(later(2.9), "pbx") == ()
    assert tracked.tracker.give_up(later(3), "another node") == ()
    [moved] = tracked.tracker.give_up(later(3), "pbx")
    assert isinstance(moved, CallMoved)
    assert (moved.call.outcome, moved.call.end_reason) == (Outcome.FAILED, EndReason.REFUSED)
    assert moved.call.cause_text == "Asterisk could not make a channel"
    assert tracked.tracker.get(tracked.call.id) is None


def test_a_timeout_whose_hang_up_does_not_come_is_still_a_timeout(tracked: Tracked) -> None:
    tracked.hear(tracked.created(), OriginateFailed(channel_id=tracked.id, at=later(20), reason=3))
    tracked.tracker.give_up(later(20.5), "pbx")
    [moved] = tracked.tracker.give_up(later(23), "pbx")
    assert isinstance(moved, CallMoved)
    assert (moved.call.outcome, moved.call.end_reason) == (Outcome.NO_ANSWER, EndReason.RING_TIMEOUT)


def test_whom_nobody_fetched_is_dropped_by_the_service(tracked: Tracked) -> None:
    tracked.up_to_answer()
    call = tracked.hear(
        GraceOver(channel_id=tracked.id, at=later(7.1)),
        MessagePlayed(channel_id=tracked.id, at=later(12)),
        tracked.asked(12.1, far_end=False),
        tracked.hung_up(12.1),
    )
    assert (call.outcome, call.ended_by) == (Outcome.DROPPED, EndedBy.SERVICE)
    assert (call.dropped_at, call.message_played_at) == (later(7.1), later(12))


def test_who_hangs_up_in_the_message_is_dropped_all_the_same(tracked: Tracked) -> None:
    tracked.up_to_answer()
    call = tracked.hear(GraceOver(channel_id=tracked.id, at=later(7.1)), tracked.asked(8), tracked.hung_up(8))
    assert (call.outcome, call.ended_by) == (Outcome.DROPPED, EndedBy.CUSTOMER)


def test_who_hangs_up_within_the_grace_is_gone_early(tracked: Tracked) -> None:
    tracked.up_to_answer()
    call = tracked.hear(tracked.asked(7), tracked.hung_up(7))
    assert (call.outcome, call.ended_by) == (Outcome.GONE_EARLY, EndedBy.CUSTOMER)


def test_who_was_marked_as_fetched_and_never_joined_is_dropped(tracked: Tracked) -> None:
    """The dialplan hangs up without the message and without a word: the grace is over all the same."""
    tracked.up_to_answer()
    call = tracked.hear(tracked.hung_up(8.2))
    assert (call.outcome, call.dropped_at) == (Outcome.DROPPED, None)


def test_who_is_fetched_out_of_the_message_is_connected(tracked: Tracked) -> None:
    tracked.up_to_answer()
    call = tracked.hear(
        GraceOver(channel_id=tracked.id, at=later(7.1)), *tracked.bridged(7.2), tracked.hung_up(9)
    )
    assert call.outcome is Outcome.CONNECTED


def test_a_customer_whose_agent_dies_was_ended_by_the_agent(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    call = tracked.hear(
        tracked.asked(9, LEG),
        BridgeLeft(channel_id=LEG, at=later(9), bridge_id="b1"),
        HungUp(channel_id=LEG, at=later(9.001), cause=44),
    )
    assert (call.state, call.joined) == (CallState.CONNECTED, None)
    call = tracked.hear(tracked.asked(10, far_end=False), tracked.hung_up(10))
    assert (call.ended_by, call.joins[0].left_at) == (EndedBy.AGENT, later(9))


def test_our_own_hang_up_in_a_talk_is_the_agents(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    tracked.tracker.hang_up_asked(tracked.id)
    call = tracked.hear(tracked.asked(9, far_end=False), tracked.hung_up(9))
    assert call.ended_by is EndedBy.AGENT


def test_our_own_hang_up_of_somebody_who_waits_is_the_services(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.tracker.hang_up_asked(tracked.id)
    assert tracked.hear(tracked.hung_up(6)).ended_by is EndedBy.SERVICE


def test_another_programs_hang_up_in_a_talk_is_nobodys(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    assert tracked.hear(tracked.asked(9, far_end=False), tracked.hung_up(9)).ended_by is EndedBy.UNKNOWN


def test_a_phone_that_fell_silent_is_the_customers_end(tracked: Tracked) -> None:
    tracked.up_to_answer()
    assert tracked.hear(tracked.asked(6, far_end=False), tracked.hung_up(6, 44)).ended_by is EndedBy.CUSTOMER


def test_a_second_agent_is_a_second_stay_of_one_call(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    tracked.hear(BridgeLeft(channel_id=tracked.id, at=later(8), bridge_id="b1"))
    call = tracked.hear(*tracked.bridged(9, "waihu-a-8-0b", "b2"), tracked.hung_up(12))
    stays = [(join.agent_id, join.joined_at, join.left_at) for join in call.joins]
    assert stays == [(7, later(5.2), later(8)), (8, later(9), later(12))]
    assert (call.agent_id, call.connected_at) == (7, later(5.2))


def test_a_bridge_that_is_left_late_ends_no_stay_in_the_next_one(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    tracked.hear(*tracked.bridged(9, "waihu-a-8-0b", "b2"))
    call = tracked.hear(BridgeLeft(channel_id=tracked.id, at=later(9.1), bridge_id="b1"))
    assert [(join.agent_id, join.left_at) for join in call.joins] == [(7, later(9)), (8, None)]


def test_a_third_one_in_the_bridge_takes_nobodys_place(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    third = BridgeEntered(channel_id="waihu-a-9-0c", at=later(8), channel="x", bridge_id="b1")
    call = tracked.hear(third, BridgeLeft(channel_id="waihu-a-9-0c", at=later(9), bridge_id="b1"))
    assert [(join.agent_id, join.left_at) for join in call.joins] == [(7, None)]


def test_somebody_else_in_the_bridge_is_a_stay_without_an_agent(tracked: Tracked) -> None:
    tracked.up_to_answer()
    call = tracked.hear(*tracked.bridged(leg="1795449632.4"))
    assert call.joined is not None
    assert (call.joined.agent_id, call.joined.channel_id) == (None, "1795449632.4")


def test_clocks_that_differ_make_no_time_run_backwards(tracked: Tracked) -> None:
    call = tracked.hear(tracked.created(-3), tracked.ringing(-2), tracked.answered(1), tracked.hung_up(0.5))
    assert call.dialing_at == call.ringing_at == call.placed_at
    assert call.ended_at == call.answered_at == later(1)


def test_an_order_that_was_refused_or_never_left_ends_at_once() -> None:
    refused, unsent = Tracked(), Tracked()
    [one] = refused.tracker.refused(refused.call.id, "Permission denied", later(0.1))
    [two] = unsent.tracker.not_sent(unsent.call.id, later(0.1))
    assert (one.call.outcome, one.call.end_reason, one.call.cause_text) == (
        Outcome.FAILED,
        EndReason.REFUSED,
        "Permission denied",
    )
    assert (two.call.outcome, two.call.end_reason) == (Outcome.FAILED, EndReason.NOT_SENT)
    assert refused.tracker.refused(refused.call.id, "again", later(1)) == ()


def test_a_call_is_overdue_when_its_state_has_lasted_too_long(tracked: Tracked) -> None:
    assert tracked.tracker.overdue(later(29.9), "pbx") == []
    assert tracked.tracker.overdue(later(30), "pbx") == [tracked.call]
    assert tracked.tracker.overdue(later(30), "another") == []
    tracked.hear(tracked.created(29))
    assert tracked.tracker.overdue(later(30), "pbx") == []


def facts(call: Call, **given: Any) -> ChannelFacts:
    values: dict[str, Any] = {
        "up": False,
        "ringing": False,
        "bridge_id": None,
        "at": later(60),
        "channel": "C",
    }
    return ChannelFacts(channel_id=call.channel_id, **values | given)


def story(call: Call, **given: Any) -> Story:
    values: dict[str, Any] = {"started_at": later(0.1), "last_at": later(30)}
    return Story(node="pbx", channel_id=call.channel_id, **values | given)


def settle(tracked: Tracked, told: Story | None, *, restarted: bool = False) -> Call:
    [moved] = tracked.tracker.settle(tracked.call.id, told, restarted=restarted, now=later(60))
    return moved.call


def test_a_call_that_ended_unheard_is_told_by_the_nodes_records(tracked: Tracked) -> None:
    tracked.hear(tracked.created(), Created(channel_id=LEG, at=later(0), channel=LEG_NAME))
    stay = Stay(peer=LEG_NAME, entered_at=later(6), left_at=later(20))
    call = settle(
        tracked, story(tracked.call, answered_at=later(5), stays=(stay,), ended_at=later(20.1), cause=16)
    )
    assert (call.answered_at, call.connected_at, call.ended_at) == (later(5), later(6), later(20.1))
    assert (call.outcome, call.end_reason, call.cause) == (Outcome.CONNECTED, EndReason.HUNG_UP, 16)
    assert (call.joins[0].agent_id, call.joins[0].channel_id, call.agent_id) == (7, LEG, 7)


@pytest.mark.parametrize(
    ("far_end", "talked", "by"),
    [
        pytest.param(True, True, EndedBy.CUSTOMER, id="the customer ends the talk"),
        pytest.param(False, True, EndedBy.UNKNOWN, id="somebody else ends the talk"),
        pytest.param(True, False, EndedBy.CUSTOMER, id="the customer leaves the message"),
        pytest.param(False, False, EndedBy.SERVICE, id="the message comes to its end"),
    ],
)
def test_the_records_tell_who_hung_up(tracked: Tracked, far_end: bool, talked: bool, by: EndedBy) -> None:
    stays = (Stay(peer=LEG_NAME, entered_at=later(6), left_at=later(20)),) if talked else ()
    over = story(
        tracked.call, answered_at=later(5), stays=stays, ended_at=later(20), cause=16, far_end=far_end
    )
    assert settle(tracked, over).ended_by is by


def test_the_records_tell_who_was_dropped_and_who_was_busy() -> None:
    dropped, busy = Tracked(), Tracked()
    over = story(dropped.call, answered_at=later(5), dropped_at=later(7), ended_at=later(9), cause=16)
    assert settle(dropped, over).outcome is Outcome.DROPPED
    assert settle(busy, story(busy.call, ended_at=later(9), cause=17)).outcome is Outcome.BUSY


def test_an_asterisk_that_died_ends_its_calls_at_their_last_sign_of_life() -> None:
    unanswered, talking = Tracked(), Tracked()
    unanswered.hear(unanswered.created())
    talking.up_to_answer()
    talking.hear(*talking.bridged())
    one = settle(unanswered, story(unanswered.call), restarted=True)
    two = settle(talking, story(talking.call, answered_at=later(5)), restarted=True)
    assert (one.outcome, one.end_reason, one.ended_at) == (Outcome.FAILED, EndReason.NODE_LOST, later(30))
    assert (two.outcome, two.end_reason, two.ended_at) == (Outcome.CONNECTED, EndReason.NODE_LOST, later(30))
    assert two.joins[0].left_at == later(30)


@pytest.mark.parametrize(
    ("reached", "restarted", "outcome", "reason"),
    [
        ("placed", False, Outcome.FAILED, EndReason.NO_TRACE),
        ("ringing", False, Outcome.LOST, EndReason.NO_TRACE),
        ("ringing", True, Outcome.FAILED, EndReason.NODE_LOST),
        ("answered", False, Outcome.DROPPED, EndReason.NO_TRACE),
        ("talking", False, Outcome.CONNECTED, EndReason.NO_TRACE),
        ("talking", True, Outcome.CONNECTED, EndReason.NODE_LOST),
    ],
)
def test_without_records_a_call_is_judged_by_how_far_it_had_come(
    tracked: Tracked, reached: str, restarted: bool, outcome: Outcome, reason: EndReason
) -> None:
    if reached == "ringing":
        tracked.hear(tracked.created(), tracked.ringing())
    elif reached != "placed":
        tracked.up_to_answer()
    if reached == "talking":
        tracked.hear(*tracked.bridged())
    call = settle(tracked, None, restarted=restarted)
    assert (call.outcome, call.end_reason, call.ended_at) == (outcome, reason, later(60))


def test_a_living_channel_brings_its_call_up_to_date(tracked: Tracked) -> None:
    [moved] = tracked.tracker.adopt(tracked.call.id, facts(tracked.call, ringing=True), None, None)
    assert moved.call.state is CallState.RINGING
    [moved] = tracked.tracker.adopt(tracked.call.id, facts(tracked.call, up=True), LEG, None)
    assert (moved.call.state, moved.call.agent_id) == (CallState.CONNECTED, 7)
    assert tracked.tracker.adopt(tracked.call.id, facts(tracked.call, up=True), LEG, None) == ()


def test_adopting_takes_the_times_of_the_records_and_takes_nothing_back(tracked: Tracked) -> None:
    tracked.up_to_answer()
    told = story(tracked.call, answered_at=later(5.05), stays=(Stay(peer=LEG_NAME, entered_at=later(6)),))
    [moved] = tracked.tracker.adopt(tracked.call.id, facts(tracked.call, up=True), LEG, told)
    assert (moved.call.answered_at, moved.call.connected_at) == (later(5), later(6))
    assert moved.call.joined is not None
    assert (moved.call.joined.agent_id, moved.call.joined.joined_at) == (7, later(6))


def test_a_talk_that_ended_unheard_is_over_when_the_customer_is_found_alone(tracked: Tracked) -> None:
    tracked.up_to_answer()
    tracked.hear(*tracked.bridged())
    [moved] = tracked.tracker.adopt(tracked.call.id, facts(tracked.call, up=True), None, None)
    assert (moved.call.state, moved.call.joined) == (CallState.CONNECTED, None)


def test_a_leg_is_up_once_and_gone_once() -> None:
    tracker = CallTracker()
    told: list[object] = []
    signals: list[Signal] = [
        Created(channel_id=LEG, at=NOW, channel=LEG_NAME),
        Answered(channel_id=LEG, at=later(1)),
        Answered(channel_id=LEG, at=later(1)),
        HungUp(channel_id=LEG, at=later(9), cause=16, cause_text="Normal Clearing"),
        HungUp(channel_id=LEG, at=later(9), cause=16),
        OriginateFailed(channel_id=LEG, at=later(9), reason=0),
        Answered(channel_id=LEG, at=later(10)),
    ]
    for signal in signals:
        told.extend(tracker.apply(signal, "pbx"))
    assert told == [
        LegUp(channel_id=LEG, channel=LEG_NAME, node="pbx", at=later(1)),
        LegGone(channel_id=LEG, node="pbx", cause=16, cause_text="Normal Clearing", at=later(9)),
    ]


def test_a_phone_that_cannot_be_called_is_a_leg_that_is_gone() -> None:
    [gone] = CallTracker().apply(OriginateFailed(channel_id=LEG, at=NOW, reason=0), "pbx")
    assert isinstance(gone, LegGone)
    assert gone.cause_text == "the phone cannot be reached"


def test_a_leg_whose_order_failed_and_whose_hang_up_does_not_come_is_gone_after_a_wait() -> None:
    tracker = CallTracker()
    tracker.apply(Created(channel_id=LEG, at=NOW, channel=LEG_NAME), "pbx")
    assert tracker.apply(OriginateFailed(channel_id=LEG, at=NOW, reason=3), "pbx") == ()
    assert tracker.give_up(later(1), "pbx") == ()
    assert [type(event) for event in tracker.give_up(later(3), "pbx")] == [LegGone]


def test_a_phone_is_there_as_long_as_one_of_its_registrations_is() -> None:
    tracker = CallTracker()
    told: list[object] = []
    for uri, reachable in [("sip:old", True), ("sip:new", True), ("sip:old", False), ("sip:new", False)]:
        told.extend(tracker.apply(ContactSeen(endpoint="a1", uri=uri, reachable=reachable, at=NOW), "pbx"))
    assert told == [
        PhoneMoved(node="pbx", endpoint="a1", reachable=True, at=NOW),
        PhoneMoved(node="pbx", endpoint="a1", reachable=False, at=NOW),
    ]


def test_the_table_lets_every_live_state_end_and_none_go_back() -> None:
    order = list(CallState)
    for state, ways in NEXT.items():
        assert (HungUp in ways) is (state is not CallState.ENDED)
        assert all(order.index(after) > order.index(state) for after in ways.values())


MOMENTS = st.floats(min_value=-5, max_value=60).map(lambda seconds: NOW + timedelta(seconds=seconds))
CALL = a_call(id="00" * 16, ring_seconds=20.0)
CHANNELS = st.sampled_from([CALL.channel_id, LEG, "waihu-a-8-0b", "17.4", "waihu-c-unknown"])
BRIDGES = st.sampled_from(["b1", "b2"])


def _signals() -> st.SearchStrategy[Signal]:
    plain = [Ringing, Answered, Waiting, GraceOver, MessagePlayed]
    return st.one_of(
        *(st.builds(kind, channel_id=CHANNELS, at=MOMENTS) for kind in plain),
        st.builds(Created, channel_id=CHANNELS, at=MOMENTS, channel=st.just("PJSIP/x-1")),
        st.builds(HangUpAsked, channel_id=CHANNELS, at=MOMENTS, far_end=st.booleans()),
        st.builds(HungUp, channel_id=CHANNELS, at=MOMENTS, cause=st.sampled_from([None, 0, 16, 17, 19, 44])),
        st.builds(OriginateFailed, channel_id=CHANNELS, at=MOMENTS, reason=st.sampled_from([None, 0, 3])),
        st.builds(BridgeEntered, channel_id=CHANNELS, at=MOMENTS, channel=st.just("x"), bridge_id=BRIDGES),
        st.builds(BridgeLeft, channel_id=CHANNELS, at=MOMENTS, bridge_id=BRIDGES),
    )


@settings(max_examples=400)
@given(st.lists(_signals(), max_size=25), st.booleans())
def test_signals_in_any_order_never_raise_and_an_end_is_final(signals: list[Signal], give_up: bool) -> None:
    tracker = CallTracker()
    told: list[object] = list(tracker.place(CALL))
    for signal in signals:
        told.extend(tracker.apply(signal, "pbx"))
        if give_up:
            told.extend(tracker.give_up(signal.at, "pbx"))
    told.extend(tracker.settle(CALL.id, None, restarted=False, now=later(100)))
    calls = [event.call for event in told if isinstance(event, CallMoved)]
    assert [call.ended for call in calls].count(True) == 1
    assert calls[-1].ended
    assert calls[-1].outcome is not None
    assert (calls[-1].ended_by is None) is (calls[-1].answered_at is None)
    order = list(CallState)
    places = [order.index(call.state) for call in calls]
    assert places == sorted(places)
    for call in calls:
        assert_times_run_forward(call)


def assert_times_run_forward(call: Call) -> None:
    course: list[datetime | None] = [
        call.placed_at,
        call.dialing_at,
        call.ringing_at,
        call.answered_at,
        call.connected_at,
        call.ended_at,
    ]
    known = [moment for moment in course if moment is not None]
    assert known == sorted(known)
    for join in call.joins:
        assert join.left_at is None or join.left_at >= join.joined_at
    assert not (call.ended and call.joined)


@pytest.mark.parametrize(
    ("far_end", "cause", "by_node"),
    [
        pytest.param(False, 16, True, id="Asterisk stops"),
        pytest.param(True, 16, False, id="the phone hangs up"),
        pytest.param(False, 44, False, id="the phone fell silent"),
    ],
)
def test_a_leg_that_the_node_ended_is_told_from_one_that_the_phone_ended(
    tracked: Tracked, far_end: bool, cause: int, by_node: bool
) -> None:
    tracked.tracker.apply(Created(channel_id=LEG, at=later(0), channel=LEG_NAME), "pbx")
    tracked.tracker.apply(tracked.asked(9, LEG, far_end=far_end), "pbx")
    [gone] = tracked.tracker.apply(HungUp(channel_id=LEG, at=later(9), cause=cause), "pbx")
    assert isinstance(gone, LegGone)
    assert gone.by_node is by_node
