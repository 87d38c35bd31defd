"""What changes of one contact, as a value that can be kept, told, and turned round. Pure.

Every part says what was before and what comes after. A change is worked out from a contact as he stands (`Subject`),
within the transaction that carries it out; its opposite may be carried out later where what came after still holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cti.model.contacts import EntryState

Steps = Mapping[str, tuple[Any, Any]]
"""By column: before and after."""

_TIMES: Final = frozenset(
    {"stopped_at", "next_follow_up_at", "due_at", "reason_at", "consent_at", "owner_since"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """Where a contact stands in one list."""

    id: int
    list_id: int
    campaign_id: int
    state: EntryState
    tries: int
    priority: int
    rank: float
    zone: str
    number_position: int
    owner_key: int
    due_at: datetime | None = None
    reason: str | None = None
    reason_detail: str | None = None
    reason_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A contact as he stands, with all that an action may look at."""

    id: int
    facts: Mapping[str, Any]
    """Columns of the table `contacts`."""
    entries: tuple[EntryFacts, ...] = ()
    """Oldest first."""
    tags: frozenset[str] = frozenset()
    zones: tuple[str | None, ...] = ()
    """Of his numbers, in the order of preference."""

    @property
    def dialing(self) -> bool:
        """He is being called at this moment."""
        return any(entry.state is EntryState.DIALING for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changes of one contact."""

    contact: Steps = field(default_factory=dict)
    entries: Mapping[int, Steps] = field(default_factory=dict)
    """By the entry's id."""
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    entry_added: Mapping[str, Any] | None = None
    """Columns of a new entry; `id` is there once it was stored."""
    entry_removed: Mapping[str, Any] | None = None
    note: str | None = None
    """What somebody wrote down of him; changes nothing else, and nothing takes it back."""

    def __bool__(self) -> bool:
        """Whether anything changes."""
        parts = (self.contact, self.entries, self.tags_added, self.tags_removed, self.note)
        return any(parts) or self.entry_added is not None or self.entry_removed is not None


def steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Steps:
    """Return what differs."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def opposite(change: Change) -> Change:
    """Return the change that takes this one back."""
    return Change(
        contact=_turned(change.contact),
        entries={entry_id: _turned(part) for entry_id, part in change.entries.items()},
        tags_added=change.tags_removed,
        tags_removed=change.tags_added,
        entry_added=change.entry_removed,
        entry_removed=change.entry_added,
    )


def _turned(part: Steps) -> Steps:
    return {name: (after, before) for name, (before, after) in part.items()}


def still_fits(change: Change, subject: Subject) -> bool:
    """Return whether everything that the change wants to alter still is as the change says it was before."""
    entries = {entry.id: entry for entry in subject.entries}
    return (
        all(subject.facts.get(name) == before for name, (before, _) in change.contact.items())
        and all(
            entry_id in entries
            and all(getattr(entries[entry_id], name) == before for name, (before, _) in part.items())
            for entry_id, part in change.entries.items()
        )
        and subject.tags.issuperset(change.tags_removed)
        and subject.tags.isdisjoint(change.tags_added)
        and _untouched(change.entry_removed, entries)
    )


def _untouched(removed: Mapping[str, Any] | None, entries: Mapping[int, EntryFacts]) -> bool:
    if removed is None:
        return True
    entry = entries.get(removed["id"])
    return entry is not None and entry.tries == 0 and entry.state is not EntryState.DIALING


def change_record(change: Change) -> dict[str, Any]:
    """Return the change as JSON values; empty parts are left out."""
    told = {
        "contact": _steps_record(change.contact),
        "entries": {str(entry_id): _steps_record(part) for entry_id, part in change.entries.items()},
        "tags_added": list(change.tags_added),
        "tags_removed": list(change.tags_removed),
        "entry_added": change.entry_added and {k: _plain(v) for k, v in change.entry_added.items()},
        "entry_removed": change.entry_removed and {k: _plain(v) for k, v in change.entry_removed.items()},
        "note": change.note,
    }
    return {name: part for name, part in told.items() if part}


def change_of(record: Mapping[str, Any]) -> Change:
    """Return the change that was written down as this record."""
    return Change(
        contact=_steps_of(record.get("contact", {})),
        entries={int(entry_id): _steps_of(part) for entry_id, part in record.get("entries", {}).items()},
        tags_added=tuple(record.get("tags_added", ())),
        tags_removed=tuple(record.get("tags_removed", ())),
        entry_added=_columns_of(record.get("entry_added")),
        entry_removed=_columns_of(record.get("entry_removed")),
        note=record.get("note"),
    )


def _steps_record(part: Steps) -> dict[str, list[Any]]:
    return {name: [_plain(before), _plain(after)] for name, (before, after) in part.items()}


def _steps_of(record: Mapping[str, Any]) -> Steps:
    return {name: (_read(name, before), _read(name, after)) for name, (before, after) in record.items()}


def _columns_of(record: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if record is None else {name: _read(name, value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    if name == "state":
        return EntryState(value)
    return datetime.fromisoformat(value) if name in _TIMES and value is not None else value
