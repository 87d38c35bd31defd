"""Who may do what at the API."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a token may do."""

    ADMIN = "admin"
    """Everything."""
    LEAD = "lead"
    """Campaigns, agents, calls and reports of everybody."""
    QA = "qa"
    """Reviews calls: reads what leads read of calls, scores them, and changes nothing else."""
    AGENT = "agent"
    """Only himself and his own calls."""
    WORKER = "worker"
    """A process that transcribes: takes that work, hears recordings, hands transcripts in; nothing else."""
    SYNC = "sync"
    """Only the work of a process that writes to CRMs."""


def digest_of(token: str) -> str:
    """Return the SHA-256 of a token in hex; of text that came in as bytes which are no UTF-8, too."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token that is let in. The token itself is not kept, only its digest."""

    name: str
    sha256: str
    """Hex digest of the token."""
    role: Role
    agent: str | None = None
    """Login of the agent who holds it; always there with `Role.AGENT`."""
