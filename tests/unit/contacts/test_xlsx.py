"""Workbooks as people really send them."""

import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cti.contacts import xlsx_records as module
from cti.contacts.csv_records import Record
from cti.contacts.reader import HowToRead, format_of
from cti.contacts.staging import bites, stage
from cti.contacts.xlsx_records import xlsx_records
from cti.errors import BadInput
from cti.model.contacts import RowRefused
from cti.model.imports import FileFormat, ReadFile

SHEET = "xl/worksheets/sheet1.xml"


def book(folder: Path, *rows: list[Any]) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in rows:
        sheet.append(row)
    path = folder / "list.xlsx"
    workbook.save(path)
    return path


def rewritten(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """Change one part of the workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def cells(path: Path) -> list[list[str]]:
    return [record.cells for record in xlsx_records(path) if isinstance(record, Record)]


def test_cells_are_read_as_a_person_sees_them(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        ["name", "手机号", "a", "b", "c", "d"],
        ["王芳", 13800138000, 1.5, True, datetime(2026, 1, 2), None],  # noqa: DTZ001 (a sheet has no zone)
        ["Bob", 8613800138001.0, "0138", False, datetime(2026, 1, 2, 3, 4), "x\r\ny"],  # noqa: DTZ001
    )
    assert cells(path) == [
        ["name", "手机号", "a", "b", "c", "d"],
        ["王芳", "13800138000", "1.5", "true", "2026-01-02"],
        ["Bob", "8613800138001", "0138", "false", "2026-01-02T03:04:00", "x\ny"],
    ]


def test_a_formula_counts_with_its_result(tmp_path: Path) -> None:
    path = book(tmp_path, ["number", "name"], ["=A9", "Ada"])
    path = rewritten(path, SHEET, b"<f>A9</f><v />", b"<f>A9</f><v>493023125001</v>")
    assert cells(path) == [["number", "name"], ["493023125001", "Ada"]]


def test_a_formula_without_its_result_refuses_the_row_naming_the_column(tmp_path: Path) -> None:
    rows = list(xlsx_records(book(tmp_path, ["number", "name"], ["+493023125001", "=B9"], ["1", "x"])))
    refused = [row for row in rows if isinstance(row, RowRefused)]
    assert [(row.line, row.code) for row in refused] == [(2, "no_value")]
    assert refused[0].reason.startswith("column 2: a formula without its result")
    assert len(rows) == 3


def test_a_spreadsheet_s_error_refuses_the_row(tmp_path: Path) -> None:
    rows = list(xlsx_records(book(tmp_path, ["number"], ["#REF!"], ["+493023125001"])))
    assert [row.reason for row in rows if isinstance(row, RowRefused)] == [
        "column 1: the spreadsheet's error #REF!"
    ]


def test_a_million_empty_rows_cost_nothing_and_the_last_row_knows_its_line(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["number"])
    sheet["A1048576"] = "+493023125001"
    path = tmp_path / "list.xlsx"
    workbook.save(path)

    rows = list(xlsx_records(path))

    assert rows == [Record(1, ["number"]), Record(1_048_576, ["+493023125001"])]


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    path = book(tmp_path, ["number"], ["+493023125001"])
    path = rewritten(path, SHEET, b'<dimension ref="A1:A2" />', b'<dimension ref="A1:XFD1048576" />')
    assert cells(path) == [["number"], ["+493023125001"]]


def test_five_hundred_columns_are_refused_with_their_count(tmp_path: Path) -> None:
    path = book(tmp_path, ["number", *(f"c{n}" for n in range(499))], ["+493023125001"])
    with pytest.raises(BadInput, match="500 columns in the header; at most 200"):
        list(stage(path, tmp_path / "staged", HowToRead()))


def test_a_row_with_cells_beyond_the_header_is_refused_and_empty_ones_do_not_count(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        ["number", "name"],
        ["+493023125001", "Ada", *[None] * 300],
        ["+493023125002", "Bob", *[None] * 300, "x"],
    )
    *_, read = stage(path, tmp_path / "staged", HowToRead())
    assert isinstance(read, ReadFile)
    assert (read.encoding, read.rows, read.refused) == ("xlsx", 1, 1)
    (bite,) = bites(tmp_path / "staged")
    assert bite.refused[0].reason == "303 columns where the header has 2"


def test_a_part_that_unfolds_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path, ["number"], ["x" * 30_000])
    monkeypatch.setattr(module, "SHEET_BYTES", 20_000)
    with pytest.raises(BadInput, match=r"unfolds to too much: 'xl/worksheets/sheet1\.xml'"):
        list(xlsx_records(path))


def test_a_bomb_of_shared_texts_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, ["number"])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/SharedStrings.XML", "w") as part,
    ):
        for _ in range(130):
            part.write(b"\0" * 1024 * 1024)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(BadInput, match="unfolds to too much"):
        list(xlsx_records(path))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PK\x03\x04 broken", id="a broken archive"),
        pytest.param(b"number\n1\n", id="no archive"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no XLSX workbook"):
        list(xlsx_records(path))


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("letter.txt", "hello")
    path = tmp_path / "list.xlsx"
    path.write_bytes(content.getvalue())
    with pytest.raises(BadInput, match="no XLSX workbook that can be read"):
        list(xlsx_records(path))


def test_a_sheet_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, ["number"], ["+493023125001"])
    path = rewritten(path, SHEET, b"</sheetData>", b"</sheet")
    with pytest.raises(BadInput, match="no XLSX workbook that can be read"):
        list(xlsx_records(path))


def test_entities_that_multiply_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path, ["number"], ["+493023125001"])
    lol = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    doctype = b'<!DOCTYPE x [<!ENTITY l0 "lollollollol">' + lol + b"]><worksheet"
    path = rewritten(path, SHEET, b"<worksheet", doctype)
    path = rewritten(path, SHEET, b"</sheetData>", b"</sheetData><x>&l11;</x>")
    with pytest.raises(BadInput):
        list(xlsx_records(path))


def test_the_format_is_known_by_the_file_s_first_bytes(tmp_path: Path) -> None:
    assert format_of(book(tmp_path, ["number"]), FileFormat.AUTO) is FileFormat.XLSX
    old = tmp_path / "list.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(BadInput, match="save it as XLSX or CSV"):
        format_of(old, FileFormat.AUTO)
