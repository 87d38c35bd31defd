"""What recordings are called. Nothing from outside gets into a name, so none can lead out of its folder."""

import re
from datetime import datetime
from typing import Final

from cti.errors import BadInput

RAW_SUFFIX: Final = ".raw"
"""What the dialplan appends; MixMonitor writes two interleaved channels only under this one."""

_NAME: Final = re.compile(r"\d{4}/\d{2}/\d{2}/[0-9a-f]{32}", re.ASCII)


def recording_name(call_id: str, placed_at: datetime) -> str:
    """Return the name a call is recorded under: its date in UTC and its id, for example `2026/11/23/<id>`."""
    return checked_name(f"{placed_at:%Y/%m/%d}/{call_id}")


def checked_name(name: str) -> str:
    """Return the name as it is. Raises BadInput when it is not one that `recording_name` could have made."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is not the name of a recording (year/month/day/call id)")
    return name
