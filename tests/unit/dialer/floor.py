"""The dialer on fakes: everything of it, but for the exchange, the database and the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cti.bus import EventBus
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.by_hand import ClickToCall
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.decision_log import DecisionLog
from cti.dialer.ends import CampaignEnds
from cti.dialer.engine import DialEngine
from cti.dialer.floor_board import FloorBoard
from cti.dialer.joiner import Joiner
from cti.dialer.ledger import DropLedger
from cti.dialer.limits import CallLimits
from cti.dialer.pacers import MakePacer, Memoryless, Pacers
from cti.dialer.placing import Placer
from cti.dialer.previews import PreviewDesk
from cti.dialer.selector import Selector
from cti.lines.keeper import LineKeeper
from cti.model.agents import Agent
from cti.model.calls import Call, CallState, EndReason, Join, Outcome
from cti.model.contacts import Campaign
from cti.model.events import CallMoved, Event, LegUp
from cti.pacing.floor import Pacing
from cti.pacing.progressive import progressive
from tests.builders import a_campaign, some_contacts
from tests.fakes.clock import FakeClock
from tests.fakes.gate import FakeGate
from tests.fakes.lines import FakeLines
from tests.fakes.memory_store import MemoryStore


class Followed:
    """Open calls, moved by the test instead of by an exchange. Implements `OpenCalls`."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}

    def place(self, call: Call) -> Sequence[Event]:
        self.calls[call.id] = call
        return [CallMoved(before=CallState.PLACING, call=call, at=call.placed_at)]

    def not_sent(self, call_id: str, at: datetime) -> Sequence[Event]:
        return [self.ended(call_id, at, Outcome.FAILED, end_reason=EndReason.NOT_SENT)]

    def refused(self, call_id: str, reason: str, at: datetime) -> Sequence[Event]:
        return [self.ended(call_id, at, Outcome.FAILED, end_reason=EndReason.REFUSED, cause_text=reason)]

    def get(self, call_id: str) -> Call | None:
        return self.calls.get(call_id)

    def open_calls(self) -> Sequence[Call]:
        return list(self.calls.values())

    def ended(self, call_id: str, at: datetime, outcome: Outcome, **facts: object) -> CallMoved:
        call = self.calls.pop(call_id)
        over = replace(call, state=CallState.ENDED, ended_at=at, outcome=outcome, **facts)  # type: ignore[arg-type]
        return CallMoved(before=call.state, call=over, at=at)


