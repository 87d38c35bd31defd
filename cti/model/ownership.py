"""Who owns which contact: what is wished, what became of it, and the history.

A contact belongs to one agent or to nobody; nobody's contacts are the public pool (公海).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cti.model.events import ContactMoved
from cti.model.work import NewWork


class MoveKind(StrEnum):
    """How a contact came to another owner. Stored; renamed never."""

    ASSIGNED = "assigned"
    """A lead gave him, by hand or by a rule of distribution."""
    CLAIMED = "claimed"
    """An agent took him from the pool."""
    RETURNED = "returned"
    """An agent, or a lead for him, put him back into the pool."""
    EXPIRED = "expired"
    """Back to the pool by the campaign's rule: too long without a conversation, or too many failed attempts."""
    TRANSFERRED = "transferred"
    """A lead moved him from one agent to another."""
    LEFT = "left"
    """His owner works here no more."""
    WON = "won"
    """Nobody owned him, and an agent talked with him to success."""


class NotMoved(StrEnum):
    """Why a contact stays where he is. Told and counted."""

    UNKNOWN = "unknown"
    """There is no such contact."""
    OWNED = "owned"
    """He belongs to somebody."""
    NOT_THEIRS = "not_theirs"
    """He does not belong (any more) to the one he was to come from."""
    STOPPED = "stopped"
    """Somebody stopped him."""
    DIALING = "dialing"
    """He is being called at this moment."""
    CAP = "cap"
    """The agent owns as many as he may."""
    LEFT = "left"
    """The agent works here no more."""
    PROTECTED = "protected"
    """The agent had him, and the time of protection after the return is not over."""
    SHARED_NUMBER = "shared_number"
    """One of his numbers stands at another contact too, and that one belongs to another agent."""
    NO_SKILL = "no_skill"
    """Nobody has the skill that he asks for, or he asks for none where one is needed."""
    NOBODY = "nobody"
    """No agent of those named takes any more: caps, weights of 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """That a contact moves."""

    contact_id: int
    before: int | None
    """The agent he must belong to now, None: nobody. Otherwise nothing is moved."""
    after: int | None
    """The agent he comes to; None: the pool."""


def no_move_works(move: "OwnerMove") -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for several wishes, and what the history says of them."""

    kind: MoveKind
    by: str
    """Who wants it: the name of a token, an agent's login, or `rule`."""
    at: datetime
    reason: str = ""
    caps: Mapping[int, int] = field(default_factory=dict)
    """Most contacts that an agent may own, by his id; who is not in it has no cap."""
    protected_since: datetime | None = None
    """Who gave a contact back after this moment does not get him again; None: he may."""
    stopped_too: bool = False
    """Whether contacts that somebody stopped are moved as well."""
    dialing_too: bool = False
    """Whether contacts that are being called are given to somebody as well."""
    rota: "Rota | None" = None
    """The rota whose turns these wishes use up."""
    untouched: "Untouched | None" = None
    """Nothing is moved that had a conversation, or fewer failures, in the meantime (automatic returns)."""
    works: Callable[["OwnerMove"], Sequence[NewWork]] = no_move_works
    """Asked with each move; what it returns goes in with the move's commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """A contact is due to go back while one of these holds."""

    no_talk_since: datetime | None = None
    """His last conversation, or the claim where it is later, was before this moment."""
    failures: int | None = None
    """He has at least so many failed attempts in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Whose turn it is, remembered from one distribution to the next."""

    name: str
    weights: Mapping[int, float]
    """The agents who take part, by id, with their shares (more than 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMove:
    """One row of the history."""

    contact_id: int
    at: datetime
    before: int | None
    after: int | None
    kind: MoveKind
    reason: str
    by: str

    def event(self) -> ContactMoved:
        """Return it as it is told."""
        return ContactMoved(
            contact_id=self.contact_id,
            before=self.before,
            after=self.after,
            kind=self.kind.value,
            reason=self.reason,
            by=self.by,
            at=self.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of wishes."""

    moves: tuple[OwnerMove, ...] = ()
    refused: Mapping[int, NotMoved] = field(default_factory=dict)
    """By contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That an agent takes the next contacts of the pool."""

    agent_id: int
    count: int
    campaign_ids: Sequence[int]
    list_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which contacts are looked at, by id, rising. What is None does not narrow."""

    campaign_id: int | None = None
    list_id: int | None = None
    contact_ids: Sequence[int] | None = None
    owner_id: int | None = None
    """Only those of this agent."""
    unowned: bool = False
    """Only nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownable:
    """A contact as far as giving him to somebody needs to know him."""

    contact_id: int
    name: str = ""
    owner_id: int | None = None
    stopped: bool = False
    zone: str = ""
    stage: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    partners: Mapping[int, int | None] = field(default_factory=dict)
    """Other contacts that share a number with him: their owners by their ids."""
    given_back_by: frozenset[int] = frozenset()
    """Agents who gave him back after the moment asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A contact in the pool, as the agents of a campaign see him. No number: that is his who claims him."""

    contact_id: int
    name: str
    campaign_id: int
    list_id: int
    returned_at: datetime | None = None
    """When somebody gave him back; None: nobody has had him yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCount:
    """How much of a campaign lies in the pool."""

    campaign_id: int
    fresh: int
    """Pending entries of contacts that belong to nobody."""
    returned: int
    """Contacts that somebody gave back; those among them that are pending once more are counted as fresh, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A call whose disposition means success, with a contact that belonged to nobody."""

    call_id: str
    contact_id: int
    agent_id: int
    campaign_id: int
    disposition: str
