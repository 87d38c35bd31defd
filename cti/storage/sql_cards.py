"""`CardStore` on the database: contacts in short, found by id, number or the CRM's record."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from cti.model.pops import ContactCard
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_contacts, _numbers = tables.contacts.c, tables.numbers.c
_CARDS: Final = select(
    _contacts.id.label("contact_id"),
    _contacts.name,
    _contacts.owner_agent_id,
    _contacts.stage,
    _contacts.crm_ref,
    _contacts.crm_customer,
    _contacts.crm_contact,
    _contacts.crm_deal,
    _contacts.deal,
    _contacts.fields,
)
_BY_ID: Final = _CARDS.where(_contacts.id == bindparam("contact"))
_BY_NUMBER: Final = (
    _CARDS.where(_contacts.id.in_(select(_numbers.contact_id).where(_numbers.e164 == bindparam("number"))))
    .order_by(_contacts.id)
    .limit(bindparam("at_most"))
)
_BY_RECORD: Final = (
    # said twice, as the index of references holds none that is missing
    _CARDS.where(_contacts.crm_ref == bindparam("record"), _contacts.crm_ref.is_not(None))
    .order_by(_contacts.id)
    .limit(bindparam("at_most"))
)


class SqlCards:
    """Reads single contacts; on the path of a screen pop, so each is one statement without a transaction around it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def card(self, contact_id: int) -> ContactCard | None:
        """See the port."""
        found = await self._read(_BY_ID, {"contact": contact_id})
        return found[0] if found else None

    @to_the_end
    async def with_number(self, number: str, *, limit: int) -> list[ContactCard]:
        """See the port."""
        return await self._read(_BY_NUMBER, {"number": number, "at_most": limit})

    @to_the_end
    async def with_record(self, crm_ref: str, *, limit: int) -> list[ContactCard]:
        """See the port."""
        return await self._read(_BY_RECORD, {"record": crm_ref, "at_most": limit})

    async def _read(self, question: Select[Any], asked: Mapping[str, Any]) -> list[ContactCard]:
        async with self._connections.glancing() as connection:
            return [ContactCard(**row) for row in (await connection.execute(question, asked)).mappings()]
