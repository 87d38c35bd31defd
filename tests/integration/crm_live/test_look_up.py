"""A number that two records of a real CRM have: both are offered, the chosen one gets the call.

The service and `python -m crm_sync` as they are, once over the API and once over PostgreSQL; the call is played.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from cti.ami.signals import Answered, HungUp, Ringing, Signal
from cti.app import App, open_app
from cti.clock import SystemClock
from cti.model.calls import Call
from cti.model.ids import new_call_id
from cti.settings import load
from lab.crm.proxy import lossy_proxy
from tests.builders import a_call
from tests.integration.crm_live.crew import ADMIN
from tests.integration.crm_live.pull_houses import BottlePulls, OdooPulls, PullHouse
from tests.integration.crm_live.sync_process import SYNC, SyncProcess
from tests.integration.postgres import PostgresServer, postgres_server
from tests.integration.test_crm_process import free_port

__all__ = ["postgres_server"]

HOUSES: Final[Mapping[str, Callable[[Any], PullHouse]]] = {"bottle": BottlePulls, "odoo": OdooPulls}
REP: Final = "a-token-of-the-rep"
WAIT_SECONDS: Final = 120.0


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.crm_live) for name in HOUSES])
def house(request: pytest.FixtureRequest) -> PullHouse:
    """Give each CRM in turn. Not async: servers of the whole run live in another event loop."""
    return HOUSES[request.param](request.getfixturevalue(f"{request.param}_server"))


@pytest.fixture(params=["api", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database: one that is the service's alone, and one that the process shares."""
    if request.param == "api":
        return f"sqlite:///{tmp_path / 'waihu.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.make_database(f"look_up_{abs(hash(request.node.nodeid))}")


class Site:
    """A service, a process beside it, and a rep's page."""

    def __init__(self, app: App, rep: aiohttp.ClientSession, process: SyncProcess) -> None:
        self.app = app
        self.rep = rep
        self.process = process

    async def asked(self, method: str, path: str, *, token: str = REP, **more: Any) -> Any:
        """Ask the service."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.rep.request(
            method, f"{self.app.url}/api/v1/{path}", headers=headers, **more
        ) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def placed(self, number: str) -> Call:
        """Have a call to somebody unknown be placed for the rep."""
        [agent] = (await self.asked("GET", "agents"))["agents"]
        now = SystemClock().now()
        call = a_call(id=new_call_id(now), number=number, placed_at=now, agent_id=agent["id"], crm_ref=None)
        await self.app.database.calls.place([(call, None)])
        for event in self.app.tracker.place(call):
            self.app.bus.publish(event)
        return call

    def hear(self, signal: Signal) -> None:
        """Play what the exchange says."""
        for event in self.app.tracker.apply(signal, "pbx"):
            self.app.bus.publish(event)


@asynccontextmanager
async def a_site(house: PullHouse, folder: Path, database: str) -> AsyncIterator[Site]:
    """Begin a service, the process beside it, and a rep."""
    (folder / "crm.toml").write_text(house.mapping())
    config, port = folder / "cti.toml", free_port()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(lossy_proxy(house.url, is_write=house.is_write))
        config.write_text(_settings(house, folder, database, proxy.url, port))
        app = await stack.enter_async_context(open_app(load(config, {}), config=config))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        process = SyncProcess(config, proxy, port)
        stack.push_async_callback(process.clear)
        site = Site(app, session, process)
        agent = {"login": "anna", "name": "Anna", "endpoint": "a001", "node": "pbx"}
        await site.asked("POST", "agents", token=ADMIN, json=agent)
        await process.begin()
        yield site


async def test_both_records_of_a_number_are_offered_and_the_chosen_one_gets_the_call(
    house: PullHouse, tmp_path: Path, database: str
) -> None:
    national = f"7{random.randrange(10**7):07}"  # the server is all tests', and so are its leads
    refs = await house.add_leads([f"030 {national}", f"+49 30 {national}"])
    async with a_site(house, tmp_path, database) as site, _page(site) as page:
        number = f"+4930{national}"
        offered = await _until_offered(site, page, number)
        assert {one["crm_ref"] for one in offered["records"]} == {f"crm/{ref}" for ref in refs}
        assert all(
            one["name"] and one["target"] == "crm" and one["contact_id"] is None for one in offered["records"]
        )
        assert {one["kind"] for one in offered["records"]} == {ref.partition(":")[0] for ref in refs}
        assert (offered["revision"], offered["crm_ref"], offered["contact"]) == (2, None, None)
        if house.deal is not None:
            assert all(one["deal"]["amount"] == house.deal["amount"] for one in offered["records"])

        chosen, call_id = offered["records"][1]["crm_ref"], offered["call_id"]
        told = await site.asked("PUT", f"calls/{call_id}/record", json={"crm_ref": chosen})
        assert told["crm_ref"] == chosen
        call = site.app.tracker.get(call_id)
        assert call is not None
        site.hear(HungUp(channel_id=call.channel_id, at=SystemClock().now(), cause=16))

        assert await _homes(site, house, call_id) == [chosen.removeprefix("crm/")]


async def test_a_record_that_is_chosen_after_the_log_was_written_or_refused_gets_it(
    house: PullHouse, tmp_path: Path, database: str
) -> None:
    """Odoo has the call without a record by then; BottleCRM takes none so, and it is a dead letter."""
    refs = await house.add_leads(["030 9018201", "030 9018202"])
    async with a_site(house, tmp_path, database) as site:
        call = await site.placed("+4930901820")
        site.hear(HungUp(channel_id=call.channel_id, at=SystemClock().now(), cause=16))
        assert await _before(site, house, call.id) in ([], [""])

        await site.asked("PUT", f"calls/{call.id}/record", json={"crm_ref": f"crm/{refs[0]}"})

        async with asyncio.timeout(WAIT_SECONDS):
            while await _standing(house, call.id) != [refs[0]]:
                assert site.process.lives, site.process.said()
                await asyncio.sleep(0.2)
        assert (await site.asked("GET", "crm/dead", token=ADMIN))["dead"] == []
        url = f"{site.app.url}/api/v1/calls/{call.id}/record"
        rep = {"Authorization": f"Bearer {REP}"}
        async with site.rep.put(url, headers=rep, json={"crm_ref": f"crm/{refs[1]}"}) as answer:
            assert answer.status == 409


async def _before(site: Site, house: PullHouse, call_id: str) -> Sequence[str]:
    """Wait until the log is written, or refused; return the records that it stands on."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            letters = (await site.asked("GET", "crm/dead", token=ADMIN))["dead"]
            links = (await site.asked("GET", f"crm/calls/{call_id}", token=ADMIN))["links"]
            if letters or any(one["writes"] for one in links):
                return await _standing(house, call_id)
            assert site.process.lives, site.process.said()
            await asyncio.sleep(0.2)


