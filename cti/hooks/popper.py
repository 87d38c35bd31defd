"""Screen pop: tells an agent's page, and webhooks, whom he talks to, when it rings and when he is joined. A service.

Best effort: told at once or not at all, never written down to be tried again. A pop that is older than ten seconds is
thrown away. The contact is read while the call is being placed, so that nothing is read when it matters. Of a call that
names no record CRMs are asked, after its pop was told; when they answer in time it is told once more.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import StorageError
from cti.hooks.ports import CardStore, LookUps, NoLookUps
from cti.model.agents import Agent
from cti.model.calls import Call, CallState
from cti.model.contacts import Campaign
from cti.model.events import CallMoved, Event, ScreenPop
from cti.model.look_ups import NOTHING, Found, FoundRecord, names_a_record, offered
from cti.model.pop_urls import filled
from cti.model.pops import MOST_MATCHES, STALE_AFTER, ContactCard, PopMoment
from cti.service import logged

log = logging.getLogger(__name__)

READ_SECONDS: Final = 1.0
"""A database that takes longer is not waited for: the pop comes with what the call itself says."""
MOST_KEPT: Final = 5000
"""Calls whose contacts are held in memory."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a call is with, as far as is known."""

    contact: ContactCard | None = None
    matches: tuple[ContactCard, ...] = ()
    more: bool = False

    @property
    def cards(self) -> tuple[ContactCard, ...]:
        """All contacts that it may be."""
        return self.matches if self.contact is None else (self.contact,)


@dataclass(slots=True)
class _Known:
    """What is kept of a call that is up."""

    reading: asyncio.Task[Person]
    call: Call
    """As it is now."""
    told: set[tuple[PopMoment, int]] = field(default_factory=set)
    last: ScreenPop | None = None
    """The pop that was told last."""
    is_looked_up: bool = False
    found: Found = NOTHING
    """What CRMs said."""


