"""The first sheet of an XLSX file to records of cells, row by row. The only module that knows openpyxl.

Values are read, never computed: a formula counts with the result that the spreadsheet saved beside it. What the file
says of its own size is not believed; how far it may unfold is checked before anything is unpacked.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from cti.contacts.columns import MAX_COLUMNS
from cti.contacts.csv_records import Record
from cti.errors import BadInput
from cti.model.contacts import RowRefused
from cti.model.imports import RefusalCode

MAGIC: Final = b"PK\x03\x04"
"""An XLSX file is a ZIP archive; no list of text begins so."""
SHEET_BYTES: Final = 2 * 1024**3
"""Most that a sheet may unfold to: about 20 million cells."""
STRINGS_BYTES: Final = 128 * 1024**2
"""Most that the table of shared texts may unfold to: it is the one part that is held in memory."""
OTHER_BYTES: Final = 64 * 1024**2
CELL_LENGTH: Final = 32_767
"""Excel's own limit."""

_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")
_TROUBLE: Final = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    ValueError,
    IndexError,
    AttributeError,
    TypeError,
    EOFError,
    OSError,
    SyntaxError,  # what the XML reader raises is one
    NotImplementedError,
    RuntimeError,
)
"""What openpyxl and zipfile raise on files that are broken or encrypted."""


def xlsx_records(path: Path) -> Iterator[Record | RowRefused]:
    """Give the rows that are not empty, with their number in the sheet. Raises BadInput for a file that is none."""
    _refuse_bomb(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of parts of a workbook that it passes over
            yield from _rows(path)
    except BadInput:
        raise
    except _TROUBLE as error:
        raise BadInput(f"the file is no XLSX workbook that can be read: {str(error)[:100]}") from None


def _rows(path: Path) -> Iterator[Record | RowRefused]:
    values = _sheet(path, data_only=True)
    formulas = _sheet(path, data_only=False) if _has_formulas(path) else None
    for line, cells in enumerate(values, 1):
        written = next(formulas, ()) if formulas is not None else ()
        if len(cells) > MAX_COLUMNS:
            cells = _without_empty_end(cells)
        if any(cell is not None and cell != "" for cell in (*cells, *written)):
            yield _record(line, cells, written)


def _without_empty_end(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    used = max((at for at, cell in enumerate(cells) if cell is not None), default=-1)
    return cells[: used + 1]


def _sheet(path: Path, *, data_only: bool) -> Iterator[tuple[Any, ...]]:
    with closing(openpyxl.load_workbook(path, read_only=True, data_only=data_only)) as book:
        if not book.worksheets:
            raise BadInput("the workbook has no sheet")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)


def _record(line: int, cells: tuple[Any, ...], written: tuple[Any, ...]) -> Record | RowRefused:
    for at, formula in enumerate(written):
        if isinstance(formula, str) and formula.startswith("=") and (at >= len(cells) or cells[at] is None):
            return _no_value(
                line, at, "a formula without its result: open the file in a spreadsheet and save it"
            )
    texts = []
    for at, cell in enumerate(cells):
        if isinstance(cell, str) and cell in _ERRORS:
            return _no_value(line, at, f"the spreadsheet's error {cell}")
        texts.append(_text(cell))
    return Record(line, texts)


def _no_value(line: int, column: int, reason: str) -> RowRefused:
    return RowRefused(line=line, reason=f"column {column + 1}: {reason}", code=RefusalCode.NO_VALUE)


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case str():
            return cell.replace("\r\n", "\n").replace("_x000D_", "")[: CELL_LENGTH + 1]
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        case datetime():
            return cell.isoformat() if cell.time() != time() else cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
    return str(cell)


def _refuse_bomb(path: Path) -> None:
    """Look at the archive's table of contents. `zipfile` unpacks no more of a part than stands there."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (*_TROUBLE,):
        raise BadInput("the file is no XLSX workbook: it is not a ZIP archive") from None
    other = 0
    for part in parts:
        name, size = part.filename.lower(), part.file_size
        sheet, strings = "worksheets/" in name, name.endswith("sharedstrings.xml")
        other += 0 if sheet or strings else size
        if (
            size > (SHEET_BYTES if sheet else STRINGS_BYTES if strings else OTHER_BYTES)
            or other > OTHER_BYTES
        ):
            raise BadInput(f"the workbook unfolds to too much: {part.filename[:60]!r} has {size} bytes")


def _has_formulas(path: Path) -> bool:
    """Whether any sheet has a formula: only then it is worth reading twice."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if "worksheets/" in part.filename.lower() and part.filename.endswith(".xml"):
                with archive.open(part) as sheet:
                    end = b""
                    while piece := sheet.read(1 << 20):
                        if _FORMULA.search(end + piece):
                            return True
                        end = piece[-16:]
    return False
