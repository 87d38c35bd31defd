"""Cursors: where the next page begins, as a word for URLs. Pure."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any, Final

from cti.errors import BadInput
from cti.model.contact_rows import SORTED_BY, After, Sort

_TIMED: Final = frozenset({"created", "last_talk", "next_follow_up"})
_BAD: Final = "cursor: is none of ours for this order; begin with the first page"


def cursor_of(after: After, sort: Sort) -> str:
    """Return the word for the page after this row."""
    value = after.value.isoformat() if isinstance(after.value, datetime) else after.value
    told = json.dumps([sort.value, after.id, value], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def after_of(cursor: str, sort: Sort) -> After:
    """Return where the page begins. Raises BadInput for a word that is not ours, or is of another order."""
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        order, row_id, value = told
        if order != sort.value or type(row_id) is not int or not 0 < row_id < 2**63:
            raise ValueError(order)
        return After(id=row_id, value=_value(value, sort.removeprefix("-")))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise BadInput(_BAD) from None


def _value(value: Any, word: str) -> str | float | datetime | None:
    if value is None:
        return None
    if word not in SORTED_BY:
        raise ValueError(word)
    if word in _TIMED:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    wanted = str if word == "name" else float
    if not isinstance(value, wanted):
        raise TypeError(value)
    return value
