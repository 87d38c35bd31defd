"""All keys that can be set, with meaning and default: what the reference page is made from. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cti.settings.base import Section, section_of
from cti.settings.sections import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the file."""

    table: str
    """For example `api` or `api.tokens`."""
    many: bool
    """Whether the table stands in double brackets."""
    name: str
    default: str | None
    """As written in TOML; None when the key must be given, empty when there is none."""
    meaning: str
    variable: str
    """The environment variable that overrides it; in a list of tables that of the first one."""


def all_keys(
    model: type[Section] = Settings, table: str = "", *, many: bool = False, prefix: str = "WAIHU"
) -> Iterator[Key]:
    """Give every key, in the order of the file."""
    later: list[Iterator[Key]] = []
    for name, field in model.model_fields.items():
        below = section_of(field.annotation)
        if below is None:
            yield Key(
                table=table,
                many=many,
                name=name,
                default=_default(field),
                meaning=field.description or "",
                variable=f"{prefix}__{name}".upper(),
            )
        else:
            path = f"{table}.{name}" if table else name
            listed = get_origin(field.annotation) is tuple
            inner = f"{prefix}{'__' if table else '_'}{name}{'__0' if listed else ''}"
            later.append(all_keys(below, path, many=listed, prefix=inner))
    for keys in later:
        yield from keys


def _default(field: FieldInfo) -> str | None:
    return None if field.is_required() else _toml(field.default)


def _toml(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return f'"{value.get_secret_value()}"'
        case Enum():
            return f'"{value.value}"'
        case str() | Path():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
    return str(value)
