"""Finds rows in a node's CEL files. Every function blocks and belongs in a thread; errors leave as OSError.

Nothing is kept between two readings: the rows stand in the order of their times, so the place to begin at is found
by halving, and a file that grows, is rotated or is begun anew needs no care.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from cti.node.cel_rows import CelRow, parse_row, second_of

_CHUNK_BYTES: Final = 1 << 20
_NEAR_BYTES: Final = 1 << 16
"""So little is read through rather than halved further."""
_SLACK_SECONDS: Final = 120
"""How far rows may be out of the order of their times, when a clock was put right."""
_PACKED: Final = frozenset({".gz", ".bz2", ".xz", ".zst"})


@dataclass(slots=True)
class Found:
    """What a reading brought."""

    rows: list[CelRow] = field(default_factory=list)
    """In the order written."""
    bad: int = 0
    """Lines that hold the text looked for and are no rows."""


def with_elders(file: Path) -> list[Path]:
    """Return the file and its rotated elders that are not packed, oldest first. Raises OSError without its folder."""
    named = [path for path in file.parent.iterdir() if f"{path.name}.".startswith(f"{file.name}.")]
    ages = [(path.stat().st_mtime, path) for path in named if path.suffix not in _PACKED]
    return [path for _, path in sorted(ages)]


def find_rows(file: Path, *, texts: Sequence[str], since: datetime | None) -> Found:
    """Read all rows since then, by the node's clock, that hold one of these texts anywhere."""
    wanted = re.compile(b"|".join(re.escape(text.encode()) for text in texts))
    first_second = int(since.timestamp()) if since else 0
    found = Found()
    for path in with_elders(file):
        if since is not None and path.stat().st_mtime < since.timestamp() - _SLACK_SECONDS:
            continue
        with path.open("rb") as stream:
            for line in _lines(stream, _start(stream, since), wanted):
                second = second_of(line)
                if second is not None and second < first_second:
                    continue
                row = parse_row(line)
                if row is None:
                    found.bad += 1
                else:
                    found.rows.append(row)
    return found


def _lines(file: BinaryIO, start: int, wanted: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the whole lines in which it is found; a last one without an end is still being written."""
    file.seek(start)
    rest = b""
    while chunk := file.read(_CHUNK_BYTES):
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline and wanted.search(whole):
            yield from (line for line in whole.split(b"\n") if wanted.search(line))


def _start(file: BinaryIO, since: datetime | None) -> int:
    """Return where a line begins before which all rows are older than `since`."""
    if since is None:
        return 0
    wanted = int(since.timestamp()) - _SLACK_SECONDS
    low, high = 0, file.seek(0, 2)
    while high - low > _NEAR_BYTES:
        middle = (low + high) // 2
        place, second = _row_after(file, middle, high)
        if second is not None and second < wanted:
            low = place
        else:
            high = middle
    return low


def _row_after(file: BinaryIO, place: int, end: int) -> tuple[int, int | None]:
    """Return where the first row after `place` begins and its second; None when there is none before `end`."""
    file.seek(place)
    file.readline()
    while (begin := file.tell()) < end:
        second = second_of(file.readline())
        if second is not None:
            return begin, second
    return end, None
