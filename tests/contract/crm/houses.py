"""What the contract suite needs of a CRM besides its adapter: to look from behind, and to order faults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Protocol, runtime_checkable

from crm_sync.port import CallWrite, Crm, Idempotency, PulledRecord
from cti.model.crm import CallLog, RecordRef
from tests.builders import NOW, a_call
from tests.fakes.strict_crm import SOURCE, StrictClient, StrictCrm


class House(Protocol):
    """A CRM under test. `faults` names what it can be made to do; tests of other faults are skipped."""

    crm: Crm
    faults: frozenset[str]
    """Among `lose_answer`, `away`, `throttle`, `refuse_key`."""

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        """Return the write of this call as this CRM's mapping would make it, on a record that exists."""
        ...

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        """Return what stands there for the call, read past the adapter: `id`, `home`, `started_at`, `note`."""
        ...

    async def delete(self, remote: RecordRef) -> None:
        """Delete as a user would."""
        ...

    async def order(self, fault: str) -> None:
        """Make the next request meet this fault."""
        ...


@runtime_checkable
class ManualHouse(House, Protocol):
    """A CRM in which a test can do what its users do; tests of that are skipped for one that is no such house."""

    goes_back: bool
    """Ours may put a call onto another record."""

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        """Put a call onto another record and give it to another user, as far as users there can, and give it another
        title; return what `standing` tells of it then, among `home`, `user`, `title`."""
        ...


@runtime_checkable
class TextHouse(ManualHouse, Protocol):
    """One whose adapter looks at a text before it writes over it."""

    note: str
    """Name of the field that holds the note."""

    async def type_over(self, remote: RecordRef, text: str) -> None:
        """Have a user type this in place of the call's note."""
        ...


@runtime_checkable
class RecordHouse(House, Protocol):
    """A CRM whose leads a test can make; tests of records are skipped for one that is no such house."""

    source: str
    """Gives the records of this test, and no others."""

    async def add_records(self, *facts: Mapping[str, Any]) -> list[RecordRef]:
        """Make records as one import would, at one instant; `name` and `number` of each."""
        ...

    async def end_record(self, ref: RecordRef) -> str:
        """Make it one that is not dialed any more; return why, as `PulledRecord.over` must have it."""
        ...

    async def follow_ups(self, ref: RecordRef) -> Sequence[date]:
        """Return the days of the next calls that stand on it."""
        ...


def a_log(**given: Any) -> CallLog:
    """Build a call of 42 s with Anna."""
    call = a_call()
    values: dict[str, Any] = {
        "call_id": call.id,
        "number": call.number,
        "placed_at": NOW,
        "ended_at": NOW + timedelta(seconds=60),
        "answered_at": NOW + timedelta(seconds=15),
        "connected_at": NOW + timedelta(seconds=18),
        "outcome": "connected",
        "talk_seconds": 42.0,
        "ring_seconds": 15.0,
        "total_seconds": 60.0,
        "agent": "anna",
        "agent_name": "Anna",
        "extension": "a001",
        "contact": "Li Wei",
        "campaign": "autumn",
    }
    return CallLog(**values | given)


class StrictHouse:
    """The CRM in memory."""

    faults = frozenset({"lose_answer", "away", "throttle", "refuse_key"})
    source = SOURCE
    note = "note"
    goes_back = True

    def __init__(self, idempotency: Idempotency) -> None:
        self.server = StrictCrm(idempotency=idempotency)
        self.crm: Crm = StrictClient(self.server)

    def write(self, log: CallLog, **given: Any) -> CallWrite:
        fields = {
            "subject": f"Call to {log.contact}",
            "status": "held" if log.outcome == "connected" else "not held",
            "started": log.placed_at.isoformat(),
            "seconds": log.talk_seconds,
            "note": log.note,
        }
        return CallWrite(**{"log": log, "fields": fields, "home": RecordRef("lead", "7")} | given)

    async def standing(self, call_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row.id,
                "home": row.home.id if row.home else None,
                "user": row.user,
                "title": row.fields["subject"],
                "started_at": row.fields["started"],
                "note": row.fields.get("note"),
            }
            for row in self.server.rows.values()
            if row.mark == call_id
        ]

    async def delete(self, remote: RecordRef) -> None:
        del self.server.rows[remote.id]

    async def by_hand(self, remote: RecordRef) -> Mapping[str, str]:
        row = self.server.rows[remote.id]
        row.home, row.user, row.fields["subject"] = RecordRef("lead", "8"), "ben", "Wrong person"
        return {"home": "8", "user": "ben", "title": "Wrong person"}

    async def type_over(self, remote: RecordRef, text: str) -> None:
        self.server.rows[remote.id].fields["note"] = text

    async def order(self, fault: str) -> None:
        match fault:
            case "lose_answer":
                self.server.lose_answers = 1
            case "away":
                self.server.away = True
            case "throttle":
                self.server.throttles, self.server.throttled_seconds = 1, 17.0
            case "refuse_key":
                self.server.key_refused = True

    async def add_records(self, *facts: Mapping[str, Any]) -> list[RecordRef]:
        made = [
            PulledRecord(
                ref=RecordRef("lead", f"l{len(self.server.records) + n}"),
                name=one["name"],
                numbers=[one["number"]] if "number" in one else [],
            )
            for n, one in enumerate(facts)
        ]
        self.server.records += made
        return [one.ref for one in made]

    async def end_record(self, ref: RecordRef) -> str:
        self.server.records = [
            replace(one, over="won") if one.ref == ref else one for one in self.server.records
        ]
        return "won"

    async def follow_ups(self, ref: RecordRef) -> Sequence[date]:
        return [at.date() for on, at, _ in self.server.tasks.values() if on == ref]
