"""What one channel went through, from its CEL rows. Pure.

The row of who enters a bridge first names no peer, and neither does the row of who leaves it last. So peers are found
by the bridge's id, which the rows of both carry.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from cti.model.detection import answered_by, detection_words
from cti.model.stories import Stay, Story
from cti.node.cel_rows import CelRow

_DROPPED: Final = "CTI_DROPPED"
_DETECTED: Final = "CTI_DETECTED"
_VOICEMAIL: Final = "CTI_VOICEMAIL"
"""The dialplan's own events (extensions_cti.conf)."""
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
    draft = _Draft()
    for row in rows:
        draft.take(row, met)
    return Story(
        node=node,
        channel_id=rows[0].channel_id,
        channel=draft.channel,
        started_at=draft.started_at,
        answered_at=draft.answered_at,
        stays=tuple(draft.stays),
        dropped_at=draft.dropped_at,
        answered_by=draft.answered_by,
        detected_at=draft.detected_at,
        detection=draft.detection,
        voicemail_at=draft.voicemail_at,
        ended_at=draft.ended_at,
        cause=draft.cause,
        far_end=draft.far_end,
        last_at=rows[-1].at,
    )


@dataclass(slots=True)
class _Draft:
    """A story in the making."""

    channel: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    stays: list[Stay] = field(default_factory=list)
    dropped_at: datetime | None = None
    answered_by: str | None = None
    detected_at: datetime | None = None
    detection: str | None = None
    voicemail_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    far_end: bool = False

    def take(self, row: CelRow, met: Meetings) -> None:
        """Write one row into it; a row that says nothing we want is passed over."""
        match row.kind:
            case "CHAN_START":
                self.started_at, self.channel = row.at, row.channel or None
            case "ANSWER":
                self.answered_at = self.answered_at or row.at
            case "BRIDGE_ENTER":
                self._enter(row, met)
            case "BRIDGE_EXIT":
                self._leave(row)
            case "HANGUP":
                self.ended_at, self.cause = row.at, _cause(row)
                self.far_end = bool(row.channel) and _extra(row).get("hangupsource") == row.channel
            case _ if row.user_kind == _DROPPED:
                self.dropped_at = self.dropped_at or row.at
            case _ if row.user_kind == _DETECTED and self.detected_at is None:
                self._detect(row)
            case _ if row.user_kind == _VOICEMAIL and _own_words(row) == "SUCCESS":
                self.voicemail_at = self.voicemail_at or row.at

    def _detect(self, row: CelRow) -> None:
        by, _, words = _own_words(row).partition(" ")
        self.detected_at, self.answered_by, self.detection = row.at, answered_by(by), detection_words(words)

    def _enter(self, row: CelRow, met: Meetings) -> None:
        bridge = bridge_of(row)
        if bridge is not None:
            peer = next((channel for channel in met.get(bridge, ()) if channel != row.channel), None)
            self.stays.append(Stay(peer=peer, entered_at=row.at))

    def _leave(self, row: CelRow) -> None:
        if bridge_of(row) is not None and self.stays and self.stays[-1].left_at is None:
            self.stays[-1] = replace(self.stays[-1], left_at=row.at)


def _own_words(row: CelRow) -> str:
    """Return what the dialplan's own event says."""
    words = _extra(row).get("extra")
    return words if isinstance(words, str) else ""


def _cause(row: CelRow) -> int | None:
    cause = _extra(row).get("hangupcause")
    return cause if isinstance(cause, int) else None


def _extra(row: CelRow) -> dict[str, Any]:
    try:
        extra = json.loads(row.extra)
    except ValueError:
        return {}
    return extra if isinstance(extra, dict) else {}
