"""Rows of a list imported per second, from a CSV file to contacts that can be dialed, beside a bare insert of the same.

Ours: the file is kept, read in a process of its own, checked, compared with all contacts, and written in commits of 500
rows, as the service does it. Bare: the rows that came of it, prepared, inserted with SQLAlchemy Core into the same
tables with the same indexes, ten thousand contacts with each commit. Beside them: how late the event loop was.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select

from benchmarks import said
from benchmarks.rows import Spread, ratio
from cti.clock import SystemClock
from cti.contacts.importer import Importer
from cti.model.campaign_rules import Order
from cti.model.contacts import Campaign
from cti.model.doubles import DoubleRule, Doubles, DoubleScope
from cti.model.imports import Import, ImportOrder
from cti.service import running
from cti.storage import tables
from cti.storage.database import Database, open_database

NAME = "import"
ROWS = 1_000_000
BARE_COMMIT = 10_000
TICK_SECONDS = 0.01
LOOK_SECONDS = 0.5
CITIES = ("Berlin", "Köln", "上海", "Wien", "")
FILLED = (tables.contacts, tables.numbers, tables.list_entries)


async def run(rows: int = ROWS) -> None:
    """Import, then insert bare."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        file = folder / "list.csv"
        write_list(file, rows)
        ours_url, bare_url = (f"sqlite:///{folder / name}.db" for name in ("ours", "bare"))
        async with open_database(bare_url) as bare:
            await bare.campaigns.add_campaign(_campaign())
        async with open_database(ours_url) as ours:
            done, seconds, late, peak = await _ours(ours, file, folder / "imports")
        said.step(f"{NAME}: {done.counts.taken} of {rows} rows taken in {seconds:.1f} s; now the bare insert")
        bare_seconds = await asyncio.to_thread(_bare, ours_url, bare_url)
        ours_rate, bare_rate = (done.counts.taken / spent for spent in (seconds, bare_seconds))
        said.row(
            NAME,
            {
                "rows": rows,
                "taken": done.counts.taken,
                "refused": dict(done.counts.refused),
                "seconds": round(seconds, 1),
                "rows_per_s": round(ours_rate),
                "bare_rows_per_s": round(bare_rate),
                "ratio": ratio(ours_rate, bare_rate),
                "peak_mb": round(peak),
                "late_p99_ms": round(1000 * late.p99, 1),
                "late_most_ms": round(1000 * late.most, 1),
            },
        )


def write_list(file: Path, rows: int) -> None:
    """Write a list of German and Chinese numbers; one row in a hundred has no number, one stands there twice."""
    chance = random.Random(4)
    with file.open("w", encoding="utf-8") as text:
        text.write("name,number,crm_ref,City\n")
        last = "030 23125001"
        for n in range(rows):
            number = "12" if n % 100 == 50 else last if n % 100 == 99 else _number(chance)
            last = number if len(number) > 2 else last
            text.write(f"Person {n},{number},L-{n},{CITIES[n % len(CITIES)]}\n")


def _number(chance: random.Random) -> str:
    digits = f"{chance.randrange(10**8):08d}"
    return chance.choice((f"030 {digits}", f"0171 {digits[1:]}", f"+86 138{digits}", f"+49 89 {digits}"))


async def _ours(ours: Database, file: Path, folder: Path) -> tuple[Import, float, Spread, float]:
    campaign = await ours.campaigns.add_campaign(_campaign())
    importer = Importer(
        store=ours.imports, folder=folder, clock=SystemClock(), order_of=lambda _: Order.OLDEST
    )
    await importer.load()
    doubles = Doubles(rule=DoubleRule.SKIP, scope=DoubleScope.EVERYWHERE)
    order = ImportOrder(campaign_id=campaign.id, name="list", region="DE", doubles=doubles)
    late: list[float] = []
    memory: list[float] = []
    async with running(importer):
        ticking = asyncio.create_task(_tick(late))
        began = time.perf_counter()
        begun = await importer.receive(order, _pieces(file))
        with said.bar() as progress:
            task = progress.add_task(NAME, total=file.stat().st_size)
            finished = asyncio.create_task(importer.finished(begun.id))
            while not finished.done():
                await asyncio.wait({finished}, timeout=LOOK_SECONDS)
                memory.append(await asyncio.to_thread(_tree_mb))
                progress.update(task, completed=importer.how_far(begun).bytes)
            done = finished.result()
        seconds = time.perf_counter() - began
        ticking.cancel()
    if done.error:
        raise TimeoutError(done.error)
    return done, seconds, Spread.of(late), max(memory)


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(65_536):
            yield piece
            await asyncio.sleep(0)


async def _tick(late: list[float]) -> None:
    """Note how much later than wished the loop comes round: what a call's event would have waited."""
    while True:
        wished = time.perf_counter() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        late.append(max(0.0, time.perf_counter() - wished))


def _bare(ours_url: str, bare_url: str) -> float:
    """Insert what the import has written; return the seconds that the inserting took, without the preparing."""
    ours, bare = _engine(ours_url), _engine(bare_url)
    spent = 0.0
    with ours.connect() as source, bare.connect() as target:
        _copy_lists(source, target)
        for prepared in _prepared(source):
            began = time.perf_counter()
            with target.begin():
                for table, rows in prepared:
                    target.execute(insert(table), rows)
            spent += time.perf_counter() - began
    ours.dispose()
    bare.dispose()
    return spent


def _prepared(source: Connection) -> Iterator[list[tuple[Any, list[dict[str, Any]]]]]:
    """Give the rows of so many contacts at a time, as they are to be inserted."""
    for part in count():
        first, last = part * BARE_COMMIT + 1, (part + 1) * BARE_COMMIT
        prepared = []
        for table in FILLED:
            owner = table.c.id if table is tables.contacts else table.c.contact_id
            wanted = select(table).where(owner.between(first, last)).order_by(table.c.id)
            prepared.append((table, [dict(row) for row in source.execute(wanted).mappings()]))
        if not prepared[0][1]:
            return
        yield prepared


def _copy_lists(source: Connection, target: Connection) -> None:
    with target.begin():
        for row in source.execute(select(tables.lists)).mappings():
            target.execute(insert(tables.lists), [dict(row)])


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"isolation_level": None})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _campaign() -> Campaign:
    return Campaign(id=0, name="bench", node="pbx", trunk="carrier")


def _tree_mb() -> float:
    """Return the memory of this process and all below it that is in RAM now, in MB; what they share counts for each."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)], sizes[int(folder.name)] = int(facts[1]), int(facts[21])
    below = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(sizes.get(one, 0) for one in below) * os.sysconf("SC_PAGE_SIZE") / 1e6
