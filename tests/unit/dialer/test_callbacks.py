"""Callbacks from the promise to the call: none is lost, and bad times are told."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cti.bus import EventBus
from cti.dialer.callback_clock import CallbackClock
from cti.dialer.callback_desk import CallbackDesk
from cti.dialer.retry import RetryPlan
from cti.dialer.selector import Selector
from cti.dialer.waker import Waker
from cti.errors import BadInput, Conflict
from cti.model.callbacks import Callback, CallbackChange, CallbackState, NewCallback
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.campaign_rules import CampaignRules, OrderRules, RetryRule, RetryRules
from cti.model.contacts import EntryState
from cti.model.events import CallbackMoved, Event
from cti.model.standing import NOBODY
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.contract.people import call_for
from tests.fakes.clock import FakeClock
from tests.fakes.gate import FakeGate
from tests.fakes.memory_store import MemoryStore

ANNA = 501


class House:
    """A campaign with contacts, its callbacks, and the services that see to them."""

    def __init__(self, rules: CampaignRules) -> None:
        self.store, self.clock, self.gate = MemoryStore(), FakeClock(), FakeGate()
        self.bus, self.told, self.away = EventBus(), list[Event](), set[int]()
        self.bus.tap(self.told.append)
        self.rules = rules
        self.plan = RetryPlan(lambda campaign_id: rules)
        self.desk = CallbackDesk(
            store=self.store.callbacks,
            reasons=self.store.reasons,
            gate=self.gate,
            campaign=self.store.tables.campaigns.__getitem__,
            clock=self.clock,
        )
        self.service = CallbackClock(
            store=self.store.callbacks,
            bus=self.bus,
            clock=self.clock,
            is_away=self.away.__contains__,
        )
        self.waker = Waker(store=self.store.queue, clock=self.clock)
        self.selector = Selector(store=self.store.queue, gate=self.gate)

    @classmethod
    async def of(cls, contacts: int, rules: CampaignRules | None = None) -> "House":
        house = cls(rules or CampaignRules())
        house.campaign = await house.store.campaigns.add_campaign(a_campaign(rules=house.rules))
        await house.store.campaigns.add_list(
            campaign_id=house.campaign.id, name="l", source="", contacts=some_contacts(contacts), at=NOW
        )
        return house

    def contact(self, place: int) -> int:
        return list(self.store.tables.contacts)[place]

    async def plan_one(self, place: int = 0, *, seconds: float = 3600, **given: Any) -> Callback:
        wanted = {"due_at": self.clock.now() + timedelta(seconds=seconds), "zone": "Europe/Berlin"} | given
        new = NewCallback(contact_id=self.contact(place), campaign_id=self.campaign.id, by="lead", **wanted)
        return (await self.desk.add(new)).callback

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.waker.step()
        await self.service.step()

    @property
    def said(self) -> list[str]:
        return [event.what for event in self.told if isinstance(event, CallbackMoved)]


async def test_a_callback_is_reminded_of_then_due_then_released_when_its_agent_is_away() -> None:
    house = await House.of(1)
    house.away.add(ANNA)
    one = await house.plan_one(agent_id=ANNA)

    for seconds in (2999, 1, 600, 899, 1):
        await house.pass_time(seconds)

    assert house.said == ["reminder", "due", "released"]
    assert [event.callback.id for event in house.told if isinstance(event, CallbackMoved)] == [one.id] * 3
    assert house.store.tables.entries[one.entry_id].owner_key == NOBODY


async def test_one_whose_contact_may_not_be_called_any_more_is_told_as_missed() -> None:
    house = await House.of(1)
    one = await house.plan_one()
    entry = house.store.tables.entries[one.entry_id]
    entry.state, entry.reason, entry.due_at = EntryState.DONE, "stopped", None

    await house.pass_time(3600)

    assert house.said[-1] == "missed"


async def test_an_agent_who_is_there_keeps_it_however_late_it_is() -> None:
    house = await House.of(1)
    one = await house.plan_one(agent_id=ANNA)

    await house.pass_time(3600)
    await house.pass_time(86400)

    assert house.said == ["reminder", "due"]
    assert house.store.tables.entries[one.entry_id].owner_key == ANNA


async def test_a_due_one_is_chosen_before_everybody_else_where_callbacks_go_first() -> None:
    house = await House.of(3)
    one = await house.plan_one(2)
    await house.pass_time(3600)

    chosen = await house.selector.choose(house.campaign, wanted=2, owners=[NOBODY], now=house.clock.now())

    assert chosen[0].entry_id == one.entry_id


async def test_where_they_do_not_go_first_it_takes_its_place() -> None:
    house = await House.of(3, CampaignRules(order=OrderRules(callbacks_first=False)))
    one = await house.plan_one(2)
    await house.pass_time(3600)

    chosen = await house.selector.choose(house.campaign, wanted=3, owners=[NOBODY], now=house.clock.now())

    assert chosen[-1].entry_id == one.entry_id


async def test_two_of_one_agent_that_are_near_to_each_other_are_told_and_taken() -> None:
    house = await House.of(3)
    first = await house.plan_one(0, agent_id=ANNA, seconds=3600)
    await house.plan_one(1, agent_id=ANNA + 1, seconds=3600)
    new = NewCallback(
        contact_id=house.contact(2),
        campaign_id=house.campaign.id,
        due_at=later(3600 + 599),
        zone="Europe/Berlin",
        by="anna",
        agent_id=ANNA,
    )

    answer = await house.desk.add(new)

    assert answer.warnings == (f"callback {first.id} of the same agent is at 2026-11-23 11:00 Europe/Berlin",)
    moved = await house.desk.change(answer.callback.id, CallbackChange(due_at=later(4200)), by="anna")
    assert moved.warnings == ()


async def test_an_hour_that_the_rules_forbid_is_told_and_taken() -> None:
    house = await House.of(1)
    house.gate.verdicts[some_contacts(1)[0].numbers[0].e164] = Verdict(
        allowed=False, reason=SkipReason.OUTSIDE_HOURS, detail="opens 08:00 Europe/Berlin", until=later(9)
    )

    answer = await house.desk.add(
        NewCallback(
            contact_id=house.contact(0),
            campaign_id=house.campaign.id,
            due_at=later(60),
            zone="Europe/Berlin",
            by="lead",
        )
    )

    assert answer.warnings == ("at that time he may not be called: opens 08:00 Europe/Berlin",)


async def test_a_time_that_is_over_is_refused() -> None:
    house = await House.of(1)

    with pytest.raises(BadInput, match="is over"):
        await house.plan_one(seconds=0)
    one = await house.plan_one()
    with pytest.raises(BadInput, match="is over"):
        await house.desk.change(one.id, CallbackChange(due_at=NOW), by="lead")


RULES = CampaignRules(
    retry=RetryRules(
        by_outcome={"busy": RetryRule(after_seconds=60, times=2), "no_answer": RetryRule(times=1)},
        max_attempts=3,
        callback=RetryRule(after_seconds=60, times=1),
    )
)


class Queue(RuleBasedStateMachine):
    """Contacts are chosen, called, promised callbacks; time passes; and nothing of it contradicts itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.house: House = self.loop.run_until_complete(House.of(4, RULES))
        self.up: dict[str, Call] = {}
        self.tries: dict[int, list[datetime]] = {}

    def teardown(self) -> None:
        self.loop.close()

    def do(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    @rule(wanted=st.integers(1, 3))
    def dial(self, wanted: int) -> None:
        house, now = self.house, self.house.clock.now()
        owners = [NOBODY, ANNA]
        for one in self.do(house.selector.choose(house.campaign, wanted=wanted, owners=owners, now=now)):
            call = call_for(one, placed_at=now, id=f"{len(self.up) + 1:032x}")
            assert self.do(house.store.calls.place([(call, one)])) == [call.id]
            self.up[call.id] = call

    def open_calls(self) -> list[Call]:
        return [call for call in self.up.values() if not call.ended]

    @precondition(lambda self: self.open_calls())
    @rule(pick=st.integers(0, 9), outcome=st.sampled_from(Outcome), unsent=st.booleans(), twice=st.booleans())
    def end(self, pick: int, outcome: Outcome, unsent: bool, twice: bool) -> None:
        calls = self.open_calls()
        call = calls[pick % len(calls)]
        over = replace(
            call,
            state=CallState.ENDED,
            ended_at=self.house.clock.now(),
            outcome=Outcome.FAILED if unsent else outcome,
            end_reason=EndReason.NOT_SENT if unsent else EndReason.HUNG_UP,
        )
        self.up[call.id] = over
        for _ in range(1 + twice):
            self.do(self.house.store.calls.save([over], plan=self.house.plan))

    @rule(place=st.integers(0, 3), seconds=st.integers(1, 500), personal=st.booleans())
    def promise(self, place: int, seconds: int, personal: bool) -> None:
        open_ones = [one for one in self.callbacks() if one.open]
        contact = self.house.contact(place)
        try:
            self.do(self.house.plan_one(place, seconds=seconds, agent_id=ANNA if personal else None))
        except Conflict:
            assert any(one.contact_id == contact for one in open_ones)

    @rule(pick=st.integers(0, 9), what=st.sampled_from(["move", "give", "done", "cancelled"]))
    def settle(self, pick: int, what: str) -> None:
        open_ones = [one for one in self.callbacks() if one.open]
        if not open_ones:
            return
        one = open_ones[pick % len(open_ones)]
        change = {
            "move": CallbackChange(due_at=self.house.clock.now() + timedelta(seconds=200)),
            "give": CallbackChange(agent_id=None),
            "done": CallbackChange(state=CallbackState.DONE),
            "cancelled": CallbackChange(state=CallbackState.CANCELLED),
        }[what]
        self.do(self.house.desk.change(one.id, change, by="lead"))

    @rule(seconds=st.integers(1, 400), away=st.booleans())
    def wait(self, seconds: int, away: bool) -> None:
        self.house.away = {ANNA} if away else set()
        self.do(self.house.pass_time(seconds))

    def callbacks(self) -> list[Callback]:
        return list(self.house.store.tables.callbacks.values())

    @invariant()
    def an_entry_stands_in_one_way_alone(self) -> None:
        for entry in self.house.store.tables.entries.values():
            assert (entry.state is EntryState.WAITING) == (entry.due_at is not None)
            if entry.state is EntryState.PENDING:
                assert entry.reason is None
            if entry.state in (EntryState.WAITING, EntryState.DONE):
                assert entry.reason is not None
            up = [call for call in self.open_calls() if call.contact_id == entry.contact_id]
            assert (entry.state is EntryState.DIALING) == bool(up)
            assert len(up) <= 1

    @invariant()
    def a_callback_that_stands_open_will_be_called(self) -> None:
        for one in self.callbacks():
            entry = self.house.store.tables.entries[one.entry_id]
            if one.open:
                assert entry.state is not EntryState.DONE
            if one.state is CallbackState.PLANNED and entry.state is EntryState.WAITING:
                assert entry.due_at == one.due_at

    @invariant()
    def nobody_is_tried_more_often_than_the_rules_allow(self) -> None:
        tables = self.house.store.tables
        for entry in tables.entries.values():
            promised = any(one.entry_id == entry.id for one in self.callbacks())
            if not promised:
                assert entry.tries <= RULES.retry.max_attempts

    @invariant()
    def raised_is_told_apart_from_the_list_s_own_priority(self) -> None:
        for entry in self.house.store.tables.entries.values():
            assert entry.priority == entry.raised


Queue.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueue = Queue.TestCase
