"""The mappings of `config/crm` are read, and make requests of the shape that the CRMs' documentation describes.

The server here answers whatever is asked; no mapping was ever run against a real server of these CRMs.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.composition import open_target
from crm_sync.port import Answer, Crm, RecordRef
from crm_sync.rest.adapter import open_rest
from cti.clock import SystemClock
from cti.model.crm import Link
from cti.settings.crm_sections import CrmTargetSettings
from tests.builders import NOW
from tests.contract.crm.houses import a_log

SHIPPED = Path(__file__).parents[3] / "config" / "crm"
CALL = "0" * 31 + "1"
UUID = "00000000-0000-0000-0000-000000000001"


class Agreeable:
    """A server that takes everything and remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        if "token" in request.path:
            assert (await request.post())["client_secret"] == "hush"
            return web.json_response({"access_token": "t", "expires_in": 60})
        raw = await request.text()
        self.asked.append((request.method, request.path_qs, json.loads(raw) if raw else None))
        return web.json_response({"id": "17", "list": [], "data": {"id": "17"}})


@pytest.mark.parametrize(
    ("name", "ref", "method", "path", "expected"),
    [
        (
            "espocrm",
            "Lead:7",
            "POST",
            "/api/v1/Call",
            {
                "name": "Call to Li Wei (sold)",
                "status": "Held",
                "direction": "Outbound",
                "dateStart": NOW.strftime("%Y-%m-%d %H:%M:%S"),
                "parentType": "Lead",
                "parentId": "7",
                "cCtiId": CALL,
            },
        ),
        (
            "suitecrm",
            "7",
            "POST",
            "/Api/V8/module",
            {
                "data.type": "Calls",
                "data.id": UUID,
                "data.attributes.status": "Held",
                "data.attributes.date_start": NOW.strftime("%Y-%m-%d %H:%M:%S"),
                "data.attributes.duration_hours": 0,
                "data.attributes.duration_minutes": 1,
                "data.attributes.parent_type": "Leads",
                "data.attributes.parent_id": "7",
            },
        ),
        (
            "salesforce",
            "00Q1",
            "PATCH",
            f"/services/data/v62.0/sobjects/Task/CTI_Call_Id__c/{CALL}",
            {"WhoId": "00Q1", "CallDurationInSeconds": 42, "CallType": "Outbound", "Status": "Completed"},
        ),
    ],
)
async def test_a_shipped_mapping_makes_the_request_it_describes(
    name: str, ref: str, method: str, path: str, expected: dict[str, Any]
) -> None:
    server, app = Agreeable(), web.Application()
    app.router.add_route("*", "/{rest:.*}", server.answer)
    async with TestServer(app) as http:
        target = CrmTargetSettings(
            name=name,
            url=str(http.make_url("/")),
            secret=SecretStr("hush"),
            mapping=SHIPPED / f"{name}.toml",
        )
        async with open_target(target, clock=SystemClock()) as ready:
            log = a_log(call_id=CALL, crm_ref=ref, disposition="sold", note="wants an offer")
            write = ready.mapping.write(log, Link(target=name, call_id=CALL))
            (result,) = await ready.crm.push([write])

    assert result.answer is Answer.OK, result.message
    asked, where, body = server.asked[-1]
    assert (asked, where) == (method, path)
    for place, value in expected.items():
        at = body
        for step in place.split("."):
            at = at[step]
        assert at == value, place
    assert "wants an offer" in json.dumps(body)