class ScreenPopper:
    """Turns calls' moves into pops."""

    name = "screen pop"

    def __init__(
        self,
        *,
        cards: CardStore,
        bus: EventBus,
        clock: Clock,
        campaign: Callable[[int], Campaign],
        agent: Callable[[int], Agent | None],
        look_ups: LookUps | None = None,
    ) -> None:
        self._look_ups = look_ups or NoLookUps()
        self._cards = cards
        self._bus = bus
        self._clock = clock
        self._campaign = campaign
        self._agent = agent
        self._calls: dict[str, _Known] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Give tasks a place for as long as the service runs."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            self._calls.clear()

    def tap(self, event: Event) -> None:
        """Hear an event of the bus."""
        if not isinstance(event, CallMoved) or self._tasks is None:
            return
        call = event.call
        if call.ended:
            self._calls.pop(call.id, None)
            return
        self.expect(call)
        known = self._calls[call.id]
        known.call = call
        for moment, agent_id in pops_of(call):
            if (moment, agent_id) not in known.told:
                known.told.add((moment, agent_id))
                if self._wanted(call, moment):
                    self._tell(known, call, moment, agent_id)

    def expect(self, call: Call) -> None:
        """Read whom a call is with, in the background: it is about to be placed, or was.

        Called before the call is committed, so that the two go on together; one that comes to nothing is forgotten when
        many others have come.
        """
        if self._tasks is None or call.id in self._calls:
            return
        if len(self._calls) >= MOST_KEPT:
            del self._calls[next(iter(self._calls))]
        reading = self._tasks.create_task(self._read(call), name=f"contact of {call.id}")
        self._calls[call.id] = _Known(reading=reading, call=call)

    def _wanted(self, call: Call, moment: PopMoment) -> bool:
        if call.campaign_id is None:
            return True
        rules = self._campaign(call.campaign_id).rules.pop
        return rules.at_ring if moment is PopMoment.RING else rules.at_connect

    def _tell(self, known: _Known, call: Call, moment: PopMoment, agent_id: int) -> None:
        """Tell it now when the contact is known, else as soon as he is."""
        at, reading = self._clock.now(), known.reading
        if reading.done() and not reading.cancelled():
            self._publish(known, reading.result(), call, moment, agent_id, at)
        elif self._tasks is not None:
            what = f"screen pop of {call.id}"
            self._tasks.create_task(self._tell_later(known, call, moment, agent_id, at), name=what)

    async def _tell_later(
        self, known: _Known, call: Call, moment: PopMoment, agent_id: int, at: datetime
    ) -> None:
        self._publish(known, await asyncio.shield(known.reading), call, moment, agent_id, at)

    async def _read(self, call: Call) -> Person:
        """Return whom the call is with; never raises for a database that is away."""
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                if call.contact_id is not None:
                    return Person(contact=await self._cards.card(call.contact_id))
                # Nobody in particular: whoever has the number is offered, and nobody is chosen.
                found = await self._cards.with_number(call.number, limit=MOST_MATCHES + 1)
                return Person(matches=tuple(found[:MOST_MATCHES]), more=len(found) > MOST_MATCHES)
        log.warning("the pop of call %s comes without its contact: the database does not answer", call.id)
        return Person()

    def _publish(
        self, known: _Known, person: Person, call: Call, moment: PopMoment, agent_id: int, at: datetime
    ) -> None:
        if self._clock.now() - at >= STALE_AFTER:
            return
        records, more_records = self._records(known, person, call)
        pop = ScreenPop(
            call_id=call.id,
            agent_id=agent_id,
            campaign_id=call.campaign_id,
            moment=moment,
            number=call.number,
            crm_ref=call.crm_ref,
            contact=person.contact,
            matches=person.matches,
            more_matches=person.more,
            url=self._url(person.contact, call, agent_id),
            until=at + STALE_AFTER,
            at=at,
            records=records,
            more_records=more_records,
        )
        known.last = pop
        self._bus.publish(pop)
        targets = self._look_ups.known_targets
        if not targets or known.is_looked_up or self._tasks is None:
            return
        if not names_a_record(_ref_of(call, person), targets):
            known.is_looked_up = True
            what = f"look-up for {call.id}"
            self._tasks.create_task(logged(what, self._look_up(known, person)), name=what)

    async def _look_up(self, known: _Known, person: Person) -> None:
        """Ask CRMs, and tell the pop that stands once more when they know the number."""
        ref = _ref_of(known.call, person)
        within = STALE_AFTER.total_seconds()
        known.found = await self._look_ups.find(known.call.number, crm_ref=ref, within=within) or NOTHING
        pop = self._standing(known)
        records, more = self._records(known, person, known.call)
        if pop is not None and known.found.records and records:
            at = self._clock.now()
            self._bus.publish(replace(pop, records=records, more_records=more, revision=2, at=at))

    def _standing(self, known: _Known) -> ScreenPop | None:
        """Return the pop that shows whom the rep talks to; None once the call has gone on: its next pop has all."""
        pop, call = known.last, known.call
        if pop is None or self._calls.get(call.id) is not known or self._clock.now() >= pop.until:
            return None
        return pop if (pop.moment, pop.agent_id) in pops_of(call) else None

    def _records(self, known: _Known, person: Person, call: Call) -> tuple[tuple[FoundRecord, ...], bool]:
        """Return what is offered; nothing for a call that names its record."""
        targets = self._look_ups.known_targets
        if names_a_record(_ref_of(call, person), targets):
            return (), False
        return offered(known.found, person.cards, targets=targets, most=MOST_MATCHES)

    def _url(self, card: ContactCard | None, call: Call, agent_id: int) -> str | None:
        if call.campaign_id is None:
            return None
        campaign, agent = self._campaign(call.campaign_id), self._agent(agent_id)
        values = {
            "number": call.number,
            "digits": call.number.removeprefix("+"),
            "call_id": call.id,
            "contact_id": call.contact_id,
            "crm_ref": call.crm_ref,
            "campaign": campaign.name,
            "agent": agent.login if agent else None,
            **(_told(card) if card else {}),
        }
        return filled(campaign.rules.pop.url, values)


def pops_of(call: Call) -> Sequence[tuple[PopMoment, int]]:
    """Return which pops a call in this state is due, whether they were told or not.

    At the ring only when it is known for whom: in predictive dialing nobody knows before the answer.
    """
    if call.state is CallState.RINGING and call.agent_id is not None:
        return [(PopMoment.RING, call.agent_id)]
    joined = call.joined
    if call.state is CallState.CONNECTED and joined is not None and joined.agent_id is not None:
        return [(PopMoment.CONNECT, joined.agent_id)]
    return []


def _ref_of(call: Call, person: Person) -> str | None:
    return call.crm_ref or (person.contact.crm_ref if person.contact else None)


def _told(card: ContactCard) -> dict[str, object | None]:
    return {
        "name": card.name,
        "crm_customer": card.crm_customer,
        "crm_contact": card.crm_contact,
        "crm_deal": card.crm_deal,
        "stage": card.stage,
    }
