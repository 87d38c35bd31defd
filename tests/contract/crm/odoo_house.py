"""A real Odoo 19 under the contract suite: one server for the whole run, a lead of its own for each test."""

import json
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.mapping import MappingFile, mapping_of
from crm_sync.odoo.adapter import open_odoo
from crm_sync.port import CallWrite, Crm
from cti.clock import SystemClock
from cti.model.crm import CallLog, Link, RecordRef
from lab.crm.odoo import Odoo, running_odoo
from lab.crm.odoo_template import BOT, PHONECALL, PLAIN
from lab.crm.proxy import Proxy, another_bearer, lossy_proxy
from lab.errors import NotPrepared

FILE = Path(__file__).parents[3] / "config" / "crm" / "odoo.toml"
LEAD = "crm.lead"
RPC = "/jsonrpc"
NOTE = {"crm.phonecall": "description", "mail.message": "body"}


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[Odoo]:
    """Give the session's Odoo. Skips where its packages cannot be had; anything else that is wrong with it fails."""
    try:
        with running_odoo() as server:
            yield server
    except NotPrepared as missing:
        pytest.skip(f"NO ODOO, NOT TESTED: {missing}")


class OdooHouse:
    """The adapter on a database of Odoo, with the mapping that is shipped. A proxy stands between for the faults."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    source = "of_this_test"

    def __init__(self, server: Odoo, database: str, crm: Crm, proxy: Proxy) -> None:
        self.server = server
        self.database = database
        self.crm = crm
        self.proxy = proxy
        self.token = ""
        self.lead = 0
        tables = tomllib.loads(FILE.read_text())
        known = {name: tables[name] for name in MappingFile.model_fields if name in tables}
        users = {"map": {"anna": "anna@example.com", "ben": "ben@example.com"}}
        self.mapping = mapping_of(known | {"users": users}, target="odoo", where=FILE.name)

    async def ask(self, model: str, method: str, **arguments: Any) -> Any:
        """Do as the administrator does, past the adapter."""
        arguments.setdefault("context", {"active_test": False})
        return await self.server.ask(self.database, model, method, **arguments)

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        link = Link(target="odoo", call_id=log.call_id)
        made = self.mapping.write(replace(log, crm_ref=log.crm_ref or f"{LEAD}:{self.lead}"), link)
        return replace(made, **given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        known = await self.ask(
            "ir.model.data",
            "search_read",
            domain=[["module", "=", "cti"], ["name", "=", f"call_{call_id}"]],
            fields=["model", "res_id"],
        )
        rows = [await self._row(one["model"], one["res_id"]) for one in known]
        return rows + await self._nameless()

    async def _row(self, model: str, record: int) -> dict[str, Any]:
        (row,) = await self.ask(model, "read", ids=[record])
        home = row["opportunity_id"][0] if model == "crm.phonecall" and row["opportunity_id"] else None
        return {
            "id": str(row["id"]),
            "home": str(home or row.get("res_id") or (row.get("partner_id") or [""])[0]),
            "user": str((row.get("user_id") or [""])[0]),
            "title": row.get("name"),
            "started_at": row["date"].replace(" ", "T"),
            "note": row[NOTE[model]],
            "row": row,
        }

    async def _nameless(self) -> list[dict[str, Any]]:
        """Return calls on this test's lead that no external id knows: a double would be one."""
        if self.database == PHONECALL:
            model, domain = "crm.phonecall", [["opportunity_id", "=", self.lead]]
        else:
            model, domain = (
                "mail.message",
                [["model", "=", LEAD], ["res_id", "=", self.lead], ["mail_activity_type_id", "!=", False]],
            )
        rows = await self.ask(model, "search_read", domain=domain, fields=["id"])
        if not rows:
            return []
        told = await self.ask(model, "get_metadata", ids=[row["id"] for row in rows])
        return [await self._row(model, one["id"]) for one in told if not one["xmlid"]]

    async def delete(self, remote: RecordRef) -> None:
        await self.ask(remote.kind, "unlink", ids=[int(remote.id)])

    @property
    def goes_back(self) -> bool:
        return self.database == PHONECALL

    @property
    def note(self) -> str:
        """Name of the text that a user may change; the chatter has none."""
        return "description" if self.database == PHONECALL else ""

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        """In the chatter only the administrator can move a call."""
        (other,) = await self.ask(LEAD, "create", vals_list=[{"name": "Another", "type": "lead"}])
        values: dict[str, Any] = {"res_id": other}
        if remote.kind == "crm.phonecall":
            (ben,) = await self.ask("res.users", "search", domain=[["login", "=", "ben@example.com"]])
            values = {"opportunity_id": other, "user_id": ben, "name": "Wrong person"}
        await self.write_by_hand(remote, values)
        told = {"home": str(other)}
        return told if "res_id" in values else told | {"user": str(ben), "title": "Wrong person"}

    async def type_over(self, remote: RecordRef, text: str) -> None:
        await self.write_by_hand(remote, {self.note: text})

    async def write_by_hand(self, remote: RecordRef, values: Mapping[str, Any]) -> None:
        """Change a call as a user does; the models call the values by different names."""
        name = "values" if remote.kind == "crm.phonecall" else "vals"
        await self.ask(remote.kind, "write", ids=[int(remote.id)], **{name: values})

    async def order(self, fault: str) -> None:
        match fault:
            case "lose_answer":
                self.proxy.losses.next = 1
            case "away":
                await self.proxy.shut()
            case "throttle":
                self.proxy.throttle_next = 1
            case "refuse_key":
                self.proxy.spoil_key = True

    async def add_records(self, *facts: Mapping[str, Any]) -> list[RecordRef]:
        """Make leads, in one transaction: Odoo gives them the same instant."""
        rows = [{"type": "lead", "referred": self.token, **one} for one in facts]
        for row in rows:
            row["phone"] = row.pop("number", False)
            row["contact_name"] = row["name"]
        made = await self.ask(LEAD, "create", vals_list=rows)
        return [RecordRef(LEAD, str(one)) for one in made]

    async def end_record(self, ref: RecordRef) -> str:
        await self.ask(LEAD, "action_set_won", ids=[int(ref.id)])
        return "won"

    async def follow_ups(self, ref: RecordRef) -> Sequence[date]:
        rows = await self.ask(
            "mail.activity",
            "search_read",
            domain=[["res_model", "=", ref.kind], ["res_id", "=", int(ref.id)]],
            fields=["date_deadline"],
            context={},  # those that are done are archived
        )
        return [date.fromisoformat(row["date_deadline"]) for row in rows]


