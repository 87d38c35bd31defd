"""Which days are holidays where. The only importer of `holidays`."""

from datetime import date
from functools import cache

import holidays


def problem_of(country: str, subdivision: str) -> str | None:
    """Return what is wrong with these names, None when the library knows them (ISO 3166)."""
    known = holidays.list_supported_countries()
    if country not in known:
        return (
            f"no holidays are known of a country {country!r}; written are two capital letters, for example US"
        )
    if subdivision and subdivision not in known[country]:
        return (
            f"no holidays are known of {subdivision!r} in {country}; known are: {', '.join(known[country])}"
        )
    return None


def holiday_name(country: str, subdivision: str, day: date) -> str | None:
    """Return the holiday's name, None on other days and in countries that the library does not know."""
    known = _calendar(country, subdivision)
    return None if known is None else known.get(day)


@cache
def _calendar(country: str, subdivision: str) -> "holidays.HolidayBase | None":
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        return None
