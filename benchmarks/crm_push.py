"""Calls written into a real Odoo per second, beside a bare loop of the same `load` requests in the same run.

Ours: calls that have ended wait in the outbox on PostgreSQL; the pusher takes them, marks them, maps them, loads them
and writes down what became of each. Bare: the same rows of as many other calls, made before the clock runs, posted by
as many tasks as ours has requests under way. Both into the same Odoo, by turns.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from benchmarks import said
from benchmarks.child import cpu_seconds
from benchmarks.rows import ratio
from crm_sync.composition import Opened, open_target, pusher_of
from crm_sync.odoo.rows import PHONECALL, phonecall_row
from crm_sync.odoo.transport import CONTEXT
from cti.clock import SystemClock
from cti.crm.feed import TableFeed
from cti.crm.targets import CallFollowers, Target
from cti.model.calls import CallState, Outcome
from cti.model.crm import CallLog, Link
from cti.settings.crm_sections import CrmTargetSettings
from cti.storage.database import Database, open_database
from lab.crm.odoo import Odoo, open_odoo
from lab.crm.odoo_template import PHONECALL as DATABASE
from tests.builders import a_call
from tests.integration.postgres import running_postgres

NAME: Final = "crm_push"
CALLS: Final = 1_000
"""Of a turn and side."""
TURNS: Final = 3
BATCHES: Final = (1, 20, 100)
"""Calls in a request; the last is what the adapter sends when so many wait."""
LEADS: Final = 50
TARGET: Final = Target(name="odoo", settle=timedelta(0))
SHIPPED: Final = Path(__file__).parents[1] / "config" / "crm" / "odoo.toml"


async def run() -> None:
    """Measure each size of batch."""
    with running_postgres() as server:
        async with open_database(server.make_database("bench")) as database, open_odoo() as odoo:
            leads = [{"name": f"Lead {n}", "type": "lead"} for n in range(LEADS)]
            ids = await odoo.ask(DATABASE, "crm.lead", "create", vals_list=leads)
            told = await odoo.ask(DATABASE, PHONECALL, "fields_get", attributes=["type"])
            house = _House(database, odoo, ids, {name: one["type"] for name, one in told.items()})
            for batch in BATCHES:
                await _measure(house, batch)


@dataclass(frozen=True, slots=True)
class _House:
    database: Database
    odoo: Odoo
    leads: Sequence[int]
    types: Mapping[str, str]
    """Of the fields of crm.phonecall."""


async def _measure(house: _House, batch: int) -> None:
    calls = CALLS if batch > 1 else CALLS // 5
    seconds, cpu = {"ours": 0.0, "bare": 0.0}, {"ours": 0.0, "bare": 0.0}
    with _settings(house.odoo, batch) as settings:
        async with open_target(settings, clock=SystemClock()) as ready:
            await ready.crm.check()
            with said.bar() as progress:
                task = progress.add_task(f"{NAME} {batch}", total=TURNS)
                for _ in range(TURNS):
                    for side, turn in (("ours", _ours), ("bare", _bare)):
                        spent, used = await turn(house, ready, calls)
                        seconds[side] += spent
                        cpu[side] += used
                    progress.advance(task)
            in_flight = ready.crm.capabilities.in_flight
    rates = {side: TURNS * calls / spent for side, spent in seconds.items()}
    said.step(f"{NAME}: {rates['ours']:.0f} calls a second in batches of {batch}")
    said.row(
        NAME,
        {
            "batch": batch,
            "in_flight": in_flight,
            "calls_per_second": round(rates["ours"], 1),
            "bare_per_second": round(rates["bare"], 1),
            "ratio": ratio(rates["ours"], rates["bare"]),
            "cpu_ms_per_call": round(1000 * cpu["ours"] / (TURNS * calls), 3),
            "bare_cpu_ms_per_call": round(1000 * cpu["bare"] / (TURNS * calls), 3),
        },
    )


async def _ours(house: _House, ready: Opened, calls: int) -> tuple[float, float]:
    """Return seconds on the clock, and of this process on the processor."""
    await _finish(house, calls, CallFollowers((TARGET,)))
    feed = TableFeed(
        works=house.database.work, store=house.database.crm, targets=(TARGET,), clock=SystemClock()
    )
    pusher = pusher_of(ready, feed, clock=SystemClock())
    began, used = time.perf_counter(), cpu_seconds()
    await pusher.drain()
    spent = time.perf_counter() - began, cpu_seconds() - used
    assert pusher.written == calls, f"{pusher.written} of {calls} were written"
    return spent


async def _bare(house: _House, ready: Opened, calls: int) -> tuple[float, float]:
    """The same for the requests alone."""
    ids = await _finish(house, calls, CallFollowers(()))
    logs = await house.database.crm.logs(ids)
    batch = ready.crm.capabilities.batch
    parts = [ids[n : n + batch] for n in range(0, calls, batch)]
    bodies = iter([_body(house, ready, [logs[one] for one in part]) for part in parts])
    headers = {
        "Authorization": f"bearer {house.odoo.bot_key}",
        "X-Odoo-Database": DATABASE,
        "Content-Type": "application/json",
    }
    url = f"{house.odoo.url}/json/2/{PHONECALL}/load"
    async with aiohttp.ClientSession(headers=headers) as session:
        began, used = time.perf_counter(), cpu_seconds()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(ready.crm.capabilities.in_flight):
                tasks.create_task(_post(session, url, bodies))
        return time.perf_counter() - began, cpu_seconds() - used


async def _post(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        while True:
            async with session.post(url, data=body) as answer:
                said = await answer.json()
            if said["ids"]:
                break
            # two rows of one lead at one time: whoever is second is refused, and goes again
            assert "serialize" in str(said["messages"]), said["messages"]


def _body(house: _House, ready: Opened, logs: Sequence[CallLog]) -> bytes:
    writes = [ready.mapping.write(log, Link(target=TARGET.name, call_id=log.call_id)) for log in logs]
    rows = [phonecall_row(one, types=house.types, user_id=None, tags={}) for one in writes]
    fields = list(rows[0])
    asked: dict[str, Any] = {
        "fields": fields,
        "data": [[row[name] for name in fields] for row in rows],
        "context": dict(CONTEXT),
    }
    return json.dumps(asked).encode()


async def _finish(house: _House, count: int, followers: CallFollowers) -> list[str]:
    """Have so many calls end; return their ids."""
    now = SystemClock().now() - timedelta(minutes=1)
    calls = [
        replace(a_call(crm_ref=str(house.leads[n % LEADS])), placed_at=now - timedelta(seconds=n))
        for n in range(count)
    ]
    store = house.database.calls
    await store.place([(call, None) for call in calls])
    ended = [replace(one, state=CallState.ENDED, ended_at=now, outcome=Outcome.NO_ANSWER) for one in calls]
    await store.save(ended, works=[work for call in ended for work in followers.ended(call)])
    return [call.id for call in calls]


@contextmanager
def _settings(odoo: Odoo, batch: int) -> Iterator[CrmTargetSettings]:
    """Give the shipped mapping with this size of batch."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert 'database = "odoo"\n' in text
    with tempfile.NamedTemporaryFile("w", suffix=".toml", prefix="waihu-bench-") as file:
        file.write(text.replace('database = "odoo"\n', f'database = "{DATABASE}"\nbatch = {batch}\n'))
        file.flush()
        yield CrmTargetSettings(
            name=TARGET.name,
            adapter="odoo",
            url=odoo.url,
            secret=SecretStr(odoo.bot_key),
            mapping=Path(file.name),
        )