async def _standing(house: PullHouse, call_id: str) -> Sequence[str]:
    return [one.home for one in await house.standing() if one.call_id == call_id]


@asynccontextmanager
async def _page(site: Site) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {REP}"}
    url = f"{site.app.url}/api/v1/events?types=call.screen_pop"
    async with site.rep.ws_connect(url, headers=headers) as page:
        assert (await page.receive_json())["type"] == "hello"
        yield page


async def _until_offered(site: Site, page: aiohttp.ClientWebSocketResponse, number: str) -> dict[str, Any]:
    """Call until the records are offered in time: a loaded machine may take longer than a pop is good for."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            call = await site.placed(number)
            site.hear(Ringing(channel_id=call.channel_id, at=SystemClock().now()))
            first = await page.receive_json()
            assert (first["call_id"], first["records"], first["revision"]) == (call.id, [], 1)
            try:
                second: dict[str, Any] = await page.receive_json(timeout=11)
            except TimeoutError:
                assert site.process.lives, site.process.said()
                site.hear(HungUp(channel_id=call.channel_id, at=SystemClock().now(), cause=16))
            else:
                site.hear(Answered(channel_id=call.channel_id, at=SystemClock().now()))
                return second


async def _homes(site: Site, house: PullHouse, call_id: str) -> Sequence[str]:
    """Return the records that the call stands on, once it does."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (homes := [one.home for one in await house.standing() if one.call_id == call_id]):
            assert site.process.lives, site.process.said()
            await asyncio.sleep(0.2)
    return homes


def _settings(house: PullHouse, folder: Path, database: str, crm_url: str, port: int) -> str:
    tokens = "".join(
        f'[[api.tokens]]\nname = "{role}"\nrole = "{role}"\ntoken = "{token}"\n{more}\n'
        for role, token, more in (("admin", ADMIN, ""), ("sync", SYNC, ""), ("agent", REP, 'agent = "anna"'))
    )
    return f"""
        [database]
        url = "{database}"
        [api]
        port = {port}
        {tokens}
        [[nodes]]
        name = "pbx"
        secret = "x"
        port = 9
        [crm]
        process = false
        [[crm.targets]]
        name = "crm"
        adapter = "{house.adapter}"
        url = "{crm_url}"
        secret = "{house.secret}"
        mapping = "{folder / "crm.toml"}"
        settle_seconds = 0
        reconcile_minutes = 0
        """
