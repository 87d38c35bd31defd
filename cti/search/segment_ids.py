"""Numbers of transcripts and segments that sort as the calls were placed: an index in their order is one in time.

A transcript's key is the call's milliseconds since 1970 and seven bits for calls of one millisecond and for versions. A
segment's id is its transcript's key and fourteen bits for its place. Together 62 bits: enough until the year 2109.
"""

from datetime import datetime
from typing import Final

_KEYS_PER_MS: Final = 7
_PLACES: Final = 14
_DAY_MS: Final = 86_400_000
LAST_ID: Final = (1 << 63) - 1
MOST_SEGMENTS: Final = 1 << _PLACES
"""Of one transcript: nine hours of one utterance every two seconds."""


def first_key(placed_at: datetime) -> int:
    """Return the smallest key of a call that was placed then; all keys of earlier calls are smaller."""
    seconds, rest = divmod(round(placed_at.timestamp() * 1_000_000), 1_000_000)
    return (seconds * 1000 + rest // 1000) << _KEYS_PER_MS


def free_key(wished: int, taken: list[int]) -> int:
    """Return the first key from `wished` on that is not among the `taken`, which rise."""
    for one in taken:
        if one > wished:
            break
        if one == wished:
            wished += 1
    return wished


def first_id(key: int) -> int:
    """Return the id of a transcript's first segment; the ids of one key are below `first_id(key + 1)`."""
    return key << _PLACES


def edge(moment: datetime) -> int:
    """Return the id from which on segments are of calls that were placed at this moment or later."""
    return min(max(first_id(first_key(moment)), 0), LAST_ID)


def behind_call(segment_id: int) -> int:
    """Return the first id that is certainly of a later transcript."""
    return min(first_id(key_of(segment_id) + 1), LAST_ID)


def day_of(segment_id: int) -> int:
    """Return the day on which the call was placed, counted from 1970 in UTC."""
    return (segment_id >> (_KEYS_PER_MS + _PLACES)) // _DAY_MS


def key_of(segment_id: int) -> int:
    """Return the key of the transcript that a segment belongs to."""
    return segment_id >> _PLACES


def place_of(segment_id: int) -> int:
    """Return which segment of its transcript it is, from 0."""
    return segment_id & (MOST_SEGMENTS - 1)
