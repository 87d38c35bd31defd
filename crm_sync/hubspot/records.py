"""Records, deals and calls of HubSpot as ours. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_sync.hubspot.tables import CHANGED, CHANGED_ELSE
from crm_sync.port import CrmError, Deal, PulledRecord, Written
from crm_sync.reading_tables import KindTable, truth
from crm_sync.requests import at_path
from cti.model.crm import Answer, RecordRef


def record_of(kind: str, row: Any, table: KindTable, *, owner: str | None, deal: Deal | None) -> PulledRecord:
    """Return one of theirs as ours."""
    has: Mapping[str, Any] = at_path(row, "properties") or {}
    stage = (has.get(table.stage) or None) if table.stage else None
    company = has.get("associatedcompanyid")
    archived = at_path(row, "archived") is True
    return PulledRecord(
        ref=RecordRef(kind, str(at_path(row, "id"))),
        name=_name(kind, has),
        numbers=tuple(dict.fromkeys(str(has[one]) for one in table.numbers if has.get(one))),
        owner=owner,
        zone=has.get(table.zone) or None,
        region=has.get(table.region) or None,
        customer=RecordRef("company", str(company)) if company else None,
        deal=deal,
        stage=stage,
        do_not_call=truth(has.get(table.do_not_call)) or False,
        consent=truth(has.get(table.consent)),
        over="archived" if archived else table.over.get(stage or ""),
        next_follow_up_at=moment(has.get(table.next_follow_up_at)),
        changed_at=moment(has.get(CHANGED.get(kind, CHANGED_ELSE))),
        fields={one: has.get(one) for one in table.fields},
    )


def deal_of(row: Any) -> Deal:
    """Return a deal of theirs as ours."""
    has: Mapping[str, Any] = at_path(row, "properties") or {}
    return Deal(
        ref=RecordRef("deal", str(at_path(row, "id"))),
        name=has.get("dealname") or "",
        stage=has.get("dealstage") or "",
        amount=_number(has.get("amount")),
        currency=has.get("deal_currency_code") or "",
    )


def written_of(row: Any, key: str, home: RecordRef | None) -> Written:
    """Return a call of theirs as it stands there."""
    has: Mapping[str, Any] = at_path(row, "properties") or {}
    length = _number(has.get("hs_call_duration"))
    return Written(
        call_id=str(has.get(key) or ""),
        remote=RecordRef("call", str(at_path(row, "id"))),
        home=home,
        started_at=moment(has.get("hs_timestamp")),
        seconds=None if length is None else length / 1000,
        fields=dict(has),
    )


def _name(kind: str, has: Mapping[str, Any]) -> str:
    if kind == "company":
        return has.get("name") or has.get("domain") or ""
    parts = [has.get("firstname"), has.get("lastname")]
    return " ".join(str(one) for one in parts if one) or has.get("email") or ""


def is_open(row: Any) -> bool:
    """Whether a deal is neither won nor lost."""
    return not truth(at_path(row, "properties.hs_is_closed"))


def moment(value: Any) -> datetime | None:
    """Return a time as HubSpot writes it: ISO 8601, or milliseconds since 1970."""
    if value in (None, ""):
        return None
    text = str(value)
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def milliseconds(value: Any) -> int:
    """Return a time of theirs in milliseconds since 1970. Raises CrmError UNKNOWN for what is none."""
    at = moment(value)
    if at is None:
        raise CrmError(Answer.UNKNOWN, f"{value!r} is no time of a change")
    return round(at.timestamp() * 1000)


def _number(value: Any) -> float | None:
    try:
        return None if value in (None, "") else float(value)
    except (TypeError, ValueError):
        return None
