"""Watches the room for recordings. A full disk stops recording, with an alarm, and never a call. A service."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.model.events import RecordingResumed, RecordingStopped
from cti.service import every

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
MORE_TO_RESUME: Final = 1.25
"""So many times the least must be free before recording goes on: else it would come and go with every call."""
REST_SECONDS: Final = 60.0
"""After a write that failed recording rests at least so long: a quota may be full where the disk is not."""
KEPT: Final = ""
"""Stands for the folder of kept recordings among the nodes' names."""

FreeBytes = Callable[[Path], int | None]


def free_bytes(folder: Path) -> int | None:
    """Return the room under a folder, or under the nearest one above it that is there; None: nobody can say."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


class SpaceWatch:
    """Says whether a new call on a node may be recorded."""

    name = "room for recordings"

    def __init__(
        self,
        *,
        bus: EventBus,
        clock: Clock,
        folder: Path,
        raw_folders: Mapping[str, Path],
        least_free_bytes: int,
        free: FreeBytes = free_bytes,
    ) -> None:
        """`raw_folders`: by node, as far as they are seen from here."""
        self._bus = bus
        self._clock = clock
        self._folders = {KEPT: folder, **raw_folders}
        self._least = least_free_bytes
        self._free = free
        self._stopped: dict[str, str] = {}
        """Why, by node; under KEPT for all."""
        self._rests_until = 0.0

    @property
    def stopped(self) -> Mapping[str, str]:
        """Why nothing is recorded, by node; under the empty name for all nodes. Empty: all is well."""
        return dict(self._stopped)

    def may_record(self, node: str) -> bool:
        """Whether a call that is placed now on this node is to be recorded."""
        return KEPT not in self._stopped and node not in self._stopped

    def disk_full(self, reason: str) -> None:
        """Take note that a recording could not be written for want of room: an alarm of its own."""
        self._rests_until = self._clock.monotonic() + REST_SECONDS
        self._stop(KEPT, reason)

    async def run(self) -> None:
        """Look for ever."""
        await every(LOOK_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Look once."""
        for node, folder in self._folders.items():
            free = await asyncio.to_thread(self._free, folder)
            if free is None:
                continue
            if free < self._least:
                self._stop(node, f"{folder} has {free:,} bytes free, fewer than {self._least:,}")
            elif free >= self._least * MORE_TO_RESUME and self._rested(node):
                self._resume(node)

    def _rested(self, node: str) -> bool:
        return node != KEPT or self._clock.monotonic() >= self._rests_until

    def _stop(self, node: str, reason: str) -> None:
        if node in self._stopped:
            return
        self._stopped[node] = reason
        log.error("calls are placed without recording%s: %s", f" on {node}" if node else "", reason)
        self._bus.publish(RecordingStopped(node=node, reason=reason, at=self._clock.now()))

    def _resume(self, node: str) -> None:
        if self._stopped.pop(node, None) is None:
            return
        log.warning("calls are recorded again%s", f" on {node}" if node else "")
        self._bus.publish(RecordingResumed(node=node, at=self._clock.now()))
