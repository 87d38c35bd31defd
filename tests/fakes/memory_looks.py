"""Contacts, entries and calls of the memory twins, to be asked by conditions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from cti.contacts.fields import CUSTOM, ENTRY_FIELDS
from cti.model.callbacks import OPEN_CALLBACKS
from cti.model.calls import Call
from cti.model.conditions import Scope
from cti.model.contact_rows import ContactRow, NumberRow
from tests.fakes.memory_tables import Entry, MemoryTables

CONTACT: Final = {
    "owner": "owner_agent_id",
    "created": "created_at",
    "changed": "changed_at",
    "import": "import_id",
    "stopped": "stopped_at",
    "next_follow_up": "next_follow_up_at",
    "returned": "returned_at",
    "last_talk": "last_talk_at",
}
ENTRY: Final = {"campaign": "campaign_id", "list": "list_id", "due": "due_at", "entry_tries": "tries"}
CALL: Final = {
    "campaign": "campaign_id",
    "list": "list_id",
    "agent": "agent_id",
    "owner": "owner_agent_id",
} | {
    word: f"{word}_at"
    for word in (
        "placed",
        "dialing",
        "ringing",
        "answered",
        "waiting",
        "connected",
        "dropped",
        "message_played",
        "ended",
        "detected",
        "voicemail",
    )
}


def contact_row(tables: MemoryTables, contact_id: int) -> ContactRow:
    """Return a contact as the twin tells him."""
    new, columns = tables.contacts[contact_id], tables.contact_columns[contact_id]
    first_id = tables.number_ids[contact_id]
    known = {one.name for one in fields(ContactRow)}
    facts = {name: getattr(new, name) for name in ("name", "crm_ref", "fields")}
    more = {name: getattr(new, name) for name in known if hasattr(new, name) and name not in facts}
    more.pop("numbers", None)
    columns = more | facts | columns | _owned_columns(tables, contact_id)
    told = {name: value for name, value in columns.items() if name in known}
    owner = tables.agents.get(columns.get("owner_agent_id") or 0)
    return ContactRow(
        id=contact_id,
        **{"created_at": tables.created_at.get(contact_id)} | told,
        owner=owner.login if owner else None,
        tags=tuple(sorted(tables.contact_tags[contact_id])),
        numbers=tuple(
            NumberRow(
                id=first_id + at,
                position=at,
                e164=number.e164,
                raw=number.raw,
                zone=number.zone,
                kind=getattr(number, "kind", ""),
            )
            for at, number in enumerate(new.numbers)
        ),
    )


OWNED: Final = {
    "owner_agent_id": "owner",
    "owner_since": "since",
    "last_talk_at": "last_talk_at",
    "failures": "failures",
    "returned_at": "returned_at",
    "returned_by": "returned_by",
    "stopped_at": "stopped_at",
}
"""Columns that the twin of ownership keeps, by their names there."""


def _owned_columns(tables: MemoryTables, contact_id: int) -> dict[str, Any]:
    owned: dict[str, Any] = {}
    if contact_id in tables.ownerships:
        kept = tables.ownerships[contact_id]
        owned = {name: getattr(kept, there) for name, there in OWNED.items()}
    if contact_id in tables.stopped:
        owned["stopped_at"] = tables.stopped[contact_id]
    if contact_id in tables.contact_zones:
        owned["zone"] = tables.contact_zones[contact_id]
    return owned


def set_columns(tables: MemoryTables, contact_id: int, columns: Mapping[str, Any]) -> None:
    """Write columns of a contact, where each twin looks for them."""
    tables.contact_columns[contact_id] |= columns
    for name, value in columns.items():
        if name in OWNED:
            setattr(tables.ownerships[contact_id], OWNED[name], value)
    for name, place in (("stopped_at", tables.stopped), ("zone", tables.contact_zones)):
        if name in columns:
            place.pop(contact_id, None)
            if columns[name]:
                place[contact_id] = columns[name]


class ContactLook:
    """One contact."""

    def __init__(self, tables: MemoryTables, contact_id: int) -> None:
        self._tables = tables
        self._id = contact_id
        self.row = contact_row(tables, contact_id)

    def values(self, field: str, key: str) -> Sequence[Any]:
        if field in ENTRY_FIELDS:
            return [value for entry in self.others(Scope.ENTRY) for value in entry.values(field, key)]
        if field == CUSTOM:
            value = self.row.fields.get(key)
            return [value] if isinstance(value, str) else []
        if field in _OF_CONTACT:
            return _OF_CONTACT[field](self)
        return [getattr(self.row, CONTACT.get(field, field))]

    def others(self, scope: Scope) -> "Sequence[EntryLook] | Sequence[CallLook]":
        if scope is Scope.CALL:
            return [CallLook(self._tables, call) for call in self.calls()]
        entries = self._tables.entries.values()
        return [EntryLook(entry) for entry in entries if entry.contact_id == self._id]

    def calls(self) -> list[Call]:
        """Return his calls, oldest first."""
        mine = [call for call in self._tables.calls.values() if call.contact_id == self._id]
        return sorted(mine, key=lambda call: call.id)

    def callbacks(self) -> list[Any]:
        mine = [one for one in self._tables.callbacks.values() if one.contact_id == self._id]
        return [one.due_at for one in mine if one.state in OPEN_CALLBACKS]

    def last_disposition(self) -> list[Any]:
        verdicts = [self._tables.verdicts.get(call.id) for call in self.calls()]
        return [verdict.disposition for verdict in verdicts if verdict][-1:]


_OF_CONTACT: Final[Mapping[str, Callable[[ContactLook], Sequence[Any]]]] = {
    "number": lambda look: [number.e164 for number in look.row.numbers],
    "tag": lambda look: look.row.tags,
    "zone": lambda look: [look.row.zone or (look.row.numbers[0].zone if look.row.numbers else None)],
    "callback": lambda look: look.callbacks(),
    "tries": lambda look: [len(look.calls())],
    "last_call": lambda look: [max(call.placed_at for call in look.calls())] if look.calls() else [],
    "last_outcome": lambda look: [call.outcome for call in look.calls()][-1:],
    "last_disposition": lambda look: look.last_disposition(),
}


class EntryLook:
    """One entry."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def values(self, field: str, key: str) -> Sequence[Any]:
        return [getattr(self._entry, ENTRY.get(field, field))]

    def others(self, scope: Scope) -> Sequence[ContactLook]:
        return []