class Empty:
    """A server that has nothing, and remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        if "token" in request.path:
            return web.json_response({"access_token": "t", "expires_in": 60})
        body = await request.json() if request.can_read_body else dict(request.query)
        self.asked.append((request.method, request.path, body))
        if request.path.count("/") > 4 and request.path.startswith("/Api"):
            return web.json_response({"errors": {"detail": "Calls with id x is not found"}}, status=404)
        data = {"id": "17"} if request.method != "GET" else []
        return web.json_response({"list": [], "records": [], "data": data, "id": "17"})


async def asked_of(name: str, ask: Callable[[Crm], Awaitable[Any]]) -> list[tuple[str, str, Any]]:
    server, app = Empty(), web.Application()
    app.router.add_route("*", "/{rest:.*}", server.answer)
    async with TestServer(app) as http:
        target = CrmTargetSettings(
            name=name, url=str(http.make_url("/")), secret=SecretStr("hush"), mapping=SHIPPED / f"{name}.toml"
        )
        async with open_target(target, clock=SystemClock()) as ready:
            can = ready.crm.capabilities
            assert all(
                (can.pulls, can.finds, can.reads_back, can.follow_ups, can.ends_follow_ups, can.removes)
            )
            await ask(ready.crm)
    return server.asked


SINCE = "2026-11-23 09:00:00"
QUERY = "/services/data/v62.0/query"


@pytest.mark.parametrize(
    ("name", "path", "since", "ties"),
    [
        (
            "espocrm",
            "/api/v1/Lead",
            {"where[0][type]": "greaterThanOrEquals", "where[0][value]": SINCE, "orderBy": "modifiedAt"},
            {
                "where[1][value]": "2026-11-23 09:00:01",
                "where[2][value]": "17",
                "orderBy": "id",
                "maxSize": "50",
            },
        ),
        (
            "suitecrm",
            "/Api/V8/module/Leads",
            {"filter[date_modified][gte]": SINCE, "sort": "date_modified", "page[size]": "50"},
            {"filter[date_modified][lt]": "2026-11-23 09:00:01", "filter[id][gt]": "17", "sort": "id"},
        ),
        (
            "salesforce",
            QUERY,
            {"q": "WHERE SystemModstamp >= 2026-11-23T09:00:00Z ORDER BY SystemModstamp ASC LIMIT 50"},
            {"q": "AND SystemModstamp < 2026-11-23T09:00:01Z AND Id > '17' ORDER BY Id ASC LIMIT 50"},
        ),
    ],
)
async def test_a_shipped_mapping_asks_for_what_changed(
    name: str, path: str, since: dict[str, str], ties: dict[str, str]
) -> None:
    async def ask(crm: Crm) -> None:
        for cursor in ("", "[1795424400]", '[1795424400, "17"]'):
            await crm.pull("leads", cursor=cursor, limit=50)
        await crm.pull("contacts", cursor="", limit=50)

    first, second, third, contacts = await asked_of(name, ask)

    assert {one[:2] for one in (first, second, third)} == {("GET", path)}
    assert "Contact" in contacts[1] + contacts[2].get("q", "")
    assert "2026" not in str(first[2])
    for asked, expected in ((second[2], since), (third[2], ties)):
        for key, value in expected.items():
            assert value in asked[key] if key == "q" else asked[key] == value


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("espocrm", "Lead", ("GET", "/api/v1/Lead", {"where[0][type]": "in", "where[0][value][]": "17"})),
        ("suitecrm", "Leads", ("GET", "/Api/V8/module/Leads/17", {})),
        ("salesforce", "Lead", ("GET", QUERY, {"q": "WHERE Id IN ('00Q000000000001','00Q000000000002')"})),
    ],
)
async def test_a_shipped_mapping_reads_records(name: str, kind: str, expected: tuple[str, str, Any]) -> None:
    ids = ["00Q000000000001", "00Q000000000002"] if name == "salesforce" else ["17"]

    async def ask(crm: Crm) -> None:
        await crm.records([RecordRef(kind, one) for one in [*ids, "x' OR Id != '"]])

    (asked,) = await asked_of(name, ask)

    assert asked[:2] == expected[:2]
    for key, value in expected[2].items():
        assert asked[2][key].endswith(value)


@pytest.mark.parametrize(
    ("name", "by_id", "listed"),
    [
        (
            "espocrm",
            ("/api/v1/Call", {"where[0][attribute]": "cCtiId", "where[0][value][]": CALL}),
            ("/api/v1/Call", {"where[2][value]": SINCE, "where[1][value]": "2026-11-24 09:00:00"}),
        ),
        (
            "suitecrm",
            (f"/Api/V8/module/Calls/{UUID}", {}),
            ("/Api/V8/module/Calls", {"filter[date_start][gte]": SINCE}),
        ),
        (
            "salesforce",
            (QUERY, {"q": f"WHERE CTI_Call_Id__c IN ('{CALL}')"}),
            (QUERY, {"q": "ActivityDate >= 2026-11-23 AND ActivityDate <= 2026-11-24"}),
        ),
    ],
)
async def test_a_shipped_mapping_reads_calls_back(
    name: str, by_id: tuple[str, Any], listed: tuple[str, Any]
) -> None:
    async def ask(crm: Crm) -> None:
        await crm.read_back([CALL])
        assert [one async for one in crm.written(since=NOW, until=NOW + timedelta(days=1))] == []

    for asked, (path, expected) in zip(await asked_of(name, ask), (by_id, listed), strict=True):
        assert asked[:2] == ("GET", path)
        for key, value in expected.items():
            assert asked[2][key].endswith(value)


@pytest.mark.parametrize(
    ("name", "ref", "created"),
    [
        (
            "espocrm",
            "Lead:7",
            {"status": "Planned", "dateStart": SINCE, "parentId": "7", "cCtiId": "[cti:k1]"},
        ),
        (
            "suitecrm",
            "Leads:7",
            {"status": "Planned", "date_start": SINCE, "parent_id": "7", "duration_minutes": 15},
        ),
        ("salesforce", "Lead:7", {"ActivityDate": "2026-11-23", "WhoId": "7", "CTI_Call_Id__c": "[cti:k1]"}),
    ],
)
async def test_a_shipped_mapping_plans_next_calls_and_looks_first(
    name: str, ref: str, created: dict[str, Any]
) -> None:
    kind, _, row = ref.partition(":")

    async def ask(crm: Crm) -> None:
        await crm.follow_up(RecordRef(kind, row), at=NOW, user=None, text="the offer", key="k1")

    found, made = await asked_of(name, ask)

    assert (found[0], made[0]) == ("GET", "POST")
    body = made[2]["data"]["attributes"] if name == "suitecrm" else made[2]
    assert {key: body[key] for key in created} == created
    assert not any("user" in key.lower() or key == "OwnerId" for key in body), (
        "nobody's, where nobody is named"
    )
    assert "the offer" in body.values()


async def test_a_number_becomes_no_part_of_a_query_in_soql() -> None:
    async def ask(crm: Crm) -> None:
        await crm.find_by_number("+49' OR Name != '")

    asked = await asked_of("salesforce", ask)

    assert len(asked) == 2
    assert all("('+49\\' OR Name != \\'')" in one[2]["q"] for one in asked)


async def test_a_persons_call_of_suitecrm_is_not_taken_for_ours() -> None:
    """Its ids look like those that we choose; ours begin with the time of the call."""
    ours = f"{int(NOW.timestamp() * 1000):012x}" + "ab" * 10
    ids = [
        str(uuid.UUID(ours)),
        "ffffffff-ffff-4b36-9d0a-2c4f1b362c4f",
        "2c4f1b36-1111-4b36-9d0a-2c4f1b362c4f",
    ]
    rows = [
        {"id": one, "attributes": {"date_start": NOW.isoformat(), "duration_minutes": "2"}} for one in ids
    ]

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "data": rows})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(app) as http:
        target = CrmTargetSettings(
            name="s", url=str(http.make_url("/")), secret=SecretStr("x"), mapping=SHIPPED / "suitecrm.toml"
        )
        async with open_target(target, clock=SystemClock()) as ready:
            span = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1)}
            found = [one async for one in ready.crm.written(**span)]

    assert [(one.call_id, one.seconds) for one in found] == [(ours, 120)]


async def test_the_tables_that_the_page_shows_are_good() -> None:
    page = (SHIPPED.parents[1] / "docs" / "how-to" / "sync-a-crm.md").read_text(encoding="utf-8")
    blocks = [one for one in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[rest" in one]
    table = tomllib.loads("\n".join(blocks))["rest"]
    account = Account("rest", "http://127.0.0.1:9", SecretStr("x"), "sync-a-crm.md")
    async with open_rest(account, table, clock=SystemClock()) as crm:
        can = crm.capabilities
    assert all((can.pulls, can.finds, can.reads_back, can.follow_ups, can.ends_follow_ups, can.removes))


def test_every_shipped_mapping_stands_in_a_test() -> None:
    described = {"espocrm", "suitecrm", "salesforce", "hubspot", "bitrix24", "fxiaoke"}
    on_the_real_thing = {"bottlecrm", "bottlecrm-rest", "odoo"}
    assert {file.stem for file in SHIPPED.glob("*.toml")} == described | on_the_real_thing
