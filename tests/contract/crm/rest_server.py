"""A CRM with a REST interface on a real server of aiohttp, which misbehaves when it is told to.

It keeps calls as records and knows nothing of us but a field for our mark. In `key` mode a call is put by its mark, as
an upsert; in `own_id` mode a second creation of an id is refused; in `marker` mode every creation makes a record.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.mapping import mapping_of
from crm_sync.port import CallWrite, Crm, Idempotency
from crm_sync.rest.adapter import open_rest
from cti.clock import SystemClock
from cti.model.crm import CallLog, Link, RecordRef
from tests.contract.crm.rest_leads import RestLeads
from tests.contract.crm.rest_reading import RestReading, reading_tables, source_of
from tests.waiting import PATIENCE_SECONDS

KEY = "sesame-of-the-crm"
KNOWN = {"subject", "started", "seconds", "note", "home", "mark"}
FIELDS = {
    "subject": "Call to {contact}",
    "started": "{placed_at|iso}",
    "seconds": "{talk_seconds}",
    "note": "{note}",
    "home": "{home}",
    "mark": "{call_id}",
}
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class RestServer:
    """The server. `before` is asked before anything is done, `after` when all is done and no answer sent yet."""

    def __init__(self, idempotency: Idempotency) -> None:
        self.idempotency = idempotency
        self.rows: dict[str, dict[str, Any]] = {}
        self.before: list[Fault] = []
        self.after: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.leads = RestLeads()
        self.tokens = itertools.count(1)
        self.token = ""
        self._ids = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_route("*", "/api/{rest:.*}", self._serve)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_secret") != KEY:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.token = f"token-{next(self.tokens)}"
        return web.json_response({"access_token": self.token, "expires_in": 3600})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs))
        if self.before:
            said = await self.before.pop(0)(request)
            if said is not None:
                return said
        if request.headers.get("Authorization") not in (f"Bearer {KEY}", f"Bearer {self.token}"):
            return web.json_response(
                {"error": f"unknown key {request.headers.get('Authorization')}"}, status=401
            )
        answer = await self._do(request)
        if self.after:
            return await self.after.pop(0)(request) or answer
        return answer

    async def _do(self, request: web.Request) -> web.Response:
        parts = request.match_info["rest"].split("/")
        body = await request.json() if request.can_read_body else None
        if (said := self.leads.served(request, parts, body)) is not None:
            return said
        match request.method, parts:
            case "GET", ["me"]:
                return web.json_response({"user": {"name": "bot"}})
            case "GET", ["calls"]:
                return self.leads.calls(request, [{"id": one, **row} for one, row in self.rows.items()])
            case "DELETE", ["calls", row_id] if row_id in self.rows:
                del self.rows[row_id]
                return web.Response(status=204)
            case "POST", ["calls"]:
                return self._create(await request.json())
            case "PUT", ["calls", "by-mark", mark]:
                return self._upsert(mark, await request.json())
            case "PATCH", ["calls", row_id]:
                return self._change(row_id, await request.json())
            case "PUT", ["calls", row_id] if row_id in self.rows:
                self.rows[row_id] = (await request.json())["fields"]
                return web.json_response({"record": {"id": row_id}})
        return web.json_response({"error": "no such address"}, status=404)

    def _create(self, body: dict[str, Any]) -> web.Response:
        fields = body["fields"]
        if unknown := set(fields) - KNOWN:
            return web.json_response({"error": f"no field {unknown}"}, status=422)
        row_id = body.get("id") or str(next(self._ids))
        if row_id in self.rows:
            return web.json_response({"error": "this id is already exist"}, status=400)
        self.rows[row_id] = fields
        return web.json_response({"record": {"id": row_id}}, status=201)

    def _upsert(self, mark: str, body: dict[str, Any]) -> web.Response:
        for row_id, row in self.rows.items():
            if row["mark"] == mark:
                return self._change(row_id, body)
        return self._create(body)

    def _change(self, row_id: str, body: dict[str, Any]) -> web.Response:
        if row_id not in self.rows:
            return web.json_response({"error": "no such call"}, status=404)
        if unknown := set(body["fields"]) - KNOWN:
            return web.json_response({"error": f"no field {unknown}"}, status=422)
        self.rows[row_id] |= body["fields"]
        return web.json_response({"record": {"id": row_id}})


def tables(idempotency: Idempotency, **more: Any) -> dict[str, Any]:
    """Return the table `[rest]` that describes this CRM."""
    table: dict[str, Any] = {
        "idempotency": idempotency.value,
        "headers": {"Authorization": "Bearer {secret}"},
        "check": {"path": "/api/me", "who": "user.name"},
        "create": {"path": "/api/calls", "wrap": "fields", "id": "record.id"},
        "update": {"method": "PATCH", "path": "/api/calls/{id}", "wrap": "fields"},
        "timeout_seconds": PATIENCE_SECONDS,
        "unsure_seconds": 0.0,
    }
    match idempotency:
        case Idempotency.KEY:
            table["create"] |= {"method": "PUT", "path": "/api/calls/by-mark/{call_id}"}
        case Idempotency.OWN_ID:
            table |= {
                "own_id": "{call_uuid}",
                "answers": [{"status": [400], "body": "already exist", "means": "exists"}],
            }
            table["create"]["extra"] = {"id": "{call_uuid}"}
        case Idempotency.MARKER:
            table["find"] = {
                "path": "/api/calls",
                "query": {"q": "{call_id}"},
                "list": "list",
                "mark": "mark",
            }
    return table | more


class RestHouse:
    """The generic adapter on this server."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    goes_back = True

    def __init__(self, server: RestServer, crm: Crm, hasty: Crm, http: TestServer, *, source: str) -> None:
        self.server = server
        self.crm = crm
        self.hasty = hasty
        """The same, for whom half a second is too long: for what is about such waits, and nothing else."""
        self.source = source
        self.reading = RestReading(crm, server.leads, source)
        self._http = http
        self.mapping = mapping_of(
            {"fields": FIELDS, "records": {"kind": "lead"}}, target="rest", where="rest.toml"
        )

    @property
    def url(self) -> str:
        return str(self._http.make_url("/"))

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        link = Link(target="rest", call_id=log.call_id)
        return replace(self.mapping.write(replace(log, crm_ref=log.crm_ref or "7"), link), **given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row_id,
                "home": row["home"],
                "title": row["subject"],
                "started_at": row["started"],
                "note": row.get("note"),
            }
            for row_id, row in self.server.rows.items()
            if row["mark"] == call_id
        ]

    async def delete(self, remote: RecordRef) -> None:
        del self.server.rows[remote.id]

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        self.server.rows[remote.id] |= {"home": "8", "subject": "Wrong person"}
        return {"home": "8", "title": "Wrong person"}

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

    async def add_records(self, *facts: Mapping[str, Any]) -> list[RecordRef]:
        leads = self.server.leads
        made = [leads.add(changed=leads.now, name=one["name"], phone=one.get("number", "")) for one in facts]
        return [RecordRef("lead", one) for one in made]

    async def end_record(self, ref: RecordRef) -> str:
        self.server.leads.leads[ref.id]["status"] = "sold"
        return "won"

    async def follow_ups(self, ref: RecordRef) -> Sequence[date]:
        return [
            datetime.fromisoformat(row["due"]).date()
            for row in self.server.leads.tasks.values()
            if row["lead"] == ref.id and not row["done"]
        ]