@asynccontextmanager
async def odoo_house(
    server: Odoo, *, log: str, transport: str, database: str, key: str = "", **more: Any
) -> AsyncIterator[OdooHouse]:
    """Open the adapter, with a new lead; `more`: of the table `[odoo]`."""
    token = uuid4().hex
    table = {
        "database": database,
        "transport": transport,
        "user": BOT,
        "log": log,
        "unsure_seconds": 0.0,
        "sources": {OdooHouse.source: {"domain": [["referred", "=", token]], "fields": ["referred"]}},
    }
    async with lossy_proxy(server.url, is_write=_is_load, spoil=_another_key) as proxy:
        account = Account("odoo", proxy.url, SecretStr(key or server.bot_key), "odoo.toml")
        async with open_odoo(account, table | more, clock=SystemClock()) as crm:
            house = OdooHouse(server, database, crm, proxy)
            house.token = token
            (lead,) = await house.ask(LEAD, "create", vals_list=[{"name": "Contract", "type": "lead"}])
            house.lead = lead
            yield house


def _is_load(_method: str, path: str, body: bytes) -> bool:
    """Whether something is written: all of it by `load`."""
    words = _words(body) if path == RPC else []
    return path.endswith("/load") or words[4:5] == ["load"]


def _another_key(headers: dict[str, str], body: bytes) -> bytes:
    """Show another key: a bearer's, or the password of a call by JSON-RPC."""
    if "Authorization" in headers:
        return another_bearer(headers, body)
    tree = json.loads(body)
    if len(tree["params"]["args"]) > 2:
        tree["params"]["args"][2] = "another"
    return json.dumps(tree).encode()


def _words(body: bytes) -> list[Any]:
    return list(json.loads(body)["params"]["args"])


ODOO_HOUSES = {
    "odoo-phonecall-json2": {"log": "phonecall", "transport": "json2", "database": PHONECALL},
    "odoo-phonecall-rpc": {"log": "auto", "transport": "rpc", "database": PHONECALL},
    "odoo-activity-json2": {"log": "auto", "transport": "json2", "database": PLAIN},
}
