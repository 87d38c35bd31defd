"""What becomes of rows whose contact is known already: skipped, merged, replaced. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cti.model.contacts import NewContact, NewNumber, RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles
from cti.model.imports import ImportCounts, RefusalCode, StagedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A contact that is stored, as far as an import may change it."""

    id: int
    contact: NewContact
    number_ids: Mapping[str, int] = field(default_factory=dict)
    """By E.164, those that are kept aside included."""
    owner_agent_id: int | None = None
    in_campaign: bool = False
    """He waits in the campaign, or is being called: he needs no further place in it."""


@dataclass(slots=True, kw_only=True)
class Change:
    """A stored contact, and what he is to become."""

    known: Known
    after: NewContact
    priority: int | None = None


@dataclass(slots=True, kw_only=True)
class Plan:
    """What to write."""

    added: list[NewContact] = field(default_factory=list)
    changes: dict[int, Change] = field(default_factory=dict)
    """By contact."""
    refused: list[RowRefused] = field(default_factory=list)
    again: int = 0
    """Rows whose contact an earlier row of the same file brought; they changed that row's contact."""

    @property
    def joining(self) -> list[Change]:
        """Stored contacts that get a place in the list."""
        return [change for change in self.changes.values() if not change.known.in_campaign]


def keys_of(contact: NewContact, by: DoubleKey) -> tuple[str, ...]:
    """Return by what a contact is known: numbers in E.164, or `crm:` and the reference."""
    if by is DoubleKey.CRM_REF and contact.crm_ref:
        return (f"crm:{contact.crm_ref}",)
    return tuple(number.e164 for number in contact.numbers)


def planned(rows: Sequence[StagedRow], known: Mapping[str, Known], doubles: Doubles) -> Plan:
    """Return what to write for these rows. `known`: stored contacts by each key that they are looked for under."""
    plan = Plan()
    fresh: dict[str, int] = {}
    for row in rows:
        keys = keys_of(row.contact, doubles.key)
        stored = next((known[key] for key in keys if key in known), None)
        earlier = next((fresh[key] for key in keys if key in fresh), None)
        if stored is not None and doubles.rule is DoubleRule.SKIP:
            plan.refused.append(_known_already(row, stored))
        elif stored is not None:
            _change(plan, stored, _own_numbers(row.contact, stored, known, doubles), doubles.rule)
        elif earlier is not None:
            plan.again += 1
            plan.added[earlier] = combined(plan.added[earlier], row.contact, doubles.rule)
            fresh |= dict.fromkeys(keys, earlier)
        else:
            fresh |= dict.fromkeys(keys, len(plan.added))
            plan.added.append(row.contact)
    return plan


def combined(now: NewContact, row: NewContact, rule: DoubleRule) -> NewContact:
    """Return a contact after another row of him: merged by filling what is empty, replaced by the row going first."""
    if rule is DoubleRule.REPLACE:
        return replace(filled(row, now), numbers=row.numbers)
    return filled(now, row)


def filled(first: NewContact, second: NewContact) -> NewContact:
    """Return the first with what is empty in him taken from the second, numbers and fields added."""
    have = {number.e164 for number in first.numbers}
    more = tuple(number for number in second.numbers if number.e164 not in have)
    values = {name: getattr(first, name) or getattr(second, name) for name in _TEXTS}
    for name in ("score", "priority"):
        value = getattr(first, name)
        values[name] = getattr(second, name) if value is None else value
    consent = first if first.consent else second
    return NewContact(
        numbers=first.numbers + more,
        fields={**second.fields, **first.fields},
        consent=consent.consent,
        consent_at=consent.consent_at,
        consent_source=consent.consent_source,
        **values,
    )


_TEXTS = ("name", "crm_ref", "crm_customer", "crm_contact", "crm_deal", "zone", "stage")


def entry_zone(contact: NewContact, position: int = 0) -> str:
    """Return the zone a list entry is queued under: the contact's own, else that of the number to be dialed."""
    number: NewNumber | None = contact.numbers[position] if position < len(contact.numbers) else None
    return contact.zone or (number.zone if number else None) or ""


def counted(
    counts: ImportCounts, plan: Plan, doubles: Doubles, refused: Iterable[RowRefused]
) -> ImportCounts:
    """Return the counts with one more bite: its plan, and what was refused when the file was read."""
    by_code = dict(counts.refused)
    for row in (*refused, *plan.refused):
        by_code[row.code] = by_code.get(row.code, 0) + 1
    changed = len(plan.changes) + plan.again
    merges = doubles.rule is DoubleRule.MERGE
    return ImportCounts(
        added=counts.added + len(plan.added),
        merged=counts.merged + (changed if merges else 0),
        replaced=counts.replaced + (0 if merges else changed),
        joined=counts.joined + len(plan.joining),
        refused=by_code,
    )


def _change(plan: Plan, stored: Known, row: NewContact, rule: DoubleRule) -> None:
    change = plan.changes.get(stored.id)
    if change is None:
        plan.changes[stored.id] = Change(
            known=stored, after=combined(stored.contact, row, rule), priority=row.priority
        )
    else:
        plan.again += 1
        change.after = combined(change.after, row, rule)


def _own_numbers(row: NewContact, stored: Known, known: Mapping[str, Known], doubles: Doubles) -> NewContact:
    """Return the row without numbers that another stored contact has: one number does not get two owners here."""
    if doubles.key is not DoubleKey.NUMBER:
        return row
    own = tuple(number for number in row.numbers if known.get(number.e164, stored).id == stored.id)
    return replace(row, numbers=own)


def _known_already(row: StagedRow, stored: Known) -> RowRefused:
    told = row.contact.crm_ref or row.contact.numbers[0].e164
    reason = f"{told} is known already: contact {stored.id}"
    return RowRefused(line=row.line, reason=reason, code=RefusalCode.ALREADY_KNOWN)
