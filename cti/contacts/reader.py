"""A list's file to contacts and refused rows, one after the other, in the order of the file. Reads a file, no more.

A row is taken whole or refused whole, with its line and the reason. `BadInput` is raised only when nothing in the
file can be trusted: no header that names a number, another encoding, a list whose numbers need a region and have none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cti.contacts.columns import Columns, columns_of
from cti.contacts.csv_records import Record, RecordReader
from cti.contacts.encodings import Place, encoding_of, utf8_pieces
from cti.contacts.rows import contact_of
from cti.contacts.texts import BadCell
from cti.contacts.xlsx_records import MAGIC, xlsx_records
from cti.errors import BadInput
from cti.model.contacts import NewContact, RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles
from cti.model.imports import FileFormat, RefusalCode, StagedRow

MAX_ROWS: Final = 5_000_000
SLICE: Final = 4096
"""Bytes that are cut into lines at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToRead:
    """What is known of a file before it is read."""

    region: str = ""
    """Two-letter country of numbers that are written without one; empty: such numbers are refused."""
    format: FileFormat = FileFormat.AUTO
    encoding: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    doubles: Doubles = field(default_factory=Doubles)


class ContactReader:
    """Turns records into contacts; remembers the numbers, to know doubles within the file."""

    def __init__(self, how: HowToRead) -> None:
        self._how = how
        self._seen: dict[int | str, int] = {}
        self._skips = how.doubles.rule is DoubleRule.SKIP
        self.columns: Columns | None = None
        self.taken = self.refused = self.without_region = 0

    def rows(self, records: Iterator[Record | RowRefused]) -> Iterator[StagedRow | RowRefused]:
        """Read all records. Raises BadInput."""
        for record in records:
            if self.columns is None:
                self.columns = columns_of(record, self._how.mapping)
                continue
            row = record if isinstance(record, RowRefused) else self._row(record, self.columns)
            self._count(row)
            yield row
        self._refuse_untrusted()

    def _row(self, record: Record, columns: Columns) -> StagedRow | RowRefused:
        try:
            contact = contact_of(record.cells, columns, region=self._how.region or None)
        except BadCell as refusal:
            return refusal.at(record.line)
        first = None
        for key, told in _keys(contact, self._how.doubles.key):
            found = self._seen.get(key)
            if found is None:
                continue
            if self._skips:
                reason = f"{told} stands already in line {found}"
                return RowRefused(line=record.line, reason=reason, code=RefusalCode.DOUBLE_IN_FILE)
            first = found
        for key, _ in _keys(contact, self._how.doubles.key):
            self._seen.setdefault(key, record.line)
        return StagedRow(line=record.line, contact=contact, first_line=first)

    def _count(self, row: StagedRow | RowRefused) -> None:
        if isinstance(row, StagedRow):
            self.taken += 1
            return
        self.refused += 1
        self.without_region += row.code == RefusalCode.NO_REGION
        if self.taken + self.refused > MAX_ROWS:
            raise BadInput(f"the file has more than {MAX_ROWS} rows; cut it into several")

    def _refuse_untrusted(self) -> None:
        if self.columns is None:
            raise BadInput("the file is empty; expected is a header line such as name,number")
        if self.without_region > self.taken:
            raise BadInput(
                f"region: {self.without_region} numbers have no country code and the list has no region;"
                " give the country they belong to, for example region=CN"
            )


def _keys(contact: NewContact, by: DoubleKey) -> list[tuple[int | str, str]]:
    """Return by what a contact is known, and how that is told. Numbers as integers: they take a third of the room."""
    if by is DoubleKey.CRM_REF and contact.crm_ref:
        return [(contact.crm_ref, contact.crm_ref)]
    return [(int(number.e164[1:]), number.e164) for number in contact.numbers]


def format_of(path: Path, asked: FileFormat) -> FileFormat:
    """Return what sort of file it is. Raises BadInput for an old Excel file."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInput("this is an old Excel file (XLS) or an encrypted one; save it as XLSX or CSV")
    if asked is not FileFormat.AUTO:
        return asked
    return FileFormat.XLSX if head.startswith(MAGIC) else FileFormat.CSV


def csv_records(path: Path, encoding: str, place: Place) -> Iterator[Record | RowRefused]:
    """Give the records of a text file. Raises BadInput when it is not of the encoding."""
    reader = RecordReader()
    for piece in utf8_pieces(path, encoding, place):
        for at in range(0, len(piece), SLICE):
            yield from reader.feed(piece[at : at + SLICE])
    yield from reader.finish()


def records_of(path: Path, how: HowToRead, place: Place) -> tuple[str, Iterator[Record | RowRefused]]:
    """Return the encoding that was found (`xlsx` for a workbook), and the records. Raises BadInput."""
    if format_of(path, how.format) is FileFormat.XLSX:
        return "xlsx", xlsx_records(path)
    encoding = how.encoding or encoding_of(path, region=how.region)
    return encoding, csv_records(path, encoding, place)
