"""The small language of texts in mappings. Pure; no code can be written in it.

`{name}` is a value; `{name|filter}` and `{name|filter:argument}` change it on the way; `[[ ... ]]` is left out when a
value in it is empty; `{{`, `}}` are braces. Nothing else means anything. A value is put in as text, once: braces in it
stay what they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from cti.errors import BadInput

_TOKEN: Final = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{(?P<inside>[^{}]*)\}|[{}]")
_PLACE: Final = re.compile(r"(?P<name>[a-z][a-z0-9_.]*)(?P<filters>(\|[a-z_]+(:[^|]*)?)*)")
_LENGTH: Final = 20_000

Filter = Callable[[Any, str], Any]


def _at(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise BadInput(f"{value!r} is no time")
    return value.astimezone(UTC)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{value!r} is no number")
    return float(value)


def _zoned(value: Any, zone: str) -> str:
    return _at(value).astimezone(ZoneInfo(zone or "UTC")).strftime("%Y-%m-%d %H:%M:%S")


def _clock_time(value: Any, _: str) -> str:
    minutes, seconds = divmod(round(_number(value)), 60)
    return f"{minutes:02d}:{seconds:02d}"


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise BadInput(f"{value!r} is no whole number") from None


def _one_line(value: Any) -> str:
    if any(ord(one) < 32 for one in str(value)):
        raise BadInput(f"{value!r} has a control character")
    return str(value)


FILTERS: Final[Mapping[str, Filter]] = {
    "iso": lambda value, _: _at(value).isoformat(timespec="seconds").replace("+00:00", "Z"),
    "datetime": lambda value, _: _at(value).strftime("%Y-%m-%d %H:%M:%S"),
    "date": lambda value, _: _at(value).strftime("%Y-%m-%d"),
    "in_zone": _zoned,
    "unix": lambda value, _: int(_at(value).timestamp()),
    "unix_ms": lambda value, _: int(_at(value).timestamp() * 1000),
    "seconds": lambda value, _: round(_number(value)),
    "ms": lambda value, _: round(_number(value) * 1000),
    "minutes": lambda value, _: round(_number(value) / 60, 2),
    "whole_minutes": lambda value, _: int(_number(value) // 60),
    "hours": lambda value, _: int(_number(value) // 3600),
    "minutes_of_hour": lambda value, _: int(_number(value) % 3600 // 60),
    "mmss": _clock_time,
    "digits": lambda value, _: re.sub(r"\D", "", str(value)),
    "upper": lambda value, _: str(value).upper(),
    "lower": lambda value, _: str(value).lower(),
    "html": lambda value, _: escape(str(value)).replace("\n", "<br>"),
    "url": lambda value, _: quote(str(value), safe=""),
    "number": lambda value, _: _whole(value),
    "soql": lambda value, _: re.sub(r"([\\'])", r"\\\1", _one_line(value)),
    "cut": lambda value, length: str(value)[: int(length)],
}
"""What may stand behind a name; each is given the value and the argument. Empty values pass them by."""
WITH_NUMBER: Final = frozenset({"cut"})
DEFAULT: Final = "default"
"""Takes its argument when the value is empty."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value that is put in."""

    name: str
    filters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Left out when a value in it is empty."""

    parts: tuple["str | Place", ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was read and found good."""

    parts: tuple[str | Place | Section, ...]

    @property
    def only(self) -> Place | None:
        """The place, when the text is nothing but one: its value keeps its type."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Place) else None

    def names(self) -> Iterator[str]:
        """Give the names that stand in it."""
        for part in self.parts:
            for one in part.parts if isinstance(part, Section) else (part,):
                if isinstance(one, Place):
                    yield one.name


def template_of(text: str, *, names: frozenset[str], where: str) -> Template:
    """Read a text in which these names may stand. Raises BadInput naming where and what."""
    if len(text) > _LENGTH:
        raise BadInput(f"{where}: longer than {_LENGTH} characters")
    parts: list[str | Place | Section] = []
    inner: list[str | Place] | None = None
    last = 0
    for token in _TOKEN.finditer(text):
        _put(parts if inner is None else inner, text[last : token.start()])
        last = token.end()
        match token.group():
            case "{{" | "}}":
                _put(parts if inner is None else inner, token.group()[0])
            case "[[":
                if inner is not None:
                    raise BadInput(f"{where}: [[ stands within [[ ]]")
                inner = []
            case "]]":
                if inner is None:
                    raise BadInput(f"{where}: ]] has no [[ before it")
                parts.append(Section(tuple(inner)))
                inner = None
            case "{" | "}":
                raise BadInput(f"{where}: a lone {token.group()}; a brace itself is written twice")
            case _:
                place = _place(token["inside"], names=names, where=where)
                (parts if inner is None else inner).append(place)
    if inner is not None:
        raise BadInput(f"{where}: [[ is not closed")
    _put(parts, text[last:])
    return Template(tuple(parts))


def render(
    template: Template, values: Mapping[str, Any], *, where: str = "", fit: Callable[[str], str] = str
) -> str:
    """Return the text with the values put in; an empty value is nothing. Raises BadInput when a filter does not fit.

    `fit`: what is done to each value behind its filters.
    """
    return "".join(_shown(part, values, where, fit) for part in template.parts)


def value_at(place: Place, values: Mapping[str, Any], *, where: str = "") -> Any:
    """Return a place's value through its filters, None when it is empty. Raises BadInput."""
    value = values.get(place.name)
    for name, argument in place.filters:
        if value is None or value == "":
            value = argument if name == DEFAULT else None
        elif name != DEFAULT:
            try:
                value = FILTERS[name](value, argument)
            except BadInput as error:
                raise BadInput(f"{where}: {{{place.name}|{name}}}: {error}") from None
    return None if value == "" else value


def _shown(
    part: "str | Place | Section", values: Mapping[str, Any], where: str, fit: Callable[[str], str]
) -> str:
    match part:
        case str():
            return part
        case Place():
            return fit(text_of(value_at(part, values, where=where)))
        case Section(parts=parts):
            found = [_shown(one, values, where, fit) for one in parts]
            return "" if "" in found else "".join(found)


def text_of(value: Any) -> str:
    """Return a value as text: nothing for None, times in ISO 8601, whole numbers without a point."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def _place(inside: str, *, names: frozenset[str], where: str) -> Place:
    found = _PLACE.fullmatch(inside.strip())
    if found is None:
        raise BadInput(f"{where}: {{{inside}}} is no value; expected is {{name}} or {{name|filter:argument}}")
    name = found["name"]
    if name not in names:
        raise BadInput(f"{where}: there is no value {name!r}; there are: {', '.join(sorted(names))}")
    filters = []
    for text in found["filters"].split("|")[1:]:
        filter_name, _, argument = text.partition(":")
        if filter_name not in FILTERS and filter_name != DEFAULT:
            known = ", ".join(sorted([*FILTERS, DEFAULT]))
            raise BadInput(f"{where}: there is no filter {filter_name!r}; there are: {known}")
        if filter_name in WITH_NUMBER and not argument.isdecimal():
            raise BadInput(f"{where}: {filter_name} takes a number, for example {filter_name}:200")
        if filter_name == "in_zone":
            _must_be_zone(argument, where)
        filters.append((filter_name, argument))
    return Place(name, tuple(filters))


def _must_be_zone(zone: str, where: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise BadInput(f"{where}: {zone!r} is no IANA time zone, for example Asia/Shanghai") from None


def _put(parts: "list[str | Place | Section] | list[str | Place]", text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)
