"""HubSpot's adapter on its strict fake."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp.test_utils import TestServer

from crm_sync.port import CallWrite, Crm
from cti.clock import Clock
from cti.model.crm import CallLog, RecordRef
from tests.builders import NOW
from tests.contract.crm.hubspot_server import TOKEN, HubSpotServer
from tests.contract.crm.rest_server import breaks_off, says
from tests.contract.crm.shipped import open_shipped, shipped, write_of

SOURCES = {"new": {"filters": [{"property": "hs_lead_status", "operator": "IN", "values": ["NEW", "OPEN"]}]}}


class HubSpotHouse:
    """The account with one contact, her company and her deal."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    source = "new"
    goes_back = False  # it stands on both then
    kind = "contact"

    def __init__(self, server: HubSpotServer, crm: Crm, http: TestServer) -> None:
        self.server = server
        self.crm = crm
        self._http = http
        self._mapping, _ = shipped("hubspot")
        self.company = server.add("companies", name="Lanterns")
        self.contact = server.add(
            "contacts", firstname="Wei", lastname="Li", phone="+4930901820", associatedcompanyid=self.company
        )
        self.deal = server.add(
            "deals", dealname="Autumn", dealstage="offer", amount="12000", deal_currency_code="EUR"
        )
        server.link("contacts", self.contact, "deals", self.deal)

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        return write_of(self._mapping, log, f"contact:{self.contact}", given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row_id,
                "home": next(
                    (d for a, b, c, d in self.server.links if (a, b, c) == ("calls", row_id, "contacts")),
                    None,
                ),
                "user": row.get("hubspot_owner_id"),
                "title": row["hs_call_title"],
                "started_at": row["hs_timestamp"],
                "note": row["hs_call_body"],
            }
            for row_id, row in self.server.objects["calls"].items()
            if row["waihu_call_id"] == call_id
        ]

    async def delete(self, remote: RecordRef) -> None:
        self.server.archive("calls", remote.id)

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        other = self.server.add("contacts", firstname="Mei", lastname="Han")
        self.server.links = {one for one in self.server.links if one[:2] != ("calls", remote.id)}
        self.server.link("calls", remote.id, "contacts", other)
        by_hand = {"hubspot_owner_id": "502", "hs_call_title": "Wrong person"}
        self.server.objects["calls"][remote.id] |= by_hand
        return {"home": other, "user": "502", "title": "Wrong person"}

    async def order(self, fault: str) -> None:
        match fault:
            case "lose_answer":
                self.server.after.append(breaks_off)
            case "away":
                await self._http.close()
            case "throttle":
                self.server.before.append(says(429, headers={"Retry-After": "17"}))
            case "refuse_key":
                self.server.before.append(says(401))

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        """Put a record there that the source gives, last changed so long after NOW."""
        row = self.server.add(
            "contacts",
            changed=NOW + timedelta(seconds=changed_seconds),
            firstname="Person",
            lastname=str(number),
            phone=phone,
            hs_lead_status="NEW",
            hubspot_owner_id="501",
        )
        return RecordRef("contact", row)

    async def remove_record(self, ref: RecordRef) -> None:
        """Delete a record as a user would."""
        self.server.archive("contacts", ref.id)

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        """Return the open follow-ups that stand there under this key: `id`, `at`, `home`."""
        return [
            {
                "id": row_id,
                "at": row["hs_timestamp"],
                "home": next((d for a, b, c, d in self.server.links if (a, b) == ("tasks", row_id)), None),
            }
            for row_id, row in self.server.objects["tasks"].items()
            if row["waihu_follow_up_id"] == key and row["hs_task_status"] != "COMPLETED"
        ]


@asynccontextmanager
async def hubspot_house(*, clock: Clock | None = None, **more: Any) -> AsyncIterator[HubSpotHouse]:
    """Serve the account and open the adapter on it; `more`: of the table `[hubspot]`."""
    server = HubSpotServer()
    async with TestServer(server.app()) as http:
        table = {"sources": SOURCES, **more}
        async with open_shipped("hubspot", http, secret=TOKEN, clock=clock, more=table) as crm:
            yield HubSpotHouse(server, crm, http)
