"""Stories of our channels from the CEL folders of the nodes: the adapter of `cti.reports.ports.Stories`."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from cti.errors import NodeError
from cti.model.ids import CALL_PREFIX, LEG_PREFIX, call_of_channel
from cti.model.stories import Story
from cti.node.cel_files import find_rows
from cti.node.cel_rows import CelRow
from cti.node.story import bridge_of, meetings, story

log = logging.getLogger(__name__)

T = TypeVar("T")
_OURS: Final = (CALL_PREFIX, LEG_PREFIX)
_CLOCKS_APART: Final = timedelta(minutes=2)
"""A call's id says when it was made by the daemon's clock; the node's may be a little behind."""


class CelFolder:
    """Reads each node's CEL file. Keeps nothing, so many tasks may ask at once."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """`files`: by node, where its `<astlogdir>/cel-custom/cti.csv` is seen from here."""
        self._files = dict(files)

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        """Return one channel's story, None when its node's records have none or are not reachable."""
        try:
            return await self._read(node, lambda file: _of_channel(node, file, channel_id))
        except NodeError as error:
            log.warning("%s", error)
            return None

    async def all_since(self, node: str, since: datetime) -> Sequence[Story]:
        """List the stories of our channels that started since then. Raises NodeError when they cannot be read."""
        return await self._read(node, lambda file: _all_since(node, file, since))

    async def _read(self, node: str, read: Callable[[Path], T]) -> T:
        file = self._files.get(node)
        if file is None:
            raise NodeError(f"the settings name no CEL folder of the node {node!r}")
        try:
            return await asyncio.to_thread(read, file)
        except OSError as error:
            raise NodeError(
                f"cannot read the CEL of {node} in {file.parent}: {error.strerror or error}"
            ) from error


def _of_channel(node: str, file: Path, channel_id: str) -> Story | None:
    rows = _rows_of(file, channel_id)
    if not rows:
        return None
    bridges = [bridge for row in rows if (bridge := bridge_of(row))]
    met = meetings(_rows(file, bridges, rows[0].at)) if bridges else {}
    return story(node, rows, met)


def _rows_of(file: Path, channel_id: str) -> list[CelRow]:
    """Look from where a call's id says it began; when there is nothing, everywhere: the clock may be quite another."""
    made_at = _made_at(channel_id)
    for since in (made_at, None) if made_at else (None,):
        rows = [row for row in _rows(file, [channel_id], since) if row.channel_id == channel_id]
        if rows:
            return rows
    return []


def _all_since(node: str, file: Path, since: datetime) -> list[Story]:
    rows = _rows(file, _OURS, since)
    met = meetings(rows)
    by_channel: dict[str, list[CelRow]] = {}
    for row in rows:
        if row.channel_id.startswith(_OURS):
            by_channel.setdefault(row.channel_id, []).append(row)
    stories = (story(node, its_rows, met) for its_rows in by_channel.values())
    return [one for one in stories if one.started_at is not None and one.started_at >= since]


def _rows(file: Path, texts: Sequence[str], since: datetime | None) -> list[CelRow]:
    found = find_rows(file, texts=texts, since=since)
    if found.bad:
        log.warning("%d lines of the CEL file %s are no rows", found.bad, file)
    return found.rows


def _made_at(channel_id: str) -> datetime | None:
    """Return a moment before the call of this channel was made, as its id says, or None."""
    call_id = call_of_channel(channel_id)
    try:
        return datetime.fromtimestamp(int((call_id or "")[:12], 16) / 1000, UTC) - _CLOCKS_APART
    except (ValueError, OverflowError, OSError):
        return None
