"""The header of a contact list: which column means what. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from cti.contacts.csv_records import Record
from cti.errors import BadInput
from cti.model.contacts import RowRefused

NAME: Final = frozenset(
    {"name", "full name", "contact", "customer", "姓名", "名字", "客户", "客户姓名", "联系人"}
)
NUMBER: Final = frozenset(
    {"number", "phone", "phone number", "tel", "telephone", "mobile", "cell", "cellphone", "handy", "telefon"}
    | {"电话", "电话号码", "号码", "手机", "手机号", "手机号码", "联系电话", "移动电话", "座机"}
)
CRM_REF: Final = frozenset({"crm ref", "crm id", "crm reference", "客户编号"})
ZONE: Final = frozenset({"zone", "time zone", "timezone", "时区"})

_NUMBERED: Final = re.compile(r"(?P<word>.*?) ?[2-9]")
MAX_COLUMNS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns mean, by position from 0."""

    headers: tuple[str, ...]
    numbers: tuple[int, ...]
    """In the order of preference: as the columns stand."""
    name: int | None
    crm_ref: int | None
    zone: int | None
    fields: tuple[int, ...]
    """Further columns, kept under their header."""
    nameless: tuple[int, ...]
    """Columns without a header; nothing may stand in them."""


def columns_of(record: Record | RowRefused) -> Columns:
    """Return the meaning of the columns. Raises BadInput naming what was found and what is expected."""
    if isinstance(record, RowRefused):
        raise BadInput(f"the header (line {record.line}) cannot be read: {record.reason}{_EXPECTED}")
    headers = tuple(cell.strip() for cell in record.cells)
    _refuse_unusable(headers)
    words = [_word(header) for header in headers]
    numbers = tuple(at for at, word in enumerate(words) if _is_number(word))
    if not numbers:
        raise BadInput(f"no column for the number; found: {_told(headers)}{_EXPECTED}")
    name, crm_ref, zone = (_only(headers, words, allowed) for allowed in (NAME, CRM_REF, ZONE))
    known = {*numbers, name, crm_ref, zone}
    return Columns(
        headers=headers,
        numbers=numbers,
        name=name,
        crm_ref=crm_ref,
        zone=zone,
        fields=tuple(at for at, word in enumerate(words) if at not in known and word),
        nameless=tuple(at for at, word in enumerate(words) if not word),
    )


_EXPECTED: Final = "; expected is a header like name,number,number2,crm_ref,zone (only number is needed)"


def _refuse_unusable(headers: tuple[str, ...]) -> None:
    if len(headers) > MAX_COLUMNS:
        raise BadInput(f"{len(headers)} columns in the header; at most {MAX_COLUMNS}")
    for header in headers:
        if any(unicodedata.category(character) == "Cc" for character in header) or len(header) > 100:
            raise BadInput(f"the header has a name that cannot be used: {header[:40]!r}{_EXPECTED}")
    named = [header for header in headers if header]
    twice = next((header for header in named if named.count(header) > 1), None)
    if twice is not None:
        raise BadInput(f"the header names {twice!r} twice")


def _word(header: str) -> str:
    return " ".join(re.split(r"[\s_-]+", header.casefold())).strip()


def _is_number(word: str) -> bool:
    numbered = _NUMBERED.fullmatch(word)
    return word in NUMBER or (numbered is not None and numbered["word"] in NUMBER)


def _only(headers: tuple[str, ...], words: list[str], allowed: frozenset[str]) -> int | None:
    found = [at for at, word in enumerate(words) if word in allowed]
    if len(found) > 1:
        raise BadInput(f"two columns mean the same: {headers[found[0]]!r} and {headers[found[1]]!r}")
    return found[0] if found else None


def _told(headers: tuple[str, ...]) -> str:
    return ", ".join(repr(header) for header in headers[:20])[:400]
