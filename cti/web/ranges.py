"""Which bytes of a file a request wants (RFC 9110, 13.1.5 and 14). Pure."""

import re
from typing import Final

_ONE: Final = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
_MOST_DIGITS: Final = 19


class NoSuchRange(Exception):
    """The range lies behind the end: 416."""


def wanted_range(header: str | None, if_range: str | None, *, etag: str, size: int) -> range | None:
    """Return the bytes asked for; None for all of them. Raises NoSuchRange.

    What is no single range of bytes is ignored, as the RFC allows; so is a range `If-Range` names another file for.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _ONE.fullmatch(header)
    if found is None or not any(found.groups()) or max(map(len, found.groups())) > _MOST_DIGITS:
        return None
    first, last = found.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise NoSuchRange
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise NoSuchRange
    return range(int(first), min(int(last) + 1 if last else size, size))


def names_etag(header: str | None, etag: str) -> bool:
    """Whether an `If-None-Match` names this version of the file."""
    if header is None:
        return False
    return header.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in header.split(","))
