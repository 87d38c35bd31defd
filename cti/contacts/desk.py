"""What people do with contacts: find them, look at one, change one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cti.clock import Clock
from cti.contacts.changes import Change, Subject
from cti.contacts.conditions import condition_of
from cti.contacts.cursors import after_of, cursor_of
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.contacts.edits import Edit, edited
from cti.contacts.finding_ports import ContactWorks, FindingStore, no_contact_works
from cti.contacts.settling import Viewer, settled
from cti.errors import BadInput, NotFound
from cti.model.agents import Agent
from cti.model.conditions import All, AnyOf, Condition, Op, Scope, Test
from cti.model.contact_rows import After, ContactChange, ContactQuery, ContactRow, EntryRow, Sort
from cti.model.contacts import Campaign
from cti.model.dictionaries import DictionaryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks: decides what `me` and `today` mean, and what is seen."""

    name: str
    """For the history: the token's name, or the agent's login."""
    agent_id: int | None = None
    zone: str = ""
    """IANA name; empty: the settings' one."""
    own_only: bool = False
    """He sees only contacts that are his or nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some contacts, and where the next ones are."""

    rows: Sequence[ContactRow]
    next: str | None
    """Cursor of the next page, None on the last one."""
    count: int | None = None
    """How many there are in all, when that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All that is known of one contact."""

    contact: ContactRow
    entries: Sequence[EntryRow]
    changes: Sequence[ContactChange]
    """Newest first, at most 50."""


class ContactDesk:
    """Contacts, as people see them."""

    def __init__(
        self,
        *,
        store: FindingStore,
        agents: Callable[[], Sequence[Agent]],
        campaigns: Callable[[], Sequence[Campaign]],
        clock: Clock,
        zone: str,
        dictionaries: DictionaryDesk,
        follow: ContactWorks = no_contact_works,
    ) -> None:
        """`follow` says which work an edit leaves behind."""
        self._store = store
        self._agents = agents
        self._campaigns = campaigns
        self._clock = clock
        self._zone = zone
        self._dictionaries = dictionaries
        self._follow = follow

    def viewer(self, asking: Asking) -> Viewer:
        """Return what conditions are settled with. Raises BadInput for an unknown time zone."""
        return Viewer(
            now=self._clock.now(),
            zone=zone_of(asking.zone or self._zone),
            me=asking.agent_id,
            agents={agent.login: agent.id for agent in self._agents()},
            campaigns={campaign.name: campaign.id for campaign in self._campaigns()},
        )

    def condition(self, given: Any, asking: Asking, *, scope: Scope = Scope.CONTACT) -> Condition:
        """Read and settle a condition, narrowed to what is seen. Raises BadInput."""
        condition = settled(
            condition_of(given, scope=scope, where="condition"), self.viewer(asking), scope=scope
        )
        if scope is not Scope.CONTACT or not asking.own_only:
            return condition
        return All((seen_by(asking), condition))

    async def find(
        self,
        given: Any,
        asking: Asking,
        *,
        sort: Sort = Sort.NEWEST,
        limit: int = 100,
        cursor: str | None = None,
        count: bool = False,
    ) -> Page:
        """Find one page. Raises BadInput."""
        condition = self.condition(given, asking)
        wanted = ContactQuery(
            condition=condition,
            sort=sort,
            limit=limit + 1,
            after=after_of(cursor, sort) if cursor else None,
        )
        rows = await self._store.contacts(wanted)
        page = rows[:limit]
        return Page(
            rows=page,
            next=cursor_of(After.of(page[-1], sort), sort) if len(rows) > limit else None,
            count=await self._store.count(condition, Scope.CONTACT) if count else None,
        )

    async def count(self, given: Any, asking: Asking, *, scope: Scope = Scope.CONTACT) -> int:
        """Count. Raises BadInput."""
        return await self._store.count(self.condition(given, asking, scope=scope), scope)

    async def whole(self, contact_id: int, asking: Asking) -> Whole:
        """Return all of one contact. Raises NotFound, also when he may not be seen."""
        return Whole(
            contact=await self._seen(contact_id, asking),
            entries=await self._store.entries(contact_id),
            changes=await self._store.changes(contact_id, limit=50),
        )

    async def edit(self, contact_id: int, edit: Edit, asking: Asking) -> ContactRow:
        """Change one contact. Raises NotFound, BadInput."""
        if zone := edit.columns.get("zone"):
            zone_of(str(zone))
        orders = {campaign.id: campaign.rules.order.order for campaign in self._campaigns()}

        def plan(subject: Subject) -> Change:
            # looked at within the transaction: he may have come to another owner just now
            if asking.own_only and subject.facts["owner_agent_id"] not in (None, asking.agent_id):
                raise NotFound(f"there is no contact {contact_id}")
            change = edited(subject, edit, orders=orders)
            self._must_be_codes(change, subject)
            return change

        await self._store.change(
            contact_id, plan, kind="edit", by=asking.name, at=self._clock.now(), works=self._follow
        )
        return await self._seen(contact_id, asking)

    async def note(self, contact_id: int, text: str, asking: Asking) -> None:
        """Write a note into a contact's history. Raises NotFound, also when he may not be seen."""

        def plan(subject: Subject) -> Change:
            if asking.own_only and subject.facts["owner_agent_id"] not in (None, asking.agent_id):
                raise NotFound(f"there is no contact {contact_id}")
            return Change(note=text)

        await self._store.change(contact_id, plan, kind="note", by=asking.name, at=self._clock.now())

    def _must_be_codes(self, change: Change, subject: Subject) -> None:
        """Raise BadInput for a stage or a tag that the dictionaries do not allow anew; what he has may stay."""
        campaigns = [entry.campaign_id for entry in subject.entries]
        _, stage = change.contact.get("stage", (None, None))
        if stage is not None:
            self._dictionaries.must_be_usable(DictionaryKind.STAGES, stage, campaigns)
        for tag in change.tags_added:
            self._dictionaries.must_be_usable(DictionaryKind.TAGS, tag, campaigns)

    async def tags(self) -> Mapping[str, int]:
        """Return the tags that contacts have, with how many have each."""
        return dict(await self._store.tags())

    async def _seen(self, contact_id: int, asking: Asking) -> ContactRow:
        one = Test(field="id", op=Op.IS, values=(contact_id,))
        condition: Condition = All((one, seen_by(asking))) if asking.own_only else one
        rows = await self._store.contacts(ContactQuery(condition=condition, sort=Sort.OLDEST, limit=1))
        if not rows:
            raise NotFound(f"there is no contact {contact_id}")
        return rows[0]


def seen_by(asking: Asking) -> Condition:
    """Return the condition of being seen by an agent: his contacts, and nobody's. Settled."""
    owner = partial(Test, field="owner")
    mine = (owner(op=Op.IS, values=(asking.agent_id,)),) if asking.agent_id is not None else ()
    return AnyOf((*mine, owner(op=Op.EMPTY, values=(True,))))


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(f"zone: {name!r} is no IANA time zone, for example Europe/Berlin") from None
