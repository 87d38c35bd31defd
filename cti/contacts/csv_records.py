"""Bytes of a CSV file, as they come, to records of cells; a broken record costs one line, not the file.

RFC 4180, UTF-8. Knows nothing of contacts. A quoted cell may span lines; when its quote is never closed, or closed
in the middle, the line that opened it is refused and reading goes on with the line after it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from cti.model.contacts import RowRefused

LINE_BYTES: Final = 16_384
"""A longer line is no contact; it is refused, so that memory stays flat on any file."""
RECORD_LINES: Final = 50
"""How many lines one record may span before its open quote counts as broken."""
BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Record:
    """One record and the line it begins on."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    wrong: str | None = None


def cells_of(text: str, delimiter: str) -> list[str] | Literal["open", "broken"]:
    """Split one record; "open" when a quote is not closed yet, "broken" when no further line can mend it."""
    if '"' not in text:
        return text.split(delimiter)
    cells, at = [], 0
    while True:
        if text.startswith('"', at):
            end = _closing_quote(text, at + 1)
            if end is None:
                return "open"
            after = end + 1
            if not text.startswith(delimiter, after) and after != len(text):
                return "broken"
            cells.append(text[at + 1 : end].replace('""', '"'))
        else:
            found = text.find(delimiter, at)
            after = len(text) if found < 0 else found
            if '"' in text[at:after]:
                return "broken"
            cells.append(text[at:after])
        if after == len(text):
            return cells
        at = after + 1


def _closing_quote(text: str, at: int) -> int | None:
    while (at := text.find('"', at)) >= 0:
        if not text.startswith('""', at):
            return at
        at += 2
    return None


def best_delimiter(header: str) -> str:
    """Return which of comma, semicolon, tab and bar stands most often in the header; spreadsheets differ by country."""
    return max(",;\t|", key=header.count)


class RecordReader:
    """Takes bytes, gives records and refused lines in the order of the file. Never raises."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self._number = 0
        self._lines: deque[_Line] = deque()
        self._delimiter: str | None = None

    def feed(self, chunk: bytes) -> Iterator[Record | RowRefused]:
        """Read on."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for raw in whole:
            yield from self._line(raw)
        if len(self._rest) > LINE_BYTES:
            self._skipping, self._rest = True, b""

    def finish(self) -> Iterator[Record | RowRefused]:
        """Read what is left: the file has ended."""
        if self._rest or self._skipping:
            yield from self._line(self._rest)
        yield from self._records(final=True)

    def _line(self, raw: bytes) -> Iterator[Record | RowRefused]:
        self._number += 1
        too_long, self._skipping = self._skipping or len(raw) > LINE_BYTES, False
        if self._number == 1:
            raw = raw.removeprefix(BOM)
        line = _decoded(self._number, raw, too_long=too_long)
        if self._delimiter is None and line.text.strip():
            self._delimiter = best_delimiter(line.text)
        self._lines.append(line)
        yield from self._records(final=False)

    def _records(self, *, final: bool) -> Iterator[Record | RowRefused]:
        while self._lines and (taken := self._take(final=final)):
            count, result = taken
            for _ in range(count):
                self._lines.popleft()
            if isinstance(result, RowRefused) or any(cell.strip() for cell in result.cells):
                yield result

    def _take(self, *, final: bool) -> tuple[int, Record | RowRefused] | None:
        """Return how many lines the next record spans, and it; None when further lines are needed."""
        first, text = self._lines[0], ""
        if first.wrong:
            return 1, RowRefused(line=first.number, reason=first.wrong)
        for count, line in enumerate(self._lines, 1):
            text = f"{text}\n{line.text}" if count > 1 else line.text
            cells = "broken" if line.wrong else cells_of(text, self._delimiter or ",")
            if isinstance(cells, list):
                return count, Record(first.number, cells)
            if cells == "broken" or count >= RECORD_LINES or len(text) > LINE_BYTES:
                return 1, RowRefused(line=first.number, reason=BROKEN_QUOTE)
        return (1, RowRefused(line=first.number, reason=BROKEN_QUOTE)) if final else None


BROKEN_QUOTE: Final = 'broken quotes: a cell with quotes is written "like ""this"""'


def _decoded(number: int, raw: bytes, *, too_long: bool) -> _Line:
    if too_long:
        return _Line(number, "", f"longer than {LINE_BYTES} bytes")
    if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _Line(number, "", "this is UTF-16; save the file as UTF-8")
    if b"\0" in raw:
        return _Line(number, "", f"a NUL byte at position {raw.index(0) + 1}")
    try:
        return _Line(number, raw.removesuffix(b"\r").decode())
    except UnicodeDecodeError as error:
        at = error.start
        return _Line(number, "", f"not UTF-8: byte 0x{raw[at]:02x} at position {at + 1}")
