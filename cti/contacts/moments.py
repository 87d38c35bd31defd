"""Times as people write them in conditions: dates, moments, `today`, `last 7 days`. Pure.

Words are read in the viewer's time zone. A day begins at its local midnight, or, where that night has none, at the
first moment after it.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cti.errors import BadInput

Span = tuple[datetime, datetime]
"""From inclusive, until exclusive; aware, UTC."""

_ROLLING: Final = re.compile(
    r"(?P<way>last|next) (?P<count>[1-9]\d{0,3}) (?P<unit>minute|hour|day|week|month)s?"
)
_NAMED: Final = ("today", "yesterday", "tomorrow", "this week", "last week", "this month", "last month")
KNOWN: Final = (
    f"{', '.join(_NAMED)}, `last N minutes|hours|days|weeks|months` and the same with `next`, "
    "or a list of two times"
)
MOMENTS: Final = "2026-11-23, 2026-11-23T10:00, 2026-11-23T10:00+01:00, now, today, yesterday or tomorrow"


def moment_of(words: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment; a date means its beginning. Raises BadInput."""
    try:
        return _moment(words, now=now, zone=zone)
    except (ValueError, OverflowError):
        raise BadInput(f"{words!r} is no time; write {MOMENTS}") from None


def _moment(words: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    today = now.astimezone(zone).date()
    match words:
        case "now":
            return now
        case "today" | "yesterday" | "tomorrow":
            away = {"today": 0, "yesterday": -1, "tomorrow": 1}[words]
            return _begin(today + timedelta(days=away), zone)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
        return _begin(date.fromisoformat(words), zone)
    if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", words):
        raise ValueError(words)
    moment = datetime.fromisoformat(words)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def span_of(words: str, *, now: datetime, zone: ZoneInfo) -> Span:
    """Return what `within` means by its words. Raises BadInput.

    `last N days` begins at the midnight N days ago and ends now; `next N days` begins now and ends with the N-th day
    after today. Weeks begin on Monday. Hours and minutes are counted from now.
    """
    today = now.astimezone(zone).date()
    try:
        if rolling := _ROLLING.fullmatch(words):
            return _rolling(rolling["way"], int(rolling["count"]), rolling["unit"], now=now, zone=zone)
        first, last = _days(words, today)
        return _begin(first, zone), _begin(last, zone)
    except (KeyError, ValueError, OverflowError):
        raise BadInput(f"{words!r} is no span of time; write {KNOWN}") from None


def _days(words: str, today: date) -> tuple[date, date]:
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    day, week = timedelta(days=1), timedelta(days=7)
    return {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "tomorrow": (today + day, today + 2 * day),
        "this week": (monday, monday + week),
        "last week": (monday - week, monday),
        "this month": (first, _months_away(first, 1)),
        "last month": (_months_away(first, -1), first),
    }[words]


def _rolling(way: str, count: int, unit: str, *, now: datetime, zone: ZoneInfo) -> Span:
    if unit in ("minute", "hour"):
        length = timedelta(**{f"{unit}s": count})
        return (now - length, now) if way == "last" else (now, now + length)
    today = now.astimezone(zone).date()
    signed = count if way == "next" else -count
    if unit == "month":
        other = _months_away(today, signed)
    else:
        other = today + timedelta(days=signed * (7 if unit == "week" else 1))
    if way == "last":
        return _begin(other, zone), now
    return now, _begin(other + timedelta(days=1), zone)


def _months_away(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last one."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    # fold=0 of a midnight that does not exist is read with the offset before the gap: the same moment as its end
    return datetime.combine(day, time(), zone).astimezone(UTC)
