"""What the API needs of the rest of the service. Errors are `CtiError`s; `errors` turns them into answers."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from cti.compliance.consents import Consent
from cti.compliance.do_not_call import FileReading, RegisterImport
from cti.compliance.facts import ConsentStanding, Listed
from cti.compliance.law import Law
from cti.compliance.listings import Listing, ListingStep, Register
from cti.compliance.preview import Place, Preview
from cti.compliance.profiles import Profile
from cti.model.agents import UNSET, Agent, Unset
from cti.model.answer_chances import ChanceFit
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    NewCallback,
    Whereabouts,
)
from cti.model.calls import Call
from cti.model.campaign_rules import Order
from cti.model.contacts import Campaign, Progress
from cti.model.decisions import PacingDecision
from cti.model.findings import Finding
from cti.model.imports import HowFar, Import, ImportOrder, Lead, LeadTaken, Refusal
from cti.model.ledger import Standing
from cti.model.lines import CallerPool, PoolStanding, TrunkStanding
from cti.model.offers import Offer
from cti.model.ownership import Moved, OwnerMove, PoolCount, Pooled, Selection
from cti.model.reconciliation import Reconciliation
from cti.model.tables import ReportKind, Table
from cti.model.verdicts import SkipReason, Verdict
from cti.model.whys import CampaignWhy, ContactWhy
from cti.ownership.assignment import Asked
from cti.ownership.sharing import Method, Shared


class AgentDesk(Protocol):
    """Agents, and what they ask for. Raises NotFound (login), Conflict (not in this state), NodeDown."""

    def agents(self) -> Sequence[Agent]:
        """List all agents as they are now, by login."""
        ...

    async def add(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict (login or phone taken), NotFound (campaign, node)."""
        ...

    async def assign(self, login: str, campaign_ids: Sequence[int]) -> Agent:
        """Set the campaigns he works on."""
        ...

    async def configure(
        self,
        login: str,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
    ) -> Agent:
        """Set what contacts may ask of him and how many he may own; what is not given stays."""
        ...

    async def leave(self, login: str) -> Agent:
        """Note that he works here no more. While he is logged in: Conflict."""
        ...

    async def come_back(self, login: str) -> Agent:
        """Note that he works here again."""
        ...

    async def login(self, login: str, *, ready: bool = True) -> Agent:
        """Call his phone and keep the leg; then ready, or paused for `login`. Returns when it is up."""
        ...

    async def logout(self, login: str) -> Agent:
        """Let his leg go. While he is on a call: Conflict."""
        ...

    async def ready(self, login: str) -> Agent:
        """Offer him calls. Ends wrap-up and pause."""
        ...

    async def pause(self, login: str, reason: str) -> Agent:
        """No more calls; on a call it holds from its end (`pause_next`)."""
        ...

    async def hang_up(self, login: str) -> Agent:
        """End the customer's leg of his present call. Conflict when he has none."""
        ...


class CampaignDesk(Protocol):
    """Campaigns and their lists."""

    async def campaigns(self) -> Sequence[Campaign]:
        """List all campaigns, oldest first, as they are now."""
        ...

    async def add(self, campaign: Campaign) -> Campaign:
        """Store a campaign, stopped; its `id` is ignored. Raises Conflict (name), NotFound (node)."""
        ...

    async def change(self, campaign: Campaign) -> Campaign:
        """Write all settings but the state, also while it dials. Raises Conflict (name), NotFound (id, node)."""
        ...

    async def start(self, campaign_id: int) -> Campaign: ...

    async def pause(self, campaign_id: int) -> Campaign: ...

    async def stop(self, campaign_id: int) -> Campaign: ...

    async def progress(self, campaign_id: int) -> Progress:
        """Raises NotFound."""
        ...


