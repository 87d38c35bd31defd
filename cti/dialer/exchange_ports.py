"""What the dialer needs of the exchange: lines to dial on, the calls that are up, the nodes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.campaign_rules import NO_DETECTION, MachineRules
from cti.model.events import Event


class OpenCalls(Protocol):
    """The calls that have not ended, as the exchange's messages tell them."""

    def place(self, call: Call) -> Sequence[Event]:
        """Follow a committed call from now on. Returns what is to be published."""
        ...

    def not_sent(self, call_id: str, at: datetime) -> Sequence[Event]:
        """Its order never left: nobody was rung."""
        ...

    def refused(self, call_id: str, reason: str, at: datetime) -> Sequence[Event]:
        """Asterisk answered the order with an error."""
        ...

    def get(self, call_id: str) -> Call | None:
        """Return a call that has not ended."""
        ...

    def open_calls(self) -> Sequence[Call]:
        """List all of them, oldest first."""
        ...


class Lines(Protocol):
    """The exchange, as the dialer sees it. All raise NodeDown (nothing was sent) or NodeRefused."""

    async def place(
        self, call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION
    ) -> None:
        """Send the Originate of a committed call; return when Asterisk took the order, not when it rings.

        `machines`: how, when the call says that machines are looked for (`Call.machines`).
        """
        ...

    async def join(self, call: Call, agent: Agent) -> None:
        """Mark the customer as fetched and bridge him with the agent's kept leg.

        On NodeRefused the mark is taken back.
        """
        ...

    async def hang_up(self, *, node: str, channel_id: str) -> None:
        """End a channel with cause 16. A channel that is gone already is no error."""
        ...

    async def call_phone(self, agent: Agent, channel_id: str) -> None:
        """Call the agent's phone once; the leg that answers is kept (`LegUp`, or `LegGone` when it fails)."""
        ...

    def connected(self, node: str) -> bool:
        """Whether orders to this node would leave now."""
        ...


class NodeStore(Protocol):
    """When each Asterisk node was last seen, and since when it was up then."""

    async def node_seen(self, node: str, started: str, at: datetime) -> None:
        """Note that the node was up at `at`, started when its own text `started` says."""
        ...

    async def node_started(self, node: str) -> str | None:
        """Return the start-up text of the node's last sight, None when it was never seen.

        Another text now means that Asterisk was started anew while nobody looked: no call from before is up.
        """
        ...
