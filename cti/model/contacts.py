"""Whom we call and for what: contacts, their numbers, lists, campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    """How a campaign decides when to dial."""

    PROGRESSIVE = "progressive"
    """One call for each free agent."""


class CampaignState(StrEnum):
    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"
    """No new calls; those that are up go on."""
    FINISHED = "finished"
    """Nothing left to dial and no call up."""


class EntryState(StrEnum):
    """Where a contact stands in a list."""

    PENDING = "pending"
    DIALING = "dialing"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNumber:
    """A number about to be stored."""

    e164: str
    raw: str
    zone: str | None = None
    """IANA name of the time zone the number lies in, when it is certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """A contact about to be stored, with his numbers in the order of preference (at least one)."""

    name: str
    numbers: tuple[NewNumber, ...]
    crm_ref: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the import, by header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefused:
    """A row of an import that was not taken."""

    line: int
    """Line of the file, from 1; the header is line 1."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What became of an import."""

    list_id: int
    taken: int
    refused: tuple[RowRefused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign's settings."""

    id: int
    name: str
    node: str
    trunk: str
    """PJSIP endpoint its calls leave by."""
    mode: Mode = Mode.PROGRESSIVE
    state: CampaignState = CampaignState.STOPPED
    ring_seconds: float = 30.0
    grace_seconds: float = 2.0
    """How long an answered person may wait for an agent (16 CFR 310.4(b)(4)(iii): 2 s)."""
    message: str = "cti-sorry"
    """Sound that the dialplan plays to a person nobody fetched; a name in Asterisk's sounds folder."""
    caller_id: str = ""
    """Number shown to the person called; E.164 or empty."""
    record: bool = True
    wrap_up_seconds: float | None = None
    """After this the agent is ready by himself; None: he says it."""
    max_lines: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The next contact of a list to be dialed."""

    entry_id: int
    list_id: int
    campaign_id: int
    contact_id: int
    number_id: int
    number: str
    name: str
    tries: int = 0
    """Attempts so far."""
    owner_agent_id: int | None = None
    crm_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a campaign has come."""

    campaign_id: int
    total: int
    pending: int
    dialing: int
    done: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None
