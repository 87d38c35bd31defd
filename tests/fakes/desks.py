"""What the API asks, answered without an exchange: the ports of `cti.web` over the stores in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.ami.call_tracker import CallTracker
from cti.bus import EventBus
from cti.dialer.call_desk import CallDesk, Dispositions, DoNotCall
from cti.errors import Conflict, CtiError, NotFound
from cti.lines.desk import LineDesk
from cti.lines.keeper import LineKeeper
from cti.model.agents import UNSET, Agent, AgentState, Unset
from cti.model.answer_chances import ChanceFit
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Progress
from cti.model.lines import Trunk
from cti.model.offers import Offer
from cti.model.reconciliation import Difference, Reconciliation
from cti.model.tables import ReportKind, Table
from cti.ownership.house import House
from cti.web.line_ports import NodeStanding
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


class FakeAgentDesk:
    """Agents who do at once what they are told."""

    def __init__(self, *agents: Agent, store: MemoryStore | None = None) -> None:
        self._store = store
        self._agents = {agent.login: agent for agent in agents}
        self.fails: CtiError | None = None

    def agents(self) -> Sequence[Agent]:
        return sorted(self._agents.values(), key=lambda agent: agent.login)

    async def add(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        if login in self._agents:
            raise Conflict(f"the login {login!r} is taken")
        agent = Agent(
            id=len(self._agents) + 1,
            login=login,
            name=name,
            endpoint=endpoint,
            node=node,
            campaign_ids=tuple(campaign_ids),
        )
        self._agents[login] = agent
        return agent

    async def assign(self, login: str, campaign_ids: Sequence[int]) -> Agent:
        return self._change(login, campaign_ids=tuple(campaign_ids))

    async def configure(
        self,
        login: str,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
    ) -> Agent:
        given = {
            **({} if skills is None else {"skills": tuple(skills)}),
            **({} if weight is None else {"weight": weight}),
            **({} if max_owned is UNSET else {"max_owned": max_owned}),
        }
        return await self._settle(login, **given)

    async def leave(self, login: str) -> Agent:
        if self._change(login).state is not AgentState.LOGGED_OUT:
            raise Conflict(f"{login} is logged in")
        return await self._settle(login, left_at=NOW)

    async def come_back(self, login: str) -> Agent:
        return await self._settle(login, left_at=None)

    async def _settle(self, login: str, **fields: Any) -> Agent:
        agent = self._change(login, **fields)
        if self._store is not None:
            await self._store.agents.save_settings(agent.id, **fields)
        return agent

    async def login(self, login: str, *, ready: bool = True) -> Agent:
        return self._change(login, state=AgentState.READY if ready else AgentState.PAUSED)

    async def logout(self, login: str) -> Agent:
        return self._change(login, state=AgentState.LOGGED_OUT)

    async def ready(self, login: str) -> Agent:
        return self._change(login, state=AgentState.READY)

    async def pause(self, login: str, reason: str) -> Agent:
        return self._change(login, state=AgentState.PAUSED, reason=reason)

    async def hang_up(self, login: str) -> Agent:
        if self._change(login).call_id is None:
            raise Conflict(f"{login} is on no call")
        return self._change(login, state=AgentState.WRAP_UP)

    def _change(self, login: str, **fields: object) -> Agent:
        if self.fails:
            raise self.fails
        if login not in self._agents:
            raise NotFound(f"there is no agent {login!r}")
        self._agents[login] = replace(self._agents[login], **fields)  # type: ignore[arg-type]
        return self._agents[login]


def house_over(store: MemoryStore, agents: FakeAgentDesk, bus: EventBus, clock: FakeClock) -> House:
    """Return what ownership shares, over a store in memory."""
    return House(
        store=store.ownership,
        agents=agents.agents,
        campaigns=lambda: list(store.tables.campaigns.values()),
        bus=bus,
        clock=clock,
    )


class FakeCampaignDesk:
    """Campaigns in a store in memory; nothing is dialed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store.campaigns

    async def campaigns(self) -> Sequence[Campaign]:
        return await self._store.campaigns()

    async def add(self, campaign: Campaign) -> Campaign:
        return await self._store.add_campaign(campaign)

    async def change(self, campaign: Campaign) -> Campaign:
        await self._store.update_campaign(campaign)
        return next(c for c in await self._store.campaigns() if c.id == campaign.id)

    async def start(self, campaign_id: int) -> Campaign:
        return await self._move(campaign_id, CampaignState.RUNNING)

    async def pause(self, campaign_id: int) -> Campaign:
        return await self._move(campaign_id, CampaignState.PAUSED)

    async def stop(self, campaign_id: int) -> Campaign:
        return await self._move(campaign_id, CampaignState.STOPPED)

    async def progress(self, campaign_id: int) -> Progress:
        return await self._store.progress(campaign_id)

    async def _move(self, campaign_id: int, state: CampaignState) -> Campaign:
        await self._store.set_state(campaign_id, state)
        return next(c for c in await self._store.campaigns() if c.id == campaign_id)


