"""Transcripts written per second as transcription writes them, beside bare inserts; both databases.

Ours: `save`, a transaction for each call: the call is looked up and locked, versions compared, transcript, segments and
search index written. Bare: the rows of transcripts and segments alone, by SQLAlchemy Core, a transaction for each call.
Both begin with the same calls in a database of their own.
"""

import os
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import said
from benchmarks.child import cpu_seconds
from benchmarks.rows import ratio
from benchmarks.said_before import call_of, fill, transcript_of
from benchmarks.search import opened_bare
from benchmarks.talks import Talk, talks
from cti.model.calls import Call
from cti.model.transcripts import Transcript
from cti.search.segment_ids import first_key
from cti.storage import tables
from cti.storage.call_rows import call_values
from cti.storage.database import Database, open_database
from cti.storage.transcript_rows import segment_values, transcript_values
from tests.integration.postgres import running_postgres

NAME: Final = "index"
STORED: Final = int(os.environ.get("WAIHU_BENCH_INDEXED", "100000"))
"""Segments in the database when the measurement begins."""
MEASURED: Final = int(os.environ.get("WAIHU_BENCH_CALLS", "400"))
"""Calls, in turns of a tenth for each side."""
TURNS: Final = 10
NOW: Final = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
LATER: Final = datetime(2027, 6, 1, tzinfo=UTC)
"""The measured calls are newer than those that are there, as in life."""


async def run() -> None:
    """Measure on SQLite, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        await _on("sqlite", *(f"sqlite:///{Path(place) / name}.db" for name in ("ours", "bare")))
    with running_postgres() as server:
        await _on("postgresql", *(server.make_database(name) for name in ("ours", "bare")))


async def _on(backend: str, ours_url: str, bare_url: str) -> None:
    async with (
        open_database(ours_url) as ours,
        open_database(bare_url),
        opened_bare(ours_url) as filling,
        opened_bare(bare_url) as bare,
    ):
        heard = _heard()
        for engine in (filling, bare):
            await fill(engine, STORED, now=NOW)
            async with engine.begin() as connection:
                await connection.execute(insert(tables.calls), [call_values(call) for call, _, _ in heard])
        await _measure(backend, ours, bare, heard)


Heard = tuple[Call, Talk, Transcript]


def _heard() -> list[Heard]:
    chance = random.Random(9)
    heard = []
    for talk in talks(MEASURED * 30, now=LATER, seed=2):
        call = call_of(talk, chance)
        heard.append((call, talk, transcript_of(talk, call)))
        if len(heard) == MEASURED:
            break
    return heard


async def _measure(backend: str, ours: Database, bare: AsyncEngine, heard: Sequence[Heard]) -> None:
    seconds, cpu = {"ours": 0.0, "bare": 0.0}, {"ours": 0.0, "bare": 0.0}
    part = max(1, len(heard) // TURNS)
    for start in range(0, len(heard), part):
        for side in seconds:
            began, used = time.perf_counter(), cpu_seconds()
            for one in heard[start : start + part]:
                await (ours.transcripts.save(one[2]) if side == "ours" else _bare(bare, one))
            seconds[side] += time.perf_counter() - began
            cpu[side] += cpu_seconds() - used
    segments = sum(len(talk.segments) for _, talk, _ in heard)
    rates = {side: segments / spent for side, spent in seconds.items()}
    said.step(f"{NAME}: {backend}: {rates['ours']:.0f} segments a second")
    said.row(
        NAME,
        {
            "backend": backend,
            "stored": STORED,
            "calls": len(heard),
            "segments": segments,
            "segments_per_second": round(rates["ours"]),
            "bare_per_second": round(rates["bare"]),
            "ratio": ratio(rates["ours"], rates["bare"]),
            "cpu_ms_per_call": round(1000 * cpu["ours"] / len(heard), 2),
            "bare_cpu_ms_per_call": round(1000 * cpu["bare"] / len(heard), 2),
        },
    )


async def _bare(bare: AsyncEngine, one: Heard) -> None:
    call, talk, transcript = one
    key = first_key(call.placed_at)
    async with bare.begin() as connection:
        row = transcript_values(transcript, key=key, version=1, facets=())
        await connection.execute(insert(tables.transcripts), [row])
        await connection.execute(insert(tables.segments), segment_values(talk.segments, key=key))
