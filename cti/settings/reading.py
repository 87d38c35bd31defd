"""Reading settings: the only reader of the settings file and of the environment.

A TOML file says everything; the environment overrides it key by key: `WAIHU_` and the path with double
underscores, `WAIHU_API__PORT=8091`; tables in lists by number: `WAIHU_NODES__0__SECRET=...`. Other variables
that begin with `WAIHU_` are not settings, unless one looks so much like one that it must be a slip; but for the
secrets' short names (`SECRETS`).
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from cti.errors import SettingsError
from cti.settings.base import Section, section_of
from cti.settings.sections import Settings

PREFIX: Final = "WAIHU_"
FILE_VARIABLE: Final = "WAIHU_CONFIG"
SECRETS: Final[Mapping[str, str]] = {"WAIHU_RECORDING_KEY": "WAIHU_RECORDING__KEYS"}
"""Short names of secrets that stand in the environment, and the variables they stand for."""
DEFAULT_FILE: Final = Path("config/cti.toml")


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file (`path`, else WAIHU_CONFIG, else config/cti.toml if there) and the environment over it.

    Relative paths mean the present folder. Raises SettingsError: file or variable, key, and what is allowed.
    """
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    file = named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    tree = _read(file) if file else {}
    origin = _overlay(tree, environ)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        where = str(file) if file else "the environment"
        raise SettingsError("\n".join(_told(problem, where, origin) for problem in error.errors())) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: this is not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None


Place = tuple[str | int, ...]

REWORDED: Final = {
    "tuple_type": "must be a list of tables, each under its own [[...]]",
    "model_type": "must be a table",
    "too_short": "is too short; at least 16 characters",
}
"""Problems whose words in pydantic speak of Python."""


def _overlay(tree: dict[str, Any], environ: Mapping[str, str]) -> dict[Place, str]:
    """Put the environment's values into the tree; return which variable each came from."""
    origin: dict[Place, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        parts = SECRETS.get(variable, variable)[len(PREFIX) :].lower().split("__")
        if len(parts) == 1:
            _refuse_slip(variable, parts[0])
            continue
        place = tuple(int(part) if part.isascii() and part.isdigit() else part for part in parts)
        _put(tree, place, environ[variable], variable)
        origin[place] = variable
    return origin


def _refuse_slip(variable: str, key: str) -> None:
    section, _, rest = key.partition("_")
    if rest and section in Settings.model_fields:
        meant = f"{PREFIX}{section}__{rest}".upper()
        raise SettingsError(f"{variable}: a setting is written with two underscores; did you mean {meant}?")


def _put(tree: dict[str, Any], place: Place, text: str, variable: str) -> None:
    at: Any = tree
    for step, following in zip(place, (*place[1:], None), strict=True):
        if isinstance(at, dict) and isinstance(step, str):
            if following is None:
                at[step] = text
            else:
                at = at.setdefault(step, [] if isinstance(following, int) else {})
        elif isinstance(at, list) and isinstance(step, int) and step <= len(at) and following is not None:
            if step == len(at):
                at.append({})
            at = at[step]
        else:
            raise SettingsError(f"{variable}: names no setting; lists are numbered from 0 without gaps")


def _told(problem: Any, where: str, origin: Mapping[Place, str]) -> str:
    """Say one problem in one line: where, key, what is wrong, what is allowed."""
    place: Place = problem["loc"]
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
    source = origin.get(place, where)
    if problem["type"] == "extra_forbidden":
        return f"{source}: {key}: there is no such key; {_allowed(place)}"
    if problem["type"] == "missing":
        return f"{source}: {key}: missing"
    message = REWORDED.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return f"{source}: {key}: {message}" if key else f"{source}: {message}"


def _allowed(place: Place) -> str:
    section = _section(place[:-1])
    keys = sorted(section.model_fields) if section else []
    near = difflib.get_close_matches(str(place[-1]), keys, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}allowed are: {', '.join(keys)}"


def _section(place: Place) -> type[Section] | None:
    """Return the model of the table at this place."""
    model: type[Section] = Settings
    for step in place:
        if isinstance(step, str):
            found = section_of(model.model_fields[step].annotation)
            if found is None:
                return None
            model = found
    return model
