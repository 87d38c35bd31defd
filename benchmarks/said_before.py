"""A database full of transcripts, written straight into the tables in large bites as the store would write them."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.talks import Talk, talks
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.ids import new_call_id
from cti.model.transcripts import Speaker, Transcript
from cti.search.facets import call_facets, speaker_facet
from cti.search.segment_ids import first_key
from cti.storage import tables
from cti.storage.call_rows import call_values
from cti.storage.segment_index import Indexed, PostgresIndex, SegmentIndex, SqliteIndex
from cti.storage.transcript_rows import segment_values, transcript_values

CAMPAIGNS: Final = 5
AGENTS: Final = 60
DISPOSITIONS: Final = ("sold", "callback", "no_interest", "wrong_number", "complaint", "other")
_BITE: Final = 200
"""Calls written in one transaction."""
_Row = dict[str, Any]


async def fill(engine: AsyncEngine, segments: int, *, now: datetime) -> None:
    """Write calls with so many segments in all, and the index."""
    index: SegmentIndex = SqliteIndex() if engine.dialect.name == "sqlite" else PostgresIndex()
    chance = random.Random(3)
    async with engine.begin() as connection:
        await connection.execute(insert(tables.campaigns), [_campaign(n) for n in range(1, CAMPAIGNS + 1)])
        await connection.execute(insert(tables.agents), [_agent(n) for n in range(1, AGENTS + 1)])
        # GIN is made at once at the end: row by row it takes ten times as long
        gin = await connection.run_sync(_gin_of) if engine.dialect.name == "postgresql" else None
        if gin:
            await connection.execute(text("DROP INDEX ix_segment_index_terms"))
    made = talks(segments, now=now)
    while bite := list(islice(made, _BITE)):
        calls, heard, rows, indexed = _rows(bite, chance)
        async with engine.begin() as connection:
            await connection.execute(insert(tables.calls), calls)
            await connection.execute(insert(tables.transcripts), heard)
            await connection.execute(insert(tables.segments), rows)
            await index.add(connection, indexed)
    if gin:
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
            await connection.execute(text(gin))


def _gin_of(connection: Connection) -> str:
    made = connection.execute(
        text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_segment_index_terms'")
    )
    return str(made.scalar_one())


def _rows(
    bite: Iterable[Talk], chance: random.Random
) -> tuple[list[_Row], list[_Row], list[_Row], list[Indexed]]:
    calls, heard, rows, indexed = list[_Row](), list[_Row](), list[_Row](), list[Indexed]()
    for talk in bite:
        call, disposition = call_of(talk, chance), chance.choice(DISPOSITIONS)
        facets = call_facets(
            agent_ids=[call.agent_id or 1], campaign_id=call.campaign_id, list_id=call.list_id
        )
        key = first_key(call.placed_at)
        calls.append(call_values(call) | {"disposition": disposition})
        heard.append(transcript_values(transcript_of(talk, call), key=key, version=1, facets=facets))
        for row in segment_values(talk.segments, key=key):
            rows.append(row)
            indexed.append(Indexed(row["id"], row["text"], (speaker_facet(Speaker(row["speaker"])), *facets)))
    return calls, heard, rows, indexed


def call_of(talk: Talk, chance: random.Random) -> Call:
    """Return a call that has ended, in which the talk was held."""
    return Call(
        id=new_call_id(talk.placed_at),
        node="pbx",
        number="+4930901820",
        placed_at=talk.placed_at,
        campaign_id=chance.randint(1, CAMPAIGNS),
        agent_id=chance.randint(1, AGENTS),
        state=CallState.ENDED,
        ended_at=talk.placed_at + timedelta(seconds=talk.segments[-1].end),
        outcome=Outcome.CONNECTED,
        end_reason=EndReason.HUNG_UP,
    )


def transcript_of(talk: Talk, call: Call) -> Transcript:
    """Return the talk as an engine would have heard it."""
    return Transcript(
        call_id=call.id,
        engine="vosk",
        model="bench",
        fingerprint="bench",
        language="zh" if talk.chinese else "en",
        seconds=talk.segments[-1].end,
        segments=talk.segments,
        made_at=talk.placed_at,
    )


def _campaign(n: int) -> _Row:
    return {
        "id": n,
        "name": f"campaign {n}",
        "node": "pbx",
        "trunk": "carrier",
        "mode": "predictive",
        "state": "running",
        "ring_seconds": 30.0,
        "grace_seconds": 2.0,
        "message": "",
        "caller_id": "",
        "record": True,
        "max_lines": 100,
        "rules": {},
    }


def _agent(n: int) -> _Row:
    return {
        "id": n,
        "login": f"agent{n}",
        "name": f"Agent {n}",
        "endpoint": f"a{n:03d}",
        "node": "pbx",
        "state": "ready",
    }
