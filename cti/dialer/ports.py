"""What the dialer needs: a place to write, and lines to dial on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cti.dialer.retry import done_after_one
from cti.model.agents import UNSET, Agent, AgentChange, Unset
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    NewCallback,
    Whereabouts,
)
from cti.model.calls import Call
from cti.model.campaign_rules import NO_DETECTION, MachineRules
from cti.model.contacts import (
    Campaign,
    CampaignState,
    Candidate,
    EntryState,
    ImportResult,
    NewContact,
    Progress,
    RowRefused,
)
from cti.model.decisions import PacingDecision
from cti.model.events import Event
from cti.model.ledger import Tally
from cti.model.standing import Lane, Parked, Plan
from cti.model.verdicts import Verdict
from cti.model.whys import LaneCount, ReasonCount, Standing, ToldReason
from cti.model.work import NewWork


def no_works(before: str | None) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


CallbackWorks = Callable[[Callback], Sequence[NewWork]]


def no_callback_works(one: Callback) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


class CallStore(Protocol):
    """Attempts and calls. Every method is one transaction; errors are `StorageError`."""

    async def place(self, calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        """Commit each call and its attempt as `placing`, and its list entry as dialing.

        An entry that is no longer pending (another engine took it, it was removed) takes its call out. Returns the
        ids of the calls that were committed: only these may be dialed. After an error that leaves the commit in
        doubt the same calls may be placed again: those that were committed are returned once more.
        """
        ...

    async def save(
        self, calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        """Write the newest facts of these calls: row, legs (`joins`), attempt, and for ended ones the list entry.

        The entry of a call that ends stands from then on as `plan` says, and once: the same end again moves nothing.
        A call whose `end_reason` is `not_sent`, or that `fails_over`, gives it back: nobody was rung, and it does not
        count as a try. An ended call in the database is never made un-ended by an older
        snapshot. `works` go in with the same commit. Saving the same again changes nothing, but makes the works due
        again.
        """
        ...

    async def open_calls(self) -> list[Call]:
        """List all calls that have not ended, oldest first."""
        ...

    async def get(self, call_id: str) -> Call | None:
        """Return one call."""
        ...

    async def set_disposition(
        self,
        call_id: str,
        *,
        agent_id: int | None,
        disposition: str,
        note: str,
        at: datetime,
        plan: Plan = done_after_one,
        works: Callable[[str | None], Sequence[NewWork]] = no_works,
    ) -> str | None:
        """Write the agent's verdict and note; again overwrites. Returns the verdict before. Raises NotFound.

        `works` is asked with the verdict before, and what it returns goes in with the same commit.

        Of a call that has ended and is its entry's last, the entry stands from then on as `plan` says, unless
        something else than a plan has decided on it since, or it is being dialed again.
        """
        ...


class AgentStore(Protocol):
    """Agents and their history."""

    async def agents(self) -> list[Agent]:
        """List all agents as last saved, with their campaigns."""
        ...

    async def add_agent(
        self, *, login: str, name: str, endpoint: str, node: str, campaign_ids: Sequence[int] = ()
    ) -> Agent:
        """Make an agent, logged out. Raises Conflict when the login or the phone is taken."""
        ...

    async def assign(self, agent_id: int, campaign_ids: Sequence[int]) -> None:
        """Set the campaigns an agent works on. Raises NotFound for an unknown agent or campaign."""
        ...

    async def save_settings(
        self,
        agent_id: int,
        *,
        skills: Sequence[str] | None = None,
        weight: float | None = None,
        max_owned: int | Unset | None = UNSET,
        left_at: datetime | Unset | None = UNSET,
    ) -> None:
        """Write those settings of an agent that are given. Raises NotFound."""
        ...

    async def save_changes(
        self, changes: Sequence[tuple[AgentChange, Agent]], *, works: Sequence[NewWork] = ()
    ) -> None:
        """Write history rows and the agents' present state (state, since, reason, channel, call), in order.

        `works` go in with the same commit.
        """
        ...


class CampaignStore(Protocol):
    """Campaigns, their lists, and what is next."""

    async def add_campaign(self, campaign: Campaign) -> Campaign:
        """Store a campaign (its `id` is ignored) and return it with its id. Raises Conflict on a taken name."""
        ...

    async def campaigns(self) -> list[Campaign]: ...

    async def set_state(self, campaign_id: int, state: CampaignState) -> None:
        """Raises NotFound."""
        ...

    async def update_campaign(self, campaign: Campaign) -> None:
        """Write all settings of a campaign but its state. Raises NotFound, Conflict (name)."""
        ...

    async def candidate(self, campaign_id: int, contact_id: int) -> tuple[Candidate, EntryState] | None:
        """Return a contact as he stands in the campaign's lists (where he may still be dialed, if anywhere).

        None when he is in none of them.
        """
        ...

    async def wake(self, entry_id: int) -> None:
        """Make a waiting entry pending; any other stays as it is."""
        ...

    async def add_list(
        self,
        *,
        campaign_id: int,
        name: str,
        source: str,
        contacts: Sequence[NewContact],
        refused: Sequence[RowRefused] = (),
        at: datetime,
    ) -> ImportResult:
        """Store a list with its contacts, all or nothing, entries in the order given.

        Raises NotFound, Conflict (name).
        """
        ...

    async def next_candidates(
        self, campaign_id: int, *, limit: int, skip: Sequence[int] = ()
    ) -> list[Candidate]:
        """List pending entries of the campaign's lists, first first, without the entries in `skip`."""
        ...

    async def progress(self, campaign_id: int) -> Progress:
        """Count entries by standing and ended calls by outcome. Raises NotFound."""
        ...


