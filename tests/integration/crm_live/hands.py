"""Users of the real CRMs: they delete, double and change calls past our adapters."""

from typing import Any, Final

from cti.model.crm import RecordRef
from tests.contract.crm.bottle_house import BottleHouse
from tests.contract.crm.odoo_house import OdooHouse

COPIED: Final = ("kind", "direction", "occurred_at", "duration_seconds", "outcome", "subject", "body")


class OdooHands:
    """A user of Odoo."""

    def __init__(self, house: OdooHouse) -> None:
        self._house = house

    async def delete(self, remote: RecordRef) -> None:
        await self._do(remote, "unlink")

    async def double(self, remote: RecordRef) -> None:
        """Duplicate it. The copy has no external id, so it bears no mark."""
        made = await self._do(remote, "copy")
        assert made

    async def change(self, remote: RecordRef) -> str:
        await self._do(remote, "write", values={"name": "Wrong person"})
        return "name"

    async def _do(self, remote: RecordRef, method: str, **arguments: Any) -> Any:
        return await self._house.ask(remote.kind, method, ids=[int(remote.id)], **arguments)


class BottleHands:
    """A user of BottleCRM."""

    def __init__(self, house: BottleHouse) -> None:
        self._house = house

    async def delete(self, remote: RecordRef) -> None:
        await self._house.delete(remote)

    async def double(self, remote: RecordRef) -> RecordRef:
        """Log it again, with the same words."""
        server, lead = self._house.server, self._house.lead
        rows = (await server.ask("GET", f"/api/interactions/?lead={lead}&limit=100"))["interactions"]
        row = next(one for one in rows if one["id"] == remote.id)
        body = {name: row[name] for name in COPIED} | {"lead": lead}
        made = await server.ask("POST", "/api/interactions/", body)
        return RecordRef(remote.kind, made["id"])

    async def change(self, remote: RecordRef) -> str:
        await self._ask("PATCH", remote, {"body": "Wrong person"})
        return "body"

    async def _ask(self, method: str, remote: RecordRef, body: Any = None) -> Any:
        return await self._house.server.ask(method, f"/api/interactions/{remote.id}/", body)
