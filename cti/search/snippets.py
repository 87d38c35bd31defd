"""The piece of an utterance that is shown for a hit, and the word for the next page. Pure."""

import re
from typing import Final

from cti.errors import BadInput
from cti.model.searches import After, SearchOrder
from cti.search.hits import Marks
from cti.search.segment_ids import LAST_ID

WIDTH: Final = 200
"""Letters of a snippet."""
_BEFORE: Final = 60
"""Letters before the first mark, when something must go."""
_MORE: Final = "…"
_CURSOR: Final = re.compile("(?P<order>[nr])(?P<number>[0-9a-f]{1,16})")
_ORDERS: Final = {SearchOrder.NEWEST: "n", SearchOrder.RANK: "r"}


def snippet(text: str, marks: Marks, *, width: int = WIDTH) -> tuple[str, Marks]:
    """Return at most `width` letters of the text, the first mark within, and the marks' places there."""
    if len(text) <= width:
        return text, marks
    first = marks[0][0] if marks else 0
    begin = min(max(0, first - _BEFORE), len(text) - width)
    end = begin + width
    before, after = _MORE if begin else "", _MORE if end < len(text) else ""
    shift = len(before) - begin
    inside = tuple((start + shift, min(stop, end) + shift) for start, stop in marks if start < end)
    return before + text[begin:end] + after, inside


def cursor_of(after: After | None, order: SearchOrder) -> str | None:
    """Return the word for the next page, None when there is none."""
    if after is None:
        return None
    return f"{_ORDERS[order]}{after.segment_id if order is SearchOrder.NEWEST else after.place:x}"


def after_of(cursor: str, order: SearchOrder) -> After:
    """Return where the page begins. Raises BadInput for a word that is not ours, or is of another order."""
    found = _CURSOR.fullmatch(cursor)
    if not found or found["order"] != _ORDERS[order] or int(found["number"], 16) > LAST_ID:
        raise BadInput("cursor: is none of ours for this order; begin with the first page")
    number = int(found["number"], 16)
    return After(segment_id=number) if order is SearchOrder.NEWEST else After(place=number)
