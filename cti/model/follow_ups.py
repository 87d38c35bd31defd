"""A callback as it is written into a CRM, as the follow-up of a record. Values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cti.model.crm import Answer
from cti.model.work import Work

CRM_FOLLOW_UP: Final = "crm.follow_up."
"""Kind of the work that brings a callback into a CRM: this and the target's name; its key is the callback's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What is written of a callback: the present facts."""

    callback_id: int
    contact_id: int
    crm_ref: str | None
    """Of its contact; see `cti.model.crm.record_ref`."""
    due_at: datetime
    open: bool
    done: bool
    """It is over because somebody talked with him or said that it is settled; else it was cancelled or missed."""
    text: str = ""
    created_by: str = ""
    agent_id: int | None = None
    agent: str | None = None
    """Login."""
    extension: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLink:
    """What is remembered of a callback at one target."""

    target: str
    callback_id: int
    contact_id: int
    ref: str
    """The record it was written on."""
    remote: str | None = None
    """What stands there for it."""
    written: tuple[datetime, ...] = ()
    """For which times it was written, the last one last; so many are kept that one that comes back late is known."""
    agent_id: int | None = None
    standing: bool = True
    """It stands there as something to be done."""
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOrder:
    """A callback that is to be written now."""

    work: Work
    follow_up: FollowUp
    link: FollowLink | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOrders:
    """What is handed out at one time."""

    orders: tuple[FollowOrder, ...]
    wait_seconds: float = 0.0
    state: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowSettlement:
    """What became of one order."""

    work: Work
    follow_up: FollowUp
    """As it was handed out."""
    answer: Answer
    ref: str = ""
    remote: str | None = None
    nothing_sent: bool = False
    """With OK: there was nothing to be written (no record of this CRM, or it cannot take it)."""
    message: str = ""
    pause_seconds: float | None = None
