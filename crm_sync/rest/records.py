"""Records, deals and calls of an answer as ours, by the paths of the tables. Pure."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_sync.port import CrmError, Deal, PulledRecord, Written
from crm_sync.reading_tables import truth
from crm_sync.requests import at_path
from crm_sync.rest.read_tables import CallsTable, DealTable, IsTable, KindTable
from crm_sync.rest.tables import RestTable
from cti.model.crm import Answer, RecordRef

HEX: Final = "(?P<hex>[0-9a-f]{32})"
DASHED: Final = "(?P<dashed>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
DAY_LENGTH: Final = len("2026-11-26")


@dataclass(frozen=True, slots=True)
class Times:
    """How a CRM writes times."""

    written: Literal["iso", "unix", "unix_ms"] = "iso"
    zone: str = "UTC"
    """Of times without one, and of days."""
    day_begins: time = time(9)
    """When a follow-up is due that has only a day."""

    def moment(self, value: Any) -> datetime | None:
        """Return a time in UTC, None for what is none."""
        if value in (None, "") or isinstance(value, bool):
            return None
        try:
            if self.written != "iso":
                return datetime.fromtimestamp(float(value) / (1000 if self.written == "unix_ms" else 1), UTC)
            at = datetime.fromisoformat(str(value))
        except (ValueError, TypeError, OverflowError, OSError):
            return None
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone))).astimezone(UTC)

    def day(self, value: Any) -> date | None:
        """Return a day that is written without a time, None for anything else."""
        text = str(value)
        if self.written != "iso" or len(text) != DAY_LENGTH:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None

    def due(self, value: Any) -> datetime | None:
        """Return when a follow-up is due: its time, or when its day's work begins."""
        day = self.day(value)
        if day is None:
            return self.moment(value)
        return datetime.combine(day, self.day_begins, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def times_of(table: RestTable) -> Times:
    """Return how a CRM writes times."""
    return Times(written=table.times, zone=table.zone, day_begins=table.day_begins)


def record_of(kind: str, row: Any, table: KindTable, times: Times) -> PulledRecord:
    """Return a record as ours. Raises CrmError RETRY for one without an id."""
    customer = _text(at_path(row, table.customer)) if table.customer else None
    due = at_path(row, table.next_follow_up_at) if table.next_follow_up_at else None
    return PulledRecord(
        ref=RecordRef(kind, id_of(row, table.id, table.ids)),
        name=_name(row, table),
        numbers=tuple(dict.fromkeys(_numbers(row, table))),
        owner=_at(row, table.owner),
        zone=_at(row, table.zone),
        region=_at(row, table.region),
        customer=RecordRef(table.customer_kind, customer) if customer else None,
        deal=_deal(row, table.deal) if table.deal else None,
        stage=_at(row, table.stage),
        do_not_call=bool(table.do_not_call and truth(at_path(row, table.do_not_call))),
        consent=truth(at_path(row, table.consent)) if table.consent else None,
        over=next((one.why for one in table.over if holds(row, one)), None),
        next_follow_up_at=times.due(due),
        next_follow_up_on=times.day(due),
        changed_at=times.moment(at_path(row, table.changed_at)) if table.changed_at else None,
        fields={name: at_path(row, path) for name, path in table.fields.items()},
    )


def id_of(row: Any, path: str, pattern: str) -> str:
    """Return the id of a record. Raises CrmError RETRY for none, and for one that is no id of this kind."""
    found = at_path(row, path)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise CrmError(Answer.RETRY, f"a record of the answer has no id at {path!r}")
    if re.fullmatch(pattern, str(found)) is None:
        raise CrmError(Answer.RETRY, f"a record of the answer has the id {str(found)[:60]!r}, which is none")
    return str(found)


def mark_pattern(holds: str) -> re.Pattern[str]:
    """Return what finds a call's id in a mark, of a text like `[cti:{call_id}]`."""
    found = re.escape(holds)
    found = found.replace(re.escape("{call_id}"), HEX).replace(re.escape("{call_uuid}"), DASHED)
    return re.compile(rf"(?<![0-9a-f]){found}(?![0-9a-f])")


def call_of(text: Any, pattern: re.Pattern[str]) -> str | None:
    """Return the id of the call whose mark stands in a text, None when none does."""
    found = pattern.search(str(text or ""))
    if found is None:
        return None
    return UUID(next(one for one in found.groups() if one)).hex


def written_of(
    row: Any, table: CallsTable, *, kind: str, mark: re.Pattern[str], times: Times
) -> Written | None:
    """Return a record as a call of ours, None when it is none. Raises CrmError RETRY for one without an id."""
    call_id = call_of(at_path(row, table.mark), mark)
    if call_id is None:
        return None
    fields = at_path(row, table.fields)
    kept = {name: value for name, value in fields.items() if name not in table.not_compared} if isinstance(
        fields, Map
    ) else {}  # fmt: skip
    return Written(
        call_id=call_id,
        remote=RecordRef(kind, id_of(row, table.id, ".+")),
        home=_home(row, table),
        started_at=times.moment(at_path(row, table.started_at)) if table.started_at else None,
        seconds=_length(row, table.length),
        fields=kept,
    )


def holds(row: Any, table: IsTable) -> bool:
    """Whether a record says what a table asks."""
    return _shown(at_path(row, table.at)) in table.is_


def _shown(value: Any) -> str:
    """Return a value as tables name it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)


def _home(row: Any, table: CallsTable) -> RecordRef | None:
    for one in table.homes:
        if one.when is not None and not holds(row, one.when):
            continue
        found = _text(at_path(row, one.id))
        kind = _text(at_path(row, one.kind_at)) if one.kind_at else one.kind
        if found:
            return RecordRef(kind or "", found)
    return None


def _length(row: Any, parts: Map[str, float]) -> float | None:
    found = [(_number(at_path(row, path)), seconds) for path, seconds in parts.items()]
    there = [number * seconds for number, seconds in found if number is not None]
    return sum(there) if there else None


def _deal(row: Any, table: DealTable) -> Deal | None:
    found = _text(at_path(row, table.id))
    if found is None:
        return None
    return Deal(
        ref=RecordRef(table.kind, found),
        name=_at(row, table.name) or "",
        stage=_at(row, table.stage) or "",
        amount=_number(at_path(row, table.amount)) if table.amount else None,
        currency=_at(row, table.currency) or "",
    )


def _name(row: Any, table: KindTable) -> str:
    whole = " ".join(text for path in table.name if (text := _text(at_path(row, path))))
    return whole or next((text for path in table.name_else if (text := _text(at_path(row, path)))), "")


def _numbers(row: Any, table: KindTable) -> list[str]:
    found = []
    for path in table.numbers:
        value = at_path(row, path)
        found += [text for one in (value if isinstance(value, list) else [value]) if (text := _text(one))]
    return found


def _at(row: Any, path: str) -> str | None:
    return _text(at_path(row, path)) if path else None


def _text(value: Any) -> str | None:
    """Return a value as text, None for nothing and for what is no text."""
    if value is None or isinstance(value, bool | Map | list):
        return None
    return str(value).strip() or None


def _number(value: Any) -> float | None:
    try:
        return None if value in (None, "") or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