class FakePreviews:
    """One offer at the most, set by the test."""

    def __init__(self) -> None:
        self.offers: dict[str, Offer] = {}
        self.skipped: list[tuple[str, str]] = []

    def offer_of(self, login: str) -> Offer | None:
        return self.offers.get(login)

    async def dial(self, login: str) -> Call:
        if login not in self.offers:
            raise Conflict(f"{login} looks at no contact now")
        offer = self.offers.pop(login)
        return a_call(number=offer.candidate.number, contact_id=offer.candidate.contact_id)

    async def skip(self, login: str, reason: str) -> None:
        if self.offers.pop(login, None) is None:
            raise Conflict(f"{login} looks at no contact now")
        self.skipped.append((login, reason))


class FakeByHand:
    """Calls whomever it is asked to."""

    def __init__(self) -> None:
        self.fails: CtiError | None = None
        self.calls: list[Call] = []

    async def call(
        self, login: str, *, campaign_id: int, contact_id: int, crm_ref: str | None = None
    ) -> Call:
        if self.fails:
            raise self.fails
        why = f"by hand: {login} asked for it"
        self.calls.append(a_call(campaign_id=campaign_id, contact_id=contact_id, crm_ref=crm_ref, why=why))
        return self.calls[-1]


class FakeCallDesk(CallDesk):
    """The calls of a store in memory; those that are up are read there too."""

    def __init__(
        self, store: MemoryStore, bus: EventBus, dispositions: Dispositions, do_not_call: DoNotCall
    ) -> None:
        super().__init__(
            store=store.calls,
            open_calls=CallTracker(),
            bus=bus,
            dispositions=dispositions,
            do_not_call=do_not_call,
        )
        self._tables = store.tables

    def open_calls(self) -> Sequence[Call]:
        return [call for call in self._tables.calls.values() if not call.ended]


class FakeReporter:
    """One table, whatever the question; remembers the question."""

    def __init__(self) -> None:
        self.asked: list[tuple[ReportKind, datetime, datetime]] = []

    async def report(self, kind: ReportKind, *, since: datetime, until: datetime) -> Table:
        self.asked.append((kind, since, until))
        return Table(
            title="Calls", columns=("agent", "placed", "rate"), rows=(("anna", 3, 0.5), ("=2+3", 0, None))
        )


class FakeReconciler:
    """Answers what it was given."""

    def __init__(self, *differences: Difference, compared: int = 2) -> None:
        self.differences = differences
        self.compared = compared

    async def run(self, since: datetime) -> Reconciliation:
        return Reconciliation(since=since, compared=self.compared, differences=self.differences)


class FakeNodes:
    """One node."""

    def __init__(self, *, connected: bool = True) -> None:
        self.connected = connected

    def standing(self) -> Sequence[NodeStanding]:
        return [NodeStanding(name="pbx", connected=self.connected, version="22.10.1")]


def a_line_desk(store: MemoryStore, clock: FakeClock | None = None) -> LineDesk:
    """Return the real desk of lines over the store in memory, with two trunks and no pool."""
    clock = clock or FakeClock()
    trunks = [
        Trunk(node="pbx", endpoint="cheap", channels=30, priority=1),
        Trunk(node="pbx", endpoint="dear", calls_per_second=5.0, priority=2),
    ]
    keeper = LineKeeper(trunks=trunks, store=store.callers, clock=clock)
    return LineDesk(keeper=keeper, store=store.callers, clock=clock)


class FakeAnswerChances:
    """Fits that the store has; orders are kept in `ordered`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.ordered: list[int] = []

    async def newest(self, campaign_id: int) -> ChanceFit | None:
        return await self._store.chances.newest_fit(campaign_id)

    async def order(self, campaign_id: int) -> None:
        self.ordered.append(campaign_id)
