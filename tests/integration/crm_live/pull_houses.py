"""Real CRMs whose leads are pulled: made and changed past our adapters, as their users do."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from lab.crm.bottle import BottleCrm
from lab.crm.odoo import Odoo
from lab.crm.odoo_template import PHONECALL
from tests.integration.crm_live.houses import MAPPINGS, BottleProof, OdooProof, ProofHouse

SOURCE: Final = "ours"
PEOPLE: Final = "people"
AMOUNT: Final = 1234.5
DEAL: Final[Mapping[str, Any]] = {"stage": "New", "amount": AMOUNT, "currency": "USD"}


class PullHouse(ProofHouse, Protocol):
    """A CRM with leads of one test, which its sources give and no others."""

    owner: str
    """Whose all leads are: the login of an agent."""
    sources: Sequence[str]
    ways: Sequence[str]
    """In which its users end a lead; see `end`."""
    deal: Mapping[str, Any] | None
    """What every lead has: as a contact tells it, without its reference and name. None: leads are no deals there."""

    async def add_leads(self, numbers: Sequence[str]) -> Sequence[str]:
        """Make a lead of each number; return references to them. The last is of the source of those who opt out."""
        ...

    async def end(self, ref: str, why: str) -> None:
        """Have a record be won, lost, archived, opted_out or deleted."""
        ...

    async def renumber(self, ref: str, number: str) -> None: ...

    async def follow_ups(self, ref: str) -> Sequence[date]:
        """Return the days of the calls that are to be made, as its users see them."""
        ...


class OdooPulls(OdooProof):
    """Opportunities of Odoo."""

    owner = "anna"
    sources = (SOURCE,)
    ways = ("won", "lost", "archived", "opted_out", "deleted")
    deal = DEAL

    def __init__(self, server: Odoo) -> None:
        super().__init__(server)
        self._token = uuid4().hex

    def mapping(self) -> str:
        source = f'\n[odoo.sources.{SOURCE}]\ndomain = [["referred", "=", "{self._token}"]]\n'
        return super().mapping() + source

    async def add_leads(self, numbers: Sequence[str]) -> Sequence[str]:
        (user,) = await self._ids("res.users", ["login", "=", "anna@example.com"])
        (country,) = await self._ids("res.country", ["code", "=", "DE"])
        (stage, *_) = await self._ids("crm.stage", ["name", "=", "New"])
        leads = [
            {
                "name": f"Deal {n}",
                "contact_name": f"Person {n}",
                "type": "opportunity",
                "phone": number,
                "user_id": user,
                "country_id": country,
                "stage_id": stage,
                "expected_revenue": AMOUNT,
                "referred": self._token,
            }
            for n, number in enumerate(numbers)
        ]
        made = await self._do("crm.lead", "create", vals_list=leads)
        return [f"crm.lead:{one}" for one in made]

    async def end(self, ref: str, why: str) -> None:
        ids = [_number(ref)]
        match why:
            case "won":
                await self._do("crm.lead", "action_set_won", ids=ids)
            case "lost":
                await self._do("crm.lead", "action_set_lost", ids=ids)
            case "archived":
                await self._do("crm.lead", "write", ids=ids, vals={"active": False, "probability": 20})
            case "opted_out":
                (row,) = await self._do("crm.lead", "read", ids=ids, fields=["phone_sanitized"])
                await self._do("phone.blacklist", "create", vals_list=[{"number": row["phone_sanitized"]}])
            case "deleted":
                await self._do("crm.lead", "unlink", ids=ids)

    async def renumber(self, ref: str, number: str) -> None:
        await self._do("crm.lead", "write", ids=[_number(ref)], vals={"phone": number})

    async def follow_ups(self, ref: str) -> Sequence[date]:
        domain = [["res_model", "=", "crm.lead"], ["res_id", "=", _number(ref)]]
        rows = await self._do("mail.activity", "search_read", domain=domain, fields=["date_deadline"])
        return [date.fromisoformat(row["date_deadline"]) for row in rows]

    async def _ids(self, model: str, term: Sequence[Any]) -> list[int]:
        return list(await self._do(model, "search", domain=[term]))

    async def _do(self, model: str, method: str, **arguments: Any) -> Any:
        return await self._server.ask(PHONECALL, model, method, **arguments)


class BottlePulls(BottleProof):
    """Leads and contacts of BottleCRM: only contacts can opt out."""

    owner = "person"
    sources = (SOURCE, PEOPLE)
    ways = ("won", "lost", "opted_out", "deleted")
    deal = None

    def __init__(self, server: BottleCrm) -> None:
        super().__init__(server)
        self._cities = {SOURCE: uuid4().hex, PEOPLE: uuid4().hex}
        """A lead that is won becomes a contact in its city, and is not to come again as that."""

    def mapping(self) -> str:
        return super().mapping() + "".join(
            f'\n[bottle.sources.{name}]\nkind = "{kind}"\nonly = {{ city = "{self._cities[name]}" }}\n'
            for name, kind in ((SOURCE, "lead"), (PEOPLE, "contact"))
        )

    async def add_leads(self, numbers: Sequence[str]) -> Sequence[str]:
        people = (await self._server.ask("GET", "/api/tasks/?slim=true&limit=1"))["users"]
        user = next(one["id"] for one in people if one["user__email"] == "person@crm.invalid")
        more = {"country": "DE", "assigned_to": [user]}
        refs = [
            f"lead:{await self._server.add_lead('Person', str(n), phone=number, city=self._cities[SOURCE], **more)}"
            for n, number in enumerate(numbers[:-1])
        ]
        last = await self._server.add_contact(
            "Person", str(len(refs)), phone=numbers[-1], city=self._cities[PEOPLE], **more
        )
        return [*refs, f"contact:{last}"]

    async def end(self, ref: str, why: str) -> None:
        path = _path(ref)
        match why:
            case "won":
                named = {"email": f"{uuid4().hex}@crm.invalid", "company_name": uuid4().hex}
                await self._server.ask("PATCH", path, {"status": "converted", **named})
            case "lost":
                await self._server.ask("PATCH", path, {"status": "closed"})
            case "opted_out":
                await self._server.ask("PATCH", path, {"do_not_call": True})
            case "deleted":
                await self._server.ask("DELETE", path)

    async def renumber(self, ref: str, number: str) -> None:
        await self._server.ask("PATCH", _path(ref), {"phone": number})

    async def follow_ups(self, ref: str) -> Sequence[date]:
        question = "SELECT due_date FROM task WHERE lead_id = ? AND status != 'Completed'"
        rows = await self._server.rows(question, UUID(ref.partition(":")[2]).hex)
        return [date.fromisoformat(row["due_date"]) for row in rows]


class RestBottlePulls(BottlePulls):
    """The same, by the templates of the generic adapter: open leads alone are listed; how others ended, they say when
    they are read again."""

    adapter = "rest"

    def mapping(self) -> str:
        shipped = (MAPPINGS / "bottlecrm-rest.toml").read_text()
        shipped = shipped.replace("[rest]\n", "[rest]\ntimeout_seconds = 5\nunsure_seconds = 1\n")
        tables = tomllib.loads(shipped)["rest"]["sources"]
        for name, of in ((SOURCE, "leads"), (PEOPLE, "contacts")):
            query = tables[of]["query"] | {"city": self._cities[name]}
            keys = {**tables[of], "query": query}
            shipped += f"\n[rest.sources.{name}]\n" + "".join(
                f"{key} = {_toml(value)}\n" for key, value in keys.items()
            )
        return shipped


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def _number(ref: str) -> int:
    return int(ref.partition(":")[2])


def _path(ref: str) -> str:
    kind, _, number = ref.partition(":")
    return f"/api/{kind}s/{number}/"
