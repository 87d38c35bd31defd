"""What a profile may hold: the keys, their meaning, and what is refused. Text and numbers in, a `Rulebook` out.

A key's description here is its line in the reference. What could never have an effect is refused with its name: a rule
that its author believes in and that does nothing is worse than none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cti.compliance.holiday_dates import problem_of
from cti.compliance.hours import ALWAYS_OPEN, DAY_NAMES, Calendar, Holidays, Span, Week
from cti.compliance.law import EVERY_ZONE, REFUSE, Area, Law, Rulebook, Window, tightened
from cti.compliance.places import zone_called

Count = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Seconds = Annotated[int, Field(ge=1, le=366 * 86_400, strict=True)]
Switch = Annotated[bool, Field(strict=True)]
Figure = Annotated[float, Field(strict=True)]

_SPAN: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def span_of(text: str) -> Span:
    """Read `08:00-21:00`; the day ends at 24:00. Raises ValueError."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of a day; written like 08:00-21:00, at most to 24:00")
    opens, closes = (60 * int(found[at]) + int(found[at + 1]) for at in (1, 3))
    if max(opens, closes) > 1440:
        raise ValueError(f"{text!r}: a day ends at 24:00")
    if opens == closes:
        raise ValueError(f"{text!r} has no length: nobody could ever be called in it")
    if opens > closes:
        raise ValueError(f"{text!r} ends before it begins; over midnight write two, each on its day")
    return Span(opens, closes)


def _spans(texts: list[str]) -> list[str]:
    spans = [span_of(text) for text in texts]
    for before, after in pairwise(spans):
        if after.opens < before.closes:
            raise ValueError(f"{after} begins before {before} has ended")
    return texts


Spans = Annotated[list[str], AfterValidator(_spans)]


def _written_date(given: object) -> object:
    if not isinstance(given, str | date):
        raise ValueError("a date is written 2026-12-24")
    return given


Day = Annotated[date, BeforeValidator(_written_date)]


class Keys(BaseModel):
    """A table of a profile: no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HoursKeys(Keys):
    """When may be called, by the clock where the number is answered."""

    every_day: Spans | None = Field(None, description='Of each day that is not named: `["08:00-21:00"]`.')
    monday: Spans | None = Field(None, description="`[]`: not at all on this day.")
    tuesday: Spans | None = Field(None, description="As `monday`.")
    wednesday: Spans | None = Field(None, description="As `monday`.")
    thursday: Spans | None = Field(None, description="As `monday`.")
    friday: Spans | None = Field(None, description="As `monday`.")
    saturday: Spans | None = Field(None, description="As `monday`.")
    sunday: Spans | None = Field(None, description="As `monday`.")

    @model_validator(mode="after")
    def _whole_week(self) -> Self:
        missing = [day for day in DAY_NAMES if getattr(self, day) is None and self.every_day is None]
        if missing:
            raise ValueError(f"{missing[0]} is missing; name every day, or set every_day")
        if self.every_day is not None and all(getattr(self, day) is not None for day in DAY_NAMES):
            raise ValueError("every_day can never apply: each day is named")
        if not any(self.week()):
            raise ValueError("no day has any hours: nobody could ever be called")
        return self

    def week(self) -> Week:
        """Return the spans of the seven days."""
        named = (getattr(self, day) for day in DAY_NAMES)
        texts = (self.every_day or [] if day is None else day for day in named)
        return tuple(tuple(span_of(text) for text in day) for day in texts)


class HolidayKeys(Keys):
    """Days on which nobody is called."""

    observe: Switch = Field(False, description="Public holidays, as the library `holidays` knows them.")
    country: str = Field("", description="Whose, ISO 3166; empty: those of the number's country.")
    subdivision: str = Field("", description="State or province, ISO 3166-2; only with `country`.")
    dates: list[Day] = Field([], description="Further days, `[2026-12-24]`.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.subdivision and not self.country:
            raise ValueError("subdivision is to be given with country, and only with it")
        if self.country and not self.observe:
            raise ValueError("country can never apply: observe is false")
        if self.country and (problem := problem_of(self.country, self.subdivision)):
            raise ValueError(problem)
        return self

    def calendars(self) -> tuple[Holidays, ...]:
        """Return the countries' holidays to keep."""
        return (Holidays(self.country, self.subdivision),) if self.observe else ()


class WindowKeys(Keys):
    """At most so many calls to one number in so many seconds."""

    calls: Count = Field(description="How many, at least 1.")
    seconds: Seconds = Field(description="Within how many seconds back from now.")


def _windows_that_matter(windows: list[WindowKeys]) -> list[WindowKeys]:
    for one in windows:
        for other in windows:
            longer = other.seconds > one.seconds or (other.seconds == one.seconds and other is not one)
            if longer and other.calls <= one.calls:
                raise ValueError(
                    f"{Window(one.calls, one.seconds)} can never be reached:"
                    f" {Window(other.calls, other.seconds)} is reached before"
                )
    return windows


Windows = Annotated[list[WindowKeys], AfterValidator(_windows_that_matter)]
Need = Literal["needed", "not_needed"]