class ImportDesk(Protocol):
    """Imports of lists: `cti.contacts.importer`."""

    async def receive(self, order: ImportOrder, chunks: AsyncIterator[bytes]) -> Import:
        """Keep a file and note the import, which begins in its turn.

        Raises BadInput (an order that cannot be carried out), NotFound (campaign), Conflict (name of the list).
        """
        ...

    async def finished(self, import_id: int) -> Import:
        """Return the import when it is done, failed or undone."""
        ...

    async def undo(self, import_id: int, *, by: str) -> Import:
        """Begin to undo. Raises NotFound, Conflict (not done, or a dry run)."""
        ...

    async def get(self, import_id: int) -> Import:
        """Raises NotFound."""
        ...

    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> Sequence[Import]:
        """List imports, newest first."""
        ...

    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> Sequence[Refusal]:
        """List refused rows in the order of the file. Raises NotFound."""
        ...

    def how_far(self, now: Import) -> HowFar:
        """Return how far the reading of its file has come."""
        ...


class LeadDesk(Protocol):
    """Leads in real time: `cti.contacts.lead_desk`."""

    async def add(self, lead: Lead, *, order: Order) -> LeadTaken:
        """Store the lead, then tell it on the bus. Raises NotFound (campaign)."""
        ...


class LineDesk(Protocol):
    """Numbers to show, and trunks."""

    def trunks(self) -> Sequence[TrunkStanding]:
        """List all trunks as they are now."""
        ...

    def pools(self) -> Sequence[PoolStanding]:
        """List all pools with the use of their numbers, oldest first."""
        ...

    async def add(self, pool: CallerPool) -> PoolStanding:
        """Store a pool; its `id` is ignored. Raises Conflict (name, a number of another pool)."""
        ...

    async def change(
        self, name: str, *, settings: dict[str, object], numbers: dict[str, dict[str, object]]
    ) -> PoolStanding:
        """Change fields of a pool, and of its numbers; unknown numbers are added. Raises NotFound, Conflict."""
        ...


class CallDesk(Protocol):
    """Calls as they are now."""

    def open_calls(self) -> Sequence[Call]:
        """List the calls that have not ended, oldest first."""
        ...

    async def set_disposition(
        self, call_id: str, *, agent_id: int | None, disposition: str, note: str, at: datetime
    ) -> None:
        """Store an agent's verdict and tell it on the bus. Raises NotFound."""
        ...


class OwnershipDesk(Protocol):
    """Who owns which contact. Raises NotFound, Conflict and BadInput with a sentence that says why."""

    async def pool(
        self, campaign_ids: Iterable[int], *, list_id: int | None = None, limit: int
    ) -> tuple[list[PoolCount], list[Pooled]]:
        """Count the pool of these campaigns and list whom a claim would get first."""
        ...

    async def room(self, login: str) -> int | None:
        """Return how many more contacts an agent may own, None: any number."""
        ...

    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """List a contact's owners, the oldest move first."""
        ...

    async def claim(
        self,
        login: str,
        count: int,
        *,
        campaign_id: int | None = None,
        list_id: int | None = None,
        by: str,
        lead: bool,
    ) -> Moved:
        """Give an agent the next of the pool."""
        ...

    async def claim_these(self, login: str, contact_ids: Sequence[int], *, by: str, lead: bool) -> Moved:
        """Give an agent these contacts of the pool."""
        ...

    async def give_back(self, contact_id: int, *, login: str | None, reason: str, by: str) -> OwnerMove:
        """Put a contact back into the pool. `login`: only when he is this agent's."""
        ...

    async def transfer(self, contact_id: int, *, to: str, reason: str, by: str) -> Moved:
        """Move a contact to another agent."""
        ...


