"""Puts the dialer together: the part of the composition root that knows how calls come to be. Starts nothing."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from cti.ami.call_tracker import CallTracker
from cti.ami.lines import AmiLines
from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.by_hand import ClickToCall
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.candidate_ports import Chances, Gate
from cti.dialer.decision_log import DecisionLog
from cti.dialer.ends import CampaignEnds
from cti.dialer.engine import DialEngine
from cti.dialer.floor_board import FloorBoard
from cti.dialer.joiner import Joiner
from cti.dialer.ledger import DropLedger
from cti.dialer.limits import CallLimits
from cti.dialer.pacers import MakePacer, Pacers
from cti.dialer.parker import Parker
from cti.dialer.placing import Placer
from cti.dialer.previews import PreviewDesk
from cti.dialer.recycler import Recycler
from cti.dialer.selector import Selector
from cti.dialer.waker import Waker
from cti.dialer.whys import Whys
from cti.lines.keeper import LineKeeper
from cti.model.calls import Call
from cti.model.contacts import Campaign, Mode
from cti.model.events import Event
from cti.pacing.floor import Pacer
from cti.pacing.predictive import Predictive
from cti.pacing.progressive import Progressive
from cti.recording.naming import recording_name
from cti.service import Service
from cti.settings import NodeSettings
from cti.storage.database import Database

PACERS: Final[Mapping[Mode, Callable[[], Pacer]]] = {
    Mode.PROGRESSIVE: Progressive,
    Mode.PREDICTIVE: Predictive,
}


def pacer_of(campaign: Campaign) -> Pacer:
    """Make the pacer of the campaign's mode."""
    return PACERS.get(campaign.mode, Progressive)()


class Listener(Protocol):
    """A part that hears each event of the bus."""

    def tap(self, event: Event) -> None:
        """Hear an event; neither wait nor raise."""
        ...


class Dialing:
    """The dialer's parts, wired."""

    def __init__(
        self,
        *,
        database: Database,
        bus: EventBus,
        clock: Clock,
        tracker: CallTracker,
        lines: AmiLines,
        campaigns: CampaignDesk,
        agents: AgentDesk,
        gate: Gate,
        keeper: LineKeeper,
        chances: Chances,
        nodes: Mapping[str, NodeSettings],
        may_record: Callable[[str], bool],
        pacer: MakePacer = pacer_of,
        expecting: Callable[[Call], None] = lambda call: None,
        choosing: Gate | None = None,
    ) -> None:
        """`choosing`: the gate that is asked about whom the service chooses; None: as for a rep's own choice."""
        self.pacers = Pacers(pacer)
        self.board = FloorBoard(learn=self.pacers.learn)
        self.ledger = DropLedger(store=database.ledger, clock=clock)
        self.decisions = DecisionLog(store=database.decisions, clock=clock)
        self.joiner = Joiner(desk=agents, lines=lines, clock=clock, spill=campaigns.spill)
        parker = Parker(store=database.queue)
        self.selector = Selector(store=database.queue, gate=choosing or gate, chances=chances, parker=parker)
        self.placer = Placer(
            calls=database.calls,
            campaigns=campaigns,
            desk=agents,
            open_calls=tracker,
            lines=lines,
            board=self.board,
            keeper=keeper,
            queue=database.queue,
            gate=gate,
            bus=bus,
            clock=clock,
            recording_name=lambda node, call_id, at: (
                recording_name(call_id, at) if may_record(node) else None
            ),
            expecting=expecting,
        )
        self.engine = DialEngine(
            campaigns=campaigns,
            desk=agents,
            joiner=self.joiner,
            selector=self.selector,
            placer=self.placer,
            board=self.board,
            limits=CallLimits(
                campaigns=campaigns,
                board=self.board,
                keeper=keeper,
                clock=clock,
                calls_per_second=lambda node: nodes[node].calls_per_second,
                node_lines=lambda node: nodes[node].max_lines,
            ),
            ends=CampaignEnds(store=database.campaigns, campaigns=campaigns, board=self.board),
            pacers=self.pacers,
            ledger=self.ledger,
            decisions=self.decisions,
            lines=lines,
            clock=clock,
            unasked=nodes,
        )
        self.previews = PreviewDesk(
            campaigns=campaigns,
            desk=agents,
            selector=self.selector,
            queue=database.queue,
            gate=gate,
            placer=self.placer,
            lines=lines,
            bus=bus,
            clock=clock,
        )
        self.by_hand = ClickToCall(
            contacts=database.campaigns,
            campaigns=campaigns,
            desk=agents,
            gate=gate,
            placer=self.placer,
            lines=lines,
            clock=clock,
        )
        self.recycler = Recycler(store=database.queue, clock=clock)
        self.whys = Whys(
            store=database.reasons,
            gate=choosing or gate,
            agents=agents.agents,
            campaigns=campaigns.all,
            clock=clock,
            pacing=self.decisions.last,
        )
        self.listeners: tuple[Listener, ...] = (
            self.board,
            keeper,
            self.ledger,
            self.joiner,
            self.previews,
            self.engine,
        )
        """In the order in which they must hear: who counts before who acts."""
        self.services: tuple[Service, ...] = (
            self.decisions,
            parker,
            Waker(store=database.queue, clock=clock),
            self.previews,
            self.engine,
        )
        """Ended last first: the engine places nothing more, and what it decided is written."""
