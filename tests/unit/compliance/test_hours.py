"""Local time: open or not, and when next, also on the days on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cti.compliance.hours import Calendar, Holidays, Span, next_date, next_opening, standing
from tests.builders import NOW

BERLIN = ZoneInfo("Europe/Berlin")


def every_day(*spans: Span) -> Calendar:
    return Calendar(week=(spans,) * 7)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def opening(calendar: Calendar, zone: str, now: datetime) -> datetime | None:
    return next_opening(calendar, ZoneInfo(zone), "", now, now + timedelta(days=30))


def test_an_open_hour_is_open_at_once() -> None:
    assert opening(every_day(Span(480, 1260)), "Europe/Berlin", NOW) == NOW


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(utc(2026, 3, 28, 22, 0), utc(2026, 3, 29, 6, 0), id="the night summer time begins"),
        pytest.param(utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 7, 0), id="the night it ends"),
        pytest.param(utc(2026, 10, 23, 22, 0), utc(2026, 10, 24, 6, 0), id="the night before"),
    ],
)
def test_eight_o_clock_is_eight_o_clock_on_the_wall(now: datetime, expected: datetime) -> None:
    assert opening(every_day(Span(480, 1260)), "Europe/Berlin", now) == expected


def test_an_opening_in_the_hour_that_is_left_out_comes_when_the_clock_jumps() -> None:
    half_past_two = every_day(Span(150, 300))

    assert opening(half_past_two, "Europe/Berlin", utc(2026, 3, 29, 0, 0)) == utc(2026, 3, 29, 1, 0)


def test_a_span_within_the_hour_that_is_left_out_waits_for_the_next_day() -> None:
    assert opening(every_day(Span(125, 170)), "Europe/Berlin", utc(2026, 3, 29, 0, 0)) == utc(
        2026, 3, 30, 0, 5
    )


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    before_three = every_day(Span(120, 165))
    first_end, second_begin = utc(2026, 10, 25, 0, 45), utc(2026, 10, 25, 1, 0)

    assert opening(before_three, "Europe/Berlin", first_end - timedelta(seconds=1)) == first_end - timedelta(
        seconds=1
    )
    assert opening(before_three, "Europe/Berlin", first_end) == second_begin


def test_a_day_without_hours_is_passed_over() -> None:
    weekdays = Calendar(week=((Span(480, 1260),),) * 5 + ((), ()))

    assert opening(weekdays, "Europe/Berlin", utc(2026, 11, 20, 21, 0)) == utc(2026, 11, 23, 7, 0)


def test_holidays_of_the_number_s_country_are_passed_over_with_their_names() -> None:
    calendar = Calendar(week=((Span(480, 1260),),) * 7, holidays=(Holidays(),))
    christmas = utc(2026, 12, 25, 9, 0)

    found = standing(calendar, (BERLIN,), "DE", christmas)

    assert found.holiday == "Christmas Day"
    assert found.until == utc(2026, 12, 27, 7, 0)
    assert standing(calendar, (BERLIN,), "CN", christmas).is_open


def test_a_country_whose_holidays_nobody_knows_has_none() -> None:
    calendar = Calendar(holidays=(Holidays(),))

    assert standing(calendar, (BERLIN,), "ZZ", NOW).is_open


def test_own_dates_are_dates_of_the_zone() -> None:
    calendar = Calendar(dates=frozenset({date(2026, 11, 24)}))

    assert standing(calendar, (BERLIN,), "DE", utc(2026, 11, 23, 22, 59)).is_open
    closed = standing(calendar, (BERLIN,), "DE", utc(2026, 11, 23, 23, 0))
    assert (closed.is_open, closed.until) == (False, utc(2026, 11, 24, 23, 0))


def test_several_zones_are_open_when_all_of_them_are() -> None:
    day = every_day(Span(480, 1260))
    coasts = (ZoneInfo("America/New_York"), ZoneInfo("Pacific/Honolulu"))

    morning = standing(day, coasts, "US", utc(2026, 11, 23, 14, 0))

    assert (morning.is_open, morning.zone) == (False, "Pacific/Honolulu")
    assert morning.until == utc(2026, 11, 23, 18, 0)
    assert standing(day, coasts, "US", utc(2026, 11, 23, 18, 0)).is_open


def test_zones_that_are_never_open_together_say_never() -> None:
    nine_to_ten = every_day(Span(540, 600))
    apart = (ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"))

    assert standing(nine_to_ten, apart, "", NOW).until is None


def test_a_day_that_has_no_midnight_begins_when_the_clock_jumps() -> None:
    beirut = ZoneInfo("Asia/Beirut")  # summer time began at midnight

    assert next_date(beirut, utc(2026, 3, 28, 12, 0)) == utc(2026, 3, 28, 22, 0)


def test_a_longer_day_ends_at_its_midnight() -> None:
    assert next_date(BERLIN, utc(2026, 10, 24, 22, 0)) == utc(2026, 10, 25, 23, 0)


def test_hours_within_hours_are_those_of_both() -> None:
    both = every_day(Span(480, 1260)).within(every_day(Span(0, 540), Span(1200, 1440)))

    assert both.week == ((Span(480, 540), Span(1200, 1260)),) * 7
