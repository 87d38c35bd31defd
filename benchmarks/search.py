"""Time to find the first 20 hits among a million utterances in Chinese and English, through our port; both databases.

Eight kinds of queries, each with many different words of all frequencies, without filters, with speaker and the last
seven days, and with an agent and a disposition; one client, then ten at once. Beside it: is all found that LIKE finds,
on sampled pieces of Chinese and whole English words (`recall`).
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks import said, said_before
from benchmarks.rows import Spread
from benchmarks.talks import EN_PLAIN, MADE_EN, MADE_ZH, ZH_PLAIN, talks
from cti.model.searches import After, SearchFilter
from cti.model.transcripts import Speaker
from cti.search.ports import Asked
from cti.search.query import parse
from cti.storage.address import parse_address
from cti.storage.database import Database, open_database
from tests.integration.postgres import running_postgres

NAME: Final = "search"
SEGMENTS: Final = int(os.environ.get("WAIHU_BENCH_SEGMENTS", "1000000"))
ASKED: Final = int(os.environ.get("WAIHU_BENCH_QUERIES", "150"))
"""Queries of each kind and filter."""
SAMPLED: Final = int(os.environ.get("WAIHU_BENCH_SAMPLED", "300"))
"""Pieces of Chinese and English words, half of each."""
"""Pieces of Chinese and English words, half of each."""
HITS: Final = 20
CLIENTS: Final = (1, 10)
COMPARED: Final = 200
"""Of what LIKE finds, the newest so many are compared."""
NOW: Final = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
MEMORY: Final = ("shared_buffers = '1GB'", "effective_cache_size = '4GB'", "random_page_cost = 1.1")
"""As anybody sets PostgreSQL who keeps millions of rows in it; its defaults are for a machine of 1998."""

_ZH: Final = ["".join(line.split()) for line in ZH_PLAIN.split("|")]
_EN: Final = [line.split() for line in EN_PLAIN.split("|")]


def _made(words: list[str], chance: random.Random, *, least: int, rare: bool = False) -> str:
    """Return a word; the first of the list are the most frequent ones."""
    first, last = (300, len(words)) if rare else (0, 60)
    return chance.choice([word for word in words[first:last] if len(word) >= least])


def _piece(chance: random.Random, length: int) -> str:
    line = chance.choice([line for line in _ZH if len(line) >= length])
    start = chance.randrange(len(line) - length + 1)
    return line[start : start + length]


def _three_words(chance: random.Random) -> str:
    line = chance.choice([line for line in _EN if len(line) >= 3])
    start = chance.randrange(len(line) - 2)
    return f'"{" ".join(line[start : start + 3])}"'


KINDS: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "zh 2 characters, common": lambda chance: _piece(chance, 2),
    "zh 2 characters, rare": lambda chance: _made(MADE_ZH, chance, least=2, rare=True)[:2],
    "zh 4 characters": lambda chance: _piece(chance, 4),
    "en word, common": lambda chance: chance.choice([*chance.choice(_EN), _made(MADE_EN, chance, least=2)]),
    "en word, rare": lambda chance: _made(MADE_EN, chance, least=2, rare=True),
    "en phrase of 3": _three_words,
    "en prefix": lambda chance: _made(MADE_EN, chance, least=4, rare=True)[:4] + "*",
    "and, or, not": lambda chance: (
        f"({_piece(chance, 2)} OR {chance.choice(chance.choice(_EN))})"
        f" {_made(MADE_ZH, chance, least=2)} NOT {_made(MADE_ZH, chance, least=2, rare=True)}"
    ),
}
FILTERS: Final[Mapping[str, SearchFilter]] = {
    "none": SearchFilter(),
    "speaker, 7 days": SearchFilter(speaker=Speaker.CUSTOMER, since=NOW - timedelta(days=7)),
    "agent, disposition": SearchFilter(agent_id=7, disposition="sold"),
}


async def run() -> None:
    """Measure on SQLite, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        await _on("sqlite", f"sqlite:///{Path(place) / 'ours'}.db")
    with running_postgres() as server:
        server.do(*(f"ALTER SYSTEM SET {setting}" for setting in MEMORY))
        server.stop()
        server.start()
        await _on("postgresql", server.make_database("bench"))


