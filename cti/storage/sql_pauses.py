"""The pauses of recordings, as the part of `RecordingStore` that a running call needs."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import NotFound
from cti.model.recordings import Pause
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_pauses, _calls = tables.recording_pauses.c, tables.calls.c
_GOING_ON: Final = (_pauses.call_id == bindparam("paused_call"), tables.still_paused)
# A pause that was asked for in the call's last moment ends where it began, never before.
_END: Final = update(tables.recording_pauses).where(*_GOING_ON, _pauses.began_at <= bindparam("end"))
_END_AT_ONCE: Final = update(tables.recording_pauses).where(*_GOING_ON).values(ended_at=_pauses.began_at)


class SqlPauses:
    """Begins, ends and lists pauses."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def begin_pause(self, call_id: str, *, by: str, at: datetime) -> bool:
        """See the port."""
        async with self._connections.writing() as connection:
            call = select(_calls.id).where(_calls.id == call_id).with_for_update(key_share=True)
            if await connection.scalar(call) is None:
                raise NotFound(f"there is no call {call_id}")
            if await connection.scalar(select(_pauses.call_id).where(*_GOING_ON), {"paused_call": call_id}):
                return False
            row = {"call_id": call_id, "began_at": at, "ended_at": None, "asked_by": by}
            await connection.execute(insert(tables.recording_pauses), row)
        return True

    @to_the_end
    async def end_pause(self, call_id: str, *, at: datetime) -> bool:
        """See the port."""
        async with self._connections.writing() as connection:
            return await end_pauses(connection, call_id, at=at)

    @to_the_end
    async def drop_pause(self, call_id: str) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            gone = delete(tables.recording_pauses).where(*_GOING_ON)
            await connection.execute(gone, {"paused_call": call_id})

    @to_the_end
    async def pauses(self, call_id: str) -> list[Pause]:
        """See the port."""
        listed = select(tables.recording_pauses).where(_pauses.call_id == call_id).order_by(_pauses.began_at)
        async with self._connections.reading() as connection:
            return [
                Pause(began_at=row.began_at, ended_at=row.ended_at, by=row.asked_by)
                for row in await connection.execute(listed)
            ]

    @to_the_end
    async def open_pauses(self) -> dict[str, datetime | None]:
        """See the port."""
        paused = (
            select(_pauses.call_id, _calls.ended_at)
            .select_from(tables.recording_pauses)
            .join(tables.calls, _calls.id == _pauses.call_id)
            .where(tables.recording_pauses.c.ended_at.is_(None))
        )
        async with self._connections.reading() as connection:
            return {row.call_id: row.ended_at for row in await connection.execute(paused)}


async def end_pauses(connection: AsyncConnection, call_id: str, *, at: datetime) -> bool:
    """End the pause of a call that goes on, if there is one, in a transaction that is open already."""
    about = {"paused_call": call_id}
    ended = await connection.execute(_END.values(ended_at=at), about | {"end": at})
    if ended.rowcount == 0:
        ended = await connection.execute(_END_AT_ONCE, about)
    return ended.rowcount > 0
