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
from cti.hooks.ports import LookUps
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.campaign_rules import CampaignRules, PopRules
from cti.model.contacts import NewContact, NewNumber
from cti.model.events import CallMoved, Event, ScreenPop
from cti.model.look_ups import Found, FoundRecord
from cti.model.pops import MOST_MATCHES, ContactCard, PopMoment
from cti.service import running
from tests.builders import NOW, a_call, a_campaign, an_agent, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

BERLIN = "+4930901820"
PAGE = "https://crm.example/{crm_ref}/{crm_deal}?rep={agent}"


class Stage:
    """A popper over a store in memory."""

    def __init__(self, rules: PopRules | None = None, look_ups: LookUps | None = None) -> None:
        self.store, self.bus, self.clock = MemoryStore(), EventBus(), FakeClock()
        campaign = a_campaign(rules=CampaignRules(pop=rules or PopRules(url=PAGE)))
        self.popper = ScreenPopper(
            cards=self.store.cards,
            bus=self.bus,
            clock=self.clock,
            campaign=lambda campaign_id: campaign,
            agent=lambda agent_id: an_agent(id=agent_id),
            look_ups=look_ups,
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
async def a_stage(rules: PopRules | None = None, look_ups: LookUps | None = None) -> AsyncIterator[Stage]:
    stage = Stage(rules, look_ups)
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


class Crm:
    """A CRM that is asked by pops, and answers when the test says so."""

    known_targets = ("odoo",)

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.says = Found(records=(a_record(1), a_record(2)))
        self.may_answer = asyncio.Event()

    async def find(self, number: str, *, crm_ref: str | None, within: float) -> Found | None:
        self.asked.append((number, crm_ref))
        await self.may_answer.wait()
        return self.says


def a_record(number: int, **given: Any) -> FoundRecord:
    facts = {"target": "odoo", "kind": "crm.lead", "name": f"Lead {number}"}
    return FoundRecord(crm_ref=f"odoo/crm.lead:{number}", **facts | given)


def unknown(**given: Any) -> Call:
    return reserved(**{"crm_ref": None, "state": CallState.RINGING} | given)


async def test_the_first_pop_waits_for_no_crm_and_is_told_once_more_with_what_it_said() -> None:
    crm = Crm()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7)
        stage.move(unknown())
        await settled()
        [first] = stage.pops
        assert (first.records, first.revision, crm.asked) == ((), 1, [(BERLIN, None)])
        stage.clock.advance(2)
        crm.may_answer.set()
        await settled()
        [_, second] = stage.pops
        assert [one.crm_ref for one in second.records] == ["odoo/crm.lead:1", "odoo/crm.lead:2"]
        assert (second.revision, second.at, second.until) == (2, later(2), later(10))
        assert (second.contact, second.moment, second.crm_ref) == (first.contact, PopMoment.RING, None)


async def test_the_pop_at_the_join_has_the_records_with_it_and_nobody_is_asked_again() -> None:
    crm = Crm()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7)
        call = unknown()
        stage.move(call)
        await settled()
        stage.move(replace(call, state=CallState.ANSWERED))
        crm.may_answer.set()
        await settled()
        assert len(stage.pops) == 1  # nobody's pop stands at this moment
        stage.move(joined(call, 3))
        stage.move(joined(call, 3, 4))
        await settled()
        assert [(one.agent_id, one.revision, len(one.records)) for one in stage.pops[1:]] == [
            (3, 1, 2),
            (4, 1, 2),
        ]
        assert len(crm.asked) == 1


@pytest.mark.parametrize("of_call", [True, False])
async def test_of_a_call_that_names_its_record_nobody_is_asked(of_call: bool) -> None:
    crm = Crm()
    crm.may_answer.set()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7, crm_ref=None if of_call else "crm.lead:1")
        stage.move(unknown(crm_ref="odoo/crm.lead:1" if of_call else None))
        await settled()
        assert (crm.asked, len(stage.pops), stage.pops[0].records) == ([], 1, ())


@pytest.mark.parametrize("what", ["the call ended", "ten seconds", "a record was chosen", "nothing found"])
async def test_what_helps_nobody_any_more_is_not_told(what: str) -> None:
    crm = Crm()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7)
        call = unknown()
        stage.move(call)
        await settled()
        match what:
            case "the call ended":
                stage.move(replace(call, state=CallState.ENDED, outcome=Outcome.BUSY, ended_at=NOW))
            case "ten seconds":
                stage.clock.advance(10)
            case "a record was chosen":
                stage.move(replace(call, crm_ref="odoo/crm.lead:2"))
            case "nothing found":
                crm.says = Found()
        crm.may_answer.set()
        await settled()
        assert len(stage.pops) == 1


async def test_records_of_our_contacts_and_of_the_crm_are_one_list() -> None:
    crm = Crm()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7, crm_ref="crm.lead:2")
        stage.contact(8, crm_ref="odoo/crm.lead:3", name="王小明")
        stage.move(unknown(contact_id=None))
        await settled()
        assert [one.contact_id for one in stage.pops[0].records] == [7, 8]
        crm.may_answer.set()
        await settled()
        told = [(one.crm_ref, one.name, one.contact_id) for one in stage.pops[1].records]
        assert told == [
            ("odoo/crm.lead:1", "Lead 1", None),
            ("odoo/crm.lead:2", "Lead 2", 7),
            ("odoo/crm.lead:3", "王小明", 8),
        ]
        assert [card.contact_id for card in stage.pops[1].matches] == [7, 8]


async def test_when_crms_know_nobody_what_our_own_contacts_name_is_not_told_twice() -> None:
    crm = Crm()
    crm.says = Found()
    crm.may_answer.set()
    async with a_stage(look_ups=crm) as stage:
        stage.contact(7, crm_ref="crm.lead:2")
        stage.move(unknown(contact_id=None))
        await settled()
        assert [one.crm_ref for one in stage.pops[0].records] == ["crm.lead:2"]
        assert len(stage.pops) == 1


async def test_a_look_up_that_fails_costs_no_later_pop() -> None:
    class Broken(Crm):
        async def find(self, number: str, *, crm_ref: str | None, within: float) -> Found | None:
            raise RuntimeError("a bug")

    async with a_stage(look_ups=Broken()) as stage:
        stage.contact(7)
        call = unknown()
        stage.move(call)
        await settled()
        stage.move(joined(call, 3))
        await settled()
        assert [one.moment for one in stage.pops] == [PopMoment.RING, PopMoment.CONNECT]
