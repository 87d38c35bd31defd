"""Each call once, whatever happens: the form of the proof, over any real CRM.

The service as it is makes calls end and change; two processes `python -m crm_sync` write them and compete for each.
Meanwhile they are killed by turns while writes are at the CRM, the CRM is cut off and comes back, and of every tenth
write the answer is lost after the work was done. Then the CRM is read past our adapter.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp

from cti.app import App, open_app
from cti.clock import SystemClock
from cti.crm.targets import CallFollowers
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.events import CallMoved
from cti.model.ids import new_call_id
from cti.model.queries import RecordingFacts
from cti.settings import Settings, load
from cti.storage.database import Database
from lab.crm.proxy import Losses, Proxy, lossy_proxy
from tests.builders import a_call
from tests.integration.crm_live.houses import ProofHouse, There
from tests.integration.test_crm_process import free_port

ROOT: Final = Path(__file__).parents[3]
TARGET: Final = "crm"
ADMIN, SYNC = "a-token-of-the-admin", "a-token-of-the-process"
LOOK_SECONDS: Final = 0.02
WRITES_BETWEEN_KILLS: Final = 3
BUSY_SECONDS: Final = 300.0
"""Until a process writes again after a kill: leases come back in a minute, and a pause may take another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How hard it is."""

    leads: int
    called_thrice: int
    """So many of the leads have three calls."""
    kills: int
    down_seconds: float
    """How long the CRM is gone, halfway through."""
    calls_per_second: float
    """At which calls end; each changes three times afterwards."""
    drain_seconds: float
    lose_every: int = 10
    in_flight: int = 8
    processes: int = 2
    seed: int = 7

    @property
    def calls(self) -> int:
        return self.leads + 2 * self.called_thrice


@dataclass(slots=True)
class Faults:
    """What happened."""

    kills: int = 0
    killed_writing: int = 0
    """Kills while a write of that process was at the CRM."""
    unsure_after_kills: int = 0
    outages: int = 0
    lost: int = 0
    writes: list[int] = field(default_factory=list)
    """Of each process."""
    seconds: float = 0.0


class Writer:
    """One process that writes, behind a proxy of its own; it is killed and begun again."""

    def __init__(self, config: Path, proxy: Proxy, port: int) -> None:
        """`port`: the service's, for where its database cannot be shared."""
        self._config = config
        self._environ = {"WAIHU_URL": f"http://127.0.0.1:{port}", "WAIHU_TOKEN": SYNC}
        self._log = config.with_suffix(".log")
        self._process: asyncio.subprocess.Process | None = None
        self._begun_at = 0
        """Length of its log when it began."""
        self.proxy = proxy

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def begin(self) -> None:
        with self._log.open("ab") as log:
            self._begun_at = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "crm_sync", "--config", str(self._config)),
                cwd=ROOT,
                env={**os.environ, **self._environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            assert self.lives, f"it ended by itself: {self.said()}"
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def end(self) -> int:
        """Tell it to end once it is at work; return its status."""
        assert self._process is not None
        async with asyncio.timeout(60):
            while "writing to" not in self._log.read_text(errors="replace")[self._begun_at :]:
                await asyncio.sleep(LOOK_SECONDS)
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 60)

    async def clear(self) -> None:
        if self._process is not None and self.lives:
            self._process.kill()
            await self._process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


async def proved(house: ProofHouse, plan: Plan, folder: Path, database_url: str) -> Faults:
    """Run it; assert that each call stands there once, on its lead, with its times and its newest note."""
    began = asyncio.get_running_loop().time()
    refs = await house.seed(plan.leads)
    faults = Faults()
    chance = random.Random(plan.seed)
    (folder / "crm.toml").write_text(house.mapping())
    async with AsyncExitStack() as stack:
        port, losses = free_port(), Losses(every=plan.lose_every)
        writers = []
        for number in range(plan.processes):
            proxy = await stack.enter_async_context(
                lossy_proxy(house.url, is_write=house.is_write, losses=losses)
            )
            config = folder / f"cti-{number}.toml"
            config.write_text(_settings(house, plan, folder, database_url, proxy.url, port))
            writers.append(Writer(config, proxy, port))
            stack.push_async_callback(writers[-1].clear)
        settings = load(folder / "cti-0.toml", {})
        app = await stack.enter_async_context(open_app(settings, config=folder / "cti-0.toml"))
        crew = _Crew(app, settings, plan, chance)
        for writer in writers:
            await writer.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crew.make(refs))
            tasks.create_task(_harass(house, plan, writers, app.database, faults))
        await _drained(app.database, plan, writers)
        for writer in writers:
            assert await writer.end() == 0, writer.said()
        faults.lost = losses.lost
        faults.writes = [writer.proxy.writes for writer in writers]
        there = [one for one in await house.standing() if one.home in refs]  # one server serves all tests
        _compare(there, crew.calls, house.exact_seconds)
        (counts,) = await app.database.crm.link_counts()
        assert (counts.written, counts.unsure, counts.deleted) == (plan.calls, 0, 0)
    faults.seconds = asyncio.get_running_loop().time() - began
    return faults


def _settings(house: ProofHouse, plan: Plan, folder: Path, database_url: str, crm_url: str, port: int) -> str:
    return f"""
        [database]
        url = "{database_url}"
        [api]
        port = {port}
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
        recording_url = "https://calls.example/{{call_id}}"
        [[crm.targets]]
        name = "{TARGET}"
        adapter = "{house.adapter}"
        url = "{crm_url}"
        secret = "{house.secret}"
        mapping = "{folder / "crm.toml"}"
        settle_seconds = 0.2
        in_flight = {plan.in_flight}
        """


