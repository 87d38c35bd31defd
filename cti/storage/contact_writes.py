"""Writes contacts that an import or a lead brings, into an open transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Update, bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Change, entry_zone
from cti.contacts.ranking import rank
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState, NewContact, NewNumber
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.known_contacts import COLUMNS

_contacts, _numbers, _entries = tables.contacts.c, tables.numbers.c, tables.list_entries.c
TAGS: Final = "tags"
"""Where the tags of a new contact stand among his fields."""
_QUEUED: Final = (EntryState.PENDING.value, EntryState.WAITING.value)

_CHANGE: Final = (
    update(tables.contacts)
    .where(_contacts.id == bindparam("contact"))
    .values({name: bindparam(f"new_{name}") for name in (*COLUMNS, "changed_at")})
)
_PLACE: Final = (
    update(tables.numbers).where(_numbers.id == bindparam("number")).values(position=bindparam("place"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Into:
    """Where contacts go."""

    campaign_id: int
    list_id: int
    priority: int
    order: Order
    at: datetime
    import_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """A stored contact that gets a place in a list."""

    contact_id: int
    contact: NewContact
    owner_agent_id: int | None = None
    priority: int | None = None


async def add_contacts(
    connections: Connections, connection: AsyncConnection, contacts: Sequence[NewContact], into: Into
) -> list[int]:
    """Store new contacts with their numbers; return their ids, rising."""
    if not contacts:
        return []
    ids = await connections.new_ids(connection, tables.contacts, len(contacts))
    pairs = list(zip(ids, contacts, strict=True))
    await connection.execute(insert(tables.contacts), [_contact_values(*pair, into=into) for pair in pairs])
    numbers = [
        _number_values(contact_id, position, number)
        for contact_id, contact in pairs
        for position, number in enumerate(contact.numbers)
    ]
    await connection.execute(insert(tables.numbers), numbers)
    await _add_tags(connections, connection, pairs)
    return ids


async def add_entries(
    connections: Connections, connection: AsyncConnection, joining: Sequence[Joining], into: Into
) -> list[int]:
    """Give them places in the list, in this order; return the entries' ids, rising."""
    if not joining:
        return []
    ids = await connections.new_ids(connection, tables.list_entries, len(joining))
    values = [_entry_values(*pair, into=into) for pair in zip(ids, joining, strict=True)]
    await connection.execute(insert(tables.list_entries), values)
    return ids


async def change_contacts(
    connections: Connections, connection: AsyncConnection, changes: Sequence[Change], *, at: datetime
) -> None:
    """Make stored contacts what they are to become; their places in queues follow. Tags are added, none is taken."""
    if not changes:
        return
    await _add_tags(connections, connection, [(change.known.id, change.after) for change in changes])
    await connection.execute(_CHANGE, [_changed_values(change, at) for change in changes])
    for change in changes:
        before, after = change.known.contact, change.after
        if before.numbers != after.numbers:
            await set_numbers(connection, change.known.id, after.numbers, change.known.number_ids)
        if before.numbers != after.numbers or before.zone != after.zone:
            first_moved = before.numbers[:1] != after.numbers[:1]
            await connection.execute(requeued(change.known.id, after, anew=first_moved))


async def _add_tags(
    connections: Connections, connection: AsyncConnection, contacts: Sequence[tuple[int, NewContact]]
) -> None:
    rows = [
        {"contact_id": contact_id, "tag": tag}
        for contact_id, contact in contacts
        for tag in cast("Sequence[str]", contact.fields.get(TAGS, ()))
    ]
    if rows:
        await connection.execute(connections.insert(tables.contact_tags).on_conflict_do_nothing(), rows)


async def set_numbers(
    connection: AsyncConnection,
    contact_id: int,
    numbers: Sequence[NewNumber],
    stored: dict[str, int] | Any,
) -> None:
    """Give a contact these numbers in this order.

    `stored`: ids by E.164. Those that are not among them are kept aside, at negative positions: calls may refer to
    them, and an import that is undone brings them back. They are not dialed.
    """
    aside = [{"number": number_id, "place": -number_id} for number_id in stored.values()]
    if aside:
        await connection.execute(_PLACE, aside)
    new = []
    for position, number in enumerate(numbers):
        if number.e164 in stored:
            place = {"number": stored[number.e164], "place": position}
            await connection.execute(_PLACE, place)
        else:
            new.append(_number_values(contact_id, position, number))
    if new:
        await connection.execute(insert(tables.numbers), new)


def requeued(contact_id: int, contact: NewContact, *, anew: bool) -> Update:
    """Return the change of a contact's queued entries after his zone or numbers changed.

    `anew`: his first number is another one, so that dialing begins with it.
    """
    values: dict[str, Any] = {"zone": entry_zone(contact)}
    if anew:
        values["number_position"] = 0
    return (
        update(tables.list_entries)
        .where(_entries.contact_id == contact_id, _entries.state.in_(_QUEUED))
        .values(values)
    )


def _contact_values(contact_id: int, contact: NewContact, *, into: Into) -> dict[str, Any]:
    own = {"id": contact_id, "created_at": into.at, "import_id": into.import_id}
    return {name: getattr(contact, name) for name in COLUMNS} | own | {"fields": _plain_fields(contact)}


def _plain_fields(contact: NewContact) -> dict[str, object]:
    """Return the custom fields without the tags, which have a table of their own."""
    return {name: value for name, value in contact.fields.items() if name != TAGS}


def _number_values(contact_id: int, position: int, number: NewNumber) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "position": position,
        "e164": number.e164,
        "raw": number.raw,
        "zone": number.zone,
        "kind": number.kind,
    }


def _entry_values(entry_id: int, joining: Joining, *, into: Into) -> dict[str, Any]:
    priority = joining.priority if joining.priority is not None else into.priority
    return {
        "id": entry_id,
        "list_id": into.list_id,
        "campaign_id": into.campaign_id,
        "contact_id": joining.contact_id,
        "state": EntryState.PENDING.value,
        "owner_key": joining.owner_agent_id or 0,
        "zone": entry_zone(joining.contact),
        "priority": priority,
        "rank": rank(into.order, entry_id=entry_id, score=joining.contact.score),
    }


def _changed_values(change: Change, at: datetime) -> dict[str, Any]:
    values = {f"new_{name}": getattr(change.after, name) for name in COLUMNS}
    own = {"contact": change.known.id, "new_changed_at": at, "new_fields": _plain_fields(change.after)}
    return values | own