class LimitKeys(Keys):
    """Limits that a profile and an area both may set. An area can only add to the profile's."""

    hours: HoursKeys | None = Field(None, description="A table; without it calls go out at any hour.")
    holidays: HolidayKeys | None = Field(None, description="A table; without it every day is a working day.")
    attempts_per_day: Count | None = Field(
        None, description="Of one contact by all campaigns in a day of his own zone."
    )
    attempts_total: Count | None = Field(None, description="Of one contact in one campaign.")
    windows: Windows = Field([], description="A list of tables: calls to one number by all campaigns.")
    pause_after_drop_seconds: Seconds | None = Field(
        None, description="After a call to the number was dropped."
    )
    consent: Need = Field(
        "not_needed", description="`needed`: only who has given it. Withdrawn consent always refuses."
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        day, total = self.attempts_per_day, self.attempts_total
        if day is not None and total is not None and day > total:
            raise ValueError(f"attempts_per_day: {day} can never be reached: attempts_total is {total}")
        return self

    def limits(self, name: str) -> Law:
        """Return them as a law of this name."""
        closed = self.holidays or HolidayKeys()
        calendar = Calendar(
            week=self.hours.week() if self.hours else None,
            holidays=closed.calendars(),
            dates=frozenset(closed.dates),
        )
        return Law(
            name=name,
            calendar=calendar if calendar.closes else ALWAYS_OPEN,
            attempts_per_day=self.attempts_per_day,
            attempts_total=self.attempts_total,
            windows=tuple(Window(one.calls, one.seconds) for one in self.windows),
            pause_after_drop_seconds=self.pause_after_drop_seconds,
            consent_needed=self.consent == "needed",
        )


class AreaKeys(LimitKeys):
    """Further limits for numbers that begin in a certain way."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Told beside the profile's: `us+FL`.")
    prefixes: list[Annotated[str, Field(pattern=r"^\+[1-9]\d{0,14}$")]] = Field(
        min_length=1, description="How its numbers begin, E.164."
    )

    @model_validator(mode="after")
    def _adds_something(self) -> Self:
        if not self.model_fields_set - {"name", "prefixes"}:
            raise ValueError(f"the area {self.name} sets no limit")
        return self


def _known_zone(word: str) -> str:
    if word not in (EVERY_ZONE, REFUSE) and zone_called(word) is None:
        raise ValueError(
            f"{word!r} is no time zone; allowed are {EVERY_ZONE}, {REFUSE}, or one like Europe/London"
        )
    return word


class ProfileKeys(LimitKeys):
    """A whole profile."""

    title: str = Field(min_length=1, max_length=200, description="What it is, one line for people.")
    unknown_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        EVERY_ZONE,
        description="Whose zone is not known: `every_zone` (allowed in each zone that the number can lie in),"
        " `refuse`, or the name of the zone to take.",
    )
    registers: Switch = Field(
        True, description="Whether imported do-not-call registers count; the own list always does."
    )
    ring_seconds: Figure | None = Field(
        None, ge=0, le=180, description="Least ring time; checked when a campaign starts."
    )
    grace_seconds: Figure | None = Field(
        None, gt=0, le=30, description="Longest wait of an answered person; checked when a campaign starts."
    )
    drop_target: Figure | None = Field(
        None, ge=0, le=1, description="Highest share of drops; checked when a campaign starts."
    )
    caller_id_required: Switch = Field(
        False, description="A number must be shown; checked when a campaign starts."
    )
    areas: list[AreaKeys] = Field([], description="A list of tables: further limits by how a number begins.")

    @model_validator(mode="after")
    def _areas_can_apply(self) -> Self:
        base = self.limits("profile")
        names = [area.name for area in self.areas]
        for area in self.areas:
            if names.count(area.name) > 1:
                raise ValueError(f"areas: the name {area.name} stands twice")
            week = tightened(base, area.limits(area.name)).calendar.week
            if week is not None and not any(week):
                raise ValueError(
                    f"areas: {area.name}: its hours and the profile's never meet: nobody could be called"
                )
        return self

    def rulebook(self, name: str) -> Rulebook:
        """Return what campaigns of this profile keep to."""
        limits = self.limits(name)
        base = Law(
            name=name,
            calendar=limits.calendar,
            unknown_zone=self.unknown_zone,
            attempts_per_day=limits.attempts_per_day,
            attempts_total=limits.attempts_total,
            windows=limits.windows,
            pause_after_drop_seconds=limits.pause_after_drop_seconds,
            consent_needed=limits.consent_needed,
            registers=self.registers,
            ring_seconds=self.ring_seconds,
            grace_seconds=self.grace_seconds,
            drop_target=self.drop_target,
            caller_id_required=self.caller_id_required,
        )
        return Rulebook(
            base, (Area(prefixes=tuple(area.prefixes), law=area.limits(area.name)) for area in self.areas)
        )


TABLES: Final[Mapping[str, type[Keys]]] = {
    "": ProfileKeys,
    "hours": HoursKeys,
    "holidays": HolidayKeys,
    "windows": WindowKeys,
    "areas": AreaKeys,
}
"""The tables of a profile, for the reference and for hints."""


def known_keys(place: Iterable[Any]) -> list[str]:
    """Return the keys of the table at a place of a profile."""
    model: type[Keys] = ProfileKeys
    for step in place:
        if isinstance(step, str):
            model = TABLES.get(step, model)
    return sorted(model.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOfTable:
    """One key, for the reference."""

    name: str
    default: str
    """As written in TOML; empty when the key is not set, or must be given."""
    meaning: str


def keys_of_table(model: type[Keys]) -> Iterator[KeyOfTable]:
    """Give the keys of a table; of an area only its own, not the limits it shares with the profile."""
    for name, field in model.model_fields.items():
        if model is AreaKeys and name in LimitKeys.model_fields:
            continue
        meaning = f"{field.description or ''}{' Must be given.' if field.is_required() else ''}".strip()
        yield KeyOfTable(
            name=name, default="" if field.is_required() else _toml(field.default), meaning=meaning
        )


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"' if value else ""
        case None | []:
            return ""
    return str(value)
