"""Contacts with their numbers and tags as rows, and contacts as an action sees them. Reads on an open connection."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.changes import EntryFacts, Subject
from cti.model.contact_rows import ContactRow, NumberRow
from cti.model.contacts import EntryState
from cti.storage import tables

_contacts, _numbers, _tags = tables.contacts.c, tables.numbers.c, tables.contact_tags.c
_entries = tables.list_entries.c
_owners = tables.agents.alias("owner")

_NOT_TOLD: Final = frozenset({"returned_by"})
CONTACT_COLUMNS: Final = tuple(column for column in tables.contacts.c if column.name not in _NOT_TOLD)
ROWS: Final = select(*CONTACT_COLUMNS, _owners.c.login.label("owner")).select_from(
    tables.contacts.outerjoin(_owners, _owners.c.id == _contacts.owner_agent_id)
)

ENTRY_FACTS: Final = tuple(name for name in EntryFacts.__dataclass_fields__ if name != "state")
_NUMBERS: Final = (
    select(tables.numbers)
    .where(_numbers.contact_id.in_(bindparam("ids", expanding=True)), _numbers.position >= 0)
    .order_by(_numbers.contact_id, _numbers.position)
)
_TAGS: Final = (
    select(tables.contact_tags)
    .where(_tags.contact_id.in_(bindparam("ids", expanding=True)))
    .order_by(_tags.contact_id, _tags.tag)
)
_SUBJECTS: Final = (
    select(tables.contacts).where(_contacts.id.in_(bindparam("ids", expanding=True))).order_by(_contacts.id)
)
_PLACES: Final = (
    select(*(_entries[name] for name in ENTRY_FACTS), _entries.state, _entries.contact_id)
    .where(_entries.contact_id.in_(bindparam("ids", expanding=True)))
    .order_by(_entries.id)
)


async def contact_rows(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[ContactRow]:
    """Return rows of `ROWS` as contacts, with their numbers and tags."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    numbers = await _by_contact(connection, _NUMBERS, ids)
    tags = await _by_contact(connection, _TAGS, ids)
    return [
        ContactRow(
            **row._mapping,
            numbers=tuple(
                NumberRow(
                    id=one.id, position=one.position, e164=one.e164, raw=one.raw, zone=one.zone, kind=one.kind
                )
                for one in numbers[row.id]
            ),
            tags=tuple(sorted(one.tag for one in tags[row.id])),
        )
        for row in rows
    ]


async def subjects(connection: AsyncConnection, ids: Sequence[int], *, lock: bool) -> list[Subject]:
    """Return the contacts that there are of these, by id. `lock` (when writing): nobody changes them meanwhile.

    Contacts are locked before their entries, both in the order of their ids: two who do so cannot wait for each other.
    """
    if not ids:
        return []
    asked, places_asked = _SUBJECTS, _PLACES
    if lock:
        asked, places_asked = (
            asked.with_for_update(key_share=True),
            places_asked.with_for_update(key_share=True),
        )
    rows = (await connection.execute(asked, {"ids": list(ids)})).all()
    places = await _by_contact(connection, places_asked, ids)
    numbers = await _by_contact(connection, _NUMBERS, ids)
    tags = await _by_contact(connection, _TAGS, ids)
    return [
        Subject(
            id=row.id,
            facts=dict(row._mapping),
            entries=tuple(_entry(one) for one in places[row.id]),
            tags=frozenset(one.tag for one in tags[row.id]),
            zones=tuple(one.zone for one in numbers[row.id]),
        )
        for row in rows
    ]


def _entry(row: Row[Any]) -> EntryFacts:
    values = {name: getattr(row, name) for name in ENTRY_FACTS}
    return EntryFacts(**values, state=EntryState(row.state))


async def _by_contact(
    connection: AsyncConnection, question: Any, ids: Iterable[int]
) -> Mapping[int, list[Row[Any]]]:
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await connection.execute(question, {"ids": list(ids)}):
        found[row.contact_id].append(row)
    return found