class Distributor(Protocol):
    """Gives many contacts to agents, as a plan or for good."""

    async def assign(
        self,
        selection: Selection,
        *,
        to: Sequence[str],
        method: Method,
        asked: Asked | None = None,
        take_over: bool = False,
        most: int | None = None,
        reason: str = "",
        by: str,
        dry_run: bool,
    ) -> Shared:
        """Share contacts out among agents; without `to` among all of the selection's campaign."""
        ...

    def receivers(self, login: str, to: Sequence[str]) -> tuple[Agent, list[Agent]]:
        """Return who hands over and who takes over; raises what `hand_over` would raise."""
        ...

    async def hand_over(
        self, login: str, *, to: Sequence[str], by: str, reason: str = "", dry_run: bool = False
    ) -> Shared:
        """Give all contacts of an agent to others by their weights; without `to`, and the rest, to the pool."""


class Previews(Protocol):
    """Contacts that agents look at before they are dialed."""

    def offer_of(self, login: str) -> Offer | None:
        """Return what the agent looks at. Raises NotFound."""
        ...

    async def dial(self, login: str) -> Call:
        """Call him. Raises Conflict: there is none, or a rule forbids it now."""
        ...

    async def skip(self, login: str, reason: str) -> None:
        """Call him not now. Raises Conflict: there is none, or the campaign allows no skips."""
        ...


class ByHand(Protocol):
    """Click to call."""

    async def call(
        self, login: str, *, campaign_id: int, contact_id: int, crm_ref: str | None = None
    ) -> Call:
        """Call a contact for the agent, from this record of the CRM.

        Raises NotFound, NodeDown, Conflict (the message says what forbids it).
        """
        ...


class Ledger(Protocol):
    """The drop ledgers."""

    async def standing(self, campaign: Campaign) -> Standing:
        """Return where the campaign stands against its limit."""
        ...


class Decisions(Protocol):
    """What pacing decided."""

    def last(self, campaign_id: int) -> PacingDecision | None:
        """Return the last look of the running service, None before the first one."""
        ...

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> Sequence[PacingDecision]:
        """List what was kept of a span, newest first."""
        ...


class Reporter(Protocol):
    """Figures from facts."""

    async def report(self, kind: ReportKind, *, since: datetime, until: datetime) -> Table:
        """Count calls placed, or time spent, in the span: since inclusive, until exclusive."""
        ...


class Reconciler(Protocol):
    """Compares our calls with Asterisk's own records."""

    async def run(self, since: datetime) -> Reconciliation:
        """Look at all calls placed since then that have ended."""
        ...


class CallbackAnswer(Protocol):
    """A callback as it is now, and what is to be said of its time."""

    @property
    def callback(self) -> Callback: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...


class Callbacks(Protocol):
    """Takes orders about callbacks."""

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """Return a contact's owner and zone. Raises NotFound."""
        ...

    async def add(self, new: NewCallback) -> CallbackAnswer:
        """Raises NotFound, Conflict (one stands open, or he is stopped), BadInput (the time is past)."""
        ...

    async def change(self, callback_id: int, change: CallbackChange, *, by: str) -> CallbackAnswer:
        """Raises NotFound, Conflict (it is settled), BadInput (the time is past)."""
        ...

    async def get(self, callback_id: int) -> Callback:
        """Raises NotFound."""
        ...

    async def find(self, wanted: CallbackFilter) -> Sequence[Callback]:
        """List callbacks, the soonest first."""
        ...

    async def history(self, callback_id: int) -> Sequence[CallbackMove]:
        """List what happened to one, oldest first."""
        ...


class Whys(Protocol):
    """Says why contacts are dialed or not."""

    async def of_number(self, number: str) -> ContactWhy:
        """Raises NotFound when nobody knows the number (E.164)."""
        ...

    async def of_contact(self, contact_id: int) -> ContactWhy:
        """Raises NotFound."""
        ...

    async def of_campaign(self, campaign: Campaign) -> CampaignWhy:
        """Answer for every entry that is not being dialed."""
        ...


class Recycled(Protocol):
    """What became of a list that was recycled."""

    @property
    def by_outcome(self) -> Mapping[str, int]:
        """How many contacts there are, by the outcome of their last attempt."""
        ...

    @property
    def moved(self) -> int:
        """How many are pending again."""
        ...