@asynccontextmanager
async def rest_house(
    idempotency: Idempotency, *, paging: str = "keyset", **more: Any
) -> AsyncIterator[RestHouse]:
    """Serve a CRM and open the adapter on it; `more`: of the table `[rest]`."""
    server = RestServer(idempotency)
    one_by_one = idempotency is Idempotency.OWN_ID
    async with TestServer(server.app()) as http:
        account = Account("rest", str(http.make_url("/")), SecretStr(KEY), "rest.toml")
        table = reading_tables(paging, one_by_one=one_by_one) | tables(idempotency, **more)
        clock = SystemClock()
        async with (
            open_rest(account, table, clock=clock) as crm,
            open_rest(account, table | {"timeout_seconds": 0.5}, clock=clock) as hasty,
        ):
            yield RestHouse(server, crm, hasty, http, source=source_of(paging))


def says(status: int, text: str = "no", headers: Mapping[str, str] | None = None) -> Fault:
    """Return a fault that answers so."""

    async def fault(_: web.Request) -> web.StreamResponse | None:
        return web.Response(status=status, text=text, headers=headers)

    return fault


async def breaks_off(request: web.Request) -> web.StreamResponse | None:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hangs(_: web.Request) -> web.StreamResponse | None:
    """Say nothing for longer than anybody waits."""
    await asyncio.Event().wait()
    return None


async def trickles(request: web.Request) -> web.StreamResponse | None:
    """Answer a byte now and then."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.1)


async def never_ends(request: web.Request) -> web.StreamResponse | None:
    """Answer more than anybody can hold."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b"x" * 1_000_000)
    return response
