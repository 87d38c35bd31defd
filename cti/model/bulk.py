"""Actions on many contacts at once: what is wished, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment

BULK_WORK: Final = "contacts.bulk"
"""Kind of the work that carries an action out."""


class BulkKind(StrEnum):
    """What may be done with many contacts. Stored; renamed never."""

    ASSIGN = "assign"
    TAG = "tag"
    UNTAG = "untag"
    STAGE = "stage"
    STOP = "stop"
    """Nobody calls them any more, in any list."""
    REOPEN = "reopen"
    """Takes a stop back, and what is done with is dialed again."""
    PRIORITY = "priority"
    MOVE = "move"
    """To another list."""
    LIST = "list"
    """Into a new list that is made from a query."""
    UNDO = "undo"


class WhyNot(StrEnum):
    """Why an action leaves a contact as he is. Told and counted."""

    ALREADY = "already"
    """He is so already."""
    DIALING = "dialing"
    """He is being called at this moment."""
    NO_ENTRY = "no_entry"
    """He stands in no list that the action is about."""
    SEVERAL_ENTRIES = "several_entries"
    """He stands in several lists, and the action does not say which is meant."""
    IN_CAMPAIGN = "in_campaign_already"
    STOPPED = "stopped"
    NO_NUMBER = "no_number"
    OWNER = "owner_rules"
    """The rules of ownership forbid it: a cap, protection, a shared number."""
    CHANGED_SINCE = "changed_since"
    """Somebody changed him after the action that is to be undone."""


class BulkState(StrEnum):
    """How far an action has come."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """An action about to be begun."""

    kind: BulkKind
    argument: Mapping[str, Any]
    """JSON values; what they mean depends on the kind."""
    condition: Mapping[str, Any]
    """Settled, as JSON: it means the same however long the action takes."""
    by: str
    undoes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """An action that was begun."""

    id: int
    kind: BulkKind
    argument: Mapping[str, Any]
    condition: Mapping[str, Any]
    by: str
    at: datetime
    state: BulkState
    matched: int
    """Contacts that the condition found when it was begun."""
    position: int = 0
    """Contacts up to this id are done with."""
    last_id: int = 0
    """Contacts above this id came later and are left alone."""
    done: int = 0
    """Contacts changed."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Contacts left as they were, by `WhyNot`."""
    finished_at: datetime | None = None
    undoes: int | None = None
    undone_by: int | None = None
    problem: str | None = None


def bulk_record(action: BulkAction) -> dict[str, Any]:
    """Return an action as everybody outside sees it."""
    return {
        "id": action.id,
        "action": action.kind,
        "argument": dict(action.argument),
        "condition": dict(action.condition),
        "by": action.by,
        "at": moment(action.at),
        "state": action.state,
        "matched": action.matched,
        "looked_at": action.done + sum(action.counts.values()),
        "changed": action.done,
        "left": dict(action.counts),
        "finished_at": moment(action.finished_at),
        "undoes": action.undoes,
        "undone_by": action.undone_by,
        "problem": action.problem,
    }
