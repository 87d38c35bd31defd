"""What all who change owners share: who there is, which rules hold, and how a move is told."""

from collections.abc import Callable, Sequence

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import NotFound
from cti.model.agents import Agent
from cti.model.contacts import Campaign
from cti.model.ownership import Moved, MoveKind, Terms
from cti.model.telling import Tell, tell_nobody
from cti.ownership.limits import campaigns_of, caps_of, protected_since
from cti.ownership.ports import OwnershipStore


class House:
    """The store, the agents and the campaigns as they are now."""

    def __init__(
        self,
        *,
        store: OwnershipStore,
        agents: Callable[[], Sequence[Agent]],
        campaigns: Callable[[], Sequence[Campaign]],
        bus: EventBus,
        clock: Clock,
        tell: Tell = tell_nobody,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell` says who outside is to hear of a move."""
        self.store = store
        self.agents = agents
        self.campaigns = campaigns
        self.clock = clock
        self._bus = bus
        self._works = tell
        self._on_work = on_work

    def tell(self, moved: Moved) -> None:
        """Tell moves on the bus."""
        if moved.moves:
            self._on_work()
        for move in moved.moves:
            self._bus.publish(move.event())

    def agent(self, login: str) -> Agent:
        """Return the agent of this login. Raises NotFound."""
        for agent in self.agents():
            if agent.login == login:
                return agent
        raise NotFound(f"there is no agent {login!r}")

    def caps(self, agents: Sequence[Agent], *, named: int | None = None) -> dict[int, int]:
        """Return how many contacts each may own; `named`: a campaign whose rules hold, too."""
        return caps_of(agents, self._known(), named=named)

    def terms(
        self,
        kind: MoveKind,
        by: str,
        agents: Sequence[Agent],
        *,
        named: int | None = None,
        heed: bool = False,
        reason: str = "",
    ) -> Terms:
        """Return the terms for moves to these agents; `heed`: the protection after a return holds."""
        now, known = self.clock.now(), self._known()
        concerned = [one for agent in agents for one in campaigns_of(agent, known, named=named)]
        return Terms(
            kind=kind,
            by=by,
            at=now,
            reason=reason,
            caps=self.caps(agents, named=named),
            protected_since=protected_since(concerned, now) if heed else None,
            works=lambda move: self._works(move.event()),
        )

    def _known(self) -> dict[int, Campaign]:
        return {campaign.id: campaign for campaign in self.campaigns()}
