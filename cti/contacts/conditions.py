"""Reads a condition from JSON, and writes it. Pure; the only reader, whoever asks.

    {"all": [{"field": "owner", "is": "anna"}, {"any": [...]}, {"not": {...}}, {"entry": {...}}]}

What is wrong is told with its path (`all.1.field`) and with what would be allowed.
"""

import difflib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo

from cti.contacts.fields import BELONGS, CUSTOM, FIELDS, OPERATORS, Kind, field_of
from cti.contacts.moments import moment_of, span_of
from cti.errors import BadInput
from cti.model.conditions import All, AnyOf, Condition, Not, Op, Scope, Some, Test, Value

MAX_DEPTH: Final = 12
MAX_TESTS: Final = 200
MAX_VALUES: Final = 1000
MAX_TEXT: Final = 500
MAX_NUMBER: Final = 10**12
"""Seconds are compared in microseconds, and those must fit into the 64 bits of a database."""
_WHOLE_32: Final = 2**31 - 1
_ANY_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_GROUPS: Final = ("all", "any", "not")


def condition_of(given: Any, *, scope: Scope = Scope.CONTACT, where: str = "") -> Condition:
    """Return the condition. Raises BadInput naming the path below `where`, and what is allowed there."""
    reading = _Reading()
    return reading.condition(given, scope=scope, above=(scope,), path=where)


def condition_record(condition: Condition) -> dict[str, Any]:
    """Return the JSON that reads as this condition. Of one that is settled, times are ISO 8601."""
    match condition:
        case All(parts=parts):
            return {"all": [condition_record(part) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [condition_record(part) for part in parts]}
        case Not(part=part):
            return {"not": condition_record(part)}
        case Some(scope=scope, part=part):
            return {scope.value: condition_record(part)}
        case Test(field=name, op=op, values=values, key=key):
            several = op is Op.ONE_OF or (op is Op.WITHIN and len(values) == 2)
            told = [value.isoformat() if isinstance(value, datetime) else value for value in values]
            return {"field": f"{name}:{key}" if key else name, op.value: told if several else told[0]}


class _Reading:
    """One condition being read; counts its tests."""

    def __init__(self) -> None:
        self._tests = 0

    def condition(self, given: Any, *, scope: Scope, above: tuple[Scope, ...], path: str) -> Condition:
        if not isinstance(given, Mapping):
            raise _bad(path, f"must be an object, not {_kind_of(given)}")
        if path.count(".") > 2 * MAX_DEPTH:
            raise _bad(path, f"is nested deeper than {MAX_DEPTH} levels")
        if not given:
            return All()
        if "field" in given:
            return self._test(given, scope=scope, path=path)
        if len(given) != 1:
            raise _bad(path, f"holds {_quoted(given)}; a condition has one key ({_keys(scope)}), or `field`")
        (key,) = given
        below, part = _below(path, str(key)), given[key]
        match key:
            case "all":
                return All(self._parts(part, scope=scope, above=above, path=below))
            case "any":
                return AnyOf(self._parts(part, scope=scope, above=above, path=below))
            case "not":
                return Not(self.condition(part, scope=scope, above=above, path=below))
        inner = next((one for one in BELONGS[scope] if one == key and one not in above), None)
        if inner is None:
            raise _bad(path, f"there is no {str(key)!r}; there are: {_keys(scope)}, field")
        return Some(inner, self.condition(part, scope=inner, above=(*above, inner), path=below))

    def _parts(
        self, given: Any, *, scope: Scope, above: tuple[Scope, ...], path: str
    ) -> tuple[Condition, ...]:
        if not isinstance(given, list):
            raise _bad(path, f"must be a list of conditions, not {_kind_of(given)}")
        return tuple(
            self.condition(part, scope=scope, above=above, path=_below(path, str(at)))
            for at, part in enumerate(given)
        )

    def _test(self, given: Mapping[str, Any], *, scope: Scope, path: str) -> Test:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise _bad(path, f"a condition may hold {MAX_TESTS} tests")
        name, key = _field(given["field"], scope, _below(path, "field"))
        known = OPERATORS[field_of(scope, name).kind]
        asked = [word for word in given if word != "field"]
        if len(asked) != 1:
            raise _bad(path, f"needs one operator of: {', '.join(known)}; found: {_quoted(asked)}")
        (word,) = asked
        if word not in known:
            raise _bad(_below(path, str(word)), f"{given['field']} does not know it; {_meant(word, known)}")
        op = Op(word)
        values = _values(given[word], op, field_of(scope, name).kind, _below(path, op.value))
        return Test(field=name, key=key, op=op, values=values, path=path)


def _field(given: Any, scope: Scope, path: str) -> tuple[str, str]:
    if not isinstance(given, str):
        raise _bad(path, f"must be the name of a field, not {_kind_of(given)}")
    name, _, key = given.partition(":")
    if name == CUSTOM and scope is Scope.CONTACT:
        if not key:
            raise _bad(path, "say which custom field: field:HEADER")
        return name, _text(key, path)
    if given not in FIELDS[scope]:
        raise _bad(path, f"there is no field {given[:100]!r}; {_meant(given, FIELDS[scope])}")
    return given, ""


def _values(given: Any, op: Op, kind: Kind, path: str) -> tuple[Value, ...]:
    match op:
        case Op.EMPTY:
            if not isinstance(given, bool):
                raise _bad(path, f"must be true or false, not {_kind_of(given)}")
            return (given,)
        case Op.ONE_OF:
            if not isinstance(given, list) or not 1 <= len(given) <= MAX_VALUES:
                raise _bad(path, f"must be a list of 1 to {MAX_VALUES} values")
            return tuple(_READERS[kind](one, _below(path, str(at))) for at, one in enumerate(given))
        case Op.WITHIN:
            return _span(given, path)
        case Op.ENDS_WITH | Op.STARTS_WITH if kind is Kind.PHONE:
            return (_digits(given, path, plus=op is Op.STARTS_WITH),)
    return (_READERS[kind](given, path),)


def _span(given: Any, path: str) -> tuple[Value, ...]:
    if isinstance(given, list):
        if len(given) != 2:
            raise _bad(path, "must be two times: from and until")
        return tuple(_time(one, _below(path, str(at))) for at, one in enumerate(given))
    words = _text(given, path)
    _checked(lambda: span_of(words, now=_ANY_MOMENT, zone=ZoneInfo("UTC")), path)
    return (words,)


def _text(given: Any, path: str) -> str:
    if not isinstance(given, str):
        raise _bad(path, f"must be text, not {_kind_of(given)}")
    if not 1 <= len(given) <= MAX_TEXT:
        raise _bad(path, f"must have 1 to {MAX_TEXT} characters; `empty` asks whether there is nothing")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in given):
        raise _bad(path, "must not hold control characters")
    return given


