"""The adapter of 纷享销客 on its strict fake."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp.test_utils import TestServer

from crm_sync.port import CallWrite, Crm
from cti.clock import Clock
from cti.model.crm import CallLog, RecordRef
from tests.builders import NOW
from tests.contract.crm.fxiaoke_server import ANNA, APP, APP_SECRET, CALLS, PERMANENT, USER, FxiaokeServer
from tests.contract.crm.rest_server import Fault, breaks_off
from tests.contract.crm.shipped import open_shipped, shipped, write_of

SOURCES = {
    "new": {
        "kind": "LeadsObj",
        "filters": [{"field": "biz_status", "operator": "IN", "values": ["un_processed"]}],
    }
}


class FxiaokeHouse:
    """The account with a lead, a contact, her account and their deal."""

    faults = frozenset({"lose_answer", "away", "refuse_key"})
    source = "new"
    goes_back = True

    def __init__(self, server: FxiaokeServer, crm: Crm, http: TestServer) -> None:
        self.server = server
        self.crm = crm
        self._http = http
        self._mapping, _ = shipped("fxiaoke")
        self.account = server.add("AccountObj", name="灯笼厂", tel="02112345678")
        self.contact = server.add("ContactObj", name="王小明", mobile1="13800138000", account_id=self.account)
        self.deal = server.add("NewOpportunityObj", name="秋季")

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        return write_of(self._mapping, log, f"ContactObj:{self.contact}", given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row["_id"],
                "home": row.get("contact__c"),
                "user": row["owner"][0],
                "title": row["name"],
                "started_at": datetime.fromtimestamp(row["start_time__c"] / 1000, UTC).isoformat(),
                "note": row.get("note__c"),
            }
            for row in self.server.rows[CALLS].values()
            if row["call_id__c"] == call_id and row["life_status"] != "invalid"
        ]

    async def delete(self, remote: RecordRef) -> None:
        self.server.rows[CALLS][remote.id]["life_status"] = "invalid"

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        other = self.server.add("ContactObj", name="韩梅梅", mobile1="13800138002")
        self.server.rows[CALLS][remote.id] |= {"contact__c": other, "owner": [ANNA], "name": "打错了"}
        return {"home": other, "user": ANNA, "title": "打错了"}

    async def order(self, fault: str) -> None:
        match fault:
            case "lose_answer":
                self.server.after.append(loses(self.server, "create"))
            case "away":
                await self._http.close()
            case "refuse_key":
                self.server.refuse_token = True

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        """Put a record there that the source gives, last changed so long after NOW."""
        changed = NOW + timedelta(seconds=changed_seconds)
        row = self.server.add(
            "LeadsObj", changed=changed, name=f"Person {number}", mobile=phone, biz_status="un_processed"
        )
        return RecordRef("LeadsObj", row)

    async def remove_record(self, ref: RecordRef) -> None:
        """Delete a record as a user would."""
        self.server.rows[ref.kind][ref.id]["life_status"] = "invalid"

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        """Return nothing: this CRM has none."""
        return []


def loses(server: FxiaokeServer, action: str) -> Fault:
    """Return a fault that loses the answer of the next request of this kind, and none before it."""

    async def fault(request: Any) -> Any:
        if not request.path.endswith(f"/{action}"):
            server.after.append(fault)
            return None
        return await breaks_off(request)

    return fault


@asynccontextmanager
async def fxiaoke_house(
    *, clock: Clock | None = None, secret: str = f"{APP_SECRET}:{PERMANENT}", **more: Any
) -> AsyncIterator[FxiaokeHouse]:
    """Serve the account and open the adapter on it; `more`: of the table `[fxiaoke]`."""
    server = FxiaokeServer()
    async with TestServer(server.app()) as http:
        table = {"sources": SOURCES, "app_id": APP, "user": USER, **more}
        async with open_shipped("fxiaoke", http, secret=secret, clock=clock, more=table) as crm:
            yield FxiaokeHouse(server, crm, http)
