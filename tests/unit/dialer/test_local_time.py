"""A local time is read as a moment, also on the days on which the clocks are changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.dialer.local_time import moment_in
from cti.errors import BadInput

DAYS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 (times of the day without zone are what is tested)
    datetime(2035, 1, 1),  # noqa: DTZ001
).map(lambda at: at.replace(second=0, microsecond=0))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("time", "zone", "moment"),
    [
        ("2026-12-01T15:30", "Europe/Berlin", "2026-12-01T14:30Z"),
        ("2026-07-01T15:30", "Europe/Berlin", "2026-07-01T13:30Z"),
        ("2026-12-01T08:00", "America/New_York", "2026-12-01T13:00Z"),
        ("2026-12-01T08:00", "Asia/Shanghai", "2026-12-01T00:00Z"),
    ],
)
def test_a_time_is_that_of_its_zone(time: str, zone: str, moment: str) -> None:
    found = moment_in(local(time), zone)

    assert (found.at, found.remark) == (datetime.fromisoformat(moment), "")


def test_a_time_that_spring_leaves_out_is_as_much_later_and_told() -> None:
    found = moment_in(local("2026-03-29T02:30"), "Europe/Berlin")

    assert found.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert found.remark == "02:30 does not exist on that day in Europe/Berlin; 03:30 is taken"


def test_of_a_time_that_comes_twice_in_autumn_the_first_is_taken_and_told() -> None:
    found = moment_in(local("2026-10-25T02:30"), "Europe/Berlin")

    assert found.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert found.remark == "02:30 comes twice on that day in Europe/Berlin; the first is taken"


@pytest.mark.parametrize(
    "zone", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime", "Europe/Berlin\0"]
)
def test_an_unknown_zone_is_refused_by_name(zone: str) -> None:
    with pytest.raises(BadInput, match="zone: there is no time zone"):
        moment_in(local("2026-12-01T15:30"), zone)


@given(DAYS, st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"]))
def test_a_time_without_a_remark_is_shown_there_as_it_was_agreed(at: datetime, zone: str) -> None:

    found = moment_in(at, zone)
    shown = found.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)

    assert (shown == at) or "does not exist" in found.remark
    assert shown >= at
