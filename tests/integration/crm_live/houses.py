"""What the proof needs of a CRM besides its adapter: leads to call, to be cut off, to be read past the adapter."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from lab.crm.bottle import BottleCrm
from lab.crm.odoo import Odoo
from lab.crm.odoo_template import PHONECALL
from lab.crm.proxy import by_method

MAPPINGS: Final = Path(__file__).parents[3] / "config" / "crm"
MARKED: Final = re.compile(r"\[cti:([0-9a-f]{32})\]")
LINK: Final = re.compile(r'href="[^"]*/mail/view\?model=([a-z.]+)&res_id=(\d+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """A record as it stands in the CRM."""

    call_id: str
    home: str
    """The reference it was called by, as lists bring it."""
    started_at: datetime
    seconds: float
    text: str
    """All that is written of the call in words."""


class ProofHouse(Protocol):
    """A real CRM. Methods other than `seed` and `standing` may be called while it is down."""

    adapter: str
    secret: str
    exact_seconds: float
    """How exactly it keeps how long a call was."""

    @property
    def url(self) -> str: ...

    def mapping(self) -> str:
        """Return the text of the mapping file: the shipped one, with short waits."""
        ...

    def is_write(self, method: str, path: str, body: bytes) -> bool:
        """Whether a request changes something there."""
        ...

    async def seed(self, count: int) -> Sequence[str]:
        """Make so many leads; return references to them."""
        ...

    async def seed_deals(self, count: int) -> Sequence[str]:
        """Make so many deals; return references to them. None where a call is told to no deal."""
        ...

    async def told(self, deals: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """Return how often each of these deals was told of a call: by the deal and the record that was called."""
        ...

    async def stop(self) -> None: ...
    async def start(self) -> None: ...

    async def standing(self) -> Sequence[There]:
        """Return all records of calls."""
        ...


class BottleProof:
    """BottleCRM; its database is read."""

    adapter = "bottle"
    exact_seconds = 1.0

    def __init__(self, server: BottleCrm) -> None:
        self._server = server
        self.secret = server.token

    @property
    def url(self) -> str:
        return self._server.url

    def mapping(self) -> str:
        shipped = (MAPPINGS / "bottlecrm.toml").read_text()
        return shipped.replace("[bottle]\n", "[bottle]\ntimeout_seconds = 5\nunsure_seconds = 1\n")

    def is_write(self, method: str, path: str, body: bytes) -> bool:
        return by_method(method, path, body)

    async def seed(self, count: int) -> Sequence[str]:
        return [f"lead:{one}" for one in await self._server.add_leads(count)]

    async def seed_deals(self, count: int) -> Sequence[str]:
        return []

    async def told(self, deals: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return {}

    async def stop(self) -> None:
        await self._server.stop()

    async def start(self) -> None:
        await self._server.start()

    async def standing(self) -> Sequence[There]:
        return [_bottle_call(row) for row in await self._server.interactions()]


def _bottle_call(row: Any) -> There:
    marked = MARKED.search(row["subject"])
    return There(
        call_id=marked[1] if marked else f"no mark in {row['subject']}",
        home=f"{row['home']}:{UUID(row[row['home'] + '_id'])}",
        started_at=datetime.fromisoformat(row["occurred_at"]).replace(tzinfo=UTC),
        seconds=row["duration_seconds"],
        text=f"{row['subject']} {row['body']}",
    )


class OdooProof:
    """Odoo with the phone calls of OCA; it is asked as its administrator, by JSON-2."""

    adapter = "odoo"
    exact_seconds = 1.0
    READING: Final = frozenset({"fields_get", "read", "read_group", "search", "search_count", "search_read"})
    """Of its methods those that change nothing; all are asked by POST."""

    def __init__(self, server: Odoo) -> None:
        self._server = server
        self.secret = server.bot_key

    @property
    def url(self) -> str:
        return self._server.url

    def mapping(self) -> str:
        shipped = (MAPPINGS / "odoo.toml").read_text()
        ours = f'database = "{PHONECALL}"\ntimeout_seconds = 5\nunsure_seconds = 1'
        return shipped.replace('database = "odoo"', ours)

    def is_write(self, method: str, path: str, _body: bytes) -> bool:
        return method == "POST" and path.rpartition("/")[2] not in self.READING

    async def seed(self, count: int) -> Sequence[str]:
        leads = [
            {"name": f"Lead {number}", "phone": f"+4930{9018200 + number}", "type": "lead"}
            for number in range(count)
        ]
        made = await self._server.ask(PHONECALL, "crm.lead", "create", vals_list=leads)
        return [f"crm.lead:{one}" for one in made]

    async def seed_deals(self, count: int) -> Sequence[str]:
        deals = [{"name": f"Deal {number}", "type": "opportunity"} for number in range(count)]
        made = await self._server.ask(PHONECALL, "crm.lead", "create", vals_list=deals)
        return [f"crm.lead:{one}" for one in made]

    async def told(self, deals: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """By the links that stand in the chatter of deals, whatever external id a note has."""
        ids = [int(one.rpartition(":")[2]) for one in deals]
        rows = await self._server.ask(
            PHONECALL,
            "mail.message",
            "search_read",
            domain=[["model", "=", "crm.lead"], ["res_id", "in", ids]],
            fields=["res_id", "body"],
        )
        links = [
            (f"crm.lead:{row['res_id']}", f"{kind}:{number}")
            for row in rows
            for kind, number in LINK.findall(unescape(row["body"]))
        ]
        return Counter(links)

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.stop)

    async def start(self) -> None:
        await self._server.start()

    async def standing(self) -> Sequence[There]:
        """By the external ids under which the records were loaded: one without would not be ours."""
        fields = ["opportunity_id", "date", "duration", "name", "description"]
        rows = await self._server.ask(
            PHONECALL,
            "crm.phonecall",
            "search_read",
            domain=[],
            fields=fields,
            context={"active_test": False},
        )
        names = await self._server.ask(
            PHONECALL,
            "ir.model.data",
            "search_read",
            domain=[["model", "=", "crm.phonecall"], ["module", "=", "cti"]],
            fields=["name", "res_id"],
        )
        marks = {one["res_id"]: one["name"].removeprefix("call_") for one in names}
        return [_odoo_call(row, marks.get(row["id"], f"no mark on {row['id']}")) for row in rows]


def _odoo_call(row: Any, call_id: str) -> There:
    home = row["opportunity_id"]
    return There(
        call_id=call_id,
        home=f"crm.lead:{home[0]}" if home else "",
        started_at=datetime.fromisoformat(row["date"]).replace(tzinfo=UTC),
        seconds=round(row["duration"] * 60, 1),
        text=f"{row['name']} {row['description']}",
    )
