"""Pauses recordings of calls that are up: the file goes on, and holds silence. A desk, and a service.

The row comes first, then the order: a pause that nobody knows of would be worse than one that holds sound, and the
service gives the order again for a row whose order may never have left.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import Conflict, NodeDown, NodeError, NodeRefused, NotFound, StorageError
from cti.model.calls import Call
from cti.model.events import RecordingPaused
from cti.recording.ports import RecordingLines, RecordingStore
from cti.service import every

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0


class OpenCalls(Protocol):
    """The calls that are up."""

    def open_calls(self) -> Sequence[Call]: ...


class PauseDesk:
    """Pauses and resumes, and keeps pauses true over restarts. The service `pauses of recordings`."""

    name = "pauses of recordings"

    def __init__(
        self,
        *,
        store: RecordingStore,
        lines: RecordingLines,
        open_calls: OpenCalls,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._store = store
        self._lines = lines
        self._open = open_calls
        self._bus = bus
        self._clock = clock
        self._muted: set[str] = set()
        """Calls that this process has muted: those need no second order."""

    def call(self, call_id: str) -> Call:
        """Return a call that is up. Raises NotFound."""
        for call in self._open.open_calls():
            if call.id == call_id and not call.ended:
                return call
        raise NotFound(f"there is no call {call_id} that is up")

    async def pause(self, call_id: str, *, by: str) -> bool:
        """Let the recording hold silence from now on; False when it did already.

        Raises NotFound (no such call is up), Conflict (not answered yet, or not recorded), NodeDown, NodeRefused;
        NodeSilent, after which the pause stands and the order is given again.
        """
        call = self._recorded(call_id)
        # Before the order leaves, so that the pause covers all of the silence.
        began = await self._store.begin_pause(call_id, by=by, at=self._clock.now())
        try:
            await self._lines.mute_recording(call, muted=True)
        except (NodeDown, NodeRefused):
            if began:
                await self._store.drop_pause(call_id)
            raise
        self._muted.add(call_id)
        if began:
            self._tell(call_id, paused=True, by=by)
        return began

    async def resume(self, call_id: str, *, by: str) -> bool:
        """Let the recording hold sound again; False when it did already. Raises as `pause`."""
        call = self._recorded(call_id)
        await self._lines.mute_recording(call, muted=False)
        self._muted.discard(call_id)
        ended = await self._store.end_pause(call_id, at=self._clock.now())
        if ended:
            self._tell(call_id, paused=False, by=by)
        return ended

    async def run(self) -> None:
        """Look for ever."""
        await every(LOOK_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """End the pauses of calls that ended; give the order again for those of calls from before a restart."""
        try:
            paused = await self._store.open_pauses()
            up = {call.id: call for call in self._open.open_calls() if not call.ended}
            for call_id, ended_at in paused.items():
                await self._see_to(call_id, up.get(call_id), ended_at)
        except StorageError as error:
            log.warning("pauses of recordings cannot be looked at now: %s", error)

    async def _see_to(self, call_id: str, call: Call | None, ended_at: datetime | None) -> None:
        if ended_at is not None:
            self._muted.discard(call_id)
            await self._store.end_pause(call_id, at=ended_at)
        elif call is not None and call_id not in self._muted:
            with suppress(NodeError):  # tried again at the next look
                await self._lines.mute_recording(call, muted=True)
                self._muted.add(call_id)

    def _recorded(self, call_id: str) -> Call:
        call = self.call(call_id)
        if call.recording is None:
            raise Conflict(f"call {call_id} is not recorded")
        if call.answered_at is None:
            raise Conflict(f"call {call_id} was not answered yet; nothing is recorded")
        return call

    def _tell(self, call_id: str, *, paused: bool, by: str) -> None:
        self._bus.publish(RecordingPaused(call_id=call_id, paused=paused, by=by, at=self._clock.now()))
