"""Where a number lies: its country, and the time zones it can lie in. The only importer of `phonenumbers` here.

A zone is certain when the record names it, or when the number can lie in one zone only. What several zones agree upon
now and at all times to come is not looked for: they are asked one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where a number is answered."""

    number: str
    zones: tuple[ZoneInfo, ...]
    """One: certain. Several: it is one of them. None: nobody knows."""

    @property
    def country(self) -> str:
        """The number's country, ISO 3166, two letters; empty: not known, or no country's."""
        return country_of(self.number)


def place_of(number: str, zone: str = "") -> Place:
    """Return where an E.164 number lies; `zone` is what the record says, and goes before what the number says.

    A zone that does not exist counts as none; text that is no number has no country and no zone.
    """
    known = zone_called(zone)
    return Place(number, (known,) if known else possible_zones(number))


@lru_cache(maxsize=65_536)
def possible_zones(number: str) -> tuple[ZoneInfo, ...]:
    """Return the zones that a number can lie in; of several countries' zones those of its own country."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    names = [name for name in timezone.time_zones_for_number(parsed) if name != timezone.UNKNOWN_TIMEZONE]
    if len(names) != 1:
        own = _zones_by_country().get(_region(parsed), frozenset())
        names = [name for name in names if name in own] or names or sorted(own)
    zones = (zone_called(name) for name in names)
    return tuple(zone for zone in zones if zone)


@lru_cache(maxsize=65_536)
def country_of(number: str) -> str:
    """Return a number's country; empty when there is none, as with satellite numbers."""
    try:
        region = _region(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return region if len(region) == 2 and region.isalpha() else ""


def _region(number: phonenumbers.PhoneNumber) -> str:
    region = phonenumbers.region_code_for_number(number)
    if region is None:  # not in the ranges that the library knows, which lag behind what is assigned
        region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return str(region)


@cache
def zone_called(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, None when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


@cache
def _zones_by_country() -> Mapping[str, frozenset[str]]:
    """Return each country's zones, from the table `zone.tab` of the time zone database.

    A freephone number of a plan that several countries share (+1) can lie in any zone of them all, as far as it says.
    """
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found.setdefault(country, set()).add(name)
    return {country: frozenset(names) for country, names in found.items()}
