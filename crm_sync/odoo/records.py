"""Leads and contacts of Odoo as records of ours. Pure: rows in, records out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_sync.odoo.people import Person
from crm_sync.odoo.rows import time_of
from crm_sync.odoo.tables import LEAD, PARTNER
from crm_sync.port import Deal, PulledRecord
from cti.model.crm import RecordRef

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    LEAD: (
        *(
            "name",
            "contact_name",
            "partner_name",
            "partner_id",
            "type",
            "active",
            "probability",
            "won_status",
        ),
        *("phone", "mobile", "phone_sanitized", "phone_blacklisted", "phone_sanitized_blacklisted"),
        *("user_id", "country_id", "stage_id", "expected_revenue", "company_currency"),
        *("activity_date_deadline", "write_date"),
    ),
    PARTNER: (
        *("name", "active", "phone", "mobile", "phone_sanitized", "phone_blacklisted"),
        *("phone_sanitized_blacklisted", "user_id", "country_id", "commercial_partner_id", "tz"),
        *("activity_date_deadline", "write_date"),
    ),
}
"""What is read where it is there: versions differ (`mobile` went with 19, `won_status` came with 17)."""
CERTAIN: Final = 100.0
"""Probability of a lead that is won, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What rows only name: by id."""

    owners: Mapping[int, Person] = field(default_factory=dict)
    countries: Mapping[int, str] = field(default_factory=dict)
    """Two letters."""
    zones: Mapping[int, str] = field(default_factory=dict)
    """Of contacts."""
    zone: str = "UTC"
    """Where days begin for a record that has no zone."""


def record_of(
    model: str, row: Mapping[str, Any], around: Around, *, extra: Sequence[str] = ()
) -> PulledRecord:
    """Return a row of `search_read` as a record. `extra`: fields that come along as they are."""
    lead = model == LEAD
    ref = RecordRef(model, str(row["id"]))
    owner = around.owners.get(_id(row.get("user_id")) or 0)
    partner = _id(row.get("partner_id" if lead else "commercial_partner_id"))
    zone = _text(row.get("tz")) or around.zones.get(_id(row.get("partner_id")) or 0)
    return PulledRecord(
        ref=ref,
        name=_name(row),
        numbers=numbers_of(row),
        owner=owner.name if owner else None,
        zone=zone,
        region=around.countries.get(_id(row.get("country_id")) or 0),
        customer=RecordRef(PARTNER, str(partner)) if partner else None,
        deal=_deal(ref, row) if lead and row.get("type") == "opportunity" else None,
        stage=_shown(row.get("stage_id")) or None,
        do_not_call=bool(row.get("phone_blacklisted") or row.get("phone_sanitized_blacklisted")),
        over=over(model, row),
        next_follow_up_at=day_begins(row.get("activity_date_deadline"), zone or around.zone),
        next_follow_up_on=day_of(row.get("activity_date_deadline")),
        changed_at=time_of(row.get("write_date")),
        fields={name: row.get(name) for name in extra},
    )


def over(model: str, row: Mapping[str, Any]) -> str | None:
    """Return why a record is not to be dialed any more, None when it is."""
    if not row.get("active", True):
        lost = model == LEAD and (row.get("won_status") == "lost" or not row.get("probability"))
        return "lost" if lost else "archived"
    if model != LEAD:
        return None
    won = row["won_status"] == "won" if "won_status" in row else (row.get("probability") or 0) >= CERTAIN
    return "won" if won else None


def numbers_of(row: Mapping[str, Any]) -> list[str]:
    """Return the numbers: as they were written, mobile first; the one that Odoo made sense of, when none is written."""
    found = [_text(row.get(name)) for name in ("mobile", "phone")]
    written = [one for one in found if one]
    clean = _text(row.get("phone_sanitized"))
    return list(dict.fromkeys(written or ([clean] if clean else [])))


def day_of(text: Any) -> date | None:
    """Return a day, None for what is no date."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def day_begins(text: Any, zone: str) -> datetime | None:
    """Return when a day begins in a zone, in UTC; None for what is no date."""
    day = day_of(text)
    if day is None:
        return None
    try:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, KeyError, OSError):
        return None


def _deal(ref: RecordRef, row: Mapping[str, Any]) -> Deal:
    amount = row.get("expected_revenue")
    return Deal(
        ref=ref,
        name=_text(row.get("name")) or "",
        stage=_shown(row.get("stage_id")),
        amount=float(amount) if isinstance(amount, int | float) else None,
        currency=_shown(row.get("company_currency")),
    )


def _name(row: Mapping[str, Any]) -> str:
    return next(
        (text for one in ("contact_name", "partner_name", "name") if (text := _text(row.get(one)))), ""
    )


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, False, "") else None


def _id(value: Any) -> int | None:
    """Return the id of a `many2one`, which is read as `[id, name]`."""
    return int(value[0]) if isinstance(value, list) and value else None


def _shown(value: Any) -> str:
    return str(value[1]) if isinstance(value, list) and len(value) > 1 else ""
