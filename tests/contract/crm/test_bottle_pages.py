"""BottleCRM's adapter where something else answers than BottleCRM; needs none."""

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.bottle.adapter import open_bottle
from crm_sync.port import Answer, CallWrite, RecordRef
from tests.contract.crm.houses import a_log
from tests.fakes.clock import FakeClock


async def test_a_page_for_people_is_no_answer_and_tells_no_key() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>sign in, bcrm_pat_secret</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", page)
    async with TestServer(app) as http:
        account = Account("bottle", str(http.make_url("/")), SecretStr("bcrm_pat_secret"), "bottlecrm.toml")
        async with open_bottle(account, {}, clock=FakeClock()) as crm:
            remote = RecordRef("interaction", "0" * 32)
            home = RecordRef("lead", "1" * 32)
            (result,) = await crm.push([CallWrite(log=a_log(), fields={}, home=home, remote=remote)])
    assert (result.answer, "no JSON" in result.message) == (Answer.UNKNOWN, True), result
    assert "secret" not in result.message
