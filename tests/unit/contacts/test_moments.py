"""Words for times, read in a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.moments import moment_of, span_of
from cti.errors import BadInput

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Berlin


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("words", "begin", "end"),
    [
        ("today", utc(2026, 11, 24, 23), utc(2026, 11, 25, 23)),
        ("yesterday", utc(2026, 11, 23, 23), utc(2026, 11, 24, 23)),
        ("tomorrow", utc(2026, 11, 25, 23), utc(2026, 11, 26, 23)),
        ("this week", utc(2026, 11, 22, 23), utc(2026, 11, 29, 23)),
        ("last week", utc(2026, 11, 15, 23), utc(2026, 11, 22, 23)),
        ("this month", utc(2026, 10, 31, 23), utc(2026, 11, 30, 23)),
        ("last month", utc(2026, 9, 30, 22), utc(2026, 10, 31, 23)),
        ("last 90 minutes", utc(2026, 11, 25, 9, 30), NOON),
        ("next 1 hour", NOON, utc(2026, 11, 25, 12)),
        ("last 7 days", utc(2026, 11, 17, 23), NOON),
        ("next 2 days", NOON, utc(2026, 11, 27, 23)),
        ("last 1 week", utc(2026, 11, 17, 23), NOON),
        ("last 1 month", utc(2026, 10, 24, 22), NOON),
        ("next 3 months", NOON, utc(2027, 2, 25, 23)),
    ],
)
def test_a_span_is_read_in_the_viewer_s_zone(words: str, begin: datetime, end: datetime) -> None:
    assert span_of(words, now=NOON, zone=BERLIN) == (begin, end)


def test_a_month_back_from_its_last_day_is_that_month_s_last_day() -> None:
    begin, _ = span_of("last 1 month", now=utc(2026, 3, 31, 12), zone=ZoneInfo("UTC"))
    assert begin == utc(2026, 2, 28)


def test_a_day_with_a_change_of_clocks_is_as_long_as_it_is() -> None:
    begin, end = span_of("today", now=utc(2026, 10, 25, 12), zone=BERLIN)
    assert (end - begin).total_seconds() == 25 * 3600


def test_a_day_whose_midnight_does_not_exist_begins_after_it() -> None:
    # Santiago: clocks went from 00:00 to 01:00 on 2026-09-06
    begin, _ = span_of("today", now=utc(2026, 9, 6, 15), zone=ZoneInfo("America/Santiago"))
    assert begin == utc(2026, 9, 6, 4)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", NOON),
        ("today", utc(2026, 11, 24, 23)),
        ("2026-11-23", utc(2026, 11, 22, 23)),
        ("2026-11-23T10:00", utc(2026, 11, 23, 9)),
        ("2026-11-23 10:00:30", utc(2026, 11, 23, 9, 0, 30)),
        ("2026-11-23T10:00+08:00", utc(2026, 11, 23, 2)),
        ("2026-11-23T10:00Z", utc(2026, 11, 23, 10)),
    ],
)
def test_a_moment_is_read_in_the_viewer_s_zone_unless_it_names_one(words: str, expected: datetime) -> None:
    assert moment_of(words, now=NOON, zone=BERLIN) == expected


@pytest.mark.parametrize(
    "words", ["", "soon", "2026-02-30", "10:00", "0000-01-01", "2026-11", "2026-W01-1", "last 3 days"]
)
def test_what_is_no_moment_is_refused(words: str) -> None:
    with pytest.raises(BadInput, match="is no time"):
        moment_of(words, now=NOON, zone=BERLIN)


@given(
    st.sampled_from(["last", "next"]),
    st.integers(1, 9999),
    st.sampled_from(["minute", "hour", "day", "week", "month"]),
    st.integers(946_684_800, 4_102_444_800).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/Santiago", "Pacific/Apia"]),
)
def test_a_span_ends_after_it_begins(way: str, count: int, unit: str, now: datetime, zone: str) -> None:
    begin, end = span_of(f"{way} {count} {unit}s", now=now, zone=ZoneInfo(zone))
    assert begin < end
    assert now in (begin, end)
