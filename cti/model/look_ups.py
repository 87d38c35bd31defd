"""A number that is looked up in CRMs, and the records that have it there. The words; who looks is `crm_sync`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cti.errors import BadInput
from cti.model.crm import Answer, record_ref
from cti.model.pops import ContactCard

SHORTEST: Final = 6
LONGEST: Final = 15
"""Digits of a number that is looked up: E.164 has fifteen at most, and what is shorter is a service's, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """A record of a CRM that has a number."""

    crm_ref: str
    """`TARGET/KIND:ID`: what a call names, so that its log lands there."""
    target: str
    """Empty: a list named the record without saying where it is."""
    kind: str
    """The CRM's own word."""
    name: str
    url: str | None = None
    """Its page for people."""
    deal: Mapping[str, Any] | None = None
    """`ref`, `name`, `stage`, `amount`, `currency`."""
    contact_id: int | None = None
    """Our contact that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a look-up."""

    records: tuple[FoundRecord, ...] = ()
    more: bool = False
    """The CRM has more than are told."""


NOTHING: Final = Found()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """One number that one target is asked for."""

    target: str
    number: str
    """E.164."""
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswer:
    """How a CRM answered."""

    number: str
    answer: Answer
    found: Found = NOTHING
    message: str = ""
    pause_seconds: float | None = None


def can_be_looked_up(number: str) -> bool:
    """Whether this is a whole number, E.164: one that is withheld, or inside a house, is nobody's. Pure."""
    digits = number.removeprefix("+")
    return (
        number.startswith("+")
        and digits.isascii()
        and digits.isdecimal()
        and digits[0] != "0"
        and (SHORTEST <= len(digits) <= LONGEST)
    )


def names_a_record(crm_ref: str | None, targets: Collection[str]) -> bool:
    """Whether a reference names a record of one of these targets. Pure."""
    return any(_parts(crm_ref, target) is not None for target in targets)


def offered(
    found: Found, cards: Sequence[ContactCard], *, targets: Collection[str], most: int
) -> tuple[tuple[FoundRecord, ...], bool]:
    """Return the records to choose from, each once, and whether there are more. Pure.

    `cards`: our contacts with the number. A record that one of them names is told with his `contact_id`; what only our
    contacts name comes behind what the CRMs told.
    """
    records = [_with_contact(one, cards) for one in found.records]
    for card in cards:
        ref = card.crm_ref
        if (
            ref
            and names_a_record(ref, targets)
            and not any(same_record(one.crm_ref, ref, targets) for one in records)
        ):
            records.append(_of_card(card, ref))
    return tuple(records[:most]), found.more or len(records) > most


def same_record(one: str, other: str, targets: Collection[str]) -> bool:
    """Whether two references mean the same record; a kind or target that one leaves out is no difference."""
    return any(
        mine is not None
        and yours is not None
        and mine.id == yours.id
        and ("" in (mine.kind, yours.kind) or mine.kind == yours.kind)
        for target in targets
        for mine, yours in [(_parts(one, target), _parts(other, target))]
    )


def _with_contact(record: FoundRecord, cards: Sequence[ContactCard]) -> FoundRecord:
    for card in cards:
        named = (card.crm_ref, card.crm_contact, card.crm_customer)
        if any(name and same_record(record.crm_ref, name, [record.target]) for name in named):
            return replace(record, contact_id=card.contact_id, deal=record.deal or card.deal)
    return record


def _of_card(card: ContactCard, crm_ref: str) -> FoundRecord:
    target, slash, rest = crm_ref.partition("/")
    kind, colon, _ = (rest if slash else crm_ref).partition(":")
    return FoundRecord(
        crm_ref=crm_ref,
        target=target if slash else "",
        kind=kind if colon else "",
        name=card.name,
        deal=card.deal,
        contact_id=card.contact_id,
    )


def _parts(crm_ref: str | None, target: str) -> Any:
    try:
        return record_ref(crm_ref, target=target)
    except BadInput:  # a list brought words that name no record
        return None


def found_record(one: FoundRecord) -> dict[str, Any]:
    """Return a record as everybody outside sees it."""
    return {
        "crm_ref": one.crm_ref,
        "target": one.target or None,
        "kind": one.kind or None,
        "name": one.name,
        "url": one.url,
        "deal": dict(one.deal) if one.deal else None,
        "contact_id": one.contact_id,
    }
