"""Records that are about to be taken, each with what is known of it here: memory, contact, entry. Reads and locks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.changes import EntryFacts, Subject
from cti.contacts.crm_records import Heard, Memory, is_older
from cti.contacts.doubles import Known
from cti.model.contacts import EntryState, NewContact
from cti.storage import tables
from cti.storage.contact_rows import subjects
from cti.storage.known_contacts import stored_contacts
from cti.storage.portable import one_of

_records, _contacts, _numbers = tables.crm_records.c, tables.contacts.c, tables.numbers.c
_MEMORIES: Final = select(tables.crm_records).where(
    _records.pull == bindparam("of_pull"), one_of(_records.ref, "refs")
)
_BY_REFERENCE: Final = (
    select(_contacts.crm_ref, _contacts.id)
    # said twice, as the index of references holds none that is missing
    .where(one_of(_contacts.crm_ref, "refs"), _contacts.crm_ref.is_not(None))
    .order_by(_contacts.id)
)
_BY_NUMBER: Final = (
    select(_numbers.e164, _numbers.contact_id)
    .join_from(tables.numbers, tables.contacts, _contacts.id == _numbers.contact_id)
    .where(one_of(_numbers.e164, "numbers"), _numbers.position >= 0, _contacts.crm_ref.is_(None))
    .order_by(_numbers.contact_id)
)


@dataclass(slots=True, kw_only=True)
class Case:
    """A record, and what is known of it. Filled on the way."""

    heard: Heard
    memory: Memory
    known: Known | None = None
    """The contact as he stands; None: there is none yet."""
    contact_id: int | None = None
    entry: EntryFacts | None = None
    entry_id: int | None = None
    after: NewContact | None = None
    """The contact as he is to be."""
    deal_moved: bool = False
    left: bool = False
    back: bool = False

    @property
    def first(self) -> bool:
        """Whether the record was never taken before."""
        return self.memory.contact_id is None


async def memories(connection: AsyncConnection, pull: str, refs: Collection[str]) -> dict[str, Memory]:
    """Return what is remembered of these records."""
    if not refs:
        return {}
    rows = await connection.execute(_MEMORIES, {"of_pull": pull, "refs": sorted(refs)})
    return {row.ref: _memory(row) for row in rows}


def _memory(row: Any) -> Memory:
    return Memory(
        ref=row.ref,
        contact_id=row.contact_id,
        entry_id=row.entry_id,
        said=row.said,
        over=row.over,
        changed_at=row.changed_at,
        seen_at=row.seen_at,
        follow_up_at=row.follow_up_at,
    )


async def cases(
    connection: AsyncConnection,
    records: Sequence[Heard],
    remembered: Mapping[str, Memory],
    *,
    campaign_id: int,
) -> list[Case]:
    """Return the records that nothing newer has overtaken, their contacts locked, in the order of references."""
    found = [
        Case(heard=one, memory=memory)
        for one in records
        if not is_older(one, (memory := remembered.get(one.ref, Memory(ref=one.ref))).changed_at)
    ]
    await _find(connection, found)
    ids = sorted({case.contact_id for case in found if case.contact_id is not None})
    locked = {one.id: one for one in await subjects(connection, ids, lock=True)}
    rows = {contact_id: one.facts for contact_id, one in locked.items()}
    known = await stored_contacts(connection, list(locked), rows=rows, standing={})
    for case in found:
        contact_id = case.contact_id
        if contact_id is None or contact_id not in locked or not _is_still_his(case, locked[contact_id]):
            case.contact_id = None  # new, or removed here: then he is not brought in again
            continue
        case.known = known[contact_id]
        case.entry = _entry_of(case.memory, locked[contact_id], campaign_id)
        case.entry_id = case.entry.id if case.entry else None
    return found


async def _find(connection: AsyncConnection, found: Sequence[Case]) -> None:
    """Find the contacts: as remembered, else by the reference that a list brought, else by a number that is nobody's
    record. One contact is one record's only."""
    for case in found:
        case.contact_id = case.memory.contact_id
    new = [case for case in found if case.first]
    if not new:
        return
    names = {name: case.heard.ref for case in new for name in names_of(case.heard.ref)}
    by_ref: dict[str, int] = {}
    for row in await connection.execute(_BY_REFERENCE, {"refs": sorted(names)}):
        by_ref.setdefault(names[row.crm_ref], row.id)
    numbers = {number.e164 for case in new for number in case.heard.numbers}
    by_number: dict[str, int] = {}
    for row in await connection.execute(_BY_NUMBER, {"numbers": sorted(numbers)}):
        by_number.setdefault(row.e164, row.contact_id)
    taken = {case.contact_id for case in found if case.contact_id is not None}
    for case in new:
        wanted = [by_ref.get(case.heard.ref), *(by_number.get(n.e164) for n in case.heard.numbers)]
        case.contact_id = next((one for one in wanted if one is not None and one not in taken), None)
        taken.add(case.contact_id or 0)


def _is_still_his(case: Case, subject: Subject) -> bool:
    """Return whether a contact that is remembered is still this record's: ids of removed ones are given anew."""
    return case.first or subject.facts["crm_ref"] in names_of(case.heard.ref)


def names_of(ref: str) -> tuple[str, str]:
    """Return how a list may have named this record: with the CRM's name, and without."""
    return ref, ref.partition("/")[2] or ref


def _entry_of(memory: Memory, subject: Subject, campaign_id: int) -> EntryFacts | None:
    """Return the record's entry: the one remembered; of a record that is new, the contact's open one in the campaign.

    One that was taken out of the list here stays out: None, and no other is made.
    """
    mine = [one for one in subject.entries if one.campaign_id == campaign_id]
    if memory.entry_id is not None:
        return next((one for one in mine if one.id == memory.entry_id), None)
    return next((one for one in reversed(mine) if one.state is not EntryState.DONE), None)
