"""Bitrix24's adapter on its strict fake."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp.test_utils import TestServer

from crm_sync.port import CallWrite, Crm
from cti.clock import Clock
from cti.model.crm import CallLog, RecordRef
from tests.builders import NOW
from tests.contract.crm.bitrix24_server import CODE, Bitrix24Server
from tests.contract.crm.rest_server import breaks_off, says
from tests.contract.crm.shipped import open_shipped, shipped, write_of

SOURCES = {"new": {"kind": "lead", "filter": {"@STATUS_ID": ["NEW", "IN_PROCESS"]}}}


class Bitrix24House:
    """The account with a contact, his company, and their deal."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    source = "new"
    goes_back = True

    def __init__(self, server: Bitrix24Server, crm: Crm, http: TestServer) -> None:
        self.server = server
        self.crm = crm
        self._http = http
        self._mapping, _ = shipped("bitrix24")
        self.company = server.add("company", TITLE="Lanterns", ASSIGNED_BY_ID="6")
        self.contact = server.add(
            "contact", NAME="Wei", LAST_NAME="Li", phone="+4930901820", COMPANY_ID=self.company
        )
        self.deal = server.add(
            "deal",
            TITLE="Autumn",
            STAGE_ID="OFFER",
            OPPORTUNITY="12000.00",
            CURRENCY_ID="EUR",
            CONTACT_ID=self.contact,
            CLOSED="N",
        )

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        return write_of(self._mapping, log, f"contact:{self.contact}", given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row_id,
                "home": row["OWNER_ID"],
                "user": row["RESPONSIBLE_ID"],
                "title": row["SUBJECT"],
                "started_at": row["START_TIME"],
                "note": row["DESCRIPTION"],
            }
            for row_id, row in self.server.activities.items()
            if row["ORIGIN_ID"] == call_id
        ]

    async def delete(self, remote: RecordRef) -> None:
        del self.server.activities[remote.id]

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        other = self.server.add("contact", NAME="Mei", LAST_NAME="Han", phone="+4930901821")
        by_hand = {"OWNER_ID": other, "RESPONSIBLE_ID": "6", "SUBJECT": "Wrong person"}
        self.server.activities[remote.id] |= by_hand
        self.server.bindings = {one for one in self.server.bindings if one[0] != remote.id}
        self.server.bindings.add((remote.id, "3", other))
        return {"home": other, "user": "6", "title": "Wrong person"}

    async def order(self, fault: str) -> None:
        match fault:
            case "lose_answer":
                self.server.after.append(_loses_batch(self.server))
            case "away":
                await self._http.close()
            case "throttle":
                self.server.before.append(
                    says(503, '{"error": "QUERY_LIMIT_EXCEEDED"}', headers={"Retry-After": "17"})
                )
            case "refuse_key":
                self.server.before.append(says(401, '{"error": "NO_AUTH_FOUND"}'))

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        """Put a record there that the source gives, last changed so long after NOW."""
        row = self.server.add(
            "lead",
            changed=NOW + timedelta(seconds=changed_seconds),
            NAME="Person",
            LAST_NAME=str(number),
            phone=phone,
            STATUS_ID="NEW",
            STATUS_SEMANTIC_ID="P",
            ASSIGNED_BY_ID="6",
        )
        return RecordRef("lead", row)

    async def remove_record(self, ref: RecordRef) -> None:
        """Delete a record as a user would."""
        del self.server.records[ref.kind][ref.id]

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        """Return the open follow-ups that stand there under this key: `id`, `at`, `home`."""
        return [
            {"id": row_id, "at": row["START_TIME"], "home": row["OWNER_ID"]}
            for row_id, row in self.server.activities.items()
            if row["ORIGIN_ID"] == key and row["COMPLETED"] == "N"
        ]


def _loses_batch(server: Bitrix24Server) -> Any:
    """Return a fault that loses the answer of the next batch, and none before it."""

    async def fault(request: Any) -> Any:
        if not request.path.endswith("/batch.json"):
            server.after.append(fault)
            return None
        return await breaks_off(request)

    return fault


@asynccontextmanager
async def bitrix24_house(*, clock: Clock | None = None, **more: Any) -> AsyncIterator[Bitrix24House]:
    """Serve the account and open the adapter on it; `more`: of the table `[bitrix24]`."""
    server = Bitrix24Server()
    async with TestServer(server.app()) as http:
        table = {"sources": SOURCES, **more}
        async with open_shipped(
            "bitrix24", http, secret=CODE, path="/rest/1", clock=clock, more=table
        ) as crm:
            yield Bitrix24House(server, crm, http)
