"""`Sounds` from the recordings folder of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from cti.errors import GiveUp, RecordingError
from cti.model.queries import CallFilter, CallRow


class CallFacts(Protocol):
    """Where calls and their recordings are looked up."""

    async def call_rows(self, wanted: CallFilter) -> list[CallRow]:
        """List calls, newest first."""
        ...


class FolderSounds:
    """Reads the file where it lies."""

    def __init__(self, *, facts: CallFacts, folder: Path) -> None:
        self._facts = facts
        self._folder = folder

    @asynccontextmanager
    async def fetched(self, call_id: str) -> AsyncIterator[Path]:
        """See the port."""
        # the newest call before the smallest text that is greater than this id
        rows = await self._facts.call_rows(CallFilter(before_id=call_id + "0", limit=1))
        if not rows or rows[0].call.id != call_id:
            raise GiveUp(f"there is no call {call_id}")
        facts = rows[0].recording
        if facts is None or facts.path is None:
            raise GiveUp(f"call {call_id} has no recording{f': {facts.problem}' if facts else ''}")
        yield await asyncio.to_thread(_below, self._folder, facts.path)


def _below(folder: Path, name: str) -> Path:
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise GiveUp(f"the recording {name} is not below the recordings folder")
    if not path.is_file():
        raise RecordingError(f"there is no file {path}")
    return path
