"""The process that writes to CRMs, as it is: begun, killed, begun again, over the API and on PostgreSQL."""

import asyncio
import os
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from crm_sync.port import Idempotency
from cti.app import open_app
from cti.clock import SystemClock
from cti.crm.targets import CallFollowers, Target
from cti.model.calls import Call, CallState, Outcome
from cti.model.events import CallMoved
from cti.model.queries import RecordingFacts
from cti.settings import load
from cti.storage.database import open_database
from cti.web.deps import DEPS
from lab.ports import free_port
from tests.builders import NOW, a_call
from tests.contract.crm.rest_server import KEY, RestServer
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import TARGETS
from tests.fakes.site import TOKENS, Site, open_site
from tests.integration.postgres import PostgresServer, postgres_server
from tests.waiting import PATIENCE_SECONDS, patience

__all__ = ["postgres_server"]

ROOT = Path(__file__).parents[2]
MAPPING = """
[records]
kind = "lead"
[fields]
subject = "Call to {number}"
started = "{placed_at|iso}"
seconds = "{total_seconds}"
home = "{home}"
mark = "{call_id}"
[rest]
idempotency = "marker"
headers = { Authorization = "Bearer {secret}" }
check = { path = "/api/me", who = "user.name" }
create = { path = "/api/calls", wrap = "fields", id = "record.id" }
update = { method = "PATCH", path = "/api/calls/{id}", wrap = "fields" }
find = { path = "/api/calls", query = { q = "{call_id}" }, list = "list", mark = "mark" }
unsure_seconds = 0.0
"""


def settings(
    folder: Path, crm: TestServer, *, database: str = "sqlite:///nowhere.db", secret: str = KEY
) -> Path:
    """Write the files; return that of the settings."""
    (folder / "rest.toml").write_text(MAPPING)
    file = folder / "cti.toml"
    file.write_text(
        f"""
        [database]
        url = "{database}"
        [[crm.targets]]
        name = "rest"
        url = "{crm.make_url("/")}"
        secret = "{secret}"
        mapping = "{folder / "rest.toml"}"
        """
    )
    tomllib.loads(file.read_text())
    return file


