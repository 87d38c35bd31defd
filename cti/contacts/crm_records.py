"""What becomes of a record that a CRM names: read, compared with what the CRM said before, laid upon our contact. Pure.

The CRM is the master of what it says, and we are of what we wrote ourselves: of a record that comes again only that
is taken which the CRM says otherwise than before. So an own edit of an agent stays until somebody changes the same
thing there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from cti.contacts.doubles import filled
from cti.contacts.phone import check_region, number_of
from cti.contacts.rows import MOST_TAGS, zone_of
from cti.contacts.texts import BadCell, one_line, some_lines
from cti.errors import BadInput
from cti.model.contacts import NewContact, NewNumber
from cti.model.crm_pulls import OPTED_OUT, CrmDeal, CrmRecord

FIELD: Final = "field:"
FOLLOW_UP_ON: Final = "follow_up_on"
_TEXTS: Final = {"customer": "crm_customer", "stage": "stage", "zone": "zone"}
"""What a CRM says, and the contact's column that it is laid into."""
AMOUNT_DIGITS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A record, read."""

    ref: str
    name: str
    said: Mapping[str, Any]
    """All that the CRM says of it, by word; JSON values. What it says nothing of is not there."""
    numbers: tuple[NewNumber, ...] = ()
    tags: tuple[str, ...] = ()
    over: str | None = None
    opted_out: bool = False
    changed_at: datetime | None = None
    next_follow_up_at: datetime | None = None
    problems: tuple[str, ...] = ()
    """What of it was not taken, and why."""
    refused: bool = False
    """Nothing of it can be taken: `problems` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of a record in one pull."""

    ref: str
    contact_id: int | None = None
    """None: it has never been taken."""
    entry_id: int | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    over: str | None = None
    changed_at: datetime | None = None
    seen_at: datetime | None = None
    follow_up_at: datetime | None = None
    follow_up_since: datetime | None = None
    """Since then that follow-up waits to be dealt with."""


def heard(record: CrmRecord, *, region: str) -> Heard:
    """Read a record by the rules of imports; never raises for what stands in it.

    A number that is none is told and left out; a record without any number, or with text that cannot be kept, is
    refused. `region`: of numbers without a country, where the record names none.
    """
    read = _Reading(record, region)
    try:
        said = read.said()
    except BadCell as error:
        read.problems.append(str(error))
        return read.result({}, refused=True)
    return read.result(said, refused=not read.numbers and not read.over)


class _Reading:
    """One record while it is read."""

    def __init__(self, record: CrmRecord, region: str) -> None:
        self._record = record
        self.problems: list[str] = []
        self.over = record.over or (OPTED_OUT if record.do_not_call else None)
        self._region = self._region_of(record.region) or region
        self.numbers = self._numbers()

    def said(self) -> dict[str, Any]:
        """Return what the CRM says. Raises BadCell."""
        record = self._record
        texts = {
            "name": record.name,
            "owner": record.owner,
            "customer": record.customer,
            "stage": record.stage,
        }
        said: dict[str, Any] = {
            word: one_line(text.strip(), word) for word, text in texts.items() if text and text.strip()
        }
        said |= {
            FIELD + name: some_lines(text.replace("\r\n", "\n"), name)
            for name, text in record.fields.items()
            if text
        }
        if zone := self._zone():
            said["zone"] = zone
        if record.deal is not None:
            said["deal"] = deal_record(record.deal)
        if record.next_follow_up_on is not None:
            said[FOLLOW_UP_ON] = record.next_follow_up_on.isoformat()
        if record.consent is not None:
            said["consent"] = "given" if record.consent else "withdrawn"
        if self.numbers:
            said["numbers"] = [number.e164 for number in self.numbers]
        if tags := self._tags():
            said["tags"] = list(tags)
        return said

    def result(self, said: Mapping[str, Any], *, refused: bool) -> Heard:
        record = self._record
        return Heard(
            ref=record.ref,
            name=str(said.get("name", "")),
            said=said,
            numbers=self.numbers,
            tags=tuple(said.get("tags", ())),
            over=self.over,
            opted_out=record.do_not_call,
            changed_at=record.changed_at,
            next_follow_up_at=record.next_follow_up_at,
            problems=tuple(self.problems),
            refused=refused,
        )

    def _region_of(self, region: str | None) -> str:
        try:
            return check_region((region or "").upper())
        except BadInput as error:
            self.problems.append(str(error))
            return ""

    def _numbers(self) -> tuple[NewNumber, ...]:
        numbers: dict[str, NewNumber] = {}
        written = [text.strip() for text in self._record.numbers if text.strip()]
        for text in written:
            try:
                number = number_of(text, "number", region=self._region or None)
            except BadCell as error:
                self.problems.append(str(error))
            else:
                numbers.setdefault(number.e164, number)
        if not written and not self.over:
            self.problems.append("no number")
        return tuple(numbers.values())

    def _zone(self) -> str | None:
        try:
            return zone_of((self._record.zone or "").strip())
        except BadCell as error:
            self.problems.append(str(error))
            return None

    def _tags(self) -> Sequence[str]:
        tags = [one_line(tag.strip(), "tags") for tag in self._record.tags if tag.strip()]
        return list(dict.fromkeys(tags))[:MOST_TAGS]


def follow_up_day(said: Mapping[str, Any]) -> date | None:
    """Return the day of a record's next follow-up, None when it has a time, or there is none."""
    day = said.get(FOLLOW_UP_ON)
    return date.fromisoformat(day) if day else None