@dataclass
class Floor:
    """The dialer with its surroundings."""

    store: MemoryStore = field(default_factory=MemoryStore)
    lines: FakeLines = field(default_factory=FakeLines)
    bus: EventBus = field(default_factory=EventBus)
    clock: FakeClock = field(default_factory=FakeClock)
    followed: Followed = field(default_factory=Followed)
    gate: FakeGate = field(default_factory=FakeGate)
    told: list[Event] = field(default_factory=list)
    pacing: Pacing = progressive
    make_pacer: MakePacer | None = None
    unasked: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.campaigns = CampaignDesk(
            store=self.store.campaigns, bus=self.bus, clock=self.clock, nodes=["pbx"]
        )
        self.desk = AgentDesk(
            store=self.store.agents,
            lines=self.lines,
            bus=self.bus,
            clock=self.clock,
            wrap_up_seconds=self.campaigns.wrap_up_seconds,
        )
        self.joiner = Joiner(desk=self.desk, lines=self.lines, clock=self.clock, spill=self.campaigns.spill)
        self.pacers = Pacers(self.make_pacer or (lambda campaign: Memoryless(self.pacing)))
        self.board = FloorBoard(learn=self.pacers.learn)
        self.ledger = DropLedger(store=self.store.ledger, clock=self.clock)
        self.decisions = DecisionLog(store=self.store.decisions, clock=self.clock)
        self.keeper = LineKeeper(trunks=(), store=self.store.callers, clock=self.clock)
        self.placer = Placer(
            calls=self.store.calls,
            campaigns=self.campaigns,
            desk=self.desk,
            open_calls=self.followed,
            lines=self.lines,
            board=self.board,
            keeper=self.keeper,
            queue=self.store.queue,
            gate=self.gate,
            bus=self.bus,
            clock=self.clock,
            recording_name=lambda node, call_id, at: call_id,
        )
        self.selector = Selector(store=self.store.queue, gate=self.gate)
        self.limits = CallLimits(
            campaigns=self.campaigns, board=self.board, keeper=self.keeper, clock=self.clock
        )
        self.engine = DialEngine(
            campaigns=self.campaigns,
            desk=self.desk,
            joiner=self.joiner,
            selector=self.selector,
            placer=self.placer,
            board=self.board,
            limits=self.limits,
            ends=CampaignEnds(store=self.store.campaigns, campaigns=self.campaigns, board=self.board),
            pacers=self.pacers,
            ledger=self.ledger,
            decisions=self.decisions,
            lines=self.lines,
            clock=self.clock,
            unasked=self.unasked,
        )
        self.previews = PreviewDesk(
            campaigns=self.campaigns,
            desk=self.desk,
            selector=self.selector,
            queue=self.store.queue,
            gate=self.gate,
            placer=self.placer,
            lines=self.lines,
            bus=self.bus,
            clock=self.clock,
        )
        self.by_hand = ClickToCall(
            contacts=self.store.campaigns,
            campaigns=self.campaigns,
            desk=self.desk,
            gate=self.gate,
            placer=self.placer,
            lines=self.lines,
            clock=self.clock,
        )
        for tap in (
            self.desk.tap,
            self.board.tap,
            self.keeper.tap,
            self.ledger.tap,
            self.joiner.tap,
            self.previews.tap,
            self.engine.tap,
            self.told.append,
        ):
            self.bus.tap(tap)

    async def campaign(self, contacts: int, **given: object) -> Campaign:
        """Make a running campaign with a list."""
        made = await self.campaigns.add(a_campaign(**given))
        if contacts:
            await self.store.campaigns.add_list(
                campaign_id=made.id,
                name="list",
                source="test",
                contacts=some_contacts(contacts),
                at=self.clock.now(),
            )
            made = await self.campaigns.start(made.id)
        return made

    async def agents(self, count: int, campaign: Campaign) -> list[Agent]:
        """Log agents in."""
        for n in range(1, count + 1):
            login = f"agent{n}"
            await self.desk.add(
                login=login, name=login, endpoint=f"a{n:03d}", node="pbx", campaign_ids=[campaign.id]
            )
            await self.log_in(login)
        return self.desk.agents()

    async def log_in(self, login: str) -> None:
        """Let the agent's phone answer at once."""
        endpoint = self.desk.named(login).endpoint
        call_phone = self.lines.call_phone

        async def answers(agent: Agent, channel_id: str) -> None:
            await call_phone(agent, channel_id)
            channel = f"PJSIP/{endpoint}-1"
            self.bus.publish(LegUp(channel_id=channel_id, channel=channel, node="pbx", at=self.clock.now()))

        self.lines.call_phone = answers  # type: ignore[method-assign]
        try:
            await self.desk.login(login)
        finally:
            self.lines.call_phone = call_phone  # type: ignore[method-assign]

    def move(self, call_id: str, **facts: object) -> Call:
        """Let something become known of a call."""
        before = self.followed.calls[call_id]
        call = self.followed.calls[call_id] = replace(before, **facts)  # type: ignore[arg-type]
        self.bus.publish(CallMoved(before=before.state, call=call, at=self.clock.now()))
        return call

    def answer(self, call_id: str) -> Call:
        """Let the person answer and wait in the safety net."""
        now = self.clock.now()
        return self.move(call_id, state=CallState.ANSWERED, answered_at=now, waiting_at=now)

    def bridge(self, call_id: str, agent: Agent) -> Call:
        """Let him hear the agent."""
        now = self.clock.now()
        join = Join(agent_id=agent.id, channel_id=agent.channel_id or "", joined_at=now)
        return self.move(call_id, state=CallState.CONNECTED, connected_at=now, joins=(join,))

    def end(self, call_id: str, outcome: Outcome = Outcome.NO_ANSWER) -> None:
        """Let the call end."""
        self.bus.publish(self.followed.ended(call_id, self.clock.now(), outcome))
