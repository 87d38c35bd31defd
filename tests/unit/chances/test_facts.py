"""What is known of a dial before it is made."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.chances.facts import (
    BUSY,
    NONE,
    PERSON,
    Attempts,
    Facts,
    attempts_of,
    facts_of_attempts,
    facts_of_callees,
    hour_gaps,
    joined,
    local_times,
)
from cti.chances.features import features, matrix
from cti.model.answer_chances import Callee, PastAttempt
from cti.model.calls import Outcome
from tests.unit.chances.people import MONDAY, past

OUTCOMES = [
    Outcome.CONNECTED,
    Outcome.DROPPED,
    Outcome.GONE_EARLY,
    Outcome.MACHINE,
    Outcome.BUSY,
    Outcome.NO_ANSWER,
]
ZONES = ["", "Europe/Berlin", "America/New_York", "Asia/Shanghai"]

tries = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 60 * 24 * 20), st.sampled_from(OUTCOMES)),
    min_size=1,
    max_size=40,
)


def listed(some: list[tuple[int, int, Outcome]]) -> list[PastAttempt]:
    """No two at one contact in one minute; each contact has his zone."""
    told = {(contact, minute): outcome for contact, minute, outcome in some}
    return [
        past(number, contact, MONDAY + timedelta(minutes=minute), outcome, zone=ZONES[contact - 1])
        for number, ((contact, minute), outcome) in enumerate(told.items())
    ]


def test_hours_and_weekdays_are_the_contact_s_own() -> None:
    at = datetime(2026, 6, 1, 2, 30, tzinfo=UTC).timestamp()
    hours, weekdays = local_times(np.full(4, at), ["Asia/Shanghai", "America/New_York", "", "No/Where"])
    assert hours.tolist() == [10.5, 22.5, 2.5, 2.5]
    assert weekdays.tolist() == [0, 6, 0, 0]


def test_summer_time_is_kept() -> None:
    before, after = (datetime(2026, 3, 29, hour, tzinfo=UTC).timestamp() for hour in (0, 1))
    hours, _ = local_times(np.array([before, after]), ["Europe/Berlin"] * 2)
    assert hours.tolist() == [1.0, 3.0]


def test_times_of_day_are_apart_the_short_way_round() -> None:
    assert hour_gaps(np.array([23.0, 9.0]), np.array([1.0, 21.0])).tolist() == [2.0, 12.0]


def test_only_what_came_before_is_known() -> None:
    attempts = attempts_of(
        [
            past(1, 7, MONDAY + timedelta(hours=9), Outcome.BUSY),
            past(2, 7, MONDAY + timedelta(hours=11), Outcome.CONNECTED),
            past(3, 7, MONDAY + timedelta(hours=33), Outcome.NO_ANSWER),
            past(4, 8, MONDAY + timedelta(hours=10), Outcome.NO_ANSWER),
        ]
    )
    facts = facts_of_attempts(attempts)
    assert facts.tries.tolist() == [0, 1, 2, 0]
    assert facts.answered.tolist() == [0, 0, 1, 0]
    assert facts.last.tolist() == [NONE, BUSY, PERSON, NONE]
    assert facts.before_last.tolist() == [NONE, NONE, BUSY, NONE]
    assert facts.hours_since.tolist() == pytest.approx([np.nan, 2.0, 22.0, np.nan], nan_ok=True)
    assert facts.tries_here.tolist() == [0, 0, 1, 0]
    assert facts.answered_here.tolist() == [0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(some=tries)
def test_a_candidate_is_seen_as_his_attempt_will_be_seen_later(some: list[tuple[int, int, Outcome]]) -> None:
    """What a model is asked about must mean what it was fitted on."""
    told = listed(some)
    attempts = attempts_of(told)
    learned = facts_of_attempts(attempts)
    for place in range(len(attempts)):
        at, contact = float(attempts.at[place]), int(attempts.contact[place])
        earlier = attempts_of([one for one in told if one.placed_at.timestamp() < at])
        asked = facts_of_callees([contact], [Callee("mobile", ZONES[contact - 1])], earlier, at)
        for one in fields(Facts):
            now, then = getattr(asked, one.name)[0], getattr(learned, one.name)[place]
            assert now == pytest.approx(then, nan_ok=True), one.name


@settings(max_examples=30, deadline=None)
@given(some=tries, cut=st.integers(0, 40))
def test_pages_joined_are_the_whole(some: list[tuple[int, int, Outcome]], cut: int) -> None:
    told = listed(some)
    whole, parts = attempts_of(told), joined([attempts_of(told[:cut]), attempts_of(told[cut:])])
    for one in fields(Attempts):
        assert getattr(parts, one.name).tolist() == getattr(whole, one.name).tolist()


@settings(max_examples=30, deadline=None)
@given(some=tries)
def test_features_are_numbers_whatever_happened(some: list[tuple[int, int, Outcome]]) -> None:
    names, values = matrix(facts_of_attempts(attempts_of(listed(some))))
    assert values.shape[1] == len(names)
    assert np.isfinite(values).all()


def test_a_number_s_kind_is_known_to_the_features() -> None:
    kinds = ["mobile", "fixed_line", "voip", ""]
    told = [past(n, n, MONDAY, kind=kind) for n, kind in enumerate(kinds)]
    made = features(facts_of_attempts(attempts_of(told)))
    assert made["mobile"].tolist() == [1, 0, 0, 0]
    assert made["fixed"].tolist() == [0, 1, 0, 0]
