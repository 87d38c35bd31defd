"""The mappings of `config/crm` are read, and make requests of the shape that the CRMs' documentation describes.

The server here answers whatever is asked; no mapping was ever run against a real server of these CRMs.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.composition import open_target
from crm_sync.port import Answer
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


def test_every_shipped_mapping_stands_in_a_test() -> None:
    described = {"espocrm", "suitecrm", "salesforce", "hubspot", "bitrix24", "fxiaoke"}
    on_the_real_thing = {"bottlecrm", "bottlecrm-rest", "odoo"}
    assert {file.stem for file in SHIPPED.glob("*.toml")} == described | on_the_real_thing
