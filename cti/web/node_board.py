"""How the Asterisk nodes stand, from the bus's events. Asks nobody."""

from collections.abc import Sequence
from dataclasses import replace

from cti.model.events import Event, NodeLost, NodeUp
from cti.web.line_ports import NodeStanding


class NodeBoard:
    """The nodes as last told. Implements `Nodes`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._nodes = {
            name: NodeStanding(name=name, connected=False, reason="not connected yet") for name in names
        }

    def standing(self) -> Sequence[NodeStanding]:
        """List the nodes in the order of the settings."""
        return list(self._nodes.values())

    def tap(self, event: Event) -> None:
        """Take note."""
        match event:
            case NodeUp(node=node, version=version) if node in self._nodes:
                self._nodes[node] = NodeStanding(name=node, connected=True, version=version)
            case NodeLost(node=node, reason=reason) if node in self._nodes:
                self._nodes[node] = replace(self._nodes[node], connected=False, reason=reason)
