"""What the handlers are given, and where they find it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from cti.bus import EventBus
from cti.clock import Clock
from cti.contacts.bulk_desk import BulkDesk
from cti.contacts.desk import ContactDesk
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.contacts.view_desk import ViewDesk
from cti.errors import NotFound
from cti.hooks.desk import HookDesk
from cti.hooks.dial_desk import DialDesk
from cti.model.agents import Agent
from cti.model.contacts import Campaign
from cti.recording.desk import RecordingDesk
from cti.recording.pauses import PauseDesk
from cti.recording.space import SpaceWatch
from cti.reports.ports import FactStore
from cti.web.agent_ports import AgentDesk
from cti.web.call_ports import ByHand, CallDesk, Previews
from cti.web.callback_ports import Callbacks
from cti.web.campaign_ports import AnswerChances, CampaignDesk, Decisions, Ledger, Recycler, Whys
from cti.web.compliance_ports import Compliance, Consents, DoNotCall
from cti.web.contact_ports import Distributor, ImportDesk, LeadDesk, OwnershipDesk
from cti.web.crm_ports import CrmDesk, LookUps, PullDesk, Records
from cti.web.line_ports import LineDesk, Nodes
from cti.web.quality_ports import Quality
from cti.web.report_ports import Reconciler, Reporter
from cti.web.search_ports import Search, Transcripts
from cti.web.transcription_ports import Transcription


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The rest of the service, as the API sees it."""

    agents: AgentDesk
    campaigns: CampaignDesk
    imports: ImportDesk
    leads: LeadDesk
    calls: CallDesk
    contacts: ContactDesk
    ownership: OwnershipDesk
    distributor: Distributor
    lines: LineDesk
    dictionaries: DictionaryDesk
    bulk: BulkDesk
    views: ViewDesk
    facts: FactStore
    reports: Reporter
    reconciler: Reconciler
    nodes: Nodes
    compliance: Compliance
    do_not_call: DoNotCall
    consents: Consents
    previews: Previews
    by_hand: ByHand
    ledger: Ledger
    decisions: Decisions
    recycler: Recycler
    whys: Whys
    callbacks: Callbacks
    chances: AnswerChances
    transcription: Transcription
    quality: Quality
    transcripts: Transcripts
    search: Search
    crm: CrmDesk
    pulls: PullDesk
    look_ups: LookUps
    records: Records
    hooks: HookDesk
    dial: DialDesk
    bus: EventBus
    clock: Clock
    recordings: RecordingDesk
    pauses: PauseDesk
    space: SpaceWatch
    templates: Mapping[str, Campaign]
    """By node: a campaign that has what a new one has when it does not say otherwise."""
    region: str = ""
    """Country of numbers that are written without one, where a request says none; two letters or empty."""
    live_queue: int = 1000
    """Events that wait for one WebSocket client before it misses some."""


DEPS: Final = web.AppKey("deps", Deps)


def deps(request: web.Request) -> Deps:
    """Return the rest of the service."""
    return request.app[DEPS]


def agent_called(parts: Deps, login: str) -> Agent:
    """Return the agent of this login. Raises NotFound."""
    for agent in parts.agents.agents():
        if agent.login == login:
            return agent
    raise NotFound(f"there is no agent {login!r}")


async def campaign_called(parts: Deps, name: str) -> Campaign:
    """Return the campaign of this id or name. Raises NotFound."""
    campaigns = await parts.campaigns.campaigns()
    for campaign in campaigns:
        if name in (str(campaign.id), campaign.name):
            return campaign
    raise NotFound(f"there is no campaign {name!r}")