def _phone(given: Any, path: str) -> str:
    text = _text(given, path)
    if not (text.startswith("+") and 3 <= len(text) <= 20 and _is_digits(text[1:])):
        raise _bad(path, "must be a number in E.164, for example +493023125001; or ask with `ends_with`")
    return text


def _digits(given: Any, path: str, *, plus: bool) -> str:
    text = _text(given, path)
    if len(text) > 20 or not _is_digits(text.removeprefix("+") if plus else text):
        raise _bad(path, f"must be digits{', a plus sign in front' if plus else ''}")
    return text if text.startswith("+") or not plus else f"+{text}"


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _campaign(given: Any, path: str) -> Value:
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise _bad(path, f"must be a campaign's name or id, not {_kind_of(given)}")
    return _whole(given, path) if isinstance(given, int) else _text(given, path)


def _whole(given: Any, path: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise _bad(path, f"must be a whole number, not {_kind_of(given)}")
    if not -_WHOLE_32 <= given <= _WHOLE_32:
        raise _bad(path, f"must be between -{_WHOLE_32} and {_WHOLE_32}")
    return given


def _number(given: Any, path: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _bad(path, f"must be a number, not {_kind_of(given)}")
    if not (isfinite(given) and abs(given) <= MAX_NUMBER):
        raise _bad(path, f"must be a number between -{MAX_NUMBER} and {MAX_NUMBER}")
    return float(given)


def _time(given: Any, path: str) -> str:
    words = _text(given, path)
    _checked(lambda: moment_of(words, now=_ANY_MOMENT, zone=ZoneInfo("UTC")), path)
    return words


def _checked(read: Callable[[], object], path: str) -> None:
    try:
        read()
    except BadInput as error:
        raise _bad(path, str(error)) from None


_READERS: Final[Mapping[Kind, Callable[[Any, str], Value]]] = {
    Kind.TEXT: _text,
    Kind.WORD: _text,
    Kind.TAG: _text,
    Kind.AGENT: _text,
    Kind.PHONE: _phone,
    Kind.CAMPAIGN: _campaign,
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.TIME: _time,
}


def _bad(path: str, message: str) -> BadInput:
    return BadInput(f"{path}: {message}" if path else message)


def _below(path: str, step: str) -> str:
    return f"{path}.{step[:40]}" if path else step[:40]


def _keys(scope: Scope) -> str:
    return ", ".join((*_GROUPS, *BELONGS[scope]))


def _quoted(words: Any) -> str:
    return ", ".join(repr(str(word)[:40]) for word in list(words)[:5]) or "nothing"


def _meant(word: object, known: Sequence[str] | Mapping[str, object]) -> str:
    close = difflib.get_close_matches(str(word)[:60], list(known), n=1)
    hint = f"did you mean {str(close[0])!r}? " if close else ""
    return f"{hint}there are: {', '.join(known)}"


def _kind_of(given: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(given), "a number")
