"""Records, deals and calls of Bitrix24 as ours. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from crm_sync.bitrix24.tables import KINDS
from crm_sync.port import CrmError, Deal, PulledRecord, Written
from crm_sync.reading_tables import KindTable, truth
from cti.model.crm import Answer, RecordRef

OVER: Final = {"S": "won", "F": "lost"}
"""Why a lead is over, by the meaning of its stage; `P` is none."""


def record_of(
    kind: str, row: Mapping[str, Any], table: KindTable, *, owner: str | None, deal: Deal | None
) -> PulledRecord:
    """Return one of theirs as ours."""
    stage = _text(row.get(table.stage)) if table.stage else None
    return PulledRecord(
        ref=RecordRef(kind, str(row["ID"])),
        name=_name(row),
        numbers=tuple(dict.fromkeys(one for field in table.numbers for one in _numbers(row.get(field)))),
        owner=owner,
        zone=_text(row.get(table.zone)),
        region=_text(row.get(table.region)),
        customer=_customer(kind, row),
        deal=deal,
        stage=stage,
        do_not_call=truth(row.get(table.do_not_call)) or False,
        consent=truth(row.get(table.consent)),
        over=table.over.get(stage or "") or OVER.get(str(row.get("STATUS_SEMANTIC_ID"))),
        next_follow_up_at=moment(row.get(table.next_follow_up_at)),
        changed_at=moment(row.get("DATE_MODIFY")),
        fields={one: row.get(one) for one in table.fields},
    )


def deal_of(row: Mapping[str, Any]) -> Deal:
    """Return a deal of theirs as ours."""
    try:
        amount = float(row["OPPORTUNITY"])
    except (KeyError, TypeError, ValueError):
        amount = None
    return Deal(
        ref=RecordRef("deal", str(row["ID"])),
        name=row.get("TITLE") or "",
        stage=row.get("STAGE_ID") or "",
        amount=amount,
        currency=row.get("CURRENCY_ID") or "",
    )


def written_of(row: Mapping[str, Any]) -> Written:
    """Return an activity of ours as it stands there.

    It has an end and no length: whether that is the talk's or the whole call's is the mapping's, so it is compared as
    the field that it is.
    """
    number = str(row.get("OWNER_TYPE_ID"))
    kind = KINDS.get(int(number)) if number.isdecimal() else None
    return Written(
        call_id=str(row.get("ORIGIN_ID") or ""),
        remote=RecordRef("activity", str(row["ID"])),
        home=RecordRef(kind, str(row.get("OWNER_ID"))) if kind else None,
        started_at=moment(row.get("START_TIME")),
        fields=dict(row),
    )


def moment(value: Any) -> datetime | None:
    """Return a time of theirs, None for what is none."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def seconds_of(value: Any) -> int:
    """Return a time of theirs in seconds since 1970. Raises CrmError UNKNOWN for what is none."""
    at = moment(value)
    if at is None:
        raise CrmError(Answer.UNKNOWN, f"{value!r} is no time of a change")
    return int(at.timestamp())


def _name(row: Mapping[str, Any]) -> str:
    person = " ".join(str(row[one]) for one in ("NAME", "LAST_NAME") if row.get(one))
    return person or str(row.get("TITLE") or "")


def _customer(kind: str, row: Mapping[str, Any]) -> RecordRef | None:
    company = row.get("COMPANY_ID")
    return (
        RecordRef("company", str(company))
        if kind != "company" and company not in (None, "", "0", 0)
        else None
    )


def _numbers(value: Any) -> list[str]:
    """Return the numbers of a field: a list of values with their types, or one text."""
    if isinstance(value, list):
        return [str(one["VALUE"]) for one in value if isinstance(one, dict) and one.get("VALUE")]
    return [str(value)] if value else []


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "", []) else None
