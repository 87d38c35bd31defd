"""Each call once, whatever happens: the form of the proof, over any real CRM.

The service as it is makes calls end and change; two processes `python -m crm_sync` write them and compete for each.
Meanwhile they are killed by turns while writes are at the CRM, the CRM is cut off and comes back, and of every tenth
write the answer is lost after the work was done. Then the CRM is read past our adapter.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cti.app import open_app
from cti.model.calls import Call
from cti.settings import load
from cti.storage.database import Database
from lab.crm.proxy import Losses, lossy_proxy
from lab.ports import free_port
from tests.integration.crm_live.crew import ADMIN, Crew, contacts_of
from tests.integration.crm_live.houses import ProofHouse, There
from tests.integration.crm_live.sync_process import LOOK_SECONDS, SYNC, SyncProcess

TARGET: Final = "crm"
WRITES_BETWEEN_KILLS: Final = 3
BUSY_SECONDS: Final = 300.0
"""Until a process writes again after a kill: leases come back in a minute, and a pause may take another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How hard it is."""

    leads: int
    called_thrice: int
    """So many of the leads have three calls."""
    with_deal: int
    """And so many, the first ones, have a deal of their own, where the CRM tells deals."""
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


async def proved(house: ProofHouse, plan: Plan, folder: Path, database_url: str) -> Faults:
    """Run it; assert that each call stands there once, on its lead, with its times and its newest note."""
    began = asyncio.get_running_loop().time()
    refs = await house.seed(plan.leads)
    deals = dict(zip(refs, await house.seed_deals(plan.with_deal), strict=False))
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
            writers.append(SyncProcess(config, proxy, port))
            stack.push_async_callback(writers[-1].clear)
        settings = load(folder / "cti-0.toml", {})
        app = await stack.enter_async_context(open_app(settings, config=folder / "cti-0.toml"))
        crew = Crew(
            app,
            settings,
            chance,
            await contacts_of(app, deals),
            calls_per_second=plan.calls_per_second,
            called_thrice=plan.called_thrice,
        )
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
        calls = Counter(call.crm_ref for call in crew.calls)
        expected = {(deal, ref): calls[ref] for ref, deal in deals.items()}
        told = await house.told(list(deals.values()))
        assert told == expected, (told, expected)
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


async def _harass(
    house: ProofHouse, plan: Plan, writers: Sequence[SyncProcess], database: Database, faults: Faults
) -> None:
    """Kill processes, by turns where both write, after some writes and while one is there; cut the CRM off halfway."""
    for number in range(plan.kills):
        turn = number % len(writers)
        writer = await _busy([*writers[turn:], *writers[:turn]])
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


async def _busy(writers: Sequence[SyncProcess]) -> SyncProcess:
    """Return, after some more writes, a process that has one at the CRM: the first of those that do."""
    enough = _writes(writers) + WRITES_BETWEEN_KILLS
    async with asyncio.timeout(BUSY_SECONDS):
        while True:
            assert all(writer.lives for writer in writers), [writer.said() for writer in writers]
            if _writes(writers) >= enough:
                for writer in writers:
                    if writer.proxy.under_way:
                        return writer
            await asyncio.sleep(LOOK_SECONDS)


def _writes(writers: Sequence[SyncProcess]) -> int:
    return sum(writer.proxy.writes for writer in writers)


async def _drained(database: Database, plan: Plan, writers: Sequence[SyncProcess]) -> None:
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
