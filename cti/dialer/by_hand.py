"""Click to call: an agent asks for one contact, and is kept for the call. All rules hold."""

from dataclasses import replace

from cti.clock import Clock
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.agent_states import may_take_calls, previews
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.campaign_ports import CampaignStore
from cti.dialer.candidate_ports import Gate
from cti.dialer.exchange_ports import Lines
from cti.dialer.owners import owned_targets
from cti.dialer.placing import Order, Placer
from cti.errors import Conflict, NodeDown, NotFound
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState, Candidate, EntryState


class ClickToCall:
    """Calls that agents ask for."""

    def __init__(
        self,
        *,
        contacts: CampaignStore,
        campaigns: CampaignDesk,
        desk: AgentDesk,
        gate: Gate,
        placer: Placer,
        lines: Lines,
        clock: Clock,
    ) -> None:
        self._contacts = contacts
        self._campaigns = campaigns
        self._desk = desk
        self._gate = gate
        self._placer = placer
        self._lines = lines
        self._clock = clock

    async def call(
        self, login: str, *, campaign_id: int, contact_id: int, crm_ref: str | None = None
    ) -> Call:
        """Call a contact of a campaign's lists for this agent.

        `crm_ref` is the CRM's record that he is called from, where it is another one than his row's: the call's log
        lands on it.

        Raises NotFound (agent, campaign, contact), NodeDown, Conflict: the agent is not free, the campaign does not
        run or is not his, the contact is somebody else's or is being called, or a rule forbids it now.
        """
        agent, campaign = self._desk.named(login), self._campaigns.get(campaign_id)
        self._may_dial(agent, campaign)
        candidate, state = await self._contact(campaign, contact_id)
        self._may_have(agent, campaign, candidate)
        [verdict] = await self._gate.ask(campaign, [candidate], self._clock.now())
        if not verdict.allowed:
            raise Conflict(f"{candidate.number} may not be called now: {verdict.detail or verdict.reason}")
        if state is EntryState.WAITING:
            await self._contacts.wake(candidate.entry_id)
        order = Order(
            candidate=candidate if crm_ref is None else replace(candidate, crm_ref=crm_ref),
            agent=agent,
            why=f"by hand: {agent.login} asked for it",
            # Who is done with in the list may still be called; his place there stays as it is.
            in_list=state is not EntryState.DONE,
        )
        placed = await self._placer.place(campaign, [order])
        if not placed:
            raise Conflict(
                f"{candidate.number} is being called already, or was a moment ago, or your phone is gone"
            )
        return placed[0]

    def _may_dial(self, agent: Agent, campaign: Campaign) -> None:
        if campaign.id not in agent.campaign_ids:
            raise Conflict(f"{agent.login} does not work on {campaign.name}")
        if campaign.state is not CampaignState.RUNNING:
            raise Conflict(f"{campaign.name} is {campaign.state}; start it first")
        if agent.node != campaign.node:
            raise Conflict(f"the phone of {agent.login} is on {agent.node}, the campaign on {campaign.node}")
        if not self._lines.connected(campaign.node):
            raise NodeDown(f"no connection to the node {campaign.node}; nobody can be called there now")
        if not (may_take_calls(agent) or previews(agent)):
            raise Conflict(f"{agent.login} is {agent.state}; only who is ready can call")

    async def _contact(self, campaign: Campaign, contact_id: int) -> tuple[Candidate, EntryState]:
        found = await self._contacts.candidate(campaign.id, contact_id)
        if found is None:
            raise NotFound(f"there is no contact {contact_id} in the lists of {campaign.name}")
        if found[1] is EntryState.DIALING:
            raise Conflict(f"{found[0].number} is being called already")
        return found

    def _may_have(self, agent: Agent, campaign: Campaign, candidate: Candidate) -> None:
        owner = candidate.owner_agent_id
        if owner in (None, agent.id):
            return
        if owner not in owned_targets(campaign, self._desk.agents()).with_team:
            raise Conflict(f"contact {candidate.contact_id} belongs to somebody else")
