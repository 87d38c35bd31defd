"""Screen pops: when, for whom, and with what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from cti.bus import EventBus
from cti.errors import StorageError
from cti.hooks import popper as module
from cti.hooks.popper import ScreenPopper
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.campaign_rules import CampaignRules, PopRules
from cti.model.contacts import NewContact, NewNumber
from cti.model.events import CallMoved, Event, ScreenPop
from cti.model.pops import MOST_MATCHES, ContactCard, PopMoment
from cti.service import running
from tests.builders import NOW, a_call, a_campaign, an_agent, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

BERLIN = "+4930901820"
PAGE = "https://crm.example/{crm_ref}/{crm_deal}?rep={agent}"


class Stage:
    """A popper over a store in memory."""

    def __init__(self, rules: PopRules | None = None) -> None:
        self.store, self.bus, self.clock = MemoryStore(), EventBus(), FakeClock()
        campaign = a_campaign(rules=CampaignRules(pop=rules or PopRules(url=PAGE)))
        self.popper = ScreenPopper(
            cards=self.store.cards,
            bus=self.bus,
            clock=self.clock,
            campaign=lambda campaign_id: campaign,
            agent=lambda agent_id: an_agent(id=agent_id),
        )
        self.pops: list[ScreenPop] = []
        self.bus.tap(self.popper.tap)
        self.bus.tap(self._heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, ScreenPop):
            self.pops.append(event)

    def contact(self, contact_id: int, **given: Any) -> None:
        number = NewNumber(e164=BERLIN, raw=BERLIN)
        self.store.tables.contacts[contact_id] = NewContact(
            **{"name": f"Contact {contact_id}", "numbers": (number,)} | given
        )

    def move(self, call: Call) -> None:
        self.bus.publish(CallMoved(before=CallState.PLACING, call=call, at=self.clock.now()))


@asynccontextmanager
async def a_stage(rules: PopRules | None = None) -> AsyncIterator[Stage]:
    stage = Stage(rules)
    async with running(stage.popper):
        await asyncio.sleep(0)
        yield stage


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def joined(call: Call, *agents: int) -> Call:
    stays = [Join(agent_id=one, channel_id=f"c{one}", joined_at=NOW, left_at=NOW) for one in agents]
    stays[-1] = replace(stays[-1], left_at=None)
    return replace(call, state=CallState.CONNECTED, agent_id=agents[0], joins=tuple(stays))


def reserved(**given: Any) -> Call:
    facts = {"campaign_id": 1, "contact_id": 7, "agent_id": 3, "crm_ref": "lead/1", "number": BERLIN}
    return a_call(**facts | given)


async def test_the_agent_sees_his_contact_when_it_rings_and_when_he_is_joined() -> None:
    async with a_stage() as stage:
        stage.contact(7, crm_ref="lead/1", crm_deal="deal/9", fields={"city": "Berlin"})
        call = reserved()
        stage.move(call)
        await settled()
        stage.move(replace(call, state=CallState.RINGING))
        [pop] = stage.pops  # told within the event itself: the contact was read before
        assert (pop.agent_id, pop.moment, pop.call_id, pop.crm_ref) == (3, PopMoment.RING, call.id, "lead/1")
        assert pop.contact == ContactCard(
            contact_id=7,
            name="Contact 7",
            crm_ref="lead/1",
            crm_deal="deal/9",
            fields={"city": "Berlin"},
        )
        assert pop.url == "https://crm.example/lead%2F1/deal%2F9?rep=anna"
        assert (pop.matches, pop.until) == ((), later(10))
        stage.move(joined(call, 3))
        assert [one.moment for one in stage.pops] == [PopMoment.RING, PopMoment.CONNECT]


async def test_each_moment_is_told_once_and_a_transfer_to_another_agent_too() -> None:
    async with a_stage() as stage:
        stage.contact(7)
        call = reserved()
        stage.move(call)
        await settled()
        for moved in (
            replace(call, state=CallState.RINGING),
            replace(call, state=CallState.RINGING, ringing_at=NOW),
            joined(call, 3),
            joined(call, 3),
            joined(call, 3, 4),
        ):
            stage.move(moved)
        assert [(one.moment.value, one.agent_id) for one in stage.pops] == [
            ("ring", 3),
            ("connect", 3),
            ("connect", 4),
        ]


async def test_in_predictive_dialing_nobody_is_told_before_he_is_joined() -> None:
    async with a_stage() as stage:
        stage.contact(7)
        call = reserved(agent_id=None)
        stage.move(call)
        stage.move(replace(call, state=CallState.RINGING))
        await settled()
        assert stage.pops == []
        stage.move(joined(call, 5))
        assert [one.agent_id for one in stage.pops] == [5]


async def test_a_campaign_may_switch_either_off() -> None:
    async with a_stage(PopRules(at_ring=False)) as stage:
        stage.contact(7)
        call = reserved()
        stage.move(replace(call, state=CallState.RINGING))
        stage.move(joined(call, 3))
        await settled()
        assert [one.moment for one in stage.pops] == [PopMoment.CONNECT]
        assert stage.pops[0].url is None


async def test_for_a_number_that_was_dialed_for_nobody_all_who_have_it_are_offered_and_none_is_chosen() -> (
    None
):
    async with a_stage() as stage:
        stage.contact(7, crm_deal="deal/7")
        stage.contact(8)
        call = reserved(contact_id=None, crm_ref=None)
        stage.move(replace(call, state=CallState.RINGING))
        await settled()
        [pop] = stage.pops
        assert [card.contact_id for card in pop.matches] == [7, 8]
        assert (pop.contact, pop.more_matches, pop.url) == (None, False, None)


async def test_of_very_many_it_is_said_that_there_are_more() -> None:
    async with a_stage() as stage:
        for n in range(MOST_MATCHES + 1):
            stage.contact(n)
        stage.move(reserved(contact_id=None, state=CallState.RINGING))
        await settled()
        assert (len(stage.pops[0].matches), stage.pops[0].more_matches) == (MOST_MATCHES, True)


async def test_without_the_database_the_pop_comes_with_what_the_call_says() -> None:
    async with a_stage(PopRules(url="https://crm.example/{crm_ref}")) as stage:

        async def away(contact_id: int) -> None:
            raise StorageError("away", temporary=True)

        stage.store.cards.card = away  # type: ignore[method-assign, assignment]
        stage.move(reserved(state=CallState.RINGING))
        await settled()
        [pop] = stage.pops
        assert (pop.contact, pop.crm_ref, pop.url) == (None, "lead/1", "https://crm.example/lead%2F1")


async def test_what_would_come_after_ten_seconds_is_not_told_at_all() -> None:
    async with a_stage() as stage:
        stage.contact(7)
        answered, card = asyncio.Event(), stage.store.cards.card

        async def slow(contact_id: int) -> ContactCard | None:
            await answered.wait()
            return await card(contact_id)

        stage.store.cards.card = slow  # type: ignore[method-assign]
        stage.move(reserved(state=CallState.RINGING))
        await settled()
        stage.clock.advance(10)
        answered.set()
        await settled()
        assert stage.pops == []


async def test_nothing_is_kept_of_calls_that_ended() -> None:
    async with a_stage() as stage:
        call = reserved(state=CallState.RINGING)
        stage.move(call)
        stage.move(replace(call, state=CallState.ENDED, outcome=Outcome.BUSY, ended_at=NOW))
        await settled()
        assert stage.popper._calls == {}


async def test_a_call_that_is_expected_is_read_before_it_is_placed_and_forgotten_when_nothing_comes_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    async with a_stage() as stage:
        stage.contact(7)
        calls = [reserved(id=f"{n:032x}") for n in range(3)]
        for call in calls:
            stage.popper.expect(call)
        await settled()
        stage.contact(7, name="changed")
        stage.move(replace(calls[2], state=CallState.RINGING))
        assert stage.pops[0].contact is not None
        assert stage.pops[0].contact.name == "Contact 7"
        assert set(stage.popper._calls) == {calls[1].id, calls[2].id}
