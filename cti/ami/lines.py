"""Orders of the dialer to the exchange: place, join, hang up, call a phone. Follows nothing: see `listener`."""

import logging
from collections.abc import Mapping
from contextlib import suppress

from cti.ami import orders
from cti.ami.actions import Action
from cti.ami.call_tracker import CallTracker
from cti.ami.ports import AmiClient
from cti.errors import BadInput, NodeDown, NodeError, NodeRefused
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.campaign_rules import NO_DETECTION, MachineRules

log = logging.getLogger(__name__)


class AmiLines:
    """`Lines` of the dialer over the AMI connections of all nodes, by name.

    Besides NodeDown (nothing was sent) and NodeRefused (nothing was done, a value that does not fit included) all
    may raise NodeSilent: the order may have arrived, and the listener will hear what became of it.
    """

    def __init__(
        self, *, clients: Mapping[str, AmiClient], tracker: CallTracker, phone_seconds: float = 15.0
    ) -> None:
        self._clients = clients
        self._tracker = tracker
        self._phone_seconds = phone_seconds

    def connected(self, node: str) -> bool:
        """Whether orders to this node would leave now."""
        return node in self._clients and self._clients[node].connected

    async def place(
        self, call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION
    ) -> None:
        """Send the Originate of a committed call; return when Asterisk took the order, not when it rings."""
        try:
            action = orders.originate(call, caller_id=caller_id, message=message, machines=machines)
        except BadInput as wrong:
            raise NodeRefused(f"not sent: {wrong}") from wrong
        await self._send(call.node, action)

    async def join(self, call: Call, agent: Agent) -> None:
        """Mark the customer as fetched and bridge him with the agent's kept leg; on NodeRefused unmark him."""
        if agent.channel_id is None or agent.node != call.node:
            raise NodeRefused(f"{agent.login} has no leg on {call.node}")
        client = self._client(call.node)
        taken = orders.take(call.channel_id)
        # Both leave at once: waiting for the first answer would cost a round trip of the customer's silence.
        _, bridged = await client.send_all(taken, orders.bridge(call.channel_id, agent.channel_id))
        if bridged.refused:
            with suppress(NodeError):
                await client.send_all(orders.take(call.channel_id, taken=False))
            raise NodeRefused(f"node {call.node} did not join {call.id}: {bridged.text('Message')}")

    async def mute_recording(self, call: Call, *, muted: bool) -> None:
        """Let the recording of a call that is up hold silence, or sound again."""
        action = orders.mute_recording(call.channel_id, muted=muted)
        [answer] = await self._client(call.node).send_all(action)
        if answer.refused:
            what = "pause" if muted else "resume"
            raise NodeRefused(
                f"node {call.node} did not {what} the recording of {call.id}: {answer.text('Message')}"
            )

    async def hang_up(self, *, node: str, channel_id: str) -> None:
        """End a channel with cause 16. A channel that is gone already is no error."""
        action, client = orders.hang_up(channel_id), self._client(node)
        if client.connected:
            # Noted before it leaves: the hang-up may be heard before its answer.
            self._tracker.hang_up_asked(channel_id)
        [answer] = await client.send_all(action)
        if answer.refused and "no such channel" not in answer.text("Message").lower():
            raise NodeRefused(f"node {node} did not hang up: {answer.text('Message')}")

    async def call_phone(self, agent: Agent, channel_id: str) -> None:
        """Call the agent's phone once; the leg that answers is kept (`LegUp`, or `LegGone` when it fails)."""
        try:
            action = orders.agent_leg(agent, channel_id, ring_seconds=self._phone_seconds)
        except BadInput as wrong:
            raise NodeRefused(f"not sent: {wrong}") from wrong
        await self._send(agent.node, action)

    async def _send(self, node: str, action: Action) -> None:
        await self._client(node).send(action)

    def _client(self, node: str) -> AmiClient:
        client = self._clients.get(node)
        if client is None:
            raise NodeDown(f"there is no node {node!r} in the settings")
        return client
