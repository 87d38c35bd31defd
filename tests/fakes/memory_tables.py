"""What the memory twins of the stores share: plain dictionaries in place of tables.

No transactions: nothing here waits, so that each method of a twin is one step.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cti.compliance.consents import Consent
from cti.compliance.listings import Listing, ListingStep, Register, RegisterState
from cti.model.agents import Agent, AgentChange
from cti.model.bulk import BulkAction
from cti.model.callbacks import Callback, CallbackMove
from cti.model.calls import Call, EndReason, Outcome
from cti.model.contact_rows import ContactChange
from cti.model.contacts import Campaign, Candidate, EntryState, NewContact, RowRefused
from cti.model.crm import Link, TargetStanding
from cti.model.crm_reconciliation import Finding, Reconciliation
from cti.model.dictionaries import DictionaryEntry
from cti.model.lines import CallerPool
from cti.model.ownership import OwnerMove
from cti.model.queries import RecordingFacts
from cti.model.recordings import HoldStep, Pause, Peaks
from cti.model.transcripts import Transcript
from cti.model.views import View
from cti.model.webhooks import Delivery, Webhook
from cti.model.work import NewWork


@dataclass(slots=True, kw_only=True)
class Entry:
    """A contact's place in a list."""

    id: int
    list_id: int
    campaign_id: int
    contact_id: int
    state: EntryState = EntryState.PENDING
    tries: int = 0
    call_id: str | None = None
    number_position: int = 0
    owner_key: int = 0
    zone: str = ""
    priority: int = 0
    rank: float = 0.0
    due_at: datetime | None = None
    reason: str | None = None
    reason_detail: str | None = None
    reason_at: datetime | None = None
    last_outcome: str | None = None
    failures: int = 0
    raised: int = 0
    fresh_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What became of a contact at a moment, in the words of the table `entry_reasons`."""

    id: int
    at: datetime
    kind: str
    reason: str
    detail: str
    entry_id: int
    contact_id: int
    campaign_id: int
    number: str
    call_id: str | None


@dataclass(slots=True, kw_only=True)
class Ownership:
    """What the table `contacts` says of a contact's owner and of the work on him."""

    owner: int | None = None
    since: datetime | None = None
    last_talk_at: datetime | None = None
    failures: int = 0
    returned_at: datetime | None = None
    returned_by: int | None = None
    stopped_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try, in the words of the table `attempts`."""

    call_id: str
    entry_id: int | None
    campaign_id: int | None
    outcome: Outcome | None = None
    end_reason: EndReason | None = None
    ended_at: datetime | None = None
    placed_at: datetime | None = None
    try_number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An agent's disposition of a call."""

    agent_id: int | None
    disposition: str
    note: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class WorkRow:
    """A row of work in any standing."""

    id: int
    wish: NewWork
    due_at: datetime
    version: int = 1
    standing: str = "waiting"
    attempts: int = 0
    lease: str | None = None
    leased_until: datetime | None = None
    error: str | None = None
    changed_at: datetime


@dataclass(slots=True, kw_only=True)
class StoredList:
    """A list's own facts."""

    campaign_id: int
    name: str
    source: str
    refused: tuple[RowRefused, ...]
    created_at: datetime