def newest(records: Iterable[Heard]) -> list[Heard]:
    """Return one of each record, the newest by its own time, else the last; in the order in which they came."""
    found: dict[str, Heard] = {}
    for one in records:
        before = found.get(one.ref)
        if before is None or not is_older(one, before.changed_at):
            found[one.ref] = one
    return list(found.values())


def is_older(one: Heard, than: datetime | None) -> bool:
    """Return whether a record was overtaken: pages overlap, and may come in any order."""
    return than is not None and one.changed_at is not None and one.changed_at < than


def new_contact(one: Heard, *, at: datetime, source: str) -> NewContact:
    """Return the contact of a record that nobody knows yet."""
    empty = NewContact(name="", numbers=(), crm_ref=one.ref)
    return laid_upon(empty, one, {}, at=at, source=source)


def adopted(contact: NewContact, one: Heard, *, at: datetime, source: str) -> NewContact:
    """Return a contact of ours whose number a record has: what is empty is filled, and he is that record then."""
    fresh = new_contact(one, at=at, source=source)
    return replace(filled(contact, fresh), crm_ref=one.ref)


def laid_upon(
    contact: NewContact, one: Heard, before: Mapping[str, Any], *, at: datetime, source: str
) -> NewContact:
    """Return the contact after what the CRM says otherwise than `before`.

    `source`: who said so, for a consent; it was said when the record changed, else `at`.
    """
    said = one.said
    moved = {word for word in {*before, *said} if before.get(word) != said.get(word)}
    values: dict[str, Any] = {column: said.get(word) for word, column in _TEXTS.items() if word in moved}
    if "name" in moved and said.get("name"):
        values["name"] = said["name"]
    if "deal" in moved:
        values["crm_deal"] = said["deal"]["ref"] if "deal" in said else None
    if "consent" in moved and "consent" in said:
        values |= {
            "consent": said["consent"],
            "consent_at": one.changed_at or at,
            "consent_source": source,
        }
    if "numbers" in moved and one.numbers:
        values["numbers"] = _numbers(contact.numbers, one.numbers, before.get("numbers", ()))
    fields = _fields(contact.fields, said, moved, one.tags)
    return replace(contact, fields=fields, **values)


def _numbers(
    have: Sequence[NewNumber], now: Sequence[NewNumber], before: Iterable[str]
) -> tuple[NewNumber, ...]:
    """Return the CRM's numbers, and behind them those that are ours: that the CRM has never named."""
    theirs = {*before, *(number.e164 for number in now)}
    return (*now, *(number for number in have if number.e164 not in theirs))


def _fields(
    have: Mapping[str, object], said: Mapping[str, Any], moved: Iterable[str], tags: Sequence[str]
) -> dict[str, object]:
    fields = dict(have)
    for word in moved:
        if not word.startswith(FIELD):
            continue
        name = word.removeprefix(FIELD)
        if word in said:
            fields[name] = said[word]
        else:
            fields.pop(name, None)
    if tags and "tags" in moved:
        fields["tags"] = list(tags)
    return fields


def deal_record(deal: CrmDeal) -> dict[str, Any]:
    """Return a deal as it is kept with a contact and told to everybody outside."""
    amount = None if deal.amount is None else round(deal.amount, AMOUNT_DIGITS)
    return {
        "ref": deal.ref,
        "name": one_line(deal.name.strip(), "deal"),
        "stage": one_line(deal.stage.strip(), "deal's stage"),
        "amount": amount,
        "currency": one_line(deal.currency.strip(), "deal's currency"),
    }


def agent_of(owner: str | None, logins: Mapping[str, int]) -> int | None:
    """Return the agent whom a CRM's user is: by his login, or by what stands before the @ of his e-mail.

    `logins`: ids by login in small letters.
    """
    if not owner:
        return None
    whole = owner.casefold()
    return logins.get(whole, logins.get(whole.partition("@")[0]) if "@" in whole else None)
