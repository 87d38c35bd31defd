"""Values as an object's description wants them, and records as ours. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from crm_sync.port import PulledRecord, Written
from crm_sync.reading_tables import KindTable, truth
from cti.errors import BadInput
from cti.model.crm import RecordRef

DATES: Final = frozenset({"date", "date_time"})
NUMBERS: Final = frozenset({"number", "currency", "percentile"})
PEOPLE: Final = frozenset({"employee", "employee_many"})
MANY: Final = frozenset(
    {"select_many", "object_reference_many", "department", "department_many", "tag", "array"}
)
READ_ONLY: Final = frozenset({"formula", "count", "quote", "auto_number"})


def typed(name: str, value: Any, described: Mapping[str, Any], *, where: str) -> Any:
    """Return a value in the form that the field's type wants: milliseconds, text, yes and no, or a list.

    Raises BadInput for a field that is not there, and for a value that does not fit.
    """
    field = described.get(name)
    if not isinstance(field, Mapping):
        raise BadInput(f"{where} has no field {name!r}")
    kind = str(field.get("type"))
    if kind in READ_ONLY:
        raise BadInput(f"{where}: {name} is made there and cannot be written")
    if value is None:
        return None
    if kind in DATES:
        return _milliseconds(name, value)
    if kind == "true_or_false":
        return truth(value)
    if kind in NUMBERS:
        return _number(name, value)
    if kind in PEOPLE or kind in MANY:
        return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if kind == "select_one":
        _must_be_option(name, text, field)
    return text


def record_of(kind: str, row: Mapping[str, Any], table: KindTable) -> PulledRecord:
    """Return one of theirs as ours."""
    stage = _text(row.get(table.stage)) if table.stage else None
    account = row.get("account_id") if kind != "AccountObj" else None
    return PulledRecord(
        ref=RecordRef(kind, str(row["_id"])),
        name=_text(row.get("name")) or "",
        numbers=tuple(dict.fromkeys(str(row[one]) for one in table.numbers if row.get(one))),
        owner=_first(row.get("owner")),
        zone=_text(row.get(table.zone)),
        region=_text(row.get(table.region)),
        customer=RecordRef("AccountObj", str(account)) if account else None,
        stage=stage,
        do_not_call=truth(row.get(table.do_not_call)) or False,
        consent=truth(row.get(table.consent)),
        over="deleted" if is_gone(row) else table.over.get(stage or ""),
        next_follow_up_at=moment(row.get(table.next_follow_up_at)),
        changed_at=moment(row.get("last_modified_time")),
        fields={one: row.get(one) for one in table.fields},
    )


def untyped(name: str, value: Any, described: Mapping[str, Any]) -> Any:
    """Return a value of theirs in the form in which a mapping writes it: what `typed` was given."""
    field = described.get(name)
    kind = str(field.get("type")) if isinstance(field, Mapping) else ""
    if kind in DATES and (at := moment(value)) is not None:
        return at.isoformat().replace("+00:00", "Z")
    if kind in PEOPLE | MANY and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def written_of(
    row: Mapping[str, Any],
    *,
    api_name: str,
    mark: str,
    started: str,
    seconds: str,
    links: Mapping[str, str],
    described: Mapping[str, Any],
) -> Written:
    """Return a call of theirs as it stands there. `described`: the object's fields by name."""
    home = next((RecordRef(kind, str(row[name])) for kind, name in links.items() if row.get(name)), None)
    try:
        length = float(row[seconds])
    except (KeyError, TypeError, ValueError):
        length = None
    return Written(
        call_id=str(row.get(mark) or ""),
        remote=RecordRef(api_name, str(row["_id"])),
        home=home,
        started_at=moment(row.get(started)),
        seconds=length,
        fields={name: untyped(name, value, described) for name, value in row.items()},
    )


def is_gone(row: Mapping[str, Any]) -> bool:
    """Whether a record is deleted, or made invalid (作废), which is how people delete there."""
    return truth(row.get("is_deleted")) is True or row.get("life_status") == "invalid"


def moment(value: Any) -> datetime | None:
    """Return a time of theirs, milliseconds since 1970; None for what is none."""
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _milliseconds(name: str, value: Any) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadInput(f"{name}: {value!r} is no time") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _number(name: str, value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadInput(f"{name}: {value!r} is no number") from None
    return str(int(number)) if number.is_integer() else str(number)


def _must_be_option(name: str, text: str, field: Mapping[str, Any]) -> None:
    options = field.get("options")
    known = {str(one.get("value")): one.get("label") for one in options or () if isinstance(one, Mapping)}
    if known and text not in known:
        told = ", ".join(f"{value} ({label})" for value, label in known.items())
        raise BadInput(f"{name}: there is no option {text!r}; there are: {told}")


def _first(value: Any) -> str | None:
    if isinstance(value, list):
        return str(value[0]) if value else None
    return _text(value)


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "", []) else None
