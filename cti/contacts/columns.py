"""The header of a list: which column means what, by its name or by the user's word. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cti.contacts.csv_records import Record
from cti.errors import BadInput
from cti.model.contacts import RowRefused


class Meaning(StrEnum):
    """What a column may mean. Of `number` there may be several (`number2`, ...); of all else one."""

    NUMBER = "number"
    NAME = "name"
    CRM_REF = "crm_ref"
    CRM_CUSTOMER = "crm_customer"
    CRM_CONTACT = "crm_contact"
    CRM_DEAL = "crm_deal"
    ZONE = "zone"
    SCORE = "score"
    STAGE = "stage"
    CONSENT = "consent"
    CONSENT_AT = "consent_at"
    CONSENT_SOURCE = "consent_source"
    PRIORITY = "priority"
    TAGS = "tags"


FIELD: Final = "field:"
"""Before the name of a custom field, in a mapping."""
IGNORE: Final = "ignore"
"""In a mapping: the column is passed over."""

WORDS: Final[Mapping[Meaning, frozenset[str]]] = {
    Meaning.NAME: frozenset(
        {"name", "full name", "contact", "customer", "姓名", "名字", "客户", "客户姓名", "联系人"}
    ),
    Meaning.NUMBER: frozenset(
        {"number", "phone", "phone number", "tel", "telephone", "mobile", "cell", "cellphone", "handy"}
        | {
            "telefon",
            "电话",
            "电话号码",
            "号码",
            "手机",
            "手机号",
            "手机号码",
            "联系电话",
            "移动电话",
            "座机",
        }
    ),
    Meaning.CRM_REF: frozenset({"crm ref", "crm id", "crm reference", "客户编号"}),
    Meaning.CRM_CUSTOMER: frozenset({"crm customer", "crm account"}),
    Meaning.CRM_CONTACT: frozenset({"crm contact"}),
    Meaning.CRM_DEAL: frozenset({"crm deal", "crm opportunity"}),
    Meaning.ZONE: frozenset({"zone", "time zone", "timezone", "时区"}),
    Meaning.SCORE: frozenset({"score", "评分"}),
    Meaning.STAGE: frozenset({"stage", "阶段"}),
    Meaning.CONSENT: frozenset({"consent"}),
    Meaning.CONSENT_AT: frozenset({"consent at"}),
    Meaning.CONSENT_SOURCE: frozenset({"consent source"}),
    Meaning.PRIORITY: frozenset({"priority", "优先级"}),
    Meaning.TAGS: frozenset({"tags", "标签"}),
}
"""Names by which a column is known without a mapping: small letters, words parted by one space."""

_MEANINGS: Final = {word: meaning for meaning, words in WORDS.items() for word in words}
_NUMBERED: Final = re.compile(r"(?P<word>.*?) ?[2-9]")
_TARGET: Final = re.compile(r"number ?[2-9]?")
MAX_COLUMNS: Final = 200
_EXPECTED: Final = "; expected is a header like name,number,number2,crm_ref,zone (only number is needed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns mean, by position from 0."""

    headers: tuple[str, ...]
    numbers: tuple[int, ...]
    """In the order of preference: as the columns stand, or as the mapping numbers them."""
    known: Mapping[Meaning, int]
    """All meanings but the numbers."""
    fields: Mapping[int, str]
    """Further columns, and the name they are kept under."""
    nameless: tuple[int, ...]
    """Columns without a header; nothing may stand in them."""

    def told(self) -> dict[str, str]:
        """Return header -> meaning, in the order of the file."""
        by_column = {at: meaning.value for meaning, at in self.known.items()}
        by_column |= {at: f"number{rank if rank > 1 else ''}" for rank, at in enumerate(self.numbers, 1)}
        by_column |= {at: FIELD + name for at, name in self.fields.items()}
        return {header: by_column.get(at, IGNORE) for at, header in enumerate(self.headers) if header}


def columns_of(record: Record | RowRefused, mapping: Mapping[str, str] | None = None) -> Columns:
    """Return the meaning of the columns. Raises BadInput naming what was found and what is expected.

    `mapping`: header -> a `Meaning`, `number2`, ..., `field:NAME`, or `ignore`; goes before what the header says.
    """
    if isinstance(record, RowRefused):
        raise BadInput(f"the header (line {record.line}) cannot be read: {record.reason}{_EXPECTED}")
    headers = tuple(cell.strip() for cell in record.cells)
    while headers and not headers[-1]:
        headers = headers[:-1]
    _refuse_unusable(headers)
    targets = _targets(headers, mapping or {})
    numbers = sorted(
        (at for at, target in enumerate(targets) if target.startswith(Meaning.NUMBER)),
        key=lambda at: (_preference(headers[at], mapping or {}), at),
    )
    if not numbers:
        raise BadInput(f"no column for the number; found: {_told(headers)}{_EXPECTED}")
    return Columns(
        headers=headers,
        numbers=tuple(numbers),
        known=_once(headers, targets),
        fields=_fields(headers, targets),
        nameless=tuple(at for at, header in enumerate(headers) if not header),
    )


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping that names a meaning there is not. Raises BadInput."""
    for header, target in mapping.items():
        named = target.startswith(FIELD) and 0 < len(target.removeprefix(FIELD).strip()) <= 100
        if not (named or target in list(Meaning) or target == IGNORE or _TARGET.fullmatch(target)):
            allowed = ", ".join([*Meaning, "number2", f"{FIELD}NAME", IGNORE])
            raise BadInput(f"mapping: {header!r} cannot mean {target[:40]!r}; it may mean {allowed}")


def _targets(headers: tuple[str, ...], mapping: Mapping[str, str]) -> list[str]:
    check_mapping(mapping)
    missing = [header for header in mapping if header not in headers]
    if missing:
        raise BadInput(f"mapping: there is no column {missing[0][:40]!r}; found: {_told(headers)}")
    return [mapping.get(header) or _by_name(header) for header in headers]


def _by_name(header: str) -> str:
    """Return what a header means by itself; empty for one that is none."""
    word = " ".join(re.split(r"[\s_-]+", header.casefold())).strip()
    if not word:
        return ""
    if word in _MEANINGS:
        return _MEANINGS[word].value
    numbered = _NUMBERED.fullmatch(word)
    if numbered and numbered["word"] in WORDS[Meaning.NUMBER]:
        return Meaning.NUMBER.value
    return FIELD + header


def _preference(header: str, mapping: Mapping[str, str]) -> int:
    target = mapping.get(header, "")
    return int(target[-1]) if target[-1:].isdigit() else 1


def _once(headers: tuple[str, ...], targets: list[str]) -> dict[Meaning, int]:
    found: dict[Meaning, int] = {}
    for at, target in enumerate(targets):
        if target not in list(Meaning) or target == Meaning.NUMBER:
            continue
        meaning = Meaning(target)
        if meaning in found:
            raise BadInput(f"two columns mean the same: {headers[found[meaning]]!r} and {headers[at]!r}")
        found[meaning] = at
    return found


def _fields(headers: tuple[str, ...], targets: list[str]) -> dict[int, str]:
    fields: dict[int, str] = {}
    for at, target in enumerate(targets):
        if target.startswith(FIELD):
            name = target.removeprefix(FIELD).strip()
            if name in fields.values():
                raise BadInput(f"two columns mean the same: the field {name!r}")
            fields[at] = name
    return fields


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


def _told(headers: tuple[str, ...]) -> str:
    return ", ".join(repr(header) for header in headers[:20])[:400]
