"""`ConsentStore` on the database: the history in a table of its own, the present standing with the contact."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.compliance.consents import Consent, NewConsent
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
            ids = await self._connections.new_ids(connection, _consents, len(said))
            rows = [
                {**asdict(one), "standing": one.standing.value, "id": number}
                | {"recorded_by": by, "recorded_at": at}
                for number, one in zip(ids, said, strict=True)
            ]
            await connection.execute(insert(_consents), rows)
            lines = (await connection.execute(_HISTORY, {"contacts": contacts})).mappings().all()
            last = {line["contact_id"]: line for line in lines}
            await connection.execute(_STANDING, [_standing(line) for line in last.values()])
        return [_consent(dict(row)) for row in rows]

    @to_the_end
    async def history(self, contact_id: int) -> list[Consent]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_HISTORY, {"contacts": [contact_id]})).mappings().all()
        return [_consent(dict(row)) for row in rows]

    @to_the_end
    async def contacts_of(self, number: str) -> list[int]:
        """See the port."""
        having = select(_numbers.contact_id).where(_numbers.e164 == number).distinct()
        async with self._connections.reading() as connection:
            return sorted((await connection.execute(having)).scalars())


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
