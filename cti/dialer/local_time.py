"""A time of the day as people agree on it, in the zone of one of them. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cti.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment, and what is to be said of how it was read."""

    at: datetime
    """In UTC."""
    remark: str = ""
    """Not empty when the clocks are changed at that very time."""


def zone_named(name: str) -> ZoneInfo:
    """Return the zone. Raises BadInput when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"zone: there is no time zone {name!r}; write one like Europe/Berlin") from None


def moment_in(local: datetime, zone: str) -> Moment:
    """Return the moment of a local time without zone.

    A time that the clocks leave out in spring is as much later as they leave out; one that comes twice in autumn is the
    first. Raises BadInput for an unknown zone.
    """
    place = zone_named(zone)
    meant = local.replace(tzinfo=place, fold=0)
    at = meant.astimezone(UTC)
    shown = at.astimezone(place).replace(tzinfo=None, fold=0)
    if shown != local:
        return Moment(
            at=at, remark=f"{local:%H:%M} does not exist on that day in {zone}; {shown:%H:%M} is taken"
        )
    if meant.utcoffset() != meant.replace(fold=1).utcoffset():
        return Moment(at=at, remark=f"{local:%H:%M} comes twice on that day in {zone}; the first is taken")
    return Moment(at=at)