class QueueStore(Protocol):
    """Who is next, who is not, and why. Every method is one transaction; errors are `StorageError`."""

    async def lanes(self, campaign_id: int, *, owners: Collection[int]) -> list[Lane]:
        """List the lanes of these owners (`NOBODY` among them or not) that hold somebody, first first."""
        ...

    async def heads(
        self, campaign_id: int, lanes: Sequence[Lane], *, limit: int, skip: Collection[int] = ()
    ) -> list[Candidate]:
        """Merge the lanes' heads: the best pending entries by priority, rank and entry, without those in `skip`.

        A candidate whose number is no longer there has the empty text for one.
        """
        ...

    async def park(self, parked: Sequence[Parked], *, at: datetime) -> int:
        """Take entries out of the queue, with the reason, and note it in the history; returns how many.

        One that is no longer pending is left alone, and nothing is noted of it.
        """
        ...

    async def wake(self, now: datetime, *, limit: int) -> Mapping[int, int]:
        """Make entries pending that were to wait until now, the longest due first.

        At most `limit` of them. Returns how many of each campaign.
        """
        ...

    async def recyclable(
        self, list_id: int, *, outcomes: Collection[str], dispositions: Collection[str] = ()
    ) -> Mapping[str, int]:
        """Count, by outcome, the list's entries that are done after one of these outcomes or dispositions.

        Not those that somebody stopped, or that a rule of law refused. Raises NotFound.
        """
        ...

    async def recycle(
        self,
        list_id: int,
        *,
        outcomes: Collection[str],
        dispositions: Collection[str] = (),
        after: int,
        limit: int,
        at: datetime,
    ) -> list[int]:
        """Put the first `limit` of them behind entry `after` back to pending, as if never tried; return their ids.

        Raises NotFound.
        """
        ...

    async def has_other_numbers(self, campaign_id: int) -> bool:
        """Return whether any contact in the campaign's lists has a second number. Reads all of them when none has."""
        ...


class ReasonStore(Protocol):
    """How entries stand, why, and what became of contacts before. Errors are `StorageError`."""

    async def standings(self, *, number: str | None = None, contact_id: int | None = None) -> list[Standing]:
        """List the entries of whoever has this number (E.164), or of this contact, oldest first."""
        ...

    async def history(
        self, *, number: str | None = None, contact_id: int | None = None, limit: int
    ) -> list[ToldReason]:
        """List what became of a number or a contact, newest first."""
        ...

    async def reason_counts(self, campaign_id: int) -> list[ReasonCount]:
        """Count the campaign's entries that wait or are done, by reason. Read from an index alone."""
        ...

    async def lane_counts(self, campaign_id: int) -> list[LaneCount]:
        """Count the campaign's pending entries, by owner and zone."""
        ...

    async def samples(
        self,
        campaign_id: int,
        state: EntryState,
        *,
        reason: str | None = None,
        owner_id: int | None = None,
        zone: str | None = None,
        limit: int,
    ) -> list[Standing]:
        """List some entries: pending ones of a lane, first first; others of a reason, the soonest due first."""
        ...

    async def before(self, candidate: Candidate, *, owner_id: int, limit: int) -> int:
        """Count who stands before a candidate in his lane, at most `limit`."""
        ...

    async def forget(self, before: datetime, *, limit: int) -> int:
        """Delete what was told before that moment, at most `limit` rows, the oldest first; returns how many."""
        ...


