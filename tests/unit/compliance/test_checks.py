"""The verdict: reasons, figures, until when, and which reason goes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti.compliance.checks import CHECKS, every_check, verdict
from cti.compliance.facts import Facts, Listed
from cti.compliance.hours import Calendar, Span
from cti.compliance.law import Law, Window
from cti.model.verdicts import ALLOWED, SkipReason
from tests.builders import NOW, a_candidate, later

DAYTIME = Calendar(week=((Span(480, 1260),),) * 7)
NIGHT = datetime(2026, 11, 23, 22, 14, tzinfo=UTC)


def a_law(**given: Any) -> Law:
    return Law(**{"name": "house"} | given)


def test_nobody_is_refused_by_an_empty_law() -> None:
    assert verdict(a_candidate(), Facts(), a_law(), NOW) == ALLOWED


@pytest.mark.parametrize("number", ["+881612345678", "nonsense", "", "+", "+4930 901820", "+0"])
def test_no_text_in_place_of_a_number_raises(number: str) -> None:
    found = verdict(a_candidate(number=number, zone="Mars/Base"), Facts(), a_law(calendar=DAYTIME), NIGHT)

    assert not found.allowed


def test_a_refusal_by_the_hour_says_the_hour_there_and_when_it_opens() -> None:
    found = verdict(a_candidate(), Facts(), a_law(calendar=DAYTIME), NIGHT)

    assert found.reason is SkipReason.OUTSIDE_HOURS
    assert found.detail == "Mon 23:14 in Europe/Berlin, allowed are 08:00-21:00 (house: hours)"
    assert found.until == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def test_the_record_s_zone_goes_before_the_number_s() -> None:
    at_home = Facts(zone="America/Los_Angeles")

    assert verdict(a_candidate(), at_home, a_law(calendar=DAYTIME), NIGHT) == ALLOWED


def test_the_list_s_zone_serves_when_the_record_has_none() -> None:
    candidate = a_candidate(number="+18005551234", zone="America/Los_Angeles")

    assert verdict(candidate, Facts(), a_law(calendar=DAYTIME), NIGHT) == ALLOWED


def test_a_number_of_many_zones_must_be_within_the_hours_of_every_zone_of_its_country() -> None:
    freephone = a_candidate(number="+18005551234")
    afternoon_in_new_york = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)

    assert verdict(freephone, Facts(), a_law(calendar=DAYTIME), afternoon_in_new_york) == ALLOWED
    before = verdict(
        freephone, Facts(), a_law(calendar=DAYTIME), afternoon_in_new_york - timedelta(minutes=1)
    )
    assert (before.reason, before.until) == (SkipReason.OUTSIDE_HOURS, afternoon_in_new_york)


def test_a_law_may_refuse_whose_zone_is_not_known() -> None:
    found = verdict(
        a_candidate(number="+18005551234"), Facts(), a_law(calendar=DAYTIME, unknown_zone="refuse"), NOW
    )

    assert (found.reason, found.until) == (SkipReason.ZONE_UNKNOWN, None)


def test_a_law_may_name_the_zone_to_take() -> None:
    law = a_law(calendar=DAYTIME, unknown_zone="Asia/Shanghai")
    evening_in_shanghai = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

    found = verdict(a_candidate(number="+881612345678"), Facts(), law, evening_in_shanghai)

    assert "22:00 in Asia/Shanghai" in found.detail


def test_the_zone_to_take_is_not_taken_for_a_number_that_lies_elsewhere() -> None:
    law = a_law(calendar=DAYTIME, unknown_zone="Europe/London")
    morning_in_london = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    found = verdict(a_candidate(number="+18005551234"), Facts(), law, morning_in_london)

    assert found.reason is SkipReason.OUTSIDE_HOURS
    assert "in America/" in found.detail


def test_a_number_of_no_country_has_no_zone() -> None:
    found = verdict(a_candidate(number="+881612345678"), Facts(), a_law(calendar=DAYTIME), NOW)

    assert found.reason is SkipReason.ZONE_UNKNOWN


def test_an_entry_of_the_list_refuses_for_good() -> None:
    listed = Facts(listed=(Listed(key="+4930*", where="do-not-call list", reason="asked by letter"),))

    found = verdict(a_candidate(), listed, a_law(), NOW)

    assert (found.reason, found.until) == (SkipReason.DO_NOT_CALL, None)
    assert found.detail == "+4930* stands in the do-not-call list (asked by letter)"


def test_of_entries_that_end_the_last_end_counts() -> None:
    ending = tuple(
        Listed(key="+4930901820", where="do-not-call list", until=later(seconds)) for seconds in (50, 90, 70)
    )

    assert verdict(a_candidate(), Facts(listed=ending), a_law(), NOW).until == later(90)
    assert verdict(a_candidate(), Facts(listed=ending), a_law(), later(90)) == ALLOWED


def test_registers_count_only_where_the_law_says_so() -> None:
    registered = Facts(listed=(Listed(key="+4930901820", where="register tps", is_register=True),))

    assert not verdict(a_candidate(), registered, a_law(), NOW).allowed
    assert verdict(a_candidate(), registered, a_law(registers=False), NOW) == ALLOWED


@pytest.mark.parametrize(
    ("needed", "consent", "allowed"),
    [
        pytest.param(False, None, True, id="not needed, never asked"),
        pytest.param(True, None, False, id="needed, never asked"),
        pytest.param(True, "given", True, id="needed and given"),
        pytest.param(False, "withdrawn", False, id="not needed, but withdrawn"),
        pytest.param(True, "withdrawn", False, id="needed and withdrawn"),
    ],
)
def test_consent(needed: bool, consent: str | None, allowed: bool) -> None:
    found = verdict(a_candidate(), Facts(consent=consent), a_law(consent_needed=needed), NOW)

    assert found.allowed is allowed
    assert allowed or found.reason is SkipReason.NO_CONSENT


def test_attempts_in_all_are_counted_to_their_limit() -> None:
    law = a_law(attempts_total=3)

    assert verdict(a_candidate(), Facts(attempts_total=2), law, NOW) == ALLOWED
    found = verdict(a_candidate(), Facts(attempts_total=3), law, NOW)
    assert found.detail == "3 of 3 attempts in this campaign (house: attempts_total)"
    assert found.until is None


def test_the_day_of_attempts_is_the_contact_s_own() -> None:
    just_before_midnight = datetime(2026, 11, 23, 22, 50, tzinfo=UTC)
    facts = Facts(contact_attempts=(just_before_midnight,))
    law = a_law(attempts_per_day=1)

    found = verdict(a_candidate(), facts, law, just_before_midnight)

    midnight = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert (found.reason, found.until) == (SkipReason.ATTEMPTS_TODAY, midnight)
    assert verdict(a_candidate(), facts, law, midnight) == ALLOWED


def test_a_window_opens_when_the_attempt_that_filled_it_has_left_it() -> None:
    facts = Facts(number_attempts=(later(-100), later(-2000), later(-3000)))
    law = a_law(windows=(Window(1, 60), Window(3, 3600)))

    found = verdict(a_candidate(), facts, law, NOW)

    assert (found.reason, found.until) == (SkipReason.FREQUENCY, later(600))
    assert found.detail == "3 attempts at this number; allowed are 3 in 1 h (house: windows)"
    assert verdict(a_candidate(), facts, law, later(600)) == ALLOWED


def test_of_full_windows_the_last_to_open_counts() -> None:
    facts = Facts(number_attempts=(later(-10), later(-20)))
    law = a_law(windows=(Window(1, 60), Window(2, 3600)))

    assert verdict(a_candidate(), facts, law, NOW).until == later(3580)


def test_who_was_dropped_is_left_alone_for_a_while() -> None:
    facts = Facts(last_drop_at=later(-3600))
    law = a_law(pause_after_drop_seconds=259_200)

    found = verdict(a_candidate(), facts, law, NOW)

    assert (found.reason, found.until) == (SkipReason.AFTER_DROP, later(259_200 - 3600))
    assert "72 h of pause (house: pause_after_drop_seconds)" in found.detail


def test_what_holds_for_good_is_told_before_what_ends() -> None:
    law = a_law(
        calendar=DAYTIME, attempts_total=1, attempts_per_day=1, windows=(Window(1, 60),), consent_needed=True
    )
    facts = Facts(
        stopped_at=NOW,
        listed=(Listed(key="+49*", where="do-not-call list"),),
        attempts_total=1,
        number_attempts=(NIGHT,),
        contact_attempts=(NIGHT,),
    )

    told = [
        verdict(a_candidate(), replace(facts, **better), law, NIGHT).reason
        for better in (
            {},
            {"stopped_at": None},
            {"stopped_at": None, "listed": ()},
            {"stopped_at": None, "listed": (), "consent": "given"},
            {"stopped_at": None, "listed": (), "consent": "given", "attempts_total": 0},
        )
    ]

    assert told == [
        SkipReason.STOPPED,
        SkipReason.DO_NOT_CALL,
        SkipReason.NO_CONSENT,
        SkipReason.ATTEMPTS_TOTAL,
        SkipReason.OUTSIDE_HOURS,
    ]


def test_every_check_is_told_to_whoever_asks_why() -> None:
    law = a_law(calendar=DAYTIME, attempts_per_day=1)

    told = every_check(a_candidate(), Facts(contact_attempts=(NIGHT,)), law, NIGHT)

    assert list(told) == list(CHECKS)
    assert {reason for reason, answer in told.items() if not answer.allowed} == {
        SkipReason.OUTSIDE_HOURS,
        SkipReason.ATTEMPTS_TODAY,
    }