class Recycler(Protocol):
    """Puts contacts a list is done with back into its queue."""

    async def recycle(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str], dry_run: bool
    ) -> Recycled:
        """Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStanding:
    """One Asterisk node now."""

    name: str
    connected: bool
    version: str | None = None
    reason: str | None = None
    """Why it is not connected."""


class AnswerChances(Protocol):
    """What was learned of who answers."""

    async def newest(self, campaign_id: int) -> ChanceFit | None:
        """Return the campaign's newest fit, used or not; None: there was none."""
        ...

    async def order(self, campaign_id: int) -> None:
        """Have the campaign's chances fitted soon."""
        ...


class Nodes(Protocol):
    """The Asterisk nodes."""

    def standing(self) -> Sequence[NodeStanding]:
        """List the nodes in the order of the settings."""
        ...


class Compliance(Protocol):
    """Profiles, previews and reasons. Raises BadInput naming the key of the rules that is wrong, StorageError."""

    def profiles(self) -> Sequence[Profile]:
        """List the profiles by name."""
        ...

    def findings(self, campaign: Campaign) -> Sequence[Finding]:
        """Return how a campaign stands to its profile, and what it makes less strict."""
        ...

    async def preview(
        self, campaign: Campaign, *, at: datetime, list_id: int | None, start: Place, at_most: int
    ) -> Preview:
        """Look at so many contacts of the campaign as if they were asked for at that time."""
        ...

    async def why(
        self, campaign: Campaign, number: str, at: datetime
    ) -> tuple[str, Sequence[int], Law, Mapping[SkipReason, Verdict]]:
        """Return a number as E.164, the contacts that have it, the law for it, and each check's answer."""
        ...


class DoNotCall(Protocol):
    """The own do-not-call list and registers. Raises BadInput naming the number or line, NotFound, Conflict."""

    async def add(
        self, numbers: Sequence[str], *, campaign_id: int, reason: str, until: datetime | None, by: str
    ) -> int:
        """List numbers or beginnings, all or none. Returns how many were not listed before."""
        ...

    async def add_file(
        self,
        chunks: AsyncIterator[bytes],
        *,
        campaign_id: int,
        reason: str,
        until: datetime | None,
        by: str,
    ) -> FileReading:
        """List the numbers of a file."""
        ...

    async def remove(self, number: str, *, campaign_id: int, reason: str, by: str) -> str:
        """Take an entry out and return its key."""
        ...

    async def listings(
        self, *, beginning: str, campaign_id: int | None, after: tuple[str, int], limit: int
    ) -> Sequence[Listing]:
        """List entries by number and campaign."""
        ...

    async def check(
        self, number: str, *, campaign_id: int
    ) -> tuple[str, Sequence[Listed], Sequence[ListingStep]]:
        """Return the number as E.164, all that it falls under now, and its history."""
        ...

    async def registers(self) -> Sequence[Register]:
        """List the registers that count."""
        ...

    async def import_register(
        self,
        chunks: AsyncIterator[bytes],
        *,
        name: str,
        source: str,
        as_of: date | None,
        may_shrink: bool,
        by: str,
    ) -> RegisterImport:
        """Fill a register from a file and let it take the place of the one of its name."""
        ...

    async def end_register(self, name: str) -> None:
        """Let a register count no more."""
        ...


class Consents(Protocol):
    """What people said to being called. Raises BadInput, NotFound."""

    async def record(
        self,
        *,
        contact_id: int | None,
        number: str | None,
        standing: ConsentStanding,
        at: datetime | None,
        source: str,
        evidence: str,
        by: str,
    ) -> Sequence[Consent]:
        """Write down what was said; a line for each contact."""
        ...

    async def history(self, *, contact_id: int | None, number: str | None) -> Sequence[Consent]:
        """List what was said, oldest first."""
        ...
