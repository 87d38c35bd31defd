"""CSV as it is handed out: text that a spreadsheet would take for a formula is made harmless. Pure.

The import keeps such text as it stands; only what leaves in a file that people open in a spreadsheet is escaped
(OWASP, "CSV Injection"): with an apostrophe in front. Plain numbers, phone numbers with their plus sign included, stay.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

_FORMULA: Final = re.compile(r"^[=+\-@\t\r]")
_PLAIN_NUMBER: Final = re.compile(r"^[+-]?\d+(\.\d+)?$")


def csv_line(cells: Sequence[Any], *, end: str = "\r\n") -> str:
    """Return one line of CSV (RFC 4180) with its line end. None is empty, lists and tables are JSON."""
    line = io.StringIO()
    csv.writer(line, lineterminator=end).writerow([_cell(cell) for cell in cells])
    return line.getvalue()


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, end: str = "\r\n") -> str:
    """Return a whole table as CSV, the header first."""
    return "".join(csv_line(row, end=end) for row in (columns, *rows))


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False)
    text = str(value)
    harmful = isinstance(value, str) and _FORMULA.match(text) and not _PLAIN_NUMBER.match(text)
    return f"'{text}" if harmful else text
