"""Puts together what holds on to Asterisk: connections, the table of calls, orders, trunks. Starts nothing."""

from collections.abc import Iterable, Mapping

from cti.ami.call_tracker import CallTracker
from cti.ami.lines import AmiLines
from cti.ami.listener import CallListener
from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient
from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.lines.desk import LineDesk
from cti.lines.keeper import LineKeeper
from cti.model.calls import Call
from cti.node.cel import CelFolder
from cti.reports.ports import FactStore
from cti.reports.service import CallReconciler
from cti.service import Service
from cti.settings import NodeSettings, Settings
from cti.storage.database import Database
from cti.web.node_board import NodeBoard


class Exchange:
    """All Asterisk nodes of the settings, as one exchange."""

    def __init__(self, *, settings: Settings, database: Database, bus: EventBus, clock: Clock) -> None:
        self._bus, self._clock, self._memory = bus, clock, database.nodes
        self.nodes: Mapping[str, NodeSettings] = {node.name: node for node in settings.nodes}
        self.tracker = CallTracker()
        self.board = NodeBoard(list(self.nodes))
        self.stories = CelFolder(
            {name: node.cel / node.cel_file for name, node in self.nodes.items() if node.cel}
        )
        self.clients = {name: PanoramiskClient(account_of(node)) for name, node in self.nodes.items()}
        self.lines = AmiLines(
            clients=self.clients, tracker=self.tracker, phone_seconds=settings.agents.answer_seconds
        )
        self.keeper = LineKeeper(
            trunks=[trunk for node in settings.nodes for trunk in node.all_trunks()],
            store=database.callers,
            clock=clock,
        )
        self.desk = LineDesk(keeper=self.keeper, store=database.callers, clock=clock)

    def services(self, agents: AgentDesk) -> tuple[Service, ...]:
        """Return the connections, and what hears them for us and for the agents' phones."""
        listeners = (
            CallListener(
                client=client,
                tracker=self.tracker,
                bus=self._bus,
                stories=self.stories,
                clock=self._clock,
                memory=self._memory,
                expected_legs=agents.expected_legs,
                expected_phones=agents.phones,
            )
            for client in self.clients.values()
        )
        return (*self.clients.values(), *listeners)

    def reconciler(self, facts: FactStore) -> CallReconciler:
        """Return what compares our calls with the nodes' own records, where we can read these."""
        return CallReconciler(
            facts=facts,
            stories=self.stories,
            nodes=[name for name, node in self.nodes.items() if node.cel],
        )

    def take_up(self, calls: Iterable[Call]) -> None:
        """Follow these calls from now on."""
        for call in calls:
            for event in self.tracker.place(call):
                self._bus.publish(event)

    def give_up(self, call: Call) -> None:
        """End a call on a node that the settings name no more: nobody will tell what became of it."""
        for event in self.tracker.settle(call.id, None, restarted=True, now=self._clock.now()):
            self._bus.publish(event)


def account_of(node: NodeSettings) -> AmiAccount:
    """Return how a node's AMI is entered."""
    return AmiAccount(
        node=node.name,
        host=node.host,
        port=node.port,
        user=node.user,
        secret=node.secret.get_secret_value(),
    )
