"""What one channel went through, from its CEL rows. Pure.

The row of who enters a bridge first names no peer, and neither does the row of who leaves it last. So peers are found
by the bridge's id, which the rows of both carry.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from cti.model.stories import Stay, Story
from cti.node.cel_rows import CelRow

_DROPPED: Final = "CTI_DROPPED"
"""The dialplan's own event (extensions_cti.conf)."""
_WAITING_ROOM: Final = "holding_bridge"
"""Technology of the bridge an agent's kept leg waits in; nobody talks there."""


Meetings = Mapping[str, Sequence[str]]
"""Names of the channels that were in a bridge, by its id."""


def meetings(rows: Iterable[CelRow]) -> Meetings:
    """Return who was in which two-party bridge."""
    met: dict[str, list[str]] = {}
    for row in rows:
        bridge = bridge_of(row)
        if bridge and row.channel not in met.setdefault(bridge, []):
            met[bridge].append(row.channel)
    return met


def bridge_of(row: CelRow) -> str | None:
    """Return the id of the bridge the channel entered or left to talk, None for other rows and for the waiting room."""
    if row.kind not in {"BRIDGE_ENTER", "BRIDGE_EXIT"}:
        return None
    extra = _extra(row)
    bridge = extra.get("bridge_id")
    return bridge if isinstance(bridge, str) and extra.get("bridge_technology") != _WAITING_ROOM else None


def story(node: str, rows: Sequence[CelRow], met: Meetings) -> Story:
    """Return one channel's story from its rows (at least one) in the order they were written."""
    told = Story(node=node, channel_id=rows[0].channel_id)
    for row in rows:
        told = replace(_told(told, row, met), last_at=row.at)
    return told


def _told(told: Story, row: CelRow, met: Meetings) -> Story:
    match row.kind:
        case "CHAN_START":
            return replace(told, started_at=row.at, channel=row.channel or None)
        case "ANSWER":
            return replace(told, answered_at=told.answered_at or row.at)
        case "BRIDGE_ENTER":
            return _entered(told, row, met)
        case "BRIDGE_EXIT":
            return _left(told, row)
        case _ if row.user_kind == _DROPPED:
            return replace(told, dropped_at=told.dropped_at or row.at)
        case "HANGUP":
            return replace(told, ended_at=row.at, cause=_cause(row))
        case _:
            return told


def _entered(told: Story, row: CelRow, met: Meetings) -> Story:
    bridge = bridge_of(row)
    if bridge is None:
        return told
    peer = next((channel for channel in met.get(bridge, ()) if channel != row.channel), None)
    return replace(told, stays=(*told.stays, Stay(peer=peer, entered_at=row.at)))


def _left(told: Story, row: CelRow) -> Story:
    if bridge_of(row) is None or not told.stays or told.stays[-1].left_at is not None:
        return told
    return replace(told, stays=(*told.stays[:-1], replace(told.stays[-1], left_at=row.at)))


def _cause(row: CelRow) -> int | None:
    cause = _extra(row).get("hangupcause")
    return cause if isinstance(cause, int) else None


def _extra(row: CelRow) -> dict[str, Any]:
    try:
        extra = json.loads(row.extra)
    except ValueError:
        return {}
    return extra if isinstance(extra, dict) else {}