@dataclass(slots=True)
class MemoryTables:
    """All rows."""

    agents: dict[int, Agent] = field(default_factory=dict)
    agent_changes: list[AgentChange] = field(default_factory=list)
    campaigns: dict[int, Campaign] = field(default_factory=dict)
    lists: dict[int, StoredList] = field(default_factory=dict)
    contacts: dict[int, NewContact] = field(default_factory=dict)
    created_at: dict[int, datetime] = field(default_factory=dict)
    """By contact."""
    ownerships: defaultdict[int, Ownership] = field(default_factory=lambda: defaultdict(Ownership))
    """By contact."""
    owner_moves: list[OwnerMove] = field(default_factory=list)
    rotas: dict[str, dict[int, float]] = field(default_factory=dict)
    number_ids: dict[int, int] = field(default_factory=dict)
    """First number's id by contact."""
    entries: dict[int, Entry] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    recordings: dict[str, RecordingFacts] = field(default_factory=dict)
    recording_pauses: defaultdict[str, list[Pause]] = field(default_factory=lambda: defaultdict(list))
    recording_holds: defaultdict[str, list[HoldStep]] = field(default_factory=lambda: defaultdict(list))
    recording_peaks: dict[str, Peaks] = field(default_factory=dict)
    works: dict[int, WorkRow] = field(default_factory=dict)
    nodes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    callbacks: dict[int, Callback] = field(default_factory=dict)
    callback_moves: dict[int, list[CallbackMove]] = field(default_factory=dict)
    caller_pools: dict[int, CallerPool] = field(default_factory=dict)
    contact_zones: dict[int, str] = field(default_factory=dict)
    """By contact: the zone that his record names."""
    stopped: dict[int, datetime] = field(default_factory=dict)
    """By contact: since when he is stopped."""
    listings: dict[int, Listing] = field(default_factory=dict)
    listing_steps: list[ListingStep] = field(default_factory=list)
    registers: dict[int, Register] = field(default_factory=dict)
    register_states: dict[int, RegisterState] = field(default_factory=dict)
    register_keys: dict[int, set[str]] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    contact_columns: defaultdict[int, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    """By contact: columns of the table `contacts` that were written after he was brought in."""
    contact_tags: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    contact_changes: list[ContactChange] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    bulk_actions: dict[int, BulkAction] = field(default_factory=dict)
    dictionary_entries: dict[tuple[str, int, str], DictionaryEntry] = field(default_factory=dict)
    transcripts: dict[int, Transcript] = field(default_factory=dict)
    """By key."""
    call_marks: dict[tuple[str, str, str], float | None] = field(default_factory=dict)
    """By call, kind and name."""
    crm_links: dict[tuple[str, str], Link] = field(default_factory=dict)
    """By target and call."""
    crm_targets: dict[str, TargetStanding] = field(default_factory=dict)
    reconciliations: dict[int, Reconciliation] = field(default_factory=dict)
    findings: dict[int, tuple[int, Finding]] = field(default_factory=dict)
    """With the run that found it."""
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    deliveries: dict[tuple[int, str], Delivery] = field(default_factory=dict)
    """By webhook and event."""
    used_links: dict[str, datetime] = field(default_factory=dict)
    """When they expire, by nonce."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> int:
        """Return a number that no row of any table has."""
        return next(self._ids)

    def candidate(self, entry: Entry) -> Candidate:
        """Return the entry as the next to be dialed; a number that is gone is empty."""
        contact = self.contacts[entry.contact_id]
        there = entry.number_position < len(contact.numbers)
        return Candidate(
            entry_id=entry.id,
            list_id=entry.list_id,
            campaign_id=entry.campaign_id,
            contact_id=entry.contact_id,
            number_id=self.number_ids[entry.contact_id] + entry.number_position if there else 0,
            number=contact.numbers[entry.number_position].e164 if there else "",
            name=contact.name,
            tries=entry.tries,
            owner_agent_id=entry.owner_key or None,
            crm_ref=contact.crm_ref,
            zone=entry.zone,
            priority=entry.priority,
            rank=entry.rank,
            number_position=entry.number_position,
        )

    def write_works(self, wishes: Iterable[NewWork], now: datetime) -> None:
        """Add or coalesce, as the table `work` does."""
        for wish in wishes:
            row = next((row for row in self.works.values() if _same_work(row, wish)), None)
            if row is None:
                number = self.new_id()
                self.works[number] = WorkRow(id=number, wish=wish, due_at=wish.due_at or now, changed_at=now)
            else:
                _replace_work(row, wish, now)


def _same_work(row: WorkRow, wish: NewWork) -> bool:
    return row.standing != "done" and (row.wish.kind, row.wish.key) == (wish.kind, wish.key)


def _replace_work(row: WorkRow, wish: NewWork, now: datetime) -> None:
    priority = max(row.wish.priority, wish.priority)
    row.wish = NewWork(kind=wish.kind, key=wish.key, payload=wish.payload, priority=priority)
    row.version += 1
    row.standing = "waiting"
    row.attempts = 0
    row.due_at = wish.due_at or now
    row.changed_at = now
