"""An agent (a rep): who he is, and what he does now."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final


class Unset(Enum):
    """Says of a setting for which None means something that it is left as it is."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class AgentState(StrEnum):
    """What an agent does now. Every change is stored with its time."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    PREVIEW = "preview"
    """He looks at a contact, and says whether to dial him."""
    RESERVED = "reserved"
    """A call is being placed for him."""
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    """After a call, until he says that he is ready."""
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as the service sees him now."""

    id: int
    login: str
    """Unique short name; letters, digits, dot, dash, underscore."""
    name: str
    """For people; any text."""
    endpoint: str
    """PJSIP endpoint of his phone on `node`."""
    node: str
    state: AgentState = AgentState.LOGGED_OUT
    since: datetime | None = None
    reason: str | None = None
    """Why paused, or why logged out when that was not his wish (for example `phone_gone`)."""
    channel_id: str | None = None
    """His kept leg while it is up."""
    channel: str | None = None
    """Asterisk's name of that leg."""
    call_id: str | None = None
    """The call he is reserved for, talks on, or wraps up."""
    campaign_ids: tuple[int, ...] = ()
    pause_next: str | None = None
    """He asked to pause while busy: the reason, taken up when the call is done."""
    phone_reachable: bool = True
    skills: tuple[str, ...] = ()
    """Words that contacts may ask for, for example languages."""
    weight: float = 1.0
    """His share when contacts are given out by weight; 0: none."""
    max_owned: int | None = None
    """Most contacts he may own; None: the campaign's cap alone."""
    left_at: datetime | None = None
    """He works here no more since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChange:
    """One row of an agent's history."""

    agent_id: int
    at: datetime
    before: AgentState
    after: AgentState
    reason: str | None = None
    call_id: str | None = None
