"""A running API on a real server of aiohttp, with the rest of the service played in memory."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestClient, TestServer

from cti.bus import EventBus
from cti.compliance.consent_desk import ConsentDesk
from cti.compliance.do_not_call import DoNotCall
from cti.compliance.gate import ComplianceGate
from cti.compliance.preview import ComplianceDesk
from cti.compliance.profiles import SHIPPED, load_profiles
from cti.contacts.bulk_desk import BulkDesk
from cti.contacts.desk import ContactDesk
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.contacts.importer import Importer
from cti.contacts.lead_desk import LeadDesk
from cti.contacts.view_desk import ViewDesk
from cti.crm.follow_ups import ContactFollowers
from cti.dialer.decision_log import DecisionLog
from cti.dialer.ledger import DropLedger
from cti.model.access import Grant, Role
from cti.model.campaign_rules import Order
from cti.model.contacts import Campaign
from cti.ownership.desk import OwnershipDesk
from cti.ownership.distributor import Distributor
from cti.recording.space import SpaceWatch
from cti.service import running
from cti.web.app import make_app
from cti.web.deps import DEPS, Deps
from tests.builders import a_campaign, an_agent
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import a_crm_desk, a_pull_desk, a_record_desk, some_look_ups
from tests.fakes.desks import (
    FakeAgentDesk,
    FakeAnswerChances,
    FakeByHand,
    FakeCallDesk,
    FakeCampaignDesk,
    FakeNodes,
    FakePreviews,
    FakeReconciler,
    FakeReporter,
    a_line_desk,
    house_over,
)
from tests.fakes.hooks import a_dial_desk, a_hook_desk
from tests.fakes.memory_owners import FakeOwners
from tests.fakes.memory_store import MemoryStore
from tests.fakes.quality_parts import quality_parts
from tests.fakes.queue_parts import queue_parts
from tests.fakes.recording_parts import recording_parts
from tests.fakes.transcription import a_transcription_desk

PROFILES = load_profiles(SHIPPED)

TOKENS = {
    "admin": "token-of-the-admin",
    "lead": "token-of-the-lead",
    "qa": "token-of-the-reviewer",
    "anna": "token-of-anna",
    "worker": "token-of-a-worker",
    "sync": "token-of-the-sync",
    "nobody": "wrong",
}


def grant(name: str, role: Role, agent: str | None = None) -> Grant:
    digest = hashlib.sha256(TOKENS[name].encode()).hexdigest()
    return Grant(name=name, sha256=digest, role=role, agent=agent)


@dataclass
class Site:
    """A running API and all that stands behind it."""

    client: TestClient[Any, Any]
    store: MemoryStore
    bus: EventBus
    agents: FakeAgentDesk
    reports: FakeReporter
    reconciler: FakeReconciler
    nodes: FakeNodes
    recordings: Path
    previews: FakePreviews
    by_hand: FakeByHand
    decisions: DecisionLog
    dictionaries: DictionaryDesk
    """Empty at first, so that every code is allowed."""
    bulk: BulkDesk

    @property
    def chances(self) -> FakeAnswerChances:
        app = self.client.app
        assert app is not None
        chances = app[DEPS].chances
        assert isinstance(chances, FakeAnswerChances)
        return chances

    @property
    def space(self) -> SpaceWatch:
        app = self.client.app
        assert app is not None
        return app[DEPS].space

    @property
    def anna(self) -> int:
        return next(agent.id for agent in self.agents.agents() if agent.login == "anna")

    @property
    def bob(self) -> int:
        return next(agent.id for agent in self.agents.agents() if agent.login == "bob")

    def url(self, path: str) -> str:
        return f"/api/v1/{path}"

    async def ask(
        self, method: str, path: str, *, as_: str | None = "lead", **more: Any
    ) -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bearer {TOKENS[as_]}"} if as_ else {}
        return await self.client.request(
            method, self.url(path), headers={**headers, **more.pop("headers", {})}, **more
        )

    async def told(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """Ask, check the status, return the JSON."""
        answer = await self.ask(method, path, **more)
        content = await answer.json()
        assert answer.status == status, content
        return content

    async def refused(self, method: str, path: str, *, status: int, **more: Any) -> dict[str, Any]:
        """Ask for what is refused; return the error."""
        error: dict[str, Any] = (await self.told(method, path, status=status, **more))["error"]
        return error


def compliance_parts(store: MemoryStore, clock: FakeClock) -> dict[str, Any]:
    """Return what the API needs of compliance, by its fields; numbers without a country are German."""
    gate = ComplianceGate(store=store.compliance, profiles=PROFILES)
    return {
        "compliance": ComplianceDesk(
            gate=gate, profiles=PROFILES, store=store.compliance, consents=store.consents, region="DE"
        ),
        "do_not_call": DoNotCall(store=store.do_not_call, facts=store.compliance, clock=clock, region="DE"),
        "consents": ConsentDesk(store=store.consents, clock=clock, region="DE"),
    }


def a_contact_desk(store: MemoryStore, dictionaries: DictionaryDesk) -> ContactDesk:
    """Build the desk of contacts over a store."""
    return ContactDesk(
        store=store.finding,
        agents=lambda: list(store.tables.agents.values()),
        campaigns=lambda: list(store.tables.campaigns.values()),
        clock=FakeClock(),
        zone="Europe/Berlin",
        dictionaries=dictionaries,
        follow=ContactFollowers(["odoo"]).changed,
    )


def deps_in_memory(
    store: MemoryStore, folder: Path, *, bus: EventBus | None = None, clock: FakeClock | None = None
) -> Deps:
    """Return all that the API needs, over a store in memory."""
    bus, clock = bus or EventBus(), clock or FakeClock()
    agents = FakeAgentDesk()
    house = house_over(store, agents, bus, clock)
    dictionaries = DictionaryDesk(store=store.dictionaries, clock=clock)
    contacts = a_contact_desk(store, dictionaries)
    compliance = compliance_parts(store, clock)
    return Deps(
        agents=agents,
        campaigns=FakeCampaignDesk(store),
        imports=Importer(store=store.imports, folder=folder, clock=clock, order_of=lambda _: Order.OLDEST),
        leads=LeadDesk(store=store.leads, bus=bus, clock=clock),
        lines=a_line_desk(store, clock),
        calls=FakeCallDesk(store, bus, dictionaries, compliance["do_not_call"]),
        contacts=contacts,
        dictionaries=dictionaries,
        bulk=BulkDesk(
            store=store.bulk,
            clock=clock,
            viewer=contacts.viewer,
            owners=FakeOwners(store),
            on_work=lambda: None,
        ),
        views=ViewDesk(store=store.views, contacts=contacts, clock=clock),
        ownership=OwnershipDesk(house),
        distributor=Distributor(house),
        facts=store.facts,
        reports=FakeReporter(),
        reconciler=FakeReconciler(),
        nodes=FakeNodes(),
        **compliance,
        **queue_parts(store, clock, agents.agents),
        chances=FakeAnswerChances(store),
        transcription=a_transcription_desk(store, bus, clock),
        quality=quality_parts(store, bus, clock, agents.agents).desks,
        transcripts=store.transcripts,
        search=store.search,
        crm=a_crm_desk(store, clock),
        pulls=a_pull_desk(store, clock),
        look_ups=some_look_ups(store, clock),
        records=a_record_desk(store, bus, clock),
        previews=FakePreviews(),
        by_hand=FakeByHand(),
        hooks=a_hook_desk(store, bus, clock),
        dial=a_dial_desk(store, agents, FakeByHand(), clock),
        ledger=DropLedger(store=store.ledger, clock=clock),
        decisions=DecisionLog(store=store.decisions, clock=clock),
        bus=bus,
        clock=clock,
        **recording_parts(store, folder, bus, clock),
        templates={},
    )


@asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[Site]:
    """Serve for as long as the block lasts: campaign `autumn`, agents anna and bob, tokens of TOKENS."""
    store, bus, clock = MemoryStore(), EventBus(), FakeClock()
    await store.campaigns.add_campaign(a_campaign())
    for agent in (an_agent(), an_agent(id=2, login="bob", name="Bob", endpoint="a002")):
        await store.agents.add_agent(
            login=agent.login, name=agent.name, endpoint=agent.endpoint, node=agent.node, campaign_ids=(1,)
        )
    agents = FakeAgentDesk(*await store.agents.agents(), store=store)
    house = house_over(store, agents, bus, clock)
    reports, reconciler, nodes = FakeReporter(), FakeReconciler(), FakeNodes()
    previews, by_hand = FakePreviews(), FakeByHand()
    decisions = DecisionLog(store=store.decisions, clock=clock)
    recordings = folder / "recordings"
    recordings.mkdir()
    importer = Importer(
        store=store.imports, folder=folder / "imports", clock=clock, order_of=lambda _: Order.OLDEST
    )
    await importer.load()
    parts = replace(
        deps_in_memory(store, recordings, bus=bus, clock=clock),
        imports=importer,
        leads=LeadDesk(store=store.leads, bus=bus, clock=clock),
        lines=a_line_desk(store, clock),
        ownership=OwnershipDesk(house),
        distributor=Distributor(house),
        agents=agents,
        reports=reports,
        reconciler=reconciler,
        nodes=nodes,
        **queue_parts(store, clock, agents.agents),
        quality=quality_parts(store, bus, clock, agents.agents).desks,
        previews=previews,
        by_hand=by_hand,
        dial=a_dial_desk(store, agents, by_hand, clock),
        decisions=decisions,
        templates={"pbx": Campaign(id=0, name="", node="pbx", trunk="carrier")},
        region="DE",
        live_queue=5,
    )
    grants = [
        grant("admin", Role.ADMIN),
        grant("lead", Role.LEAD),
        grant("qa", Role.QA),
        grant("anna", Role.AGENT, "anna"),
        grant("worker", Role.WORKER),
        grant("sync", Role.SYNC),
    ]
    server = TestServer(make_app(parts, grants))
    async with running(importer), TestClient(server) as client:
        yield Site(
            client,
            store,
            bus,
            agents,
            reports,
            reconciler,
            nodes,
            recordings,
            previews,
            by_hand,
            decisions,
            parts.dictionaries,
            parts.bulk,
        )