class _Crew:
    """Lets calls end, and changes them afterwards: a disposition, a recording, another disposition."""

    def __init__(self, app: App, settings: Settings, plan: Plan, chance: random.Random) -> None:
        self._app = app
        self._follow = CallFollowers(settings.crm.rules())
        self._plan = plan
        self._chance = chance
        self.calls: list[Call] = []

    async def make(self, refs: Sequence[str]) -> None:
        """Return when all calls have ended and changed for the last time."""
        homes = [*refs, *refs[: self._plan.called_thrice], *refs[: self._plan.called_thrice]]
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as tasks:
            for number, home in enumerate(homes):
                call = _ended(number, home)
                await self._app.database.calls.place(
                    [(replace(call, state=CallState.PLACING, ended_at=None, outcome=None, joins=()), None)]
                )
                self._app.journal.tap(CallMoved(before=CallState.CONNECTED, call=call, at=call.placed_at))
                self.calls.append(call)
                tasks.create_task(self._change(session, call))
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) / self._plan.calls_per_second)

    async def _change(self, session: aiohttp.ClientSession, call: Call) -> None:
        await self._app.journal.flush()
        for words in ("early", None, "newest"):
            await asyncio.sleep(self._chance.uniform(0.1, 3.0))
            if words is None:
                await self._recorded(call)
            else:
                url = f"{self._app.url}/api/v1/calls/{call.id}/disposition"
                verdict = {"disposition": "sale", "note": f"{words} note of {call.id}"}
                async with session.put(url, json=verdict) as answer:
                    assert answer.status == 200, await answer.text()

    async def _recorded(self, call: Call) -> None:
        at = SystemClock().now()
        facts = RecordingFacts(path=f"{call.id}.wav", seconds=3.0)
        works = self._follow.changed(call.id, at)
        await self._app.database.recordings.save_recording(call.id, facts, at=at, works=works)


def _ended(number: int, home: str) -> Call:
    """Return a call that has ended: each began at another second and was another while long."""
    began = (SystemClock().now() - timedelta(hours=2)).replace(microsecond=0) + timedelta(seconds=number)
    connected = began + timedelta(seconds=11)
    ended = connected + timedelta(seconds=20 + number)
    return a_call(
        id=new_call_id(began),
        number=f"+4930{9018200 + number}",
        placed_at=began,
        answered_at=connected - timedelta(seconds=1),
        connected_at=connected,
        ended_at=ended,
        state=CallState.ENDED,
        outcome=Outcome.CONNECTED,
        joins=(Join(agent_id=None, channel_id="x", joined_at=connected, left_at=ended),),
        crm_ref=home,
    )


async def _harass(
    house: ProofHouse, plan: Plan, writers: Sequence[Writer], database: Database, faults: Faults
) -> None:
    """Kill processes by turns, each after some writes and while one is at the CRM; cut the CRM off halfway."""
    for number in range(plan.kills):
        writer = writers[number % len(writers)]
        await _busy(writer)
        faults.killed_writing += writer.proxy.under_way > 0
        await writer.kill()
        faults.kills += 1
        faults.unsure_after_kills += sum(one.unsure for one in await database.crm.link_counts())
        await writer.begin()
        if number == plan.kills // 2:
            await house.stop()
            await asyncio.sleep(plan.down_seconds)
            await house.start()
            faults.outages += 1


async def _busy(writer: Writer) -> None:
    """Return when some more writes of a process came and one of them is at the CRM."""
    proxy = writer.proxy
    enough = proxy.writes + WRITES_BETWEEN_KILLS
    async with asyncio.timeout(BUSY_SECONDS):
        while proxy.writes < enough or not proxy.under_way:
            assert writer.lives, writer.said()
            await asyncio.sleep(LOOK_SECONDS)


async def _drained(database: Database, plan: Plan, writers: Sequence[Writer]) -> None:
    """Return when nothing waits any more. A dead letter is a failure at once."""

    async def over() -> bool:
        counts = [one for one in await database.work.counts() if one.kind == f"crm.push.{TARGET}"]
        assert not any(one.dead for one in counts), [writer.said() for writer in writers]
        links = await database.crm.link_counts()
        written = sum(one.written for one in links)
        return written == plan.calls and not any(one.waiting or one.leased for one in counts)

    try:
        async with asyncio.timeout(plan.drain_seconds):
            while not await over():
                assert all(writer.lives for writer in writers), [writer.said() for writer in writers]
                await asyncio.sleep(0.2)
    except TimeoutError:
        told = await database.work.counts(), await database.crm.link_counts()
        raise AssertionError(f"{told}\n{[writer.said() for writer in writers]}") from None


def _compare(there: Sequence[There], calls: Sequence[Call], exact_seconds: float) -> None:
    expected = {call.id: call for call in calls}
    counted = Counter(one.call_id for one in there)
    assert {call_id: count for call_id, count in counted.items() if count > 1} == {}, "doubles"
    assert set(expected) - set(counted) == set(), "missing"
    assert set(counted) - set(expected) == set(), "nobody's"
    for one in there:
        call = expected[one.call_id]
        assert one.home == call.crm_ref
        assert one.started_at == call.placed_at
        assert abs(one.seconds - _talked(call)) <= exact_seconds
        assert f"newest note of {call.id}" in one.text
        assert "early note" not in one.text
        assert f"https://calls.example/{call.id}" in one.text


def _talked(call: Call) -> float:
    (join,) = call.joins
    assert join.left_at is not None
    return (join.left_at - join.joined_at).total_seconds()
