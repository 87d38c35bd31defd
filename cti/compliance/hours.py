"""Local time: is it open there now, and if not, when next. Pure; right over changes of the clock.

Time is cut into stretches of one offset from UTC. Within a stretch a wall clock only goes forward, so that neither an
hour that comes twice nor one that is left out needs a rule of its own: `open` means what the wall clock shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cti.compliance.holiday_dates import holiday_name

DAY: Final = timedelta(days=1)
HORIZON: Final = timedelta(days=400)
"""How far ahead an opening is looked for: over any run of holidays."""
DAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a day on the wall clock, in minutes since midnight: `opens` inclusive, `closes` exclusive (to 1440)."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.opens, self.closes))


Week = tuple[tuple[Span, ...], ...]
"""Seven days, Monday first, each with its spans in order."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """A country's holidays, as the library `holidays` knows them."""

    country: str = ""
    """ISO 3166; empty: the country of the number."""
    subdivision: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """When may be called. Two calendars are the same only when they are one object: answers are kept by it."""

    week: Week | None = None
    """None: at any time."""
    holidays: tuple[Holidays, ...] = ()
    dates: frozenset[date] = frozenset()
    """Further days that are closed, in every zone by its own date."""

    @property
    def closes(self) -> bool:
        """Whether it is ever closed."""
        return self.week is not None or bool(self.holidays or self.dates)

    @property
    def asks_country(self) -> bool:
        """Whether it depends on the country of the number."""
        return any(not known.country for known in self.holidays)

    def within(self, other: "Calendar") -> "Calendar":
        """Return when both are open."""
        if not other.closes:
            return self
        return Calendar(
            week=_both(self.week, other.week),
            holidays=tuple(dict.fromkeys((*self.holidays, *other.holidays))),
            dates=self.dates | other.dates,
        )

    def spans(self, day: date) -> tuple[Span, ...]:
        """Return the spans of this date, holidays aside."""
        return WHOLE_DAY if self.week is None else self.week[day.weekday()]

    def holiday(self, day: date, country: str) -> str | None:
        """Return why the whole day is closed, None when it is not."""
        if day in self.dates:
            return f"{day.isoformat()} is closed"
        for known in self.holidays:
            if name := holiday_name(known.country or country, known.subdivision, day):
                return name
        return None


WHOLE_DAY: Final = (Span(0, 1440),)
ALWAYS_OPEN: Final = Calendar()


def _both(one: Week | None, other: Week | None) -> Week | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(_shared(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def _shared(mine: tuple[Span, ...], theirs: tuple[Span, ...]) -> tuple[Span, ...]:
    cut = (Span(max(a.opens, b.opens), min(a.closes, b.closes)) for a in mine for b in theirs)
    return tuple(sorted((span for span in cut if span.opens < span.closes), key=lambda span: span.opens))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a calendar is open at a moment in all of some zones."""

    is_open: bool
    zone: str = ""
    """The first zone that is closed."""
    local: datetime | None = None
    """The wall clock there."""
    holiday: str | None = None
    spans: tuple[Span, ...] = ()
    """When that day is open there."""
    until: datetime | None = None
    """The next moment, in UTC, at which all are open; None: not within `HORIZON`."""


@lru_cache(maxsize=4096)
def standing(calendar: Calendar, zones: tuple[ZoneInfo, ...], country: str, now: datetime) -> Standing:
    """Return how the calendar stands. The answers for one moment are kept: a batch asks for few zones."""
    for zone in zones:
        if is_open(calendar, zone, country, now):
            continue
        local = now.astimezone(zone)
        return Standing(
            is_open=False,
            zone=zone.key,
            local=local,
            holiday=calendar.holiday(local.date(), country),
            spans=calendar.spans(local.date()),
            until=_all_open(calendar, zones, country, now),
        )
    return Standing(is_open=True)


def is_open(calendar: Calendar, zone: ZoneInfo, country: str, now: datetime) -> bool:
    """Return whether it is open in the zone; costs a fraction of `standing`, which looks for the next opening too."""
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    in_hours = any(span.opens <= minute < span.closes for span in calendar.spans(local.date()))
    return in_hours and calendar.holiday(local.date(), country) is None


def _all_open(
    calendar: Calendar, zones: tuple[ZoneInfo, ...], country: str, now: datetime
) -> datetime | None:
    """Return the next moment at which it is open in every zone: each in turn pushes the moment on until none does."""
    end = now + HORIZON
    moment, at_rest = now, 0
    while at_rest < len(zones):
        for zone in zones:
            found = next_opening(calendar, zone, country, moment, end)
            if found is None:
                return None
            at_rest = at_rest + 1 if found == moment else 1
            moment = found
    return moment


def next_opening(
    calendar: Calendar, zone: ZoneInfo, country: str, now: datetime, end: datetime
) -> datetime | None:
    """Return the first moment from `now` on at which it is open in the zone, in UTC; None: not before `end`."""
    for begin, stop, offset in stretches(zone, now, end):
        first, last = (begin + offset).date(), (stop + offset).date()
        for day in _days(first, last):
            if calendar.holiday(day, country):
                continue
            midnight = datetime.combine(day, time(), UTC) - offset
            for span in calendar.spans(day):
                moment = max(begin, midnight + timedelta(minutes=span.opens))
                if moment < min(stop, midnight + timedelta(minutes=span.closes)):
                    return moment
    return None


def next_date(zone: ZoneInfo, now: datetime) -> datetime:
    """Return when the date changes next in the zone, in UTC."""
    today = now.astimezone(zone).date()
    for begin, stop, offset in stretches(zone, now, now + 3 * DAY):
        day = (begin + offset).date()
        if day != today:
            return begin
        midnight = datetime.combine(day + DAY, time(), UTC) - offset
        if midnight < stop:
            return midnight
    return now + 3 * DAY


def stretches(
    zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Cut the time from `start` to `end` where the zone's offset changes: begin, end, offset; all in UTC."""
    begin, offset = start.astimezone(UTC), _offset(zone, start)
    at = begin
    while at < end:
        ahead = min(at + DAY, end.astimezone(UTC))
        if _offset(zone, ahead) != offset:
            change = _change(zone, at, ahead)
            yield begin, change, offset
            begin, offset = change, _offset(zone, change)
            ahead = change
        at = ahead
    if begin < end:
        yield begin, end.astimezone(UTC), offset


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first whole second of another offset; such a change lies between the two moments."""
    low, high = int(before.timestamp()), int(after.timestamp()) + 1
    offset = _offset(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY
