"""`TranscriptStore` on the database: versions of each call, the newest one searchable."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import BadInput, Conflict, NotFound
from cti.model.transcripts import Speaker, Transcript
from cti.model.work import NewWork
from cti.search.facets import call_facets, speaker_facet
from cti.search.segment_ids import MOST_SEGMENTS, first_id, first_key, free_key
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.leg_rows import read_joins
from cti.storage.segment_index import Indexed, PostgresIndex, SegmentIndex, SqliteIndex
from cti.storage.transcript_rows import segment_values, transcript_of, transcript_values
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_TRIES: Final = 5
"""How often a save begins anew because another call of the same millisecond took its key."""
_LOOKED_AT: Final = 1000
"""Keys that are looked through for a free one; a millisecond has 128 of its own."""

_calls, _transcripts, _segments = tables.calls.c, tables.transcripts.c, tables.segments.c
_recordings = tables.recordings.c
_CALL: Final[Select[Any]] = (
    select(_calls.id, _calls.placed_at, _calls.campaign_id, _calls.list_id, _calls.agent_id)
    .where(_calls.id == bindparam("call_id"))
    .with_for_update(key_share=True)  # two saves of one call come one after the other
)
_VERSIONS: Final = (
    select(tables.transcripts)
    .where(_transcripts.call_id == bindparam("call_id"))
    .order_by(_transcripts.version.desc())
)
_CURRENT: Final = select(tables.transcripts).where(
    _transcripts.call_id == bindparam("call_id"), tables.current_transcripts
)
_ONE: Final = select(tables.transcripts).where(
    _transcripts.call_id == bindparam("call_id"), _transcripts.version == bindparam("version")
)
_TAKEN: Final = (
    select(_transcripts.key)
    .where(_transcripts.key >= bindparam("wished"))
    .order_by(_transcripts.key)
    .limit(_LOOKED_AT)
)
_SEGMENTS: Final = (
    select(_segments.id, _segments.speaker, _segments.text, _segments.words)
    .where(_segments.id >= bindparam("first"), _segments.id < bindparam("beyond"))
    .order_by(_segments.id)
)
_TEXTS: Final = _SEGMENTS.with_only_columns(_segments.id, _segments.speaker, _segments.text)
_WITH_RECORDING: Final = (
    select(_transcripts.key, _transcripts.call_id)
    .join(tables.recordings, _recordings.call_id == _transcripts.call_id)
    .where(tables.current_transcripts, _recordings.held.is_(False))
)
_ADD: Final = insert(tables.transcripts)
_ADD_SEGMENTS: Final = insert(tables.segments)
_OUTDATE: Final = (
    update(tables.transcripts).where(_transcripts.key == bindparam("old")).values(is_current=False)
)
_DELETE: Final = delete(tables.transcripts).where(_transcripts.key == bindparam("old"))
_DELETE_SEGMENTS: Final = delete(tables.segments).where(
    _segments.id >= bindparam("first"), _segments.id < bindparam("beyond")
)


class SqlTranscripts:
    """Writes and reads transcripts; keeps the search index in step."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._index: SegmentIndex = SqliteIndex() if connections.is_sqlite else PostgresIndex()
        self._works = WorkWriter(connections)

    @to_the_end
    async def save(self, transcript: Transcript, then: Sequence[NewWork] = ()) -> int:
        """See the port."""
        if len(transcript.segments) > MOST_SEGMENTS:
            raise BadInput(
                f"the transcript of call {transcript.call_id} has {len(transcript.segments)} segments;"
                f" at most {MOST_SEGMENTS} can be kept"
            )
        for _ in range(_TRIES - 1):
            try:
                return await self._save(transcript, then)
            except Conflict:
                continue
        return await self._save(transcript, then)

    async def _save(self, transcript: Transcript, then: Sequence[NewWork]) -> int:
        async with self._connections.writing() as connection:
            call = await _locked_call(connection, transcript.call_id)
            versions = (await connection.execute(_VERSIONS, {"call_id": transcript.call_id})).all()
            for known in versions:
                if known.fingerprint == transcript.fingerprint:
                    return int(known.version)
            await self._outdate(connection, [row for row in versions if row.is_current])
            version = versions[0].version + 1 if versions else 1
            await self._add(connection, transcript, call, version)
            await self._works.write(connection, then, now=transcript.made_at)
        return int(version)

    async def _outdate(self, connection: AsyncConnection, current: Sequence[Row[Any]]) -> None:
        for row in current:
            await self._index.remove(connection, await _as_indexed(connection, row))
            await connection.execute(_OUTDATE, {"old": row.key})

    async def _add(
        self, connection: AsyncConnection, transcript: Transcript, call: Row[Any], version: int
    ) -> None:
        joins = await read_joins(connection, [transcript.call_id])
        agents: set[int] = {join.agent_id for join in joins.get(transcript.call_id, ()) if join.agent_id}
        if call.agent_id is not None:
            agents.add(call.agent_id)
        facets = call_facets(agent_ids=agents, campaign_id=call.campaign_id, list_id=call.list_id)
        wished = first_key(call.placed_at)
        key = free_key(wished, list((await connection.execute(_TAKEN, {"wished": wished})).scalars()))
        await connection.execute(_ADD, transcript_values(transcript, key=key, version=version, facets=facets))
        rows = segment_values(transcript.segments, key=key)
        if rows:
            await connection.execute(_ADD_SEGMENTS, rows)
            await self._index.add(connection, [_indexed(row["id"], row, facets) for row in rows])

    @to_the_end
    async def current(self, call_id: str) -> Transcript | None:
        """See the port."""
        async with self._connections.reading() as connection:
            return await _whole(
                connection, (await connection.execute(_CURRENT, {"call_id": call_id})).first()
            )

    @to_the_end
    async def versions(self, call_id: str) -> list[Transcript]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_VERSIONS, {"call_id": call_id})).all()
        return [transcript_of(row, with_voices=False) for row in rows]

    @to_the_end
    async def version(self, call_id: str, version: int) -> Transcript | None:
        """See the port."""
        asked = {"call_id": call_id, "version": version}
        async with self._connections.reading() as connection:
            return await _whole(connection, (await connection.execute(_ONE, asked)).first())

    @to_the_end
    async def past(self, before: Mapping[str, datetime], *, after: int, limit: int) -> list[tuple[int, str]]:
        """See the port. Looks at no call that was placed after the last of these moments."""
        if not before:
            return []
        over = or_(
            *(
                and_(_recordings.retention == name, _recordings.recorded_at < moment)
                for name, moment in sorted(before.items())
            )
        )
        wanted = _WITH_RECORDING.where(
            _transcripts.key > after,
            # no call is recorded before it was placed
            _transcripts.key < first_key(max(before.values()) + timedelta(milliseconds=1)),
            over,
        )
        async with self._connections.reading() as connection:
            found = await connection.execute(wanted.order_by(_transcripts.key).limit(limit))
            return [(row.key, row.call_id) for row in found]

    @to_the_end
    async def forget(self, call_ids: Sequence[str]) -> int:
        """See the port."""
        forgotten = 0
        async with self._connections.writing() as connection:
            for call_id in sorted(call_ids):
                await connection.execute(_CALL, {"call_id": call_id})
                for row in (await connection.execute(_VERSIONS, {"call_id": call_id})).all():
                    if row.is_current:
                        await self._index.remove(connection, await _as_indexed(connection, row))
                    await connection.execute(_DELETE_SEGMENTS, _ids(row.key))
                    await connection.execute(_DELETE, {"old": row.key})
                    forgotten += 1
        return forgotten


async def _locked_call(connection: AsyncConnection, call_id: str) -> Row[Any]:
    call: Row[Any] | None = (await connection.execute(_CALL, {"call_id": call_id})).first()
    if call is None:
        raise NotFound(f"there is no call {call_id}")
    return call


async def _whole(connection: AsyncConnection, row: Row[Any] | None) -> Transcript | None:
    if row is None:
        return None
    return transcript_of(row, (await connection.execute(_SEGMENTS, _ids(row.key))).all())


async def _as_indexed(connection: AsyncConnection, row: Row[Any]) -> list[Indexed]:
    facets = tuple(row.facets.split())
    found = (await connection.execute(_TEXTS, _ids(row.key))).mappings()
    return [_indexed(segment["id"], segment, facets) for segment in found]


def _indexed(segment_id: int, row: Any, facets: tuple[str, ...]) -> Indexed:
    return Indexed(segment_id, row["text"], (speaker_facet(Speaker(row["speaker"])), *facets))


def _ids(key: int) -> dict[str, int]:
    return {"first": first_id(key), "beyond": first_id(key + 1)}
