"""One row of a list to a contact. Pure. A row is taken whole or refused whole, with the column and the reason."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo

from cti.contacts.columns import Columns, Meaning
from cti.contacts.phone import number_of
from cti.contacts.texts import BadCell, one_line, shown, some_lines
from cti.model.contacts import NewContact, NewNumber
from cti.model.imports import RefusalCode

CONSENT: Final = {
    "given": "given",
    "yes": "given",
    "true": "given",
    "1": "given",
    "是": "given",
    "withdrawn": "withdrawn",
    "no": "withdrawn",
    "false": "withdrawn",
    "0": "withdrawn",
    "否": "withdrawn",
}
"""What a list may say of consent, and how it is stored."""
MOST_TAGS: Final = 50
MOST_PRIORITY: Final = 1000
_TAG_ENDS: Final = re.compile(r"[,;|，；、]")


def contact_of(cells: Sequence[str], columns: Columns, *, region: str | None) -> NewContact:
    """Return the contact of one row. Raises BadCell naming the column."""
    texts = _texts(cells, columns)
    given = {meaning: texts[at] for meaning, at in columns.known.items() if texts[at]}
    zone = zone_of(given.get(Meaning.ZONE, ""))
    fields: dict[str, object] = {
        name: some_lines(texts[at], name) for at, name in columns.fields.items() if texts[at]
    }
    if tags := tags_of(given.get(Meaning.TAGS, "")):
        fields["tags"] = tags
    return NewContact(
        name=one_line(given.get(Meaning.NAME, ""), "name"),
        numbers=_numbers(texts, columns, region),
        fields=fields,
        zone=zone,
        **_references(given),
        **_values(given),
    )


def _references(given: dict[Meaning, str]) -> dict[str, Any]:
    return {
        meaning.value: one_line(given[meaning], meaning.value) if meaning in given else None
        for meaning in REFERENCES
    }


REFERENCES: Final = (
    Meaning.CRM_REF,
    Meaning.CRM_CUSTOMER,
    Meaning.CRM_CONTACT,
    Meaning.CRM_DEAL,
    Meaning.STAGE,
    Meaning.CONSENT_SOURCE,
)
"""One line of text each, kept as it stands."""


def _values(given: dict[Meaning, str]) -> dict[str, Any]:
    return {meaning.value: read(given[meaning]) for meaning, read in VALUES.items() if meaning in given}


def _texts(cells: Sequence[str], columns: Columns) -> list[str]:
    width = len(columns.headers)
    texts = [cell.strip() for cell in cells]
    if len(texts) > width:
        if any(texts[width:]):
            raise BadCell(f"{len(cells)} columns where the header has {width}", RefusalCode.BAD_ROW)
        del texts[width:]
    texts.extend([""] * (width - len(texts)))
    for column in columns.nameless:
        if texts[column]:
            raise BadCell(f"column {column + 1} has no name in the header", RefusalCode.BAD_ROW)
    return texts


def _numbers(texts: list[str], columns: Columns, region: str | None) -> tuple[NewNumber, ...]:
    numbers: dict[str, NewNumber] = {}
    for column in columns.numbers:
        if texts[column]:
            number = number_of(texts[column], columns.headers[column], region=region)
            numbers.setdefault(number.e164, number)
    if not numbers:
        raise BadCell("no number", RefusalCode.NO_NUMBER)
    return tuple(numbers.values())


def zone_of(name: str) -> str | None:
    """Return a time zone's name as IANA spells it, None for an empty one. Raises BadCell."""
    return _known_zone(one_line(name, "zone")) if name else None


@lru_cache(maxsize=1000)
def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        raise BadCell(
            f"zone: not a time zone like Europe/Berlin: {shown(name)}", RefusalCode.BAD_VALUE
        ) from None


def tags_of(text: str) -> list[str]:
    """Return the tags of a cell, each once, in its order. Raises BadCell."""
    tags = [one_line(tag.strip(), "tags") for tag in _TAG_ENDS.split(text) if tag.strip()]
    if len(tags) > MOST_TAGS:
        raise BadCell(f"tags: more than {MOST_TAGS}", RefusalCode.BAD_VALUE)
    return list(dict.fromkeys(tags))


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = float("nan")
    if not isfinite(score):
        raise BadCell(f"score: not a number: {shown(text)}", RefusalCode.BAD_VALUE)
    return score


def _priority(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,4}(\.0)?", text) or abs(int(float(text))) > MOST_PRIORITY:
        reason = f"priority: not a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}: {shown(text)}"
        raise BadCell(reason, RefusalCode.BAD_VALUE)
    return int(float(text))


def consent_of(text: str) -> str:
    """Return how a consent is stored. Raises BadCell."""
    if text.casefold() not in CONSENT:
        raise BadCell(f"consent: must be given or withdrawn: {shown(text)}", RefusalCode.BAD_VALUE)
    return CONSENT[text.casefold()]


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadCell(
            f"consent_at: not a time like 2026-11-23 or 2026-11-23T10:00+08:00: {shown(text)}",
            RefusalCode.BAD_VALUE,
        ) from None


VALUES: Final = {
    Meaning.SCORE: _score,
    Meaning.PRIORITY: _priority,
    Meaning.CONSENT: consent_of,
    Meaning.CONSENT_AT: _moment,
}
"""How what is more than text is read."""
