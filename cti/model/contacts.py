"""Whom we call and for what: contacts, their numbers, lists, campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cti.model.campaign_rules import CampaignRules


class Mode(StrEnum):
    """How a campaign decides when to dial."""

    PROGRESSIVE = "progressive"
    """One call for each free agent."""
    PREDICTIVE = "predictive"
    """As many calls as keep agents busy within the drop limit."""
    PREVIEW = "preview"
    """An agent sees the contact first."""
    MANUAL = "manual"
    """Only what an agent asks for."""


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
    """May be dialed, as far as the list knows."""
    WAITING = "waiting"
    """Not before its `due_at`: a retry, a callback, or a rule that forbids it now."""
    DIALING = "dialing"
    DONE = "done"
    """Nobody dials it any more; `reason` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNumber:
    """A number about to be stored."""

    e164: str
    raw: str
    zone: str | None = None
    """IANA name of the time zone the number lies in, when it is certain."""
    kind: str = ""
    """What sort of number: `mobile`, `fixed_line`, `toll_free`, ... as libphonenumber says; empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """A contact about to be stored, with his numbers in the order of preference (at least one)."""

    name: str
    numbers: tuple[NewNumber, ...]
    crm_ref: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    """Further columns of the import, by header; `tags` is a list of words, all else text."""
    crm_customer: str | None = None
    crm_contact: str | None = None
    crm_deal: str | None = None
    zone: str | None = None
    """The contact's own, IANA name; goes before the numbers' zones."""
    score: float | None = None
    stage: str | None = None
    consent: str | None = None
    """`given`, `withdrawn`, or None: nothing is known."""
    consent_at: datetime | None = None
    consent_source: str | None = None
    priority: int | None = None
    """In the list; None: the list's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefused:
    """A row of an import that was not taken."""

    line: int
    """Line of the file, from 1; the header is line 1."""
    reason: str
    code: str = "bad_row"
    """One of `cti.model.imports.RefusalCode`."""


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
    rules: CampaignRules = field(default_factory=CampaignRules)


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
    """For whom he is dialed: his owner, or the agent whose callback is due; None: for anybody."""
    crm_ref: str | None = None
    zone: str = ""
    """IANA name of the zone the number lies in; empty: not known."""
    priority: int = 0
    rank: float = 0.0
    """Among equal priorities the smaller first."""
    number_position: int = 0
    consent: str | None = None
    answer_chance: float | None = None
    """As learned; None: nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a campaign has come."""

    campaign_id: int
    total: int
    pending: int
    """May be dialed now as far as the list knows; rules may still forbid it."""
    dialing: int
    done: int
    waiting: int = 0
    """Not before a time."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    updated_at: datetime | None = None
