"""A real BottleCRM under the contract suite, with a proxy before it that misbehaves when it is told to."""

import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.bottle.adapter import BottleCrm as BottleAdapter
from crm_sync.bottle.adapter import open_bottle
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.mapping import MappingFile, mapping_of
from crm_sync.port import CallWrite
from cti.clock import Clock, SystemClock
from cti.model.crm import CallLog, Link, RecordRef
from lab.crm.bottle import BottleCrm, bottle_crm
from lab.crm.proxy import Proxy, lossy_proxy
from lab.errors import NotPrepared

SHIPPED = Path(__file__).parents[3] / "config" / "crm" / "bottlecrm.toml"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bottle_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BottleCrm]:
    """Give the session's BottleCRM; each test makes records of its own.

    Skips where its packages cannot be had; anything else that is wrong with it fails.
    """
    try:
        async with bottle_crm(tmp_path_factory.mktemp("bottle")) as server:
            yield server
    except NotPrepared as missing:
        pytest.skip(f"NO BOTTLECRM, NOT TESTED: {missing}")


class BottleHouse:
    """The CRM, seen through the shipped mapping."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    source = "of_this_test"
    note = "body"
    goes_back = False

    def __init__(
        self,
        server: BottleCrm,
        crm: BottleAdapter,
        mapping: CrmMapping,
        proxy: Proxy,
        *,
        lead: str,
        city: str,
    ) -> None:
        self.server = server
        self.crm = crm
        self.proxy = proxy
        self.lead = lead
        """On which calls stand, when a test says nothing else."""
        self.mapping = mapping
        self._city = city

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        made = self.mapping.write(
            replace(log, crm_ref=f"lead:{self.lead}"), Link(target="bottle", call_id=log.call_id)
        )
        return replace(made, log=log, **given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        question = "SELECT * FROM interaction WHERE subject LIKE ? ORDER BY created_at"
        rows = await self.server.rows(question, f"%[cti:{call_id}]%")
        return [
            {
                "id": str(UUID(row["id"])),
                "home": str(UUID(row[f"{row['home']}_id"])),
                "title": row["subject"].removesuffix(f" [cti:{call_id}]"),
                "started_at": row["occurred_at"].replace(" ", "T"),
                "note": row["body"],
                "row": row,
            }
            for row in rows
        ]

    async def delete(self, remote: RecordRef) -> None:
        await self.server.ask("DELETE", f"/api/interactions/{remote.id}/")

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        """A user cannot put an interaction onto another record, nor give it to another user."""
        (row,) = await self.server.rows("SELECT subject FROM interaction WHERE id = ?", UUID(remote.id).hex)
        mark = row["subject"].rpartition(" ")[2]
        await self._change(remote, {"subject": f"Wrong person {mark}"})
        return {"title": "Wrong person"}

    async def type_over(self, remote: RecordRef, text: str) -> None:
        await self._change(remote, {"body": text})

    async def _change(self, remote: RecordRef, fields: Mapping[str, str]) -> None:
        await self.server.ask("PATCH", f"/api/interactions/{remote.id}/", dict(fields))

    async def add_records(self, *facts: Mapping[str, Any]) -> list[RecordRef]:
        """Make leads; those of one call have changed at one instant."""
        refs = []
        for one in facts:
            first, _, last = one["name"].partition(" ")
            more = {"city": self._city} | ({"phone": one["number"]} if "number" in one else {})
            refs.append(RecordRef("lead", await self.server.add_lead(first, last, **more)))
        return refs

    async def end_record(self, ref: RecordRef) -> str:
        await self.server.ask("PATCH", f"/api/leads/{ref.id}/", {"status": "closed"})
        return "lost"

    async def follow_ups(self, ref: RecordRef) -> Sequence[date]:
        rows = await self.server.rows(
            "SELECT due_date FROM task WHERE lead_id = ? AND status != 'Completed'", UUID(ref.id).hex
        )
        return [date.fromisoformat(row["due_date"]) for row in rows]

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


@asynccontextmanager
async def bottle_house(server: BottleCrm) -> AsyncIterator[BottleHouse]:
    """Open it by the shipped mapping, with a lead of its own and a source of the records that a test makes."""
    city = uuid4().hex
    tables = tomllib.loads(SHIPPED.read_text())
    known = {name: tables.pop(name) for name in MappingFile.model_fields if name in tables}
    own = tables.pop("bottle")
    assert not tables
    own["sources"][BottleHouse.source] = {"kind": "lead", "only": {"city": city}}
    own["web"] = "https://crm.example"
    mapping = mapping_of(known, target="bottle", where=SHIPPED.name)
    async with (
        lossy_proxy(server.url) as proxy,
        bottle_adapter(server, url=proxy.url, **own) as crm,
    ):
        lead = await server.add_lead("Li", "Wei")
        yield BottleHouse(server, crm, mapping, proxy, lead=lead, city=city)


@asynccontextmanager
async def bottle_adapter(
    server: BottleCrm, *, url: str | None = None, token: str | None = None, clock: Clock | None = None, **table: Any
) -> AsyncIterator[BottleAdapter]:  # fmt: skip
    """Open an adapter alone, with this table `[bottle]`."""
    account = Account(
        target="bottle",
        url=url or server.url,
        secret=SecretStr(server.token if token is None else token),
        where="bottlecrm.toml",
    )
    async with open_bottle(account, table, clock=clock or SystemClock()) as crm:
        yield crm
