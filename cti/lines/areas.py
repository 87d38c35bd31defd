"""How near a number to show is to the person called: local presence. Pure.

Area codes are compared whole. Their first digits say nothing in common: 212 is New York and 213 is Los Angeles.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import phonenumbers

ABROAD: Final = 0
SAME_CODE: Final = 1
"""The same country calling code, another country: +1 is the United States, Canada and the Caribbean."""
SAME_COUNTRY: Final = 2


@lru_cache(maxsize=100_000)
def area_of(number: str) -> str:
    """Return the number's country and area code as a prefix (`+4930`); its country's code alone when it has no area."""
    parsed = _parsed(number)
    if parsed is None:
        return number
    length = phonenumbers.length_of_geographical_area_code(parsed)
    digits = phonenumbers.national_significant_number(parsed)[:length]
    return f"+{parsed.country_code}{digits}"


@lru_cache(maxsize=100_000)
def country_of(number: str) -> tuple[int, str]:
    """Return the calling code and the country in two letters; `(0, "")` for what is no number."""
    parsed = _parsed(number)
    if parsed is None:
        return 0, ""
    return parsed.country_code or 0, phonenumbers.region_code_for_number(parsed) or ""


def nearness(callee: str, caller: str, areas: Sequence[str] = ()) -> int:
    """Return how near the number `caller` is: the greater the nearer; more than `SAME_COUNTRY` in the same area.

    `areas`: prefixes that it is local to, in place of its own area; among several the longest that fits counts.
    """
    own = (area,) if not areas and len(area := area_of(caller)) > _country_digits(caller) else tuple(areas)
    fits = [len(prefix) for prefix in own if callee.startswith(prefix)]
    if fits:
        return SAME_COUNTRY + max(fits)
    (code, country), (his_code, his_country) = country_of(caller), country_of(callee)
    if not code or code != his_code:
        return ABROAD
    return SAME_COUNTRY if country == his_country else SAME_CODE


def told(near: int) -> str:
    """Say it for people."""
    return {ABROAD: "another country", SAME_CODE: "same country code", SAME_COUNTRY: "same country"}.get(
        near, "same area"
    )


def _country_digits(number: str) -> int:
    return 1 + len(str(country_of(number)[0]))


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
