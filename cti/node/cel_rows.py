"""Rows of a node's CEL file, as `config/asterisk/cel_custom.conf` has them written. Pure."""

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

COLUMNS: Final = (
    "eventtype",
    "eventtime",
    "uniqueid",
    "linkedid",
    "channame",
    "bridgepeer",
    "eventextra",
    "userdeftype",
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"(?P<seconds>\d{1,11})\.(?P<micros>\d{6})", re.ASCII)
_HEAD: Final = re.compile(rb'"[^"\n]*","(?P<seconds>\d{1,11})\.\d{6}",')


@dataclass(frozen=True, slots=True)
class CelRow:
    """One event of one channel."""

    kind: str
    """`CHAN_START`, `ANSWER`, `BRIDGE_ENTER`, `BRIDGE_EXIT`, `HANGUP`; of CELGenUserEvent its first argument."""
    at: datetime
    channel_id: str
    linked_id: str
    channel: str
    peer: str
    """Names of the other channels in the bridge, with commas; often empty in the row of who came first."""
    extra: str
    """JSON."""
    user_kind: str


def parse_row(line: bytes) -> CelRow | None:
    """Return the row, None when the line is not one."""
    try:
        [cells] = csv.reader([line.decode("utf-8", "replace")], strict=True)
    except (csv.Error, ValueError):
        return None
    if len(cells) != len(COLUMNS):
        return None
    kind, time, channel_id, linked_id, channel, peer, extra, user_kind = cells
    at = _moment(time)
    return CelRow(kind, at, channel_id, linked_id, channel, peer, extra, user_kind) if at else None


def second_of(line: bytes) -> int | None:
    """Return a row's time in whole seconds since 1970 without reading the rest, None when it is no row."""
    found = _HEAD.match(line)
    return int(found["seconds"]) if found else None


def _moment(text: str) -> datetime | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    return _EPOCH + timedelta(seconds=int(found["seconds"]), microseconds=int(found["micros"]))
