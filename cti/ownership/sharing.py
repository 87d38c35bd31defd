"""Shares out many contacts: a plan that is told, or carried out in bites, each judged and committed by itself.

A crash in the middle leaves whole bites: the same order again goes on with those who have no owner yet.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from cti.model.ownership import Moved, NotMoved, Ownable, Rota, Selection, Terms, Wish
from cti.ownership.assignment import Asked, Plan, Taker, Turns, plan
from cti.ownership.ports import OwnershipStore

BITE = 100
"""Contacts that are judged and written together. On SQLite calls wait meanwhile: 40 ms as measured on two cores that
had nine programs waiting for them, of 100,000 contacts."""
SAMPLES = 5
"""Contacts named for each reason why somebody was not given."""


class Method(StrEnum):
    """How contacts are shared out among several agents."""

    ROUND_ROBIN = "round_robin"
    WEIGHTS = "weights"
    """By the agents' own weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a distribution."""

    selection: Selection
    rota: str
    """Name of the rota that remembers whose turn it is."""
    asked: Asked = field(default_factory=Asked)
    take_over: bool = False
    """Whether contacts that belong to somebody are given to others."""
    heed_protection: bool = True
    most: int | None = None
    """Give no more than so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A contact that was not given."""

    contact_id: int
    name: str
    reason: NotMoved
    partners: tuple[int, ...] = ()
    """Contacts that share a number with him, where that is the reason."""


@dataclass(slots=True)
class Shared:
    """What a distribution did, or would do."""

    looked_at: int = 0
    given: Counter[int] = field(default_factory=Counter)
    """By agent."""
    refused: Counter[NotMoved] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    def note(
        self, contacts: Sequence[Ownable], given: Mapping[int, int], refused: Mapping[int, NotMoved]
    ) -> None:
        """Add one bite."""
        self.looked_at += len(contacts)
        self.given.update(given.values())
        for contact in contacts:
            reason = refused.get(contact.contact_id)
            if reason is None:
                continue
            self.refused[reason] += 1
            if self.refused[reason] <= SAMPLES:
                partners = tuple(contact.partners) if reason is NotMoved.SHARED_NUMBER else ()
                self.samples.append(
                    Sample(contact_id=contact.contact_id, name=contact.name, reason=reason, partners=partners)
                )


class Sharing:
    """One distribution under way."""

    def __init__(
        self,
        *,
        store: OwnershipStore,
        order: Order,
        takers: Sequence[Taker],
        told: Callable[[Moved], None] = lambda moved: None,
    ) -> None:
        """`told` is given what each bite moved."""
        self._store = store
        self._order = order
        self._takers = tuple(takers)
        self._told = told
        self._planned: dict[int, int] = {}
        """Of a dry run: who would get contacts that share a number with others."""
        self.shared = Shared()

    async def look(self, *, since: datetime | None) -> Shared:
        """Plan all and move nobody."""
        turns = await self._store.turns(self._order.rota)
        async for contacts in self._bites(since):
            known = [self._as_planned(contact) for contact in contacts]
            made = self._plan(known, turns)
            self.shared.note(contacts[: made.looked_at], made.given, made.refused)
            self._planned |= {
                one.contact_id: made.given[one.contact_id]
                for one in known
                if one.partners and one.contact_id in made.given
            }
            self._takers, turns = made.takers, made.turns
        return self.shared

    async def carry_out(self, terms: Terms) -> Shared:
        """Plan and move bite by bite. What changed between the plan of a bite and its commit is told as refused."""
        async for contacts in self._bites(terms.protected_since):
            made = self._plan(contacts, await self._store.turns(self._order.rota))
            moved = await self._move(contacts, made, terms)
            given = {move.contact_id: move.after for move in moved.moves if move.after is not None}
            self.shared.note(contacts[: made.looked_at], given, {**made.refused, **moved.refused})
            self._takers = _with_room(self._takers, Counter(given.values()))
            self._told(moved)
        return self.shared

    async def _move(self, contacts: Sequence[Ownable], made: Plan, terms: Terms) -> Moved:
        owners = {contact.contact_id: contact.owner_id for contact in contacts}
        wishes = [
            Wish(contact_id=one, before=owners[one], after=agent_id) for one, agent_id in made.given.items()
        ]
        weights = {taker.agent_id: taker.weight for taker in self._takers if taker.room != 0}
        return await self._store.move(
            wishes, terms=replace(terms, rota=Rota(name=self._order.rota, weights=weights))
        )

    def _plan(self, contacts: Sequence[Ownable], turns: Turns) -> Plan:
        return plan(
            contacts,
            self._takers,
            turns=turns,
            asked=self._order.asked,
            take_over=self._order.take_over,
            heed_protection=self._order.heed_protection,
            most=self._left(),
        )

    async def _bites(self, since: datetime | None) -> AsyncIterator[list[Ownable]]:
        after = 0
        while self._left() != 0:
            contacts = await self._store.ownable(self._order.selection, after=after, limit=BITE, since=since)
            if not contacts:
                return
            yield contacts
            after = contacts[-1].contact_id

    def _left(self) -> int | None:
        """Return how many may still be given, None: any number."""
        most = self._order.most
        return None if most is None else most - self.shared.given.total()

    def _as_planned(self, contact: Ownable) -> Ownable:
        """Return the contact as he will be when what was planned before is done."""
        planned = {one: self._planned.get(one, owner) for one, owner in contact.partners.items()}
        return replace(contact, partners=planned) if planned else contact


def _with_room(takers: Sequence[Taker], given: Mapping[int, int]) -> tuple[Taker, ...]:
    return tuple(
        replace(taker, room=None if taker.room is None else max(0, taker.room - given.get(taker.agent_id, 0)))
        for taker in takers
    )
