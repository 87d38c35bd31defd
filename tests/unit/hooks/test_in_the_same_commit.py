"""Owners and callbacks tell webhooks with their own commits."""

from datetime import timedelta
from typing import Any

from cti.bus import EventBus
from cti.dialer.callback_clock import CallbackClock
from cti.hooks.book import HookBook
from cti.model.callbacks import NewCallback
from cti.model.calls import CallState
from cti.model.events import CallMoved, Event
from cti.model.ownership import Claim, MoveKind
from cti.model.vocabulary import told
from cti.model.webhooks import Webhook
from cti.ownership.house import House
from tests.builders import NOW, a_call
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


class Stage:
    def __init__(self) -> None:
        self.store, self.bus, self.clock = MemoryStore(), EventBus(), FakeClock()
        self.book = HookBook(store=self.store.hooks, bus=self.bus, clock=self.clock)
        self.told: list[Event] = []
        self.woken = 0
        self.bus.tap(self.told.append)

    def wake(self) -> None:
        self.woken += 1

    async def hook(self) -> None:
        made = Webhook(
            id=0,
            name="crm",
            url="https://crm.example",
            events=("*",),
            secret="whsec_x",
            state_at=NOW,
            created_at=NOW,
        )
        await self.book.add(made)

    def written(self) -> list[str]:
        """Return the ids of events that are written as work."""
        return [row.wish.payload["event_id"] for row in self.store.tables.works.values()]

    def published(self) -> list[str]:
        """Return the ids of events that the bus told."""
        return [known.id for event in self.told if (known := told(event))]


async def test_a_claim_is_written_for_webhooks_with_the_id_that_everybody_hears() -> None:
    stage = Stage()
    await stage.hook()
    campaign_id = await a_stored_campaign(stage.store)
    agent_id = await a_stored_agent(stage.store, campaign_ids=(campaign_id,))
    agents = list(stage.store.tables.agents.values())
    house = House(
        store=stage.store.ownership,
        agents=lambda: agents,
        campaigns=lambda: list(stage.store.tables.campaigns.values()),
        bus=stage.bus,
        clock=stage.clock,
        tell=stage.book.tell,
        on_work=stage.wake,
    )
    claim = Claim(agent_id=agent_id, campaign_ids=(campaign_id,), count=2)
    moved = await house.store.claim(claim, terms=house.terms(MoveKind.CLAIMED, "anna", agents))
    house.tell(moved)
    assert len(stage.written()) == 2
    assert stage.written() == stage.published()
    assert stage.woken == 1


async def test_callbacks_are_written_with_the_step_that_moves_them() -> None:
    stage = Stage()
    await stage.hook()
    campaign_id = await a_stored_campaign(stage.store)
    [candidate] = await stage.store.campaigns.next_candidates(campaign_id, limit=1)
    agent_id = await a_stored_agent(stage.store, campaign_ids=(campaign_id,))
    new: dict[str, Any] = {
        "contact_id": candidate.contact_id,
        "campaign_id": campaign_id,
        "agent_id": agent_id,
        "due_at": NOW + timedelta(seconds=300),
        "zone": "Europe/Berlin",
        "note": "",
        "call_id": None,
        "by": "anna",
    }
    await stage.store.callbacks.add(NewCallback(**new), raised=0, at=NOW)
    clock = CallbackClock(
        store=stage.store.callbacks,
        bus=stage.bus,
        clock=stage.clock,
        is_away=lambda _: True,
        tell=stage.book.tell,
        on_work=stage.wake,
    )
    for seconds in (0, 300, 900):
        stage.clock.advance(seconds)
        await clock.step()
    kinds = [row.wish.payload["type"] for row in stage.store.tables.works.values()]
    assert kinds == ["callback.reminder", "callback.due", "callback.released"]
    assert stage.written() == stage.published()
    assert stage.woken == 3


async def test_an_event_that_cannot_be_told_costs_no_call(caplog: Any) -> None:
    stage = Stage()
    await stage.hook()
    broken = CallMoved(
        before=CallState.PLACING, call=a_call(state=CallState.RINGING, number=object()), at=NOW
    )
    assert stage.book.tell(broken) == ()
    assert "webhooks do not hear of CallMoved" in caplog.text
