"""Calls for a CRM claimed and acknowledged per second on PostgreSQL, by four workers, beside a bare loop.

Ours: each worker leases a batch of work and finishes it, two transactions, so that a worker that dies in between loses
nothing and no lock is held while a CRM is asked. Bare: SELECT ... FOR UPDATE SKIP LOCKED and an UPDATE of a table with
the same columns and indexes, in one transaction, straight through asyncpg.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import asyncpg

from benchmarks import said
from benchmarks.child import cpu_seconds
from benchmarks.rows import ratio
from cti.clock import SystemClock
from cti.crm.targets import kind_of
from cti.model.ids import new_call_id
from cti.model.work import NewWork
from cti.storage.database import Database, open_database
from tests.integration.postgres import running_postgres

NAME: Final = "outbox"
WORKERS: Final = 4
ROWS: Final = 4_000
"""Of a turn and side."""
TURNS: Final = 4
BATCHES: Final = (1, 20, 200)
"""Rows per claim: a CRM that takes calls one by one, a usual claim, one that takes them by the hundred."""
KIND: Final = kind_of("bench")
MINUTE: Final = timedelta(minutes=1)

_BARE_CLAIM: Final = (
    "SELECT id FROM bare_work WHERE standing = 'waiting' AND kind = $1 AND next_at <= now() + interval '1 hour'"
    " ORDER BY priority DESC, next_at, id LIMIT $2 FOR UPDATE SKIP LOCKED"
)
_BARE_DONE: Final = "UPDATE bare_work SET standing = 'done', changed_at = now() WHERE id = ANY($1::bigint[])"

Work = Callable[[], Awaitable[int]]
"""Claims and acknowledges a batch; returns how many rows it had."""


async def run() -> None:
    """Measure each size of batch."""
    with running_postgres() as server:
        url = server.make_database("bench")
        async with AsyncExitStack() as stack:
            ours = [await stack.enter_async_context(open_database(url)) for _ in range(WORKERS)]
            server.do("CREATE TABLE bare_work (LIKE work INCLUDING ALL)", database="bench")
            bare = [await asyncpg.connect(url) for _ in range(WORKERS)]
            for connection in bare:
                stack.push_async_callback(connection.close)
            for batch in BATCHES:
                await _measure(ours, bare, batch)


async def _measure(ours: list[Database], bare: list[asyncpg.Connection], batch: int) -> None:
    seconds = {"ours": 0.0, "bare": 0.0}
    cpu = {"ours": 0.0, "bare": 0.0}
    rows = ROWS if batch > 1 else ROWS // 4
    with said.bar() as progress:
        task = progress.add_task(f"{NAME} {batch}", total=TURNS)
        for _ in range(TURNS):
            await _fill(ours[0], bare[0], rows)
            for side in seconds:
                workers = (
                    [_our_worker(one, batch) for one in ours]
                    if side == "ours"
                    else [_bare_worker(one, batch) for one in bare]
                )
                began, used = time.perf_counter(), cpu_seconds()
                counts = await asyncio.gather(*(_all(worker) for worker in workers))
                seconds[side] += time.perf_counter() - began
                cpu[side] += cpu_seconds() - used
                assert sum(counts) == rows, "every row once"
            progress.advance(task)
    rates = {side: TURNS * rows / spent for side, spent in seconds.items()}
    said.step(f"{NAME}: {rates['ours']:.0f} rows a second in batches of {batch}")
    said.row(
        NAME,
        {
            "batch": batch,
            "workers": WORKERS,
            "rows_per_second": round(rates["ours"]),
            "bare_per_second": round(rates["bare"]),
            "ratio": ratio(rates["ours"], rates["bare"]),
            "cpu_ms_per_row": round(1000 * cpu["ours"] / (TURNS * rows), 4),
            "bare_cpu_ms_per_row": round(1000 * cpu["bare"] / (TURNS * rows), 4),
        },
    )


async def _fill(ours: Database, bare: asyncpg.Connection, rows: int) -> None:
    now = SystemClock().now()
    works = [NewWork(kind=KIND, key=new_call_id(now), payload={}, priority=-2) for _ in range(rows)]
    await ours.work.add(works, now=now)
    await bare.execute("TRUNCATE bare_work")
    await bare.execute("INSERT INTO bare_work SELECT * FROM work WHERE standing = 'waiting'")
    for table in ("work", "bare_work"):
        await bare.execute(f"VACUUM ANALYZE {table}")


async def _all(work: Work) -> int:
    count = 0
    while done := await work():
        count += done
    return count


def _our_worker(database: Database, batch: int) -> Work:
    clock = SystemClock()

    async def work() -> int:
        leased = await database.work.lease(kinds=(KIND,), limit=batch, now=clock.now(), lease_for=MINUTE)
        if not leased:
            return 0
        return len(await database.work.finish_all(leased, now=clock.now()))

    return work


def _bare_worker(connection: asyncpg.Connection, batch: int) -> Work:
    async def work() -> int:
        async with connection.transaction():
            ids = [row["id"] for row in await connection.fetch(_BARE_CLAIM, KIND, batch)]
            if ids:
                await connection.execute(_BARE_DONE, ids)
        return len(ids)

    return work