class CallLook:
    """One call."""

    def __init__(self, tables: MemoryTables, call: Call) -> None:
        self._tables = tables
        self.call = call

    def values(self, field: str, key: str) -> Sequence[Any]:
        if field in ("disposition", "note", "disposed"):
            verdict = self._tables.verdicts.get(self.call.id)
            return [getattr(verdict, {"disposed": "at"}.get(field, field))] if verdict else []
        if field.startswith("recording"):
            return self._recording(field)
        if field == "contact_name":
            return [look.row.name for look in self.others(Scope.CONTACT)]
        if field.endswith("_seconds") and field not in ("ring_seconds", "grace_seconds"):
            return self._seconds(field)
        return [getattr(self.call, CALL.get(field, field))]

    def others(self, scope: Scope) -> Sequence[ContactLook]:
        contact_id = self.call.contact_id
        return [ContactLook(self._tables, contact_id)] if contact_id in self._tables.contacts else []  # type: ignore[arg-type]

    def _recording(self, field: str) -> Sequence[Any]:
        facts = self._tables.recordings.get(self.call.id)
        names = {"recording": "path", "recording_bytes": "size_bytes"}
        return [getattr(facts, names.get(field, field.removeprefix("recording_")))] if facts else []

    def _seconds(self, field: str) -> Sequence[Any]:
        call = self.call
        spans = {
            "wait_seconds": [(call.answered_at, call.connected_at)],
            "total_seconds": [(call.placed_at, call.ended_at)],
            "talk_seconds": [(join.joined_at, join.left_at or call.ended_at) for join in call.joins],
        }[field]
        known = [until - since for since, until in spans if since and until]
        if field != "talk_seconds" and not known:
            return []
        return [sum(known, timedelta()).total_seconds()]
