"""What the API needs for transcripts and search."""

from collections.abc import Sequence
from typing import Protocol

from cti.model.searches import Found
from cti.model.transcripts import Transcript
from cti.search.ports import Asked


class Transcripts(Protocol):
    """Transcripts of calls, to be read."""

    async def current(self, call_id: str) -> Transcript | None:
        """Return the newest version."""
        ...

    async def versions(self, call_id: str) -> Sequence[Transcript]:
        """Return all, newest first, without segments and voices."""
        ...

    async def version(self, call_id: str, version: int) -> Transcript | None:
        """Return one."""
        ...


class Search(Protocol):
    """Finds utterances."""

    async def find(self, asked: Asked) -> Found:
        """Return one page of hits."""
        ...