async def _on(backend: str, url: str) -> None:
    async with open_database(url, survive_power_loss=False) as ours, opened_bare(url) as bare:
        began = time.perf_counter()
        await said_before.fill(bare, SEGMENTS, now=NOW)
        took = time.perf_counter() - began
        said.step(f"{NAME}: {backend}: {SEGMENTS} segments in {took:.0f} s ({SEGMENTS / took:.0f}/s)")
        async with bare.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("ANALYZE" if backend == "sqlite" else "VACUUM ANALYZE"))
        for clients in CLIENTS:
            for name in KINDS:
                for narrowed in FILTERS:
                    await _measure(ours, backend, name, narrowed, clients)
        await _recall(ours, bare, backend)


@asynccontextmanager
async def opened_bare(url: str) -> AsyncIterator[AsyncEngine]:
    """Open the database without our stores."""
    engine = create_async_engine(parse_address(url).url)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _measure(ours: Database, backend: str, name: str, narrowed: str, clients: int) -> None:
    chance = random.Random(f"{name} {narrowed}")
    queries = [KINDS[name](chance) for _ in range(ASKED)]
    seconds: list[float] = []
    cpu: list[float] = []
    hits = 0

    async def client(mine: list[str]) -> None:
        nonlocal hits
        for query in mine:
            began, used = time.perf_counter(), time.process_time()
            page = await ours.search.find(Asked(query=parse(query), narrow=FILTERS[narrowed], limit=HITS))
            seconds.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
            hits += len(page.hits)

    await client(queries[:5])  # opens connections, fills caches
    seconds.clear()
    cpu.clear()
    hits = 0
    await asyncio.gather(*(client(queries[n::clients]) for n in range(clients)))
    spread = Spread.of([1000 * one for one in seconds])
    said.row(
        NAME,
        {
            "backend": backend,
            "query": name,
            "filter": narrowed,
            "clients": clients,
            "segments": SEGMENTS,
            "p50_ms": round(spread.p50, 2),
            "p99_ms": round(spread.p99, 2),
            "most_ms": round(spread.most, 2),
            # of this process: all there is with SQLite, whatever else the machine does meanwhile
            "cpu_p99_ms": round(1000 * Spread.of(cpu).p99, 2) if clients == 1 else None,
            "hits": round(hits / len(seconds), 1),
        },
    )


async def _recall(ours: Database, bare: AsyncEngine, backend: str) -> None:
    for name, pattern, samples in (
        ("zh piece", "%{}%", _pieces()),
        ("en word", "% {} %", _words()),
    ):
        wanted = found = 0
        missed: list[str] = []
        for sample in samples:
            expected = await _by_like(bare, pattern.format(sample))
            seen = await _by_search(ours, sample, oldest=min(expected, default=0))
            wanted, found = wanted + len(expected), found + len(expected & seen)
            if not expected <= seen:
                missed.append(sample)
        said.row(
            NAME,
            {
                "backend": backend,
                "recall": round(found / wanted, 6) if wanted else None,
                "of": name,
                "samples": len(samples),
                "compared": wanted,
                "missed": missed[:5],
            },
        )


def _pieces() -> list[str]:
    chance = random.Random(11)
    lines = [segment.shown for talk in talks(20_000, now=NOW, seed=1) for segment in talk.segments]
    joined = [line for line in lines if not line.isascii() and " " not in line and len(line) >= 8]
    pieces = []
    for _ in range(SAMPLED // 2):
        line, length = chance.choice(joined), chance.randint(2, 7)
        start = chance.randrange(len(line) - length + 1)
        pieces.append(line[start : start + length])
    return pieces


def _words() -> list[str]:
    chance = random.Random(12)
    lines = [segment.shown for talk in talks(20_000, now=NOW, seed=1) for segment in talk.segments]
    english = [line.split() for line in lines if line.isascii()]
    return [chance.choice(chance.choice(english)) for _ in range(SAMPLED // 2)]


async def _by_like(bare: AsyncEngine, pattern: str) -> set[int]:
    question = text(
        "SELECT id FROM segments WHERE ' ' || text || ' ' LIKE :pattern ORDER BY id DESC LIMIT :at_most"
    )
    async with bare.connect() as connection:
        rows = await connection.execute(question, {"pattern": pattern, "at_most": COMPARED})
        return set(rows.scalars())


async def _by_search(ours: Database, sample: str, *, oldest: int) -> set[int]:
    seen: set[int] = set()
    after: After | None = None
    while True:
        page = await ours.search.find(Asked(query=parse(f'"{sample}"'), limit=COMPARED, after=after))
        seen.update(hit.segment_id for hit in page.hits)
        after = page.next
        if after is None or after.segment_id <= oldest:
            return seen


if __name__ == "__main__":
    asyncio.run(run())
