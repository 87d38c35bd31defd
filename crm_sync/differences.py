"""Holds one call as it would be written and as it stands in a CRM together. Pure.

What CRMs change by themselves is no difference: times and numbers that are kept less exactly, ways to write them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from crm_sync.fingerprint import moment_of, plain_value
from crm_sync.mapping import Mapping
from crm_sync.port import CallWrite, Written
from cti.model.crm import CallLog

SHOWN: Final = 60
EMPTY: Final = (None, 0.0)
"""CRMs give 0 for a number that was never set."""
NEAR: Final = 0.0101
"""How far two numbers may be apart: one step of the last place that is compared."""
STARTS: Final = ("placed_at", "answered_at", "connected_at")
LENGTHS: Final = ("talk_seconds", "total_seconds")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value, there and here."""

    name: str
    there: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.name}: there {_short(self.there)}, ours {_short(self.ours)}"


def differences(
    write: CallWrite, one: Written, mapping: Mapping, exact_seconds: float
) -> Iterator[Difference]:
    """Give what stands there and is not what would be written: fields that can be read back, start and length."""
    for name, value in write.fields.items():
        if name in one.fields and not _same(value, one.fields[name], exact_seconds):
            yield Difference(name, one.fields[name], value)
    starts = _written_of(mapping, write.log, STARTS)
    near = timedelta(seconds=exact_seconds)
    if one.started_at is not None and starts and all(abs(one.started_at - at) > near for at in starts):
        yield Difference("started_at", one.started_at, starts[0])
    lengths = _written_of(mapping, write.log, LENGTHS)
    if (
        one.seconds is not None
        and lengths
        and all(abs(one.seconds - each) > exact_seconds for each in lengths)
    ):
        yield Difference("seconds", one.seconds, lengths[0])


def _written_of(mapping: Mapping, log: CallLog, names: Sequence[str]) -> list[Any]:
    """Return those of a call's facts that the mapping writes. None of them: none is compared."""
    used = mapping.named()
    return [value for name in names if name in used and (value := getattr(log, name)) is not None]


def home_differs(write: CallWrite, one: Written) -> bool:
    """Return whether it is on another record than ours would be. A call without a record of ours may be anywhere."""
    if write.home is None:
        return False
    if one.home is None or write.home.id != one.home.id:
        return True
    return "" not in (write.home.kind, one.home.kind) and write.home.kind != one.home.kind


def _same(ours: Any, there: Any, exact_seconds: float) -> bool:
    mine, theirs = plain_value(ours), plain_value(there)
    if mine == theirs or (mine in EMPTY and theirs in EMPTY):
        return True
    if isinstance(mine, float) or isinstance(theirs, float):
        one, other = _number(mine), _number(theirs)
        return one is not None and other is not None and abs(one - other) <= _near(one, other)
    if isinstance(mine, str) and isinstance(theirs, str):
        at, then = moment_of(mine), moment_of(theirs)
        return at is not None and then is not None and abs((at - then).total_seconds()) <= exact_seconds
    return False


def _near(ours: float, there: float) -> float:
    """Return how far two numbers may be apart: a CRM that keeps whole ones cuts or rounds ours."""
    return 1.0 if there.is_integer() and not ours.is_integer() else NEAR


def _number(value: Any) -> float | None:
    """Return a number, also one that a CRM gives as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
