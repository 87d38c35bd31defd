"""An exchange that only writes down what it was told. Implements `Lines` of cti.dialer.exchange_ports."""

from cti.errors import NodeDown, NodeError
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.campaign_rules import NO_DETECTION, MachineRules


class FakeLines:
    """Records orders; `refusals` are raised by the next orders of that kind, in order."""

    def __init__(self) -> None:
        self.up = True
        self.placed: list[Call] = []
        self.machines: list[MachineRules] = []
        """Of the placed calls, in their order."""
        self.joined: list[tuple[str, int]] = []
        self.hung_up: list[str] = []
        self.phones_called: list[tuple[str, str]] = []
        self.refusals: dict[str, list[NodeError]] = {}

    def connected(self, node: str) -> bool:
        return self.up

    async def place(
        self, call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION
    ) -> None:
        self._answer("place", call.node)
        self.placed.append(call)
        self.machines.append(machines)

    async def join(self, call: Call, agent: Agent) -> None:
        self._answer("join", call.node)
        self.joined.append((call.id, agent.id))

    async def hang_up(self, *, node: str, channel_id: str) -> None:
        self._answer("hang_up", node)
        self.hung_up.append(channel_id)

    async def call_phone(self, agent: Agent, channel_id: str) -> None:
        self._answer("call_phone", agent.node)
        self.phones_called.append((agent.endpoint, channel_id))

    def _answer(self, order: str, node: str) -> None:
        if not self.up:
            raise NodeDown(f"no connection to {node}")
        if self.refusals.get(order):
            raise self.refusals[order].pop(0)
