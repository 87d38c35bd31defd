"""Lines: trunks by which calls leave, and numbers that are shown; what they may do and how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cti.model.calls import Call, EndReason, Outcome

NODE_TRUNKS: Final = "*"
"""In a campaign's order of trunks: all trunks of the node that the order does not name, by priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """One way out of a node, as the settings have it."""

    node: str
    endpoint: str
    """PJSIP endpoint."""
    channels: int | None = None
    """Most calls at one time; None: only the node's and the campaign's limits."""
    calls_per_second: float | None = None
    """Most Originates per second; None: only the node's limit."""
    priority: int = 0
    """The smaller first, where a campaign leaves the order to the node."""
    failure_share: float = 0.5
    """Share of technical failures, 0 to 1, at which its breaker opens."""
    rest_seconds: float = 30.0
    """How long an open breaker lets nothing out before it tries one call; longer each time that fails."""


class BreakerState(StrEnum):
    """Whether calls may leave by a trunk."""

    CLOSED = "closed"
    """All is well."""
    OPEN = "open"
    """Too many technical failures: nothing leaves."""
    HALF_OPEN = "half_open"
    """It has rested: one call at a time shows whether it works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkStanding:
    """A trunk now."""

    trunk: Trunk
    in_use: int
    """Calls that were placed by it and have not ended."""
    breaker: BreakerState
    judged: int
    """Calls of the last minutes that said whether it works."""
    failed: int
    """Of these, technical failures."""
    opens_again_at: datetime | None = None
    """While the breaker is open: when it tries one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerId:
    """A number of a pool."""

    number: str
    """E.164 with the plus sign."""
    areas: tuple[str, ...] = ()
    """Prefixes (E.164 with the plus sign) it is local to; empty: its own area code."""
    weight: float = 1.0
    """Its share among numbers that are equally near; 0: only when no other may be shown."""
    per_hour: int | None = None
    """Most calls in any 60 minutes; None: the pool's."""
    per_day: int | None = None
    """Most calls in any 24 hours; None: the pool's."""
    retired: bool = False
    """Never shown again; kept because calls name it."""
    rests_until: datetime | None = None
    """Not shown before."""
    rest_reason: str | None = None

    def rests(self, now: datetime) -> bool:
        """Whether it must not be shown now."""
        return self.rests_until is not None and now < self.rests_until


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPool:
    """Numbers to show, with what holds for all of them."""

    id: int
    name: str
    per_hour: int | None = None
    per_day: int | None = None
    failures: int | None = 5
    """Calls in a row that the network refused because of the number shown, after which it rests; None: never."""
    rest_seconds: float = 6 * 3600.0
    """How long such a number, or one whose answer rate fell, rests."""
    health_calls: int = 100
    """Over how many of a number's last calls its answer rate is judged; 0: it is not."""
    numbers: tuple[CallerId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerUse:
    """How a number was used lately."""

    hour: int = 0
    """Calls in the last 60 minutes, rounded up to the counter's step."""
    day: int = 0
    """Calls in the last 24 hours, likewise."""
    judged: int = 0
    """Of its last calls, those that could have been answered."""
    answered: int = 0
    """Of these, answered by a person."""
    refused_in_a_row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStanding:
    """A pool now."""

    pool: CallerPool
    use: Mapping[str, CallerUse]
    """By number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCount:
    """What a number did in one step of time, counted from stored calls."""

    number: str
    began_at: datetime
    calls: int
    judged: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChoice:
    """By which trunk a call is to leave, and what it shows."""

    trunk: str
    caller_id: str | None
    """None: what the trunk shows."""
    why: str
    """For people."""
    next_trunk: str | None = None
    """By which it is tried once more when this one fails before anything rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Answers of a network, by SIP code and, where the code is not told, by Q.850 cause."""

    sip: frozenset[int]
    causes: frozenset[int] = field(default_factory=frozenset)

    def covers(self, sip_code: int | None, cause: int | None) -> bool:
        """Whether this answer is one of them."""
        return sip_code in self.sip if sip_code is not None else cause in self.causes


TECHNICAL: Final = Blame(
    sip=frozenset({401, 407, *range(500, 600)}),
    # no route to network, no route, destination out of order; congestion, network out of order, temporary failure,
    # switch congestion, no channel, no resource; timer expired; interworking (any 5xx without a cause of its own)
    causes=frozenset({2, 3, 27, 34, 38, 41, 42, 44, 47, 102, 127}),
)
"""The trunk failed. Not here: 404, 410, 484 (the number is wrong), 480, 486, 600 (the person), 403 (this call)."""

CALLER_REFUSED: Final = Blame(sip=frozenset({403, 603, 607, 608}), causes=frozenset({21}))
"""Refused because of who calls: forbidden, declined, unwanted (RFC 8197), rejected by analytics (RFC 8688)."""

PERSON_OUTCOMES: Final = frozenset({Outcome.CONNECTED, Outcome.DROPPED, Outcome.GONE_EARLY})
ANSWERABLE_OUTCOMES: Final = PERSON_OUTCOMES | {Outcome.MACHINE, Outcome.NO_ANSWER, Outcome.BUSY}
"""Outcomes of calls that reached somebody's phone, and so say something about how willingly it is answered."""


def failed_technically(call: Call) -> bool:
    """Whether an ended call failed by its trunk, before anything rang: nobody was disturbed, nobody can tell.

    A call that rang, or that was let ring in silence until the timeout, is never one: it may have rung somewhere.
    """
    if call.outcome is not Outcome.FAILED or call.ringing_at is not None or call.answered_at is not None:
        return False
    if call.end_reason is EndReason.REFUSED:
        return True
    return call.end_reason is EndReason.HUNG_UP and TECHNICAL.covers(call.sip_code, call.cause)


def fails_over(call: Call) -> bool:
    """Whether its contact is to be dialed once more, by `next_trunk`, as if this attempt had not been made."""
    return call.next_trunk is not None and failed_technically(call)
