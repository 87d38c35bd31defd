"""Finds the stored contacts that rows about to be imported speak of."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.doubles import Known, keys_of
from cti.model.contacts import EntryState, NewContact, NewNumber
from cti.model.doubles import Doubles, DoubleScope
from cti.storage import tables

_contacts, _numbers, _entries = tables.contacts.c, tables.numbers.c, tables.list_entries.c

COLUMNS: Final = (
    *("name", "crm_ref", "crm_customer", "crm_contact", "crm_deal", "fields", "zone", "score", "stage"),
    *("consent", "consent_at", "consent_source"),
)
"""What an import may change of a contact."""

_BY_NUMBER: Final = select(_numbers.e164, _numbers.contact_id).where(
    _numbers.e164.in_(bindparam("keys", expanding=True)), _numbers.position >= 0
)
_BY_REFERENCE: Final = select(_contacts.crm_ref, _contacts.id).where(
    _contacts.crm_ref.in_(bindparam("keys", expanding=True)), _contacts.crm_ref.is_not(None)
)
_STANDING: Final = select(_entries.contact_id, _entries.state).where(
    _entries.contact_id.in_(bindparam("contacts", expanding=True)),
    _entries.campaign_id == bindparam("campaign"),
)
_ROWS: Final = select(
    _contacts.id, _contacts.owner_agent_id, _contacts.import_id, *(_contacts[name] for name in COLUMNS)
).where(_contacts.id.in_(bindparam("contacts", expanding=True)))
_THEIR_NUMBERS: Final = (
    select(tables.numbers)
    .where(_numbers.contact_id.in_(bindparam("contacts", expanding=True)))
    .order_by(_numbers.contact_id, _numbers.position)
)


async def known_contacts(
    connection: AsyncConnection,
    contacts: Iterable[NewContact],
    doubles: Doubles,
    *,
    campaign_id: int,
    import_id: int | None,
) -> dict[str, Known]:
    """Return the stored contacts by the keys that they are looked for under; the oldest of several."""
    keys = {key for contact in contacts for key in keys_of(contact, doubles.key)}
    found = await _found(connection, keys)
    if not found:
        return {}
    ids = sorted(set(found.values()))
    asked = {"contacts": ids, "campaign": campaign_id}
    standing: dict[int, set[str]] = {}
    for contact_id, state in await connection.execute(_STANDING, asked):
        standing.setdefault(contact_id, set()).add(state)
    rows = {row.id: dict(row._mapping) for row in await connection.execute(_ROWS, {"contacts": ids})}
    wanted = [one for one in ids if _in_scope(one, doubles.scope, standing, rows, import_id)]
    known = await stored_contacts(connection, wanted, rows=rows, standing=standing)
    return {key: known[contact_id] for key, contact_id in found.items() if contact_id in known}


async def stored_contacts(
    connection: AsyncConnection,
    ids: Collection[int],
    *,
    rows: Mapping[int, Mapping[str, Any]],
    standing: Mapping[int, set[str]],
) -> dict[int, Known]:
    """Return these contacts with their numbers, by id."""
    numbers: dict[int, list[Any]] = {}
    if ids:
        for number in await connection.execute(_THEIR_NUMBERS, {"contacts": list(ids)}):
            numbers.setdefault(number.contact_id, []).append(number)
    return {one: _known(rows[one], numbers.get(one, []), standing.get(one, set())) for one in ids}


async def _found(connection: AsyncConnection, keys: set[str]) -> dict[str, int]:
    references = sorted(key.removeprefix("crm:") for key in keys if key.startswith("crm:"))
    numbers = sorted(key for key in keys if not key.startswith("crm:"))
    found: dict[str, int] = {}
    for question, asked, prefix in ((_BY_NUMBER, numbers, ""), (_BY_REFERENCE, references, "crm:")):
        if asked:
            for key, contact_id in await connection.execute(question, {"keys": asked}):
                found[prefix + key] = min(contact_id, found.get(prefix + key, contact_id))
    return found


def _in_scope(
    contact_id: int,
    scope: DoubleScope,
    standing: Mapping[int, set[str]],
    rows: Mapping[int, Mapping[str, Any]],
    import_id: int | None,
) -> bool:
    if import_id is not None and rows[contact_id]["import_id"] == import_id:
        return True
    return scope is DoubleScope.EVERYWHERE or (scope is DoubleScope.CAMPAIGN and contact_id in standing)


def _known(row: Mapping[str, Any], numbers: list[Any], standing: set[str]) -> Known:
    shown = [number for number in numbers if number.position >= 0]
    contact = NewContact(
        numbers=tuple(NewNumber(e164=n.e164, raw=n.raw, zone=n.zone, kind=n.kind) for n in shown),
        **{name: row[name] for name in COLUMNS},
    )
    return Known(
        id=row["id"],
        contact=contact,
        number_ids={number.e164: number.id for number in numbers},
        owner_agent_id=row["owner_agent_id"],
        in_campaign=bool(standing - {EntryState.DONE.value}),
    )
