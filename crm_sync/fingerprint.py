"""What tells two writes of a call apart, as a whole and field by field. Pure.

A link remembers the fingerprint of what was written last: the same is not sent again, and when a field in the CRM is
neither what was written last nor what would be written now, a person changed it there.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from crm_sync.port import CallWrite
from cti.model.crm import RecordRef

HOME: Final = "@home"
"""Stands among the prints for the record that the call is on; no field of a CRM is called so."""
PRINT_LENGTH: Final = 10
DECIMALS: Final = 2
"""To so many places numbers are compared with what was written: CRMs round."""


def fingerprint(write: CallWrite) -> str:
    """Return what tells two writes of a call apart: fields, record, deal and user; then a print of each field."""
    told = json.dumps(
        [write.fields, str(write.home), str(write.deal), write.user], sort_keys=True, default=str
    )
    prints = {name: print_of(value) for name, value in write.fields.items()} | {
        HOME: print_of_home(write.home)
    }
    whole = hashlib.sha256(told.encode()).hexdigest()[:32]
    return f"{whole} {json.dumps(prints, sort_keys=True, separators=(',', ':'), ensure_ascii=False)}"


def prints_of(mark: str) -> Mapping[str, str] | None:
    """Return the print of each field of what was written; None when the fingerprint is too old to hold them."""
    _, _, prints = mark.partition(" ")
    return json.loads(prints) if prints else None


def print_of(value: Any) -> str:
    """Return a print that is the same for all ways to write one value."""
    told = json.dumps(plain_value(value), sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:PRINT_LENGTH]


def print_of_home(home: RecordRef | None) -> str:
    """Return the print of a record; its kind is left out, for not every mapping names one."""
    return print_of(home.id if home else None)


def plain_value(value: Any) -> Any:
    """Return a value without what CRMs change by themselves: ends of lines, blanks around, the notation of times and
    whole numbers, the ways to be empty."""
    match value:
        case None | False | "":
            return None
        case True:
            return True
        case int() | float():
            return round(float(value), DECIMALS)
        case datetime():
            return _moment(value)
        case str():
            text = value.replace("\r\n", "\n").strip()
            at = moment_of(text)
            return _moment(at) if at is not None else (text or None)
    return value


def moment_of(text: str) -> datetime | None:
    """Return the time that a text is, None when it is none. Without a zone it is UTC."""
    if len(text) < len("2026-01-01 00:00") or text[4:5] != "-":
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat()
