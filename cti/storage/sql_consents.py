"""`ConsentStore` on the database: the history in a table of its own, the present standing with the contact."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.compliance.consents import Consent, NewConsent, brought_in
from cti.compliance.facts import ConsentStanding
from cti.errors import NotFound
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_consents, _contacts, _numbers = tables.consents, tables.contacts.c, tables.numbers.c
_HISTORY: Final = (
    select(_consents)
    .where(_consents.c.contact_id.in_(bindparam("contacts", expanding=True)))
    .order_by(_consents.c.at, _consents.c.id)
)
_WITH_CONTACT: Final = select(
    _contacts.id, _contacts.consent, _contacts.consent_at, _contacts.consent_source, _contacts.created_at
).where(_contacts.id.in_(bindparam("contacts", expanding=True)), _contacts.consent.is_not(None))
_STANDING: Final = (
    update(tables.contacts)
    .where(_contacts.id == bindparam("contact"))
    .values(
        consent=bindparam("new_consent"),
        consent_at=bindparam("new_at"),
        consent_source=bindparam("new_source"),
    )
)


class SqlConsents:
    """What people said to being called."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def record(self, said: Sequence[NewConsent], *, by: str, at: datetime) -> list[Consent]:
        """See the port."""
        if not said:
            return []
        contacts = sorted({one.contact_id for one in said})
        async with self._connections.writing() as connection:
            await _must_know(connection, contacts)
            return await record_consents(self._connections, connection, said, by=by, at=at)

    @to_the_end
    async def history(self, contact_id: int) -> list[Consent]:
        """See the port."""
        async with self._connections.reading() as connection:
            lines, missing = await _lines(connection, [contact_id])
        return sorted([*missing, *lines], key=lambda line: (line.at, line.id))

    @to_the_end
    async def contacts_of(self, number: str) -> list[int]:
        """See the port."""
        having = select(_numbers.contact_id).where(_numbers.e164 == number).distinct()
        async with self._connections.reading() as connection:
            return sorted((await connection.execute(having)).scalars())


async def record_consents(
    connections: Connections,
    connection: AsyncConnection,
    said: Sequence[NewConsent],
    *,
    by: str,
    at: datetime,
) -> list[Consent]:
    """Write what was said into a transaction that is open; the contacts are there."""
    contacts = sorted({one.contact_id for one in said})
    await _write_what_was_imported(connections, connection, contacts)
    ids = await connections.new_ids(connection, _consents, len(said))
    rows = [
        {**asdict(one), "standing": one.standing.value, "id": number} | {"recorded_by": by, "recorded_at": at}
        for number, one in zip(ids, said, strict=True)
    ]
    await connection.execute(insert(_consents), rows)
    lines = (await connection.execute(_HISTORY, {"contacts": contacts})).mappings().all()
    last = {line["contact_id"]: line for line in lines}
    await connection.execute(_STANDING, [_standing(line) for line in last.values()])
    return [_consent(dict(row)) for row in rows]


async def _write_what_was_imported(
    connections: Connections, connection: AsyncConnection, contacts: Sequence[int]
) -> None:
    """Give what a list said its line in the history, before another one comes: the last line is what holds."""
    _, missing = await _lines(connection, contacts)
    if missing:
        ids = await connections.new_ids(connection, _consents, len(missing))
        rows = [
            asdict(one) | {"standing": one.standing.value, "id": number}
            for number, one in zip(ids, missing, strict=True)
        ]
        await connection.execute(insert(_consents), rows)


async def _lines(connection: AsyncConnection, contacts: Sequence[int]) -> tuple[list[Consent], list[Consent]]:
    """Return the history's lines, and those of imports that it lacks."""
    rows = (await connection.execute(_HISTORY, {"contacts": contacts})).mappings().all()
    lines = [_consent(dict(row)) for row in rows]
    by_contact: dict[int, list[Consent]] = {}
    for line in lines:
        by_contact.setdefault(line.contact_id, []).append(line)
    missing = [
        brought_in(
            by_contact.get(row.id, ()),
            contact_id=row.id,
            standing=row.consent,
            at=row.consent_at,
            source=row.consent_source,
            since=row.created_at,
        )
        for row in (await connection.execute(_WITH_CONTACT, {"contacts": contacts})).all()
    ]
    return lines, [one for one in missing if one is not None]


async def _must_know(connection: AsyncConnection, contact_ids: Sequence[int]) -> None:
    known = select(_contacts.id).where(_contacts.id.in_(contact_ids))
    missing = set(contact_ids) - set((await connection.execute(known)).scalars())
    if missing:
        raise NotFound(f"there is no contact {min(missing)}")


def _standing(line: Any) -> dict[str, Any]:
    return {
        "contact": line["contact_id"],
        "new_consent": line["standing"],
        "new_at": line["at"],
        "new_source": line["source"],
    }


def _consent(row: dict[str, Any]) -> Consent:
    return Consent(**row | {"standing": ConsentStanding(row["standing"])})
