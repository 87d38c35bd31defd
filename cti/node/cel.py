"""Stories of our channels from the CEL folders of the nodes: the adapter of `cti.reports.ports.Stories`."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cti.errors import NodeError
from cti.model.ids import CALL_PREFIX, LEG_PREFIX, call_of_channel
from cti.model.stories import Story
from cti.node.cel_files import find_rows
from cti.node.cel_rows import CelRow
from cti.node.story import bridge_of, meetings, story

log = logging.getLogger(__name__)


class CelFolder:
    """Reads each node's CEL file. Keeps nothing, so many tasks may ask at once."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """`files`: by node, where its `<astlogdir>/cel-custom/cti.csv` is seen from here."""
        self._files = dict(files)

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        """Return one channel's story, None when its node's records have none or are not reachable."""
        try:
            rows = await self._rows_of(node, channel_id)
            bridges = [bridge for row in rows if (bridge := bridge_of(row))]
            met = await self._find(node, bridges, rows[0].at) if bridges else []
        except NodeError as error:
            log.warning("%s", error)
            return None
        return story(node, rows, meetings(met)) if rows else None

    async def all_since(self, node: str, since: datetime) -> Sequence[Story]:
        """List the stories of our channels that started since then. Raises NodeError when they cannot be read."""
        rows = await self._find(node, [CALL_PREFIX, LEG_PREFIX], since)
        met = meetings(rows)
        by_channel: dict[str, list[CelRow]] = {}
        for row in rows:
            if row.channel_id.startswith((CALL_PREFIX, LEG_PREFIX)):
                by_channel.setdefault(row.channel_id, []).append(row)
        stories = [story(node, its_rows, met) for its_rows in by_channel.values()]
        return [one for one in stories if one.started_at is not None and one.started_at >= since]

    async def _rows_of(self, node: str, channel_id: str) -> list[CelRow]:
        made_at = _made_at(channel_id)
        for since in (made_at, None) if made_at else (None,):
            # A call's id says when it was made, by the daemon's clock; a node's clock may be quite another.
            rows = [
                row for row in await self._find(node, [channel_id], since) if row.channel_id == channel_id
            ]
            if rows:
                return rows
        return []

    async def _find(self, node: str, texts: Sequence[str], since: datetime | None) -> list[CelRow]:
        file = self._files.get(node)
        if file is None:
            raise NodeError(f"the settings name no CEL folder of the node {node!r}")
        try:
            found = await asyncio.to_thread(find_rows, file, texts=texts, since=since)
        except OSError as error:
            raise NodeError(
                f"cannot read the CEL of {node} in {file.parent}: {error.strerror or error}"
            ) from error
        if found.bad:
            log.warning("%d lines of the CEL of %s, %s, are no rows", found.bad, node, file)
        return found.rows


def _made_at(channel_id: str) -> datetime | None:
    """Return when the call of this channel was made, as its id says, or None."""
    call_id = call_of_channel(channel_id)
    try:
        return datetime.fromtimestamp(int((call_id or "")[:12], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
