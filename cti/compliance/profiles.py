"""Profiles by name, and what a campaign changes of one. Reads the files of the folders it is given, once.

A folder of the installation's own may add profiles and replace shipped ones of the same name.
"""

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from cti.compliance.law import Rulebook
from cti.compliance.looser import looser_keys
from cti.compliance.profile_keys import ProfileKeys, known_keys
from cti.errors import BadInput, SettingsError
from cti.model.campaign_rules import ComplianceRules

_PACKAGED: Final = Path(__file__).parent / "shipped"
_CHECKOUT: Final = Path(__file__).parents[2] / "config" / "compliance"
SHIPPED: Final = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
"""Where the profiles lie that come with the product: in the wheel, or in a checkout of the sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One file, read."""

    name: str
    file: Path
    keys: ProfileKeys
    given: Mapping[str, Any]
    """What the file says, as it says it."""


class Profiles:
    """All profiles of an installation."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self._rulebooks: dict[tuple[str, str], tuple[ProfileKeys, Rulebook]] = {}

    def all(self) -> list[Profile]:
        """List them by name."""
        return [self._profiles[name] for name in sorted(self._profiles)]

    def get(self, name: str, *, where: str = "profile") -> Profile:
        """Return one. Raises BadInput that names `where` it was asked for and what there is."""
        if name not in self._profiles:
            near = difflib.get_close_matches(name, self._profiles, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise BadInput(
                f"{where}: there is no profile {name!r}; {hint}there are: {', '.join(sorted(self._profiles))}"
            )
        return self._profiles[name]

    def rulebook(self, rules: ComplianceRules) -> Rulebook:
        """Return what a campaign with these rules keeps to. Raises BadInput naming the key; the answer is kept."""
        return self._read(rules)[1]

    def loosened(self, rules: ComplianceRules) -> list[str]:
        """Return in words which keys of the profile the campaign makes less strict. Raises BadInput."""
        profile = self.get(rules.profile, where="rules.compliance.profile")
        return looser_keys(profile.keys, self._read(rules)[0])

    def _read(self, rules: ComplianceRules) -> tuple[ProfileKeys, Rulebook]:
        profile = self.get(rules.profile, where="rules.compliance.profile")
        asked = (rules.profile, json.dumps(dict(rules.overrides), sort_keys=True, default=str))
        if asked not in self._rulebooks:
            where = "rules.compliance.overrides"
            try:
                keys = ProfileKeys.model_validate(overridden(profile.given, rules.overrides))
            except ValidationError as error:
                raise BadInput("; ".join(_told(error, where))) from None
            self._rulebooks[asked] = keys, keys.rulebook(profile.name)
        return self._rulebooks[asked]


def overridden(given: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile with some keys set otherwise: tables key by key, everything else as a whole.

    Hours that name `every_day` take the place of the whole week; a key set to None is as if the profile had none.
    """
    merged = dict(given)
    for key, value in overrides.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping) and "every_day" not in value:
            merged[key] = {**before, **value}
        else:
            merged[key] = value
    return {key: value for key, value in merged.items() if value is not None}


def load_profiles(*folders: Path) -> Profiles:
    """Read all profiles of these folders (`*.toml`), later folders before earlier ones.

    Raises SettingsError with all that is wrong: file, key, and what is allowed.
    """
    found: dict[str, Profile] = {}
    for folder in folders:
        if not folder.is_dir():
            raise SettingsError(f"compliance.profiles: there is no folder {folder}")
        for file in sorted(folder.glob("*.toml")):
            found[file.stem] = read_profile(file)
    return Profiles(found.values())


def read_profile(file: Path) -> Profile:
    """Read one profile. Raises SettingsError: file, key, and what is allowed."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: this is not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    try:
        keys = ProfileKeys.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(f"{file}: {problem}" for problem in _told(error, ""))) from None
    return Profile(name=file.stem, file=file, keys=keys, given=given)


def _told(error: ValidationError, where: str) -> list[str]:
    """Say each problem in one line: key, what is wrong, what is allowed."""
    return [_problem(problem, where) for problem in error.errors(include_url=False)]


def _problem(problem: Any, where: str) -> str:
    place = problem["loc"]
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    key = f"{where}{key}".lstrip(".")
    if problem["type"] == "extra_forbidden":
        known = known_keys(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{key}: there is no such key; {hint}allowed are: {', '.join(known)}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
