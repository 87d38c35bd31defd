"""Questions to the store of facts, and the rows they bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cti.model.calls import Call
from cti.model.conditions import Condition
from cti.model.recordings import Place, SoundFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls; every field that is not None narrows. Times are of `placed_at`, from inclusive, until exclusive."""

    since: datetime | None = None
    until: datetime | None = None
    campaign_id: int | None = None
    agent_id: int | None = None
    number: str | None = None
    """E.164, or its last digits."""
    outcome: str | None = None
    disposition: str | None = None
    contact_id: int | None = None
    condition: Condition | None = None
    """Settled, over calls; narrows what the other fields leave."""
    open_only: bool = False
    limit: int = 1000
    before_id: str | None = None
    """For the next page: only calls whose id is smaller (calls come newest first)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """What is known of a call's recording."""

    path: str | None
    """Below the recordings folder, or the key behind the S3 prefix; forward slashes; None when there is none."""
    seconds: float | None = None
    size_bytes: int | None = None
    """As it is played; encrypted it takes a little more."""
    problem: str | None = None
    """Why there is none, or why it is suspicious."""
    sha256: str | None = None
    """Of the file as it is played, in hex; the same whatever key it is encrypted with."""
    place: Place = Place.LOCAL
    format: SoundFormat = SoundFormat.WAV
    key_id: str | None = None
    """Which key it is encrypted with; None: it is not."""
    retention: str = ""
    """Name of its retention class; empty: none, it is kept."""
    recorded_at: datetime | None = None
    """When the call was answered: second 0 of the file."""
    held: bool = False
    """Under legal hold; written by `set_hold` alone."""
    deleting_at: datetime | None = None
    """Its deletion has begun; written by the retention service alone, as `deleted_at`."""
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call with the names that people look for."""

    call: Call
    contact_name: str | None = None
    campaign_name: str | None = None
    agent_login: str | None = None
    disposition: str | None = None
    note: str | None = None
    recording: RecordingFacts | None = None
    deal: Mapping[str, Any] | None = None
    """Of the contact, as the CRM says: `ref`, `name`, `stage`, `amount`, `currency`."""
