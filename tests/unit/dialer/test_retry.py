"""When a contact is tried again, and when not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.ranking import TRY
from cti.dialer.retry import CALLBACK_RAISE, LONGEST, RetryPlan, after_attempt, done_after_one
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.campaign_rules import CampaignRules, Order, OrderRules, RetryRule, RetryRules
from cti.model.contacts import EntryState
from cti.model.standing import CallbackEnd, EntryAfter, EntryFacts
from cti.model.verdicts import SkipReason
from tests.builders import a_call, later


def facts(outcome: Outcome = Outcome.BUSY, **given: Any) -> EntryFacts:
    call = a_call(state=CallState.ENDED, ended_at=later(30), outcome=outcome, end_reason=EndReason.HUNG_UP)
    return EntryFacts(**{"entry_id": 1, "campaign_id": 1, "call": call} | given)


RULES = RetryRules(
    by_outcome={
        "busy": RetryRule(after_seconds=300, times=2, priority=1),
        "no_answer": RetryRule(after_seconds=3600, growth=2, times=5, next_number=True, priority=-1),
    },
    by_disposition={"later": RetryRule(after_seconds=86400, times=1), "no": RetryRule(times=0)},
    max_attempts=4,
)


def test_without_rules_a_contact_is_done_after_one_attempt() -> None:
    assert done_after_one(facts()) == EntryAfter(
        state=EntryState.DONE, reason=SkipReason.NO_RULE, detail="busy: no retry rule follows it"
    )
    assert done_after_one(facts(Outcome.CONNECTED)).reason is SkipReason.REACHED


def test_a_rule_says_when_with_which_priority_and_why() -> None:
    assert after_attempt(RULES, facts()) == EntryAfter(
        state=EntryState.WAITING,
        due_at=later(330),
        raised=1,
        reason=SkipReason.RETRY_LATER,
        detail="busy: 1 of 2 retries (retry.by_outcome.busy)",
    )


@pytest.mark.parametrize(
    ("changes", "state", "detail"),
    [
        pytest.param({"same_outcome": 2, "tries": 3}, EntryState.WAITING, "2 of 2", id="the last time"),
        pytest.param(
            {"same_outcome": 3, "tries": 3},
            EntryState.DONE,
            "busy 3 times (retry.by_outcome.busy.times: 2)",
            id="once too often",
        ),
        pytest.param(
            {"tries": 4}, EntryState.DONE, "4 of 4 attempts (retry.max_attempts)", id="attempts are used up"
        ),
        pytest.param({"tries": 9}, EntryState.DONE, "9 of 4", id="the limit was lowered meanwhile"),
    ],
)
def test_it_is_tried_so_often_and_then_given_up(
    changes: dict[str, int], state: EntryState, detail: str
) -> None:
    after = after_attempt(RULES, facts(**changes))

    assert after.state is state
    assert detail in after.detail
    assert after.reason is (SkipReason.RETRY_LATER if state is EntryState.WAITING else SkipReason.GIVEN_UP)


@pytest.mark.parametrize(("times", "seconds"), [(1, 3600), (2, 7200), (3, 14400)])
def test_a_wait_grows_each_further_time(times: int, seconds: int) -> None:
    after = after_attempt(RULES, facts(Outcome.NO_ANSWER, same_outcome=times))

    assert after.due_at == later(30 + seconds)


def test_no_wait_grows_beyond_a_year() -> None:
    rules = RetryRules(by_outcome={"busy": RetryRule(growth=100, times=10_000)}, max_attempts=99_999)

    after = after_attempt(rules, facts(same_outcome=9999))

    assert after.due_at == later(30) + LONGEST


@pytest.mark.parametrize(
    ("position", "numbers", "next_one"), [(0, 3, 1), (2, 3, 0), (0, 1, 0), (5, 2, 0), (0, 0, 0)]
)
def test_a_rule_goes_on_with_the_next_number_and_begins_anew_after_the_last(
    position: int, numbers: int, next_one: int
) -> None:
    asked = facts(Outcome.NO_ANSWER, number_position=position, numbers=numbers)

    assert after_attempt(RULES, asked).number_position == next_one


def test_a_disposition_s_rule_goes_before_the_outcome_s() -> None:
    after = after_attempt(RULES, facts(disposition="later", same_disposition=1, same_outcome=9))
    never = after_attempt(RULES, facts(disposition="no", same_disposition=1))

    assert (after.state, after.due_at) == (EntryState.WAITING, later(30 + 86400))
    assert (never.state, never.reason) == (EntryState.DONE, SkipReason.GIVEN_UP)


def test_a_disposition_without_a_rule_leaves_it_to_the_outcome() -> None:
    assert after_attempt(RULES, facts(disposition="hm")).due_at == later(330)


def test_a_final_disposition_ends_it_whatever_rule_there_is() -> None:
    after = after_attempt(RULES, facts(disposition="later"), finals={"later"})

    assert (after.state, after.reason) == (EntryState.DONE, SkipReason.REACHED)


@pytest.mark.parametrize("rules", [RULES, RetryRules()])
def test_an_order_that_never_left_gives_the_contact_back_uncounted(rules: RetryRules) -> None:
    asked = facts(Outcome.FAILED, raised=7, number_position=2)
    unsent = replace(asked, call=replace(asked.call, end_reason=EndReason.NOT_SENT))

    assert after_attempt(rules, unsent) == EntryAfter(
        state=EntryState.PENDING, raised=7, number_position=2, counted=False
    )


def test_a_callback_that_was_agreed_goes_before_all_rules() -> None:
    after = after_attempt(
        RULES, facts(Outcome.CONNECTED, promised_at=later(9999), disposition="no", tries=4), finals={"no"}
    )

    assert (after.state, after.due_at, after.reason) == (
        EntryState.WAITING,
        later(9999),
        SkipReason.CALLBACK_LATER,
    )
    assert (after.raised, after.callback) == (CALLBACK_RAISE, None)


def test_whoever_was_not_reached_for_his_callback_is_tried_again_beyond_the_limit() -> None:
    after = after_attempt(RULES, facts(Outcome.NO_ANSWER, callback_tries=2, tries=9))

    assert (after.state, after.due_at) == (EntryState.WAITING, later(30 + 900))
    assert (after.raised, after.callback) == (CALLBACK_RAISE, None)
    assert after.detail == "callback, no_answer: 2 of 2 retries (retry.callback)"


def test_a_callback_is_missed_when_its_own_retries_are_used_up() -> None:
    after = after_attempt(RULES, facts(Outcome.NO_ANSWER, callback_tries=3, tries=9))

    assert (after.state, after.callback) == (EntryState.DONE, CallbackEnd.MISSED)


def test_a_callback_is_done_when_somebody_talked_with_him() -> None:
    after = after_attempt(RULES, facts(Outcome.CONNECTED, callback_tries=1))

    assert (after.state, after.callback) == (EntryState.DONE, CallbackEnd.DONE)


def test_a_plan_asks_the_campaign_s_rules_and_finals() -> None:
    rules = {
        1: CampaignRules(retry=RULES),
        2: CampaignRules(retry=RULES, order=OrderRules(callbacks_first=False)),
    }
    plan = RetryPlan(rules.__getitem__, finals=lambda campaign_id: {"sold"} if campaign_id == 1 else ())

    assert plan(facts()).state is EntryState.WAITING
    assert plan(facts(disposition="sold")).state is EntryState.DONE
    assert plan(facts(disposition="sold", campaign_id=2)).state is EntryState.WAITING
    assert plan(facts(campaign_id=2, promised_at=later(99))).raised == 0


A_RULE = st.builds(
    RetryRule,
    after_seconds=st.floats(0, 1e6),
    growth=st.floats(1, 10),
    times=st.integers(0, 5),
    next_number=st.booleans(),
    priority=st.integers(-5, 5),
)


@given(
    rules=st.builds(
        RetryRules,
        by_outcome=st.dictionaries(st.sampled_from([one.value for one in Outcome]), A_RULE),
        by_disposition=st.dictionaries(st.sampled_from(["a", "b"]), A_RULE),
        max_attempts=st.integers(1, 6),
        callback=A_RULE,
    ),
    outcomes=st.lists(st.tuples(st.sampled_from(Outcome), st.sampled_from(["a", "b", None])), max_size=30),
    numbers=st.integers(1, 4),
)
def test_whatever_the_rules_it_is_never_tried_more_often_than_they_allow(
    rules: RetryRules, outcomes: list[tuple[Outcome, str | None]], numbers: int
) -> None:
    """Follow one contact through attempt after attempt until he is given up."""
    tries, position, history = 0, 0, list[tuple[Outcome, str | None]]()
    for outcome, disposition in outcomes:
        tries += 1
        history.append((outcome, disposition))
        after = after_attempt(
            rules,
            facts(
                outcome,
                disposition=disposition,
                tries=tries,
                same_outcome=sum(one is outcome for one, _ in history),
                same_disposition=sum(said == disposition for _, said in history),
                number_position=position,
                numbers=numbers,
            ),
        )
        assert (after.state is EntryState.WAITING) == (after.due_at is not None)
        assert after.reason is not None
        assert 0 <= after.number_position < numbers
        if after.state is EntryState.DONE:
            break
        assert after.due_at is not None
        assert timedelta(0) <= after.due_at - later(30) <= LONGEST
        position = after.number_position
    assert tries <= rules.max_attempts


def test_where_the_fewest_tries_go_first_each_counted_try_moves_a_contact_back() -> None:
    plan = RetryPlan(lambda _: CampaignRules(retry=RULES, order=OrderRules(order=Order.FEWEST_TRIES)))
    unsent = replace(facts(tries=3).call, end_reason=EndReason.NOT_SENT)

    ranks = [plan(facts(tries=tries)).rank for tries in (1, 2)]

    assert ranks == [TRY + 1, 2 * TRY + 1]
    assert plan(replace(facts(tries=3), call=unsent)).rank == 2 * TRY + 1


def test_in_other_orders_a_try_moves_nobody() -> None:
    for order in set(Order) - {Order.FEWEST_TRIES}:
        assert (
            RetryPlan(lambda _, order=order: CampaignRules(order=OrderRules(order=order)))(facts()).rank
            is None
        )