class CallbackStore(Protocol):
    """Callbacks with their history, and the entries they move. Every method is one transaction."""

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """Return whose a contact is and in which zone. Raises NotFound."""
        ...

    async def add(
        self, new: NewCallback, *, raised: int, at: datetime, works: CallbackWorks = no_callback_works
    ) -> Callback:
        """Plan a callback: the contact's newest entry in the campaign waits for it, raised by so much.

        It waits in the lane of the agent, if it is an agent's; an entry that is being dialed waits when its call has
        ended, as the plan of `CallStore.save` says. A contact without an entry gets one. Raises NotFound (contact,
        campaign, agent), Conflict (one stands open for that entry, or the contact is stopped).
        """
        ...

    async def get(self, callback_id: int) -> Callback:
        """Raises NotFound."""
        ...

    async def find(self, wanted: CallbackFilter) -> list[Callback]:
        """List callbacks, the soonest first."""
        ...

    async def history(self, callback_id: int) -> list[CallbackMove]:
        """List what happened to one, oldest first."""
        ...

    async def change(
        self,
        callback_id: int,
        change: CallbackChange,
        *,
        by: str,
        raised: int,
        at: datetime,
        works: CallbackWorks = no_callback_works,
    ) -> Callback:
        """Change an open one, with a line of history. Raises NotFound, Conflict (it is settled).

        One that is settled lets its entry go: cancelled and never tried it is pending as before, else done.
        """
        ...

    async def remind(
        self, until: datetime, *, at: datetime, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Note of those due until then that they were reminded of; return them, each one once.

        Here and below `works` is asked with each that moved, and what it returns goes in with the same commit.
        """
        ...

    async def fall_due(
        self, now: datetime, *, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Make due what is, and its entries pending; return what moved.

        An entry that somebody or a law has taken out stays out: its callback is missed.
        """
        ...

    async def unreleased(self, due_before: datetime, *, limit: int) -> list[Callback]:
        """List agents' callbacks that fell due before that moment and wait for their agents alone."""
        ...

    async def release(
        self, callback_ids: Collection[int], *, at: datetime, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Let them go back into the lanes of their contacts' owners, or nobody's; return those that did."""
        ...


class Gate(Protocol):
    """The rules of law and custom, asked immediately before each Originate."""

    async def ask(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        """Answer for each candidate, in their order, from facts read just now. Raises StorageError."""
        ...

    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]:
        """Return those of the zones (`""`: not known) in which the campaign may call now."""
        ...


class Chances(Protocol):
    """How likely contacts answer, as learned."""

    async def chances(self, candidates: Sequence[Candidate], now: datetime) -> list[float | None]:
        """Return a chance for each candidate if he is dialed now, in their order; None: none was learned."""
        ...


class LedgerStore(Protocol):
    """Ended calls, counted for the drop ledger."""

    async def tallies(
        self,
        campaign_id: int,
        spans: Sequence[tuple[datetime | None, datetime]],
        *,
        until: datetime,
    ) -> list[Tally]:
        """Count the ended calls of each span (begin inclusive, None: from the start; end exclusive) before `until`."""
        ...


class DecisionStore(Protocol):
    """What pacing decided, and why."""

    async def add(self, decisions: Sequence[PacingDecision]) -> None:
        """Write decisions, all or none."""
        ...

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[PacingDecision]:
        """List the campaign's decisions of a span, newest first."""
        ...

    async def thin(
        self, *, since: datetime | None, until: datetime, keep_one_per: timedelta, limit: int
    ) -> datetime | None:
        """Of the decisions in this span keep the first of each campaign and piece of time.

        Looks at no more than `limit` rows. Returns up to when it came; None: to the end of the span.
        """
        ...

    async def forget(self, *, older_than: datetime, limit: int) -> int:
        """Remove decisions older than this, at most `limit`; return how many went."""
        ...


class OpenCalls(Protocol):
    """The calls that have not ended, as the exchange's messages tell them."""

    def place(self, call: Call) -> Sequence[Event]:
        """Follow a committed call from now on. Returns what is to be published."""
        ...

    def not_sent(self, call_id: str, at: datetime) -> Sequence[Event]:
        """Its order never left: nobody was rung."""
        ...

    def refused(self, call_id: str, reason: str, at: datetime) -> Sequence[Event]:
        """Asterisk answered the order with an error."""
        ...

    def get(self, call_id: str) -> Call | None:
        """Return a call that has not ended."""
        ...

    def open_calls(self) -> Sequence[Call]:
        """List all of them, oldest first."""
        ...


class NodeStore(Protocol):
    """When each Asterisk node was last seen, and since when it was up then."""

    async def node_seen(self, node: str, started: str, at: datetime) -> None:
        """Note that the node was up at `at`, started when its own text `started` says."""
        ...

    async def node_started(self, node: str) -> str | None:
        """Return the start-up text of the node's last sight, None when it was never seen.

        Another text now means that Asterisk was started anew while nobody looked: no call from before is up.
        """
        ...


class Lines(Protocol):
    """The exchange, as the dialer sees it. All raise NodeDown (nothing was sent) or NodeRefused."""

    async def place(
        self, call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION
    ) -> None:
        """Send the Originate of a committed call; return when Asterisk took the order, not when it rings.

        `machines`: how, when the call says that machines are looked for (`Call.machines`).
        """
        ...

    async def join(self, call: Call, agent: Agent) -> None:
        """Mark the customer as fetched and bridge him with the agent's kept leg.

        On NodeRefused the mark is taken back.
        """
        ...

    async def hang_up(self, *, node: str, channel_id: str) -> None:
        """End a channel with cause 16. A channel that is gone already is no error."""
        ...

    async def call_phone(self, agent: Agent, channel_id: str) -> None:
        """Call the agent's phone once; the leg that answers is kept (`LegUp`, or `LegGone` when it fails)."""
        ...

    def connected(self, node: str) -> bool:
        """Whether orders to this node would leave now."""
        ...
