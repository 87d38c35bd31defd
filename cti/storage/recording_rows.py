"""`RecordingFacts` as a row of `recordings`, and back. Pure."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from cti.model.queries import RecordingFacts
from cti.model.recordings import Place, SoundFormat
from cti.storage.tables import recordings

MOVING: Final = ("path", "size_bytes", "sha256", "place", "format", "key_id")
"""What changes when a file is compressed, moved or encrypted anew."""
SAVED: Final = (*MOVING, "seconds", "problem", "retention", "recorded_at")
"""What the collector knows."""
FACTS: Final = (*SAVED, "held", "deleting_at", "deleted_at")
FACT_COLUMNS: Final = tuple(recordings.c[name] for name in FACTS)


def recording_values(facts: RecordingFacts, *names: str) -> dict[str, Any]:
    """Return those fields as the table keeps them."""
    values = {name: getattr(facts, name) for name in names}
    for name in ("place", "format"):
        if name in values:
            values[name] = values[name].value
    return values


def saved_values(call_id: str, facts: RecordingFacts, *, at: datetime) -> dict[str, Any]:
    """Return the row that the collector writes."""
    return recording_values(facts, *SAVED) | {"call_id": call_id, "checked_at": at}


def facts_of(row: Row[Any]) -> RecordingFacts:
    """Return the facts of a row that has `FACT_COLUMNS`."""
    values = {name: getattr(row, name) for name in FACTS}
    values |= {"place": Place(row.place), "format": SoundFormat(row.format)}
    return RecordingFacts(**values)