@asynccontextmanager
async def process(config: Path, *words: str, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it for as long as the block lasts; kill it when it is still there."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "crm_sync", "--config", str(config), *words),
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    reading = asyncio.create_task(child.communicate())
    child.said = reading  # type: ignore[attr-defined]
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await asyncio.wait({reading})


async def until(true: Callable[[], bool], meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
    async with patience():
        while not true():
            await asyncio.sleep(0.05)
            if meanwhile:
                await meanwhile()


async def fill(store: Any, targets: tuple[Target, ...], count: int) -> list[Call]:
    calls = [a_call(crm_ref="7") for _ in range(count)]
    await store.calls.place([(call, None) for call in calls])
    ended = [replace(call, state=CallState.ENDED, ended_at=NOW, outcome=Outcome.CONNECTED) for call in calls]
    follow = CallFollowers(targets)
    await store.calls.save(ended, works=[work for call in ended for work in follow.ended(call)])
    return calls


def clock_of(site: Site) -> FakeClock:
    app = site.client.app
    assert app is not None
    clock = app[DEPS].clock
    assert isinstance(clock, FakeClock)
    return clock


def unsettled(site: Site) -> int:
    return sum(
        row.standing == "waiting" and row.wish.kind == "crm.push.rest"
        for row in site.store.tables.works.values()
    )


def there(crm: RestServer) -> Counter[str]:
    return Counter(row["mark"] for row in crm.rows.values())


async def test_killed_four_times_it_writes_each_call_once(tmp_path: Path) -> None:
    """Over the API. Each kill comes while answers are on their way; only looking tells what had arrived."""
    crm, enough, killed = RestServer(Idempotency.MARKER), 0, asyncio.Event()

    async def held(_: web.Request) -> web.StreamResponse | None:
        """Let those answers wait for the kill that would come after it else."""
        if len(crm.rows) >= enough:
            await killed.wait()
        return None

    crm.after = [held] * 10_000
    async with open_site(tmp_path) as site, TestServer(crm.app()) as http:
        calls = await fill(site.store, TARGETS, 60)
        environ = {"WAIHU_URL": str(site.client.make_url("/")), "WAIHU_TOKEN": TOKENS["sync"]}
        config = settings(tmp_path, http)
        clock = clock_of(site)

        async def time_passes() -> None:
            clock.advance(0.5)

        for _ in range(4):
            killed.clear()
            enough = len(crm.rows) + 5
            async with process(config, **environ) as child:
                await until(lambda enough=enough: len(crm.rows) >= enough)  # type: ignore[misc]
                child.kill()
            killed.set()
            clock.advance(61)
        unsure = (await site.store.crm.link_counts())[0].unsure
        async with process(config, **environ):
            await until(lambda: len(there(crm)) == 60 and not unsettled(site), time_passes)

        assert unsure > 0, "else no kill came in between, and nothing was shown"
        assert there(crm) == Counter(call.id for call in calls)
        (counts,) = await site.store.crm.link_counts()
        assert (counts.written, counts.unsure) == (60, 0)


async def test_it_ends_when_whoever_began_it_is_gone(tmp_path: Path) -> None:
    crm = RestServer(Idempotency.MARKER)
    async with open_site(tmp_path) as site, TestServer(crm.app()) as http:
        environ = {"WAIHU_URL": str(site.client.make_url("/")), "WAIHU_TOKEN": TOKENS["sync"]}
        async with process(settings(tmp_path, http), "--child", **environ) as child:
            await until(lambda: ("GET", "/api/me") in crm.asked)
            assert child.stdin is not None
            child.stdin.close()
            assert await asyncio.wait_for(child.wait(), PATIENCE_SECONDS) == 0


async def test_told_to_end_while_a_crm_does_not_answer_it_ends(tmp_path: Path) -> None:
    crm, asked = RestServer(Idempotency.MARKER), asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse | None:
        asked.set()
        await asyncio.Event().wait()
        return None

    crm.before = [never]
    async with open_site(tmp_path) as site, TestServer(crm.app()) as http:
        environ = {"WAIHU_URL": str(site.client.make_url("/")), "WAIHU_TOKEN": TOKENS["sync"]}
        config = settings(tmp_path, http)
        (tmp_path / "rest.toml").write_text(MAPPING + "timeout_seconds = 600\n")
        async with process(config, **environ) as child:
            await asyncio.wait_for(asked.wait(), PATIENCE_SECONDS)
            child.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(child.wait(), PATIENCE_SECONDS) == 0


@pytest.mark.postgres
async def test_on_postgresql_it_needs_no_service_and_ends_in_order(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database("crm_process")
    crm = RestServer(Idempotency.MARKER)
    async with open_database(url, clock=SystemClock()) as database, TestServer(crm.app()) as http:
        config = settings(tmp_path, http, database=url)
        calls = await fill(database, load(config, {}).crm.rules(), 30)
        async with process(config) as child:
            await until(lambda: len(crm.rows) == 30)
            child.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(child.wait(), PATIENCE_SECONDS) == 0

        assert there(crm) == Counter(call.id for call in calls)
        (counts,) = await database.crm.link_counts()
        assert (counts.written, counts.unsure) == (30, 0), "told to end, it brings its batches to their end"
        work = next(one for one in await database.work.counts() if one.kind == "crm.push.rest")
        assert (work.done, work.waiting, work.leased) == (30, 0, 0)


async def test_check_tells_each_crm_and_what_is_wrong(tmp_path: Path) -> None:
    crm = RestServer(Idempotency.MARKER)
    async with TestServer(crm.app()) as http:
        for secret, status, said in ((KEY, 0, "rest: ok, as bot"), ("wrong", 1, "rest: auth: 401")):
            async with process(settings(tmp_path, http, secret=secret), "--check") as child:
                out, err = await child.said  # type: ignore[attr-defined]
                assert (child.returncode, said in out.decode()) == (status, True), (out, err)
                assert secret not in out.decode() + err.decode()
        (tmp_path / "rest.toml").write_text(MAPPING + '[[rest.answers]]\nmeans = "maybe"\n')
        config = tmp_path / "cti.toml"
        async with process(config, WAIHU_TOKEN="x", WAIHU_URL="http://127.0.0.1:9") as child:
            _, err = await child.said  # type: ignore[attr-defined]
            assert child.returncode == 3
            assert "rest.toml: rest: answers[0].means" in err.decode()


async def test_the_service_keeps_it_running_and_every_change_of_a_call_arrives(tmp_path: Path) -> None:
    """The service as it is, but for Asterisk, which is not there: a call's end, its recording, its disposition."""
    crm = RestServer(Idempotency.MARKER)
    async with TestServer(crm.app()) as http:
        config = settings(tmp_path, http, database=f"sqlite:///{tmp_path / 'waihu.db'}")
        more = f"""
        settle_seconds = 0
        [api]
        port = {free_port()}
        [[api.tokens]]
        name = "admin"
        role = "admin"
        token = "a-token-of-the-admin"
        [[nodes]]
        name = "pbx"
        secret = "x"
        port = 9
        [crm]
        recording_url = "https://calls.example/{{call_id}}"
        """
        config.write_text(config.read_text() + more)
        (tmp_path / "rest.toml").write_text(
            MAPPING.replace("[rest]", 'note = "{disposition}[[ {recording_url}]]"\n[rest]', 1)
        )
        async with open_app(load(config, {}), config=config) as app:
            call = a_call(crm_ref="7")
            await app.database.calls.place([(call, None)])
            ended = replace(call, state=CallState.ENDED, ended_at=NOW, outcome=Outcome.CONNECTED)
            app.journal.tap(CallMoved(before=call.state, call=ended, at=NOW))
            await until(lambda: len(crm.rows) == 1)
            async with ClientSession(headers={"Authorization": "Bearer a-token-of-the-admin"}) as session:
                url = f"{app.url}/api/v1/calls/{call.id}/disposition"
                async with session.put(url, json={"disposition": "sale"}) as answer:
                    assert answer.status == 200, await answer.text()
                await until(lambda: notes(crm) == ["sale"])
                facts = RecordingFacts(path="a.wav", seconds=3.0)
                follow = CallFollowers(load(config, {}).crm.rules())
                at = SystemClock().now()
                works = follow.changed(call.id, at)
                await app.database.recordings.save_recording(call.id, facts, at=at, works=works)
                await until(lambda: notes(crm) == [f"sale https://calls.example/{call.id}"])
                async with session.get(f"{app.url}/api/v1/crm") as answer:
                    told = await answer.json()
    assert there(crm) == {call.id: 1}
    assert told["process"] is True
    assert (told["targets"][0]["written"], told["targets"][0]["state"]) == (1, "ok")


def notes(crm: RestServer) -> list[str]:
    return [row.get("note", "") for row in crm.rows.values()]
