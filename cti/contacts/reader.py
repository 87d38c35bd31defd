"""A list's file to checked and refused rows, one after the other, in the order of the file. Reads a file, no more.

A row is taken whole or refused whole, with its line and the reason. `BadInput` is raised only when nothing in the
file can be trusted: no header that names a number, another encoding, a list whose numbers need a region and have none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from cti.contacts.columns import Columns, columns_of
from cti.contacts.contact_text import encoded
from cti.contacts.csv_records import Record, RecordReader
from cti.contacts.encodings import Place, encoding_of, utf8_pieces
from cti.contacts.rows import contact_of
from cti.contacts.texts import BadCell
from cti.contacts.xlsx_records import MAGIC, xlsx_records
from cti.errors import BadInput
from cti.model.contacts import NewContact, RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles
from cti.model.imports import FileFormat, RefusalCode

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


@dataclass(frozen=True, slots=True)
class Checked:
    """A row that can be taken, as far as the row itself tells."""

    line: int
    keys: tuple[int | str, ...]
    """By what its contact is known. Numbers as integers: they take a third of the room."""
    contact: str
    """As the staged file has it."""


Batch = list[Record | RowRefused]
Rows = list[Checked | RowRefused]


def checked(batch: Batch, columns: Columns, how: HowToRead) -> Rows:
    """Return the rows of these records: the part that takes long, and that any process can do."""
    return [one if isinstance(one, RowRefused) else _checked(one, columns, how) for one in batch]


def _checked(record: Record, columns: Columns, how: HowToRead) -> Checked | RowRefused:
    try:
        contact = contact_of(record.cells, columns, region=how.region or None)
    except BadCell as refusal:
        return refusal.at(record.line)
    return Checked(record.line, _keys(contact, how.doubles.key), encoded(contact))


class Check(Protocol):
    """How batches are checked: here, or in several processes. The order is kept."""

    def __call__(self, batches: Iterator[Batch], columns: Columns, how: HowToRead) -> Iterator[Rows]: ...


def check_here(batches: Iterator[Batch], columns: Columns, how: HowToRead) -> Iterator[Rows]:
    """Check one batch after the other."""
    return (checked(batch, columns, how) for batch in batches)


class ListReader:
    """Turns records into rows; remembers the numbers, to know doubles within the file."""

    def __init__(self, how: HowToRead, check: Check = check_here, *, batch: int = 20) -> None:
        self._how = how
        self._check = check
        self._batch = batch
        self._seen: dict[int | str, int] = {}
        self._skips = how.doubles.rule is DoubleRule.SKIP
        self.columns: Columns | None = None
        self.taken = self.refused = self.without_region = 0

    def rows(
        self, records: Iterator[Record | RowRefused]
    ) -> Iterator[tuple[Checked, int | None] | RowRefused]:
        """Give the rows, each with the line that has the same contact already. Raises BadInput."""
        header = next(records, None)
        if header is None:
            raise BadInput("the file is empty; expected is a header line such as name,number")
        self.columns = columns_of(header, self._how.mapping)
        for rows in self._check(_batches(records, self._batch), self.columns, self._how):
            for row in rows:
                known = row if isinstance(row, RowRefused) else self._with_first(row)
                self._count(known)
                yield known
        if self.without_region > self.taken:
            raise BadInput(
                f"region: {self.without_region} numbers have no country code and the list has no region;"
                " give the country they belong to, for example region=CN"
            )

    def _with_first(self, row: Checked) -> tuple[Checked, int | None] | RowRefused:
        first = None
        for key in row.keys:
            found = self._seen.get(key)
            if found is None:
                continue
            if self._skips:
                told = f"+{key}" if isinstance(key, int) else key
                reason = f"{told} stands already in line {found}"
                return RowRefused(line=row.line, reason=reason, code=RefusalCode.DOUBLE_IN_FILE)
            first = found
        for key in row.keys:
            self._seen.setdefault(key, row.line)
        return row, first

    def _count(self, row: tuple[Checked, int | None] | RowRefused) -> None:
        if isinstance(row, RowRefused):
            self.refused += 1
            self.without_region += row.code == RefusalCode.NO_REGION
        else:
            self.taken += 1
        if self.taken + self.refused > MAX_ROWS:
            raise BadInput(f"the file has more than {MAX_ROWS} rows; cut it into several")


def _batches(records: Iterator[Record | RowRefused], size: int) -> Iterator[Batch]:
    while batch := list(islice(records, size)):
        yield batch


def _keys(contact: NewContact, by: DoubleKey) -> tuple[int | str, ...]:
    if by is DoubleKey.CRM_REF and contact.crm_ref:
        return (contact.crm_ref,)
    return tuple(int(number.e164[1:]) for number in contact.numbers)


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
