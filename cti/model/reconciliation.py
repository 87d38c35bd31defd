"""What the comparison of our calls with Asterisk's own records brought."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One fact in which a call of ours and the node's own record of its channel do not agree."""

    node: str
    channel_id: str
    call_id: str | None
    """None when the channel is not known here."""
    subject: str
    """What differs: `unknown_channel`, `no_record`, or the fact's name (`answered_at`, `cause`)."""
    ours: str | None
    theirs: str | None
    message: str
    """The difference as one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The result of one comparison."""

    since: datetime
    compared: int
    """Channels looked at; 0 means that nothing was proved."""
    differences: tuple[Difference, ...] = ()
