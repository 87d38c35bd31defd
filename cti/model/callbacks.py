"""Callbacks: a contact is to be called at a time that was agreed with him."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from cti.model.agents import UNSET, Unset


class CallbackState(StrEnum):
    """How far a callback has come."""

    PLANNED = "planned"
    DUE = "due"
    """Its time has come: the contact is in the queue, or is being called."""
    DONE = "done"
    """Somebody talked with him, or said that it is settled."""
    MISSED = "missed"
    """He was not reached, and the rules allow no further attempt."""
    CANCELLED = "cancelled"


OPEN_CALLBACKS = frozenset({CallbackState.PLANNED, CallbackState.DUE})


class CallbackMoveKind(StrEnum):
    """What happened to a callback."""

    MADE = "made"
    MOVED = "moved"
    """To another time."""
    CHANGED = "changed"
    """Another agent, or another note."""
    REMINDED = "reminded"
    DUE = "due"
    RELEASED = "released"
    """The agent was away: anybody of the team may call."""
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One callback."""

    id: int
    contact_id: int
    campaign_id: int
    entry_id: int
    """The list entry by which he is called."""
    due_at: datetime
    zone: str
    """IANA name of the zone in which the time was agreed."""
    agent_id: int | None = None
    """Whose it is; None: anyone's."""
    note: str = ""
    state: CallbackState = CallbackState.PLANNED
    call_id: str | None = None
    """In which call it was agreed."""
    reminded_at: datetime | None = None
    released_at: datetime | None = None
    """Since then anybody of the team may call him, though it is an agent's."""
    created_at: datetime
    created_by: str = ""
    """Who asked for it: an agent's login, or a token's name."""
    changed_at: datetime

    @property
    def open(self) -> bool:
        """Whether it is still to be called."""
        return self.state in OPEN_CALLBACKS

    @property
    def due_local(self) -> datetime:
        """Return the time as it was agreed."""
        return self.due_at.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackMove:
    """One row of a callback's history."""

    at: datetime
    kind: CallbackMoveKind
    by: str
    """An agent's login, a token's name, `dialer` or `clock`."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCallback:
    """A callback about to be stored."""

    contact_id: int
    campaign_id: int
    due_at: datetime
    zone: str
    by: str
    agent_id: int | None = None
    note: str = ""
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What is known of a contact before a callback is agreed."""

    owner_agent_id: int | None
    zone: str
    """His own, else that of the first of his numbers which has one; empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFilter:
    """Which callbacks; every field that is not None narrows. Times are of `due_at`, from inclusive, until exclusive."""

    agent_id: int | None = None
    campaign_id: int | None = None
    contact_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    states: frozenset[CallbackState] = OPEN_CALLBACKS
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackChange:
    """What is to become of an open callback; what is not named stays."""

    due_at: datetime | None = None
    zone: str | None = None
    note: str | None = None
    agent_id: int | Unset | None = UNSET
    """None: anyone's from now on."""
    state: CallbackState | None = None
    """Done or cancelled."""

    def applied(self, before: Callback, *, at: datetime) -> Callback:
        """Return the callback as it is then. A new time plans it anew; a new agent has the time to take it."""
        after = replace(
            before,
            zone=self.zone or before.zone,
            note=before.note if self.note is None else self.note,
            state=self.state or before.state,
            changed_at=at,
        )
        if not isinstance(self.agent_id, Unset) and self.agent_id != before.agent_id:
            after = replace(after, agent_id=self.agent_id, released_at=None)
        if self.due_at is None or self.due_at == before.due_at or not after.open:
            return after
        return replace(
            after, due_at=self.due_at, state=CallbackState.PLANNED, reminded_at=None, released_at=None
        )

    def kind(self, before: Callback) -> CallbackMoveKind:
        """Return what the history calls it."""
        if self.state is not None:
            return CallbackMoveKind(self.state.value)
        moved = self.due_at is not None and self.due_at != before.due_at
        return CallbackMoveKind.MOVED if moved else CallbackMoveKind.CHANGED

    def words(self, before: Callback, after: Callback) -> str:
        """Return what the history says of it."""
        told = []
        if after.due_at != before.due_at:
            told.append(f"{before.due_local:%Y-%m-%d %H:%M} -> {after.due_local:%Y-%m-%d %H:%M} {after.zone}")
        if after.agent_id != before.agent_id:
            told.append(f"agent {before.agent_id or 'anyone'} -> {after.agent_id or 'anyone'}")
        if after.note != before.note:
            told.append("another note")
        return "; ".join(told)
