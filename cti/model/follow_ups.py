"""A callback, or a contact's own next follow-up, as it is written into a CRM as the follow-up of a record. Values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cti.model.crm import Answer
from cti.model.work import Work

CRM_FOLLOW_UP: Final = "crm.follow_up."
"""Kind of the work that brings a follow-up into a CRM: this and the target's name; its key: see `key_of`."""
_OF_CONTACT: Final = "contact-"
KEPT_TIMES: Final = 10
"""Times for which one was written that are kept, so that one that comes back late is known."""


def key_of(*, callback_id: int | None, contact_id: int) -> str:
    """Return by what a follow-up is known here: a callback's id in digits, or `contact-ID` for the contact's own."""
    return f"{_OF_CONTACT}{contact_id}" if callback_id is None else str(callback_id)


def contact_of(key: str) -> int | None:
    """Return whose own follow-up a key is; None: it is a callback's."""
    return int(key.removeprefix(_OF_CONTACT)) if key.startswith(_OF_CONTACT) else None


def print_of(text: str) -> str:
    """Return by what a text is known again without being kept a second time."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def with_time(written: Sequence[datetime], at: datetime) -> tuple[datetime, ...]:
    """Return the times that are remembered once one more was written."""
    return (*written, at)[-KEPT_TIMES:]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What is written: the present facts."""

    callback_id: int | None
    """None: it is the contact's own, his `next_follow_up_at`."""
    contact_id: int
    crm_ref: str | None
    """Of its contact; see `cti.model.crm.record_ref`."""
    due_at: datetime | None
    """Of what is open never None."""
    open: bool
    done: bool
    """It is over because somebody talked with him or said that it is settled; else it was cancelled or missed."""
    text: str = ""
    created_by: str = ""
    agent_id: int | None = None
    agent: str | None = None
    """Login."""
    extension: str | None = None

    @property
    def key(self) -> str:
        return key_of(callback_id=self.callback_id, contact_id=self.contact_id)

    @property
    def crm_key(self) -> str:
        """By which the CRM's adapter knows it again."""
        return self.key if self.callback_id is None else f"callback-{self.callback_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLink:
    """What is remembered of one at one target."""

    target: str
    callback_id: int | None
    """None: it is the contact's own."""
    contact_id: int
    ref: str
    """The record it was written on."""
    remote: str | None = None
    """What stands there for it."""
    written: tuple[datetime, ...] = ()
    """For which times it was written, the last one last; see `KEPT_TIMES`."""
    text_print: str | None = None
    """`print_of` the text that was written; None: not known."""
    agent_id: int | None = None
    standing: bool = True
    """It stands there as something to be done."""
    written_at: datetime

    @property
    def key(self) -> str:
        return key_of(callback_id=self.callback_id, contact_id=self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOrder:
    """A follow-up that is to be written now."""

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
