"""Which keys of a profile a campaign makes less strict. Pure; allowed, but told."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cti.compliance.hours import Calendar
from cti.compliance.law import REFUSE
from cti.compliance.profile_keys import HolidayKeys, HoursKeys, LimitKeys, ProfileKeys, WindowKeys


def looser_keys(profile: ProfileKeys, campaign: ProfileKeys) -> list[str]:
    """Return a sentence for each key that lets through what the profile refuses."""
    found = _looser(profile, campaign, {**_LIMITS, **_PROFILE}, "")
    areas = {area.name: area for area in campaign.areas}
    for area in profile.areas:
        if area.name not in areas:
            found.append(f"areas: {area.name} is left out")
            continue
        found += _looser(area, areas[area.name], _LIMITS, f"areas.{area.name}.")
        if gone := sorted(set(area.prefixes) - set(areas[area.name].prefixes)):
            found.append(f"areas.{area.name}.prefixes: {', '.join(gone)} is left out")
    return found


def _looser(
    before: LimitKeys, after: LimitKeys, compared: Mapping[str, Callable[[Any, Any], bool]], where: str
) -> list[str]:
    return [
        f"{where}{key}: less strict than the profile"
        for key, is_looser in compared.items()
        if is_looser(getattr(before, key), getattr(after, key))
    ]


def _longer_hours(before: HoursKeys | None, after: HoursKeys | None) -> bool:
    if before is None or after is None:
        return before is not None
    shared = Calendar(week=before.week()).within(Calendar(week=after.week())).week
    return [_minutes(day) for day in shared or ()] != [_minutes(day) for day in after.week()]


def _minutes(spans: Any) -> set[int]:
    return {minute for span in spans for minute in range(span.opens, span.closes)}


def _fewer_holidays(before: HolidayKeys | None, after: HolidayKeys | None) -> bool:
    before, after = before or HolidayKeys(), after or HolidayKeys()
    lost = set(before.dates) - set(after.dates)
    return bool(lost) or (before.observe and before.calendars() != after.calendars())


def _higher(before: float | None, after: float | None) -> bool:
    return before is not None and (after is None or after > before)


def _lower(before: float | None, after: float | None) -> bool:
    return before is not None and (after is None or after < before)


def _wider_windows(before: list[WindowKeys], after: list[WindowKeys]) -> bool:
    return not all(
        any(new.calls <= old.calls and new.seconds >= old.seconds for new in after) for old in before
    )


def _other_zone(before: str, after: str) -> bool:
    return after not in (before, REFUSE)


def _consent_dropped(before: str, after: str) -> bool:
    return before == "needed" and after != "needed"


def _switched_off(before: bool, after: bool) -> bool:
    return before and not after


_LIMITS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "hours": _longer_hours,
    "holidays": _fewer_holidays,
    "attempts_per_day": _higher,
    "attempts_total": _higher,
    "windows": _wider_windows,
    "pause_after_drop_seconds": _lower,
    "consent": _consent_dropped,
}
_PROFILE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "unknown_zone": _other_zone,
    "registers": _switched_off,
    "ring_seconds": _lower,
    "grace_seconds": _higher,
    "drop_target": _higher,
    "caller_id_required": _switched_off,
}
