"""What tells two writes of a call apart, as a whole and part by part. Pure.

A link remembers the fingerprint of what was written last: the same is not sent again, and when a field in the CRM is
neither what was written last nor what would be written now, a person changed it there.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from crm_sync.port import CallWrite
from cti.model.crm import RecordRef

HOME: Final = "@home"
"""Stands among the prints for the record that the call is on; no field of a CRM is called so."""
DEAL: Final = "@deal"
CONTACT: Final = "@contact"
CUSTOMER: Final = "@customer"
USER: Final = "@user"
PLACES: Final = (HOME, DEAL, CONTACT, CUSTOMER, USER)
"""Where a call stands there, and whose it is."""
OPEN: Final = "-"
"""In place of the hash of the whole: something is to be written still."""
LOST: Final = "?"
"""The same, and an answer was lost: what was under way then is among the prints, as what may stand there."""
OR: Final = "|"
"""Begins the print of a part of which one of several may stand there, and stands between them."""
PRINT_LENGTH: Final = 10
DECIMALS: Final = 2
"""To so many places numbers are compared with what was written: CRMs round."""


def fingerprint(write: CallWrite, *, left: Collection[str] = ()) -> str:
    """Return what tells two writes of a call apart: all that is written; then a print of each part.

    `left`: parts that were not written, for a person changed them there: they keep the print of what was written last.
    """
    log = write.log
    places = [str(write.home), str(write.deal), write.user, log.crm_contact, log.crm_customer]
    told = json.dumps([write.fields, *places], sort_keys=True, default=str)
    kept = {name: write.last[name] for name in left if name in write.last}
    return _marked(hashlib.sha256(told.encode()).hexdigest()[:32], parts_of(write) | kept)


def parts_of(write: CallWrite) -> dict[str, str]:
    """Return the print of each field, and of each of `PLACES`."""
    log = write.log
    places = {
        HOME: print_of_home(write.home),
        DEAL: print_of_home(write.deal),
        CONTACT: print_of(log.crm_contact),
        CUSTOMER: print_of(log.crm_customer),
        USER: print_of(write.user),
    }
    return {name: print_of(value) for name, value in write.fields.items()} | places


def prints_of(mark: str) -> Mapping[str, str] | None:
    """Return the print of each part of what was written; None when the fingerprint is too old to hold them."""
    _, _, prints = mark.partition(" ")
    return json.loads(prints) if prints else None


def is_same(mark: str, other: str) -> bool:
    """Return whether two fingerprints are of the same write. What was left to a person does not tell them apart."""
    one, two = mark.partition(" ")[0], other.partition(" ")[0]
    return (one == two not in (OPEN, LOST)) or (
        bool(mark) and prints_of(mark) == prints_of(other) is not None
    )


def reopened(mark: str, names: Collection[str]) -> str:
    """Return the fingerprint without the prints of these parts: they are written next time, whatever stands there."""
    prints = prints_of(mark)
    return "" if prints is None else _marked(OPEN, {n: one for n, one in prints.items() if n not in names})


def doubted(mark: str, write: CallWrite, *, lost: bool) -> str:
    """Return the fingerprint after a write that did not go well. What was under way may stand there, as a whole or in
    part, or what was written last: it is written next time, also when ours is by then what it was. Where also before it
    was not known what stands there, nothing is remembered of it.

    `lost`: it is not known whether the write came to be.
    """
    prints = prints_of(mark)
    if prints is None:
        return ""
    under_way = {n: one for n, one in parts_of(write).items() if n in prints and n not in write.leave}
    either = {
        n: OR + OR.join(sorted({*may_be(prints[n]), one})) for n, one in under_way.items() if n in write.last
    }
    known = {n: one for n, one in prints.items() if n not in under_way}
    return _marked(LOST if lost else OPEN, known | either)


def may_be(print_: str) -> Collection[str]:
    """Return the prints of what may stand there: one, or several after a write that did not go well."""
    return [one for one in print_.split(OR) if one]


def of_places(write: CallWrite) -> str:
    """Return the fingerprint of a call of which it is only known that it stands somewhere: there it is to stay."""
    return _marked(OPEN, {name: one for name, one in parts_of(write).items() if name in PLACES})


def since_last(write: CallWrite, mark: str) -> CallWrite:
    """Return the write of a call with what an update is to leave as it stands there: what is ours as it was written
    last, going by the fingerprint of that. Without one all is sent.
    """
    last = prints_of(mark)
    if write.remote is None or not last:
        return write
    same = {name for name, one in parts_of(write).items() if last.get(name) == one}
    if write.unsure:
        # Whoever sent it may have been killed, and nobody wrote down what was under way: of no text it can be said that
        # a person typed it, and ours must come. Of a lost answer alone it is known at least which fields to send.
        last = {name: one for name, one in last.items() if name in PLACES}
        same = same if mark.startswith(LOST) else same & {*PLACES}
    return replace(write, leave=frozenset(same), last=last)


def changed_there(write: CallWrite, there: Mapping[str, Any]) -> frozenset[str]:
    """Return the texts that an update would change and that a person changed there: what stands there is neither
    what was written last nor ours."""
    return frozenset(
        name
        for name, ours in write.sent().items()
        if (ours is None or isinstance(ours, str))
        and isinstance(there.get(name), str)
        and name in write.last
        and print_of(there[name]) not in (*may_be(write.last[name]), print_of(ours))
    )


def _marked(whole: str, prints: Mapping[str, str]) -> str:
    return f"{whole} {json.dumps(prints, sort_keys=True, separators=(',', ':'), ensure_ascii=False)}"


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
