"""Records that are about to be taken, each with what is known of it here: memory, contact, entry. Reads and locks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.crm_cases import Case, assign, entry_of, is_still_his, names_of, owner_named_anew
from cti.contacts.crm_records import Heard, Memory, agent_of, is_older
from cti.storage import tables
from cti.storage.contact_rows import subjects
from cti.storage.known_contacts import stored_contacts
from cti.storage.owner_rows import agents_by_login, lock_agents, lock_contacts
from cti.storage.portable import one_of

_records, _contacts, _numbers = tables.crm_records.c, tables.contacts.c, tables.numbers.c
_MEMORIES: Final = select(tables.crm_records).where(
    _records.pull == bindparam("of_pull"), one_of(_records.ref, "refs")
)
_BY_REFERENCE: Final = (
    select(_contacts.crm_ref, _contacts.id)
    # said twice, as the index of references holds none that is missing
    .where(one_of(_contacts.crm_ref, "refs"), _contacts.crm_ref.is_not(None))
)
_BY_NUMBER: Final = (
    select(_numbers.e164, _numbers.contact_id)
    .join_from(tables.numbers, tables.contacts, _contacts.id == _numbers.contact_id)
    .where(one_of(_numbers.e164, "numbers"), _numbers.position >= 0, _contacts.crm_ref.is_(None))
)


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
        follow_up_since=row.follow_up_since,
    )


async def cases(
    connection: AsyncConnection,
    records: Sequence[Heard],
    remembered: Mapping[str, Memory],
    *,
    campaign_id: int,
    owners: bool,
) -> list[Case]:
    """Return the records that nothing newer has overtaken, their contacts locked. `owners`: these may change."""
    found = [
        Case(heard=one, memory=memory)
        for one in records
        if not is_older(one, (memory := remembered.get(one.ref, Memory(ref=one.ref))).changed_at)
    ]
    await _find(connection, found)
    ids = sorted({case.contact_id for case in found if case.contact_id is not None})
    if owners:
        await _lock_for_owners(connection, found, ids)
    locked = {one.id: one for one in await subjects(connection, ids, lock=True)}
    rows = {contact_id: one.facts for contact_id, one in locked.items()}
    known = await stored_contacts(connection, list(locked), rows=rows, standing={})
    for case in found:
        contact_id = case.contact_id
        if contact_id is None or contact_id not in locked or not is_still_his(case, locked[contact_id]):
            case.contact_id = None  # new, or removed here: then he is not brought in again
            continue
        case.known = known[contact_id]
        case.entry = entry_of(case.memory, locked[contact_id], campaign_id)
        case.entry_id = case.entry.id if case.entry else None
    return found


async def _lock_for_owners(connection: AsyncConnection, found: Sequence[Case], ids: Sequence[int]) -> None:
    """Lock what a change of owners locks, in the order of all who change them: agents, then contacts and partners."""
    named = {case.heard.said.get("owner") for case in found if owner_named_anew(case)}
    if not named:
        return
    logins = await agents_by_login(connection)
    agents = {agent for owner in named if (agent := agent_of(owner, logins)) is not None}
    if agents:
        await lock_agents(connection, agents)
    if ids:
        await lock_contacts(connection, ids, wait=True, since=None)


async def _find(connection: AsyncConnection, found: Sequence[Case]) -> None:
    """Find the contacts: as remembered, else by the reference that a list brought, else by a number."""
    for case in found:
        case.contact_id = case.memory.contact_id
    new = [case.heard for case in found if case.memory.contact_id is None]
    if not new:
        return
    refs = sorted({name for one in new for name in names_of(one.ref)})
    by_ref: dict[str, int] = {}
    for row in await connection.execute(_BY_REFERENCE, {"refs": refs}):
        by_ref[row.crm_ref] = min(row.id, by_ref.get(row.crm_ref, row.id))
    numbers = sorted({number.e164 for one in new for number in one.numbers})
    by_number: dict[str, int] = {}
    for row in await connection.execute(_BY_NUMBER, {"numbers": numbers}):
        by_number[row.e164] = min(row.contact_id, by_number.get(row.e164, row.contact_id))
    assign(found, by_ref, by_number)
