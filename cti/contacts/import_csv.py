"""A CSV file to contacts: pure, reads as the bytes come, remembers numbers only.

A row is taken whole or refused whole, with its line and the reason. `BadInput` is raised only when nothing in the
file can be trusted: no header that names a number. Numbers become E.164; text is kept as it stands.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

from cti.contacts.csv_header import Columns, columns_of
from cti.contacts.csv_records import Record, RecordReader
from cti.errors import BadInput
from cti.model.contacts import NewContact, NewNumber, RowRefused

NAME_LENGTH: Final = 200
FIELD_LENGTH: Final = 4000
SLICE_BYTES: Final = 1024
"""Some twenty rows: about 3 ms of work, after which calls get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that a file holds."""

    contacts: tuple[NewContact, ...]
    refused: tuple[RowRefused, ...]


class ContactReader:
    """Takes bytes, gives contacts and refused rows in the order of the file."""

    def __init__(self, *, region: str = "") -> None:
        """`region`: two-letter country of numbers that are written without one; empty: such numbers are refused."""
        self._records = RecordReader()
        self._region = region or None
        self._columns: Columns | None = None
        self._seen: dict[str, int] = {}

    def feed(self, chunk: bytes) -> Iterator[NewContact | RowRefused]:
        """Read on. Raises BadInput when the header cannot be used."""
        yield from self._rows(self._records.feed(chunk))

    def finish(self) -> Iterator[NewContact | RowRefused]:
        """Read what is left. Raises BadInput when the file has no header."""
        yield from self._rows(self._records.finish())
        if self._columns is None:
            raise BadInput("the file is empty; expected is a header line such as name,number")

    def _rows(self, records: Iterator[Record | RowRefused]) -> Iterator[NewContact | RowRefused]:
        for record in records:
            if self._columns is None:
                self._columns = columns_of(record)
            elif isinstance(record, RowRefused):
                yield record
            else:
                yield self._row(record, self._columns)

    def _row(self, record: Record, columns: Columns) -> NewContact | RowRefused:
        try:
            contact = contact_of(record.cells, columns, region=self._region)
            for number in contact.numbers:
                if number.e164 in self._seen:
                    raise BadInput(f"{number.e164} stands already in line {self._seen[number.e164]}")
        except BadInput as refusal:
            return RowRefused(line=record.line, reason=str(refusal))
        self._seen.update((number.e164, record.line) for number in contact.numbers)
        return contact


async def read_contacts(chunks: AsyncIterator[bytes], *, region: str = "") -> Reading:
    """Read a whole file while letting others run. Raises BadInput when nothing in it can be trusted."""
    reader = ContactReader(region=region)
    rows: list[NewContact | RowRefused] = []
    async for chunk in chunks:
        for at in range(0, len(chunk), SLICE_BYTES):
            rows.extend(reader.feed(chunk[at : at + SLICE_BYTES]))
            await asyncio.sleep(0)
    rows.extend(reader.finish())
    return Reading(
        contacts=tuple(row for row in rows if isinstance(row, NewContact)),
        refused=tuple(row for row in rows if isinstance(row, RowRefused)),
    )


def contact_of(cells: list[str], columns: Columns, *, region: str | None) -> NewContact:
    """Return the contact of one row. Raises BadInput naming the column."""
    if len(cells) > len(columns.headers):
        raise BadInput(f"{len(cells)} columns where the header has {len(columns.headers)}")
    texts = [cell.strip() for cell in cells] + [""] * (len(columns.headers) - len(cells))
    for column in columns.nameless:
        if texts[column]:
            raise BadInput(f"column {column + 1} has no name in the header")
    zone = _zone(_line_of_text(texts, columns.zone, "zone"))
    numbers: dict[str, NewNumber] = {}
    for column in columns.numbers:
        if texts[column]:
            number = _number(texts[column], columns.headers[column], zone=zone, region=region)
            numbers.setdefault(number.e164, number)
    if not numbers:
        raise BadInput("no number")
    return NewContact(
        name=_line_of_text(texts, columns.name, "name"),
        numbers=tuple(numbers.values()),
        crm_ref=_line_of_text(texts, columns.crm_ref, "crm_ref") or None,
        fields={
            columns.headers[at]: _field(texts[at], columns.headers[at]) for at in columns.fields if texts[at]
        },
    )


def _line_of_text(texts: list[str], column: int | None, what: str) -> str:
    text = "" if column is None else texts[column]
    if len(text) > NAME_LENGTH:
        raise BadInput(f"{what}: longer than {NAME_LENGTH} characters")
    if wrong := _control_character(text):
        raise BadInput(f"{what}: a control character ({wrong})")
    return text


def _field(text: str, header: str) -> str:
    if len(text) > FIELD_LENGTH:
        raise BadInput(f"{header}: longer than {FIELD_LENGTH} characters")
    if wrong := _control_character(text.replace("\n", "").replace("\t", "")):
        raise BadInput(f"{header}: a control character ({wrong})")
    return text


def _control_character(text: str) -> str | None:
    """Return the first character that breaks a line or commands a terminal, as U+xxxx."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            return f"U+{ord(character):04X}"
    return None


_WRITTEN: Final = re.compile(r"(?:tel:)?[+＋]?[\d()\s./\u2010-\u2015-]+")
_DECIMAL: Final = re.compile(r"\d+\.0")
_WRONG_LENGTH: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: "too short",
    phonenumbers.ValidationResult.TOO_LONG: "too long",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "unknown country code",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    phonenumbers.ValidationResult.INVALID_LENGTH: "no number there has this length",
}


def _number(raw: str, header: str, *, zone: str | None, region: str | None) -> NewNumber:
    if len(raw) > 40 or not _WRITTEN.fullmatch(raw) or _DECIMAL.fullmatch(raw):
        raise BadInput(f"{header}: not a phone number: {shown(raw)}")
    if _control_character(raw):
        raise BadInput(f"{header}: a control character")
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException as error:
        missing = (
            error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and region is None
        )
        hint = " (no country code, and no region is set)" if missing else ""
        raise BadInput(f"{header}: not a phone number: {shown(raw)}{hint}") from None
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise BadInput(f"{header}: {_WRONG_LENGTH.get(length, 'not possible')}: {shown(raw)}")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return NewNumber(e164=e164, raw=raw, zone=zone or certain_zone(number))


def certain_zone(number: phonenumbers.PhoneNumber) -> str | None:
    """Return the number's time zone when there is only one that it can lie in."""
    zones = timezone.time_zones_for_number(number)
    return zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None


def _zone(name: str) -> str | None:
    if not name:
        return None
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        raise BadInput(f"zone: not a time zone like Europe/Berlin: {shown(name)}") from None


def shown(text: str) -> str:
    """Return text from outside fit for a message: quoted, control characters escaped, at most 40 characters."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
