"""A service, the process that pulls leads of a real CRM into a campaign's list, and the leads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from cti.app import App, open_app
from cti.settings import load
from lab.crm.proxy import lossy_proxy
from lab.ports import free_port
from tests.integration.crm_live.crew import ADMIN
from tests.integration.crm_live.pull_houses import PullHouse
from tests.integration.crm_live.sync_process import ROOT, SYNC, SyncProcess

LEADS: Final = 60
PAGE: Final = 10
WAIT_SECONDS: Final = 240.0


class Site:
    """A service, a process beside it, and the leads of a CRM in its list."""

    def __init__(
        self,
        app: App,
        session: aiohttp.ClientSession,
        process: SyncProcess,
        config: Path,
        refs: Sequence[str],
    ) -> None:
        self.app = app
        self.session = session
        self.process = process
        self.config = config
        self.refs = refs
        """Of the leads, as the CRM has them; the number of the n-th is `number(n)`."""

    async def told(self, method: str, path: str, **more: Any) -> Any:
        """Ask the service."""
        async with self.session.request(method, f"{self.app.url}/api/v1/{path}", **more) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def contacts(self) -> dict[str, Any]:
        """Return the contacts by the CRM's references."""
        rows = (await self.told("GET", "contacts", params={"limit": 1000}))["contacts"]
        return {row["crm_ref"].removeprefix("crm/"): row for row in rows}

    async def killed(self) -> None:
        """Kill the process, and begin it again."""
        await self.process.kill()
        await self.process.begin()

    async def why(self, e164: str) -> str:
        """Return what `cti why` says."""
        child = await asyncio.create_subprocess_exec(
            *(str(ROOT / ".venv" / "bin" / "cti"), "why", "--config", str(self.config), e164),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await child.communicate()
        assert child.returncode == 0, err.decode()
        return out.decode()

    async def dialed_next(self) -> set[str]:
        """Return the numbers that the campaign would dial, by the contacts' preference."""
        (campaign,) = await self.app.database.campaigns.campaigns()
        found = await self.app.database.campaigns.next_candidates(campaign.id, limit=2 * LEADS)
        return {one.number for one in found}

    async def until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not await true():
                    assert self.process.lives, self.process.said()
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"{what}: never came\n{self.process.said()}") from None


@asynccontextmanager
async def a_site(house: PullHouse, folder: Path) -> AsyncIterator[Site]:
    """Make leads in the CRM, and begin a service and the process that pulls them."""
    refs = await house.add_leads([written(n) for n in range(LEADS)])
    (folder / "crm.toml").write_text(house.mapping())
    config, port = folder / "cti.toml", free_port()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(lossy_proxy(house.url, is_write=house.is_write))
        config.write_text(_settings(house, folder, proxy.url, port))
        app = await stack.enter_async_context(open_app(load(config, {}), config=config))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"})
        )
        process = SyncProcess(config, proxy, port)
        stack.push_async_callback(process.clear)
        site = Site(app, session, process, config, refs)
        await site.told("POST", "campaigns", json={"name": "autumn", "node": "pbx", "trunk": "carrier"})
        agent = {"login": house.owner, "name": "Anna", "endpoint": "a001", "campaigns": ["autumn"]}
        await site.told("POST", "agents", json=agent)
        await process.begin()
        yield site


def written(n: int) -> str:
    """Return the number of a lead, as people of Berlin write it."""
    return f"030 90{18200 + n:05}"


def number(n: int) -> str:
    """Return it as it is dialed."""
    return f"+493090{18200 + n:05}"


def _settings(house: PullHouse, folder: Path, crm_url: str, port: int) -> str:
    pulls = [
        f"""
        [[crm.pulls]]
        name = "{source}"
        target = "crm"
        source = "{source}"
        campaign = "autumn"
        region = "DE"
        every_seconds = 1
        page = {PAGE}
        recheck_minutes = 0.05
        check_deleted_hours = 0.001
        """
        for source in house.sources
    ]
    return f"""
        [database]
        url = "sqlite:///{folder / "waihu.db"}"
        [api]
        port = {port}
        zone = "Europe/Berlin"
        [[api.tokens]]
        name = "admin"
        role = "admin"
        token = "{ADMIN}"
        [[api.tokens]]
        name = "sync"
        role = "sync"
        token = "{SYNC}"
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
        follow_ups = true
        reconcile_minutes = 0
        {"".join(pulls)}
        """
