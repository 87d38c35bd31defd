"""`HookStore`, `CardStore`, `LinkStore`, and the work that other stores write for webhooks in their own commits."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.errors import Conflict, NotFound
from cti.model.agents import AgentChange, AgentState
from cti.model.callbacks import NewCallback
from cti.model.campaign_rules import Order
from cti.model.contacts import NewContact, NewNumber
from cti.model.doubles import Doubles, DoubleScope
from cti.model.imports import Lead
from cti.model.ownership import Claim, MoveKind, OwnerMove, Terms
from cti.model.webhooks import DELIVER, Delivery, DeliveryFilter, DeliveryState, Webhook, WebhookState
from cti.model.work import NewWork
from tests.builders import NOW, an_agent, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_agent, a_stored_campaign, placed_calls

BERLIN = "+4930901820"
CREATE = Doubles(scope=DoubleScope.FILE)


def a_webhook(**given: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": 0,
        "name": "crm",
        "url": "https://crm.example/hook",
        "events": ("call.*", "contact.claimed"),
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "state_at": NOW,
        "created_at": NOW,
    }
    return Webhook(**values | given)


def a_delivery(webhook_id: int, n: int = 1, **given: Any) -> Delivery:
    values: dict[str, Any] = {
        "webhook_id": webhook_id,
        "event_id": f"{n:032x}",
        "type": "call.ended",
        "at": later(n),
        "body": f'{{"n":{n}}}',
        "state": DeliveryState.FAILED,
        "attempts": 1,
        "status": 500,
        "error": "answered 500",
        "milliseconds": 12,
        "tried_at": later(n + 1),
    }
    return Delivery(**values | given)


def work_of(one: Delivery) -> NewWork:
    return NewWork(kind=DELIVER, key=f"{one.webhook_id}/{one.event_id}", payload={"body": one.body})


async def waiting(store: Store) -> list[str]:
    leased = await store.work.lease(
        kinds=[DELIVER, "k"], limit=99, now=later(10**6), lease_for=timedelta(seconds=9)
    )
    return sorted(work.key for work in leased)


async def test_a_webhook_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    full = a_webhook(
        campaign_ids=(3, 1),
        old_secret="whsec_old",
        old_secret_until=later(60),
        state=WebhookState.SUSPENDED,
        state_reason="failed since yesterday",
        failing_since=later(-9),
        failures=12,
        created_by="lead",
    )
    made = await store.hooks.add(full)
    assert await other.hooks.webhooks() == [made]
    assert made == replace(full, id=made.id)
    changed = replace(made, name="other", events=("recording.ready",), campaign_ids=(), old_secret=None)
    await other.hooks.save(changed)
    assert await store.hooks.webhooks() == [changed]


async def test_names_are_taken_once_and_what_is_not_there_is_said(store: Store) -> None:
    made = await store.hooks.add(a_webhook())
    other = await store.hooks.add(a_webhook(name="b"))
    with pytest.raises(Conflict, match="crm"):
        await store.hooks.add(a_webhook())
    with pytest.raises(Conflict, match="crm"):
        await store.hooks.save(replace(other, name="crm"))
    await store.hooks.save(replace(made, url="https://b.example"))
    with pytest.raises(NotFound):
        await store.hooks.save(a_webhook(id=999_999, name="c"))
    with pytest.raises(NotFound):
        await store.hooks.remove(999_999)


async def test_deliveries_are_listed_newest_first_and_filtered(store: Store) -> None:
    hook, other = await store.hooks.add(a_webhook()), await store.hooks.add(a_webhook(name="b"))
    rows = [a_delivery(hook.id, n) for n in (1, 2, 3)]
    rows[1] = replace(rows[1], type="call.started", state=DeliveryState.DELIVERED, error=None, status=204)
    await store.hooks.note([*rows, a_delivery(other.id, 2)])
    assert await store.hooks.deliveries(DeliveryFilter(webhook_id=hook.id)) == rows[::-1]
    asked = [
        (DeliveryFilter(webhook_id=hook.id, limit=1), rows[2:]),
        (DeliveryFilter(webhook_id=hook.id, state=DeliveryState.DELIVERED), rows[1:2]),
        (DeliveryFilter(webhook_id=hook.id, type="call.ended", until=later(3)), rows[:1]),
        (DeliveryFilter(webhook_id=hook.id, since=later(2), until=later(3)), rows[1:2]),
    ]
    for wanted, expected in asked:
        assert await store.hooks.deliveries(wanted) == expected
    assert await store.hooks.count(hook.id) == {DeliveryState.FAILED: 2, DeliveryState.DELIVERED: 1}


async def test_a_delivery_that_is_noted_again_counts_its_attempts_and_stays_delivered(store: Store) -> None:
    hook = await store.hooks.add(a_webhook())
    first = a_delivery(hook.id, state=DeliveryState.WAITING)
    await store.hooks.note([first])
    good = replace(first, state=DeliveryState.DELIVERED, status=200, error=None, milliseconds=3)
    await store.hooks.note([good])
    await store.hooks.note([replace(first, state=DeliveryState.FAILED)])
    assert await store.hooks.deliveries(DeliveryFilter(webhook_id=hook.id)) == [replace(good, attempts=3)]


async def test_a_webhook_goes_with_its_deliveries_and_late_ones_are_left_out(store: Store) -> None:
    hook, other = await store.hooks.add(a_webhook()), await store.hooks.add(a_webhook(name="b"))
    await store.hooks.note([a_delivery(hook.id)])
    await store.hooks.remove(hook.id)
    await store.hooks.note([a_delivery(hook.id, 2), a_delivery(other.id, 2)])
    assert await store.hooks.webhooks() == [other]
    assert await store.hooks.deliveries(DeliveryFilter(webhook_id=hook.id)) == []
    assert len(await store.hooks.deliveries(DeliveryFilter(webhook_id=other.id))) == 1


async def test_replaying_a_span_writes_its_work_and_starts_the_attempts_anew(store: Store) -> None:
    hook = await store.hooks.add(a_webhook())
    rows = [a_delivery(hook.id, n) for n in (1, 2, 3, 4)]
    rows[2] = replace(rows[2], state=DeliveryState.WAITING)
    await store.hooks.note(rows)
    span = DeliveryFilter(webhook_id=hook.id, since=later(2), limit=99)
    assert await store.hooks.replay(span, work_of=work_of, now=later(50)) == 2
    again = await store.hooks.deliveries(DeliveryFilter(webhook_id=hook.id, since=later(2)))
    assert [(one.state, one.attempts, one.body) for one in again] == [
        (DeliveryState.WAITING, 0, '{"n":4}'),
        (DeliveryState.WAITING, 1, '{"n":3}'),
        (DeliveryState.WAITING, 0, '{"n":2}'),
    ]
    assert await waiting(store) == [f"{hook.id}/{n:032x}" for n in (2, 4)]


async def test_one_is_replayed_and_the_oldest_first_up_to_a_limit(store: Store) -> None:
    hook = await store.hooks.add(a_webhook())
    await store.hooks.note([a_delivery(hook.id, n) for n in (1, 2, 3)])
    one = DeliveryFilter(webhook_id=hook.id)
    assert await store.hooks.replay(one, event_ids=[f"{3:032x}"], work_of=work_of, now=NOW) == 1
    assert await store.hooks.replay(one, event_ids=["none"], work_of=work_of, now=NOW) == 0
    assert await store.hooks.replay(replace(one, limit=1), work_of=work_of, now=NOW) == 1
    assert await waiting(store) == [f"{hook.id}/{n:032x}" for n in (1, 3)]


async def test_old_deliveries_go_in_bites_but_never_those_that_wait(store: Store) -> None:
    hook = await store.hooks.add(a_webhook())
    rows = [a_delivery(hook.id, n) for n in (1, 2, 3, 4)]
    rows[0] = replace(rows[0], state=DeliveryState.WAITING)
    await store.hooks.note(rows)
    assert await store.hooks.forget(before=later(4), limit=1) == 1
    assert await store.hooks.forget(before=later(4), limit=9) == 1
    assert await store.hooks.forget(before=later(4), limit=9) == 0
    left = await store.hooks.deliveries(DeliveryFilter(webhook_id=hook.id))
    assert [one.at for one in left] == [later(4), later(1)]


async def test_a_link_is_used_once_also_by_two_at_once(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    used = await asyncio.gather(
        *(one.links.use("n", expires_at=later(60), at=NOW) for one in (store, other, store, other))
    )
    assert sorted(used) == [False, False, False, True]
    await store.links.unuse("n")
    assert await other.links.use("n", expires_at=later(60), at=NOW)
    assert await store.links.use("m", expires_at=later(70), at=NOW)
    assert await store.links.forget(before=later(65)) == 1
    assert await store.links.use("n", expires_at=later(60), at=NOW)
    assert not await store.links.use("m", expires_at=later(70), at=NOW)


async def test_contacts_are_found_by_id_number_and_record(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    one = NewContact(
        name="王小明",
        numbers=(NewNumber(e164="+4930111", raw="1"), NewNumber(e164=BERLIN, raw="2")),
        crm_ref="lead/1",
        crm_customer="cust/9",
        crm_deal="deal/7",
        stage="won",
        fields={"city": "Berlin"},
    )
    two = NewContact(name="B", numbers=(NewNumber(e164=BERLIN, raw="2"),), crm_ref="lead/1")
    three = NewContact(name="C", numbers=(NewNumber(e164="+4930222", raw="3"),))
    for contact in (one, two, three):
        lead = Lead(campaign_id=campaign_id, contact=contact, priority=0, doubles=CREATE)
        await store.leads.add_lead(lead, order=Order.OLDEST, at=NOW)
    first, second = await store.cards.with_number(BERLIN, limit=9)
    assert (first.name, first.crm_ref, first.crm_customer, first.crm_deal, first.stage) == (
        "王小明",
        "lead/1",
        "cust/9",
        "deal/7",
        "won",
    )
    assert (first.fields, first.owner_agent_id, second.name) == ({"city": "Berlin"}, None, "B")
    assert await store.cards.card(first.contact_id) == first
    assert await store.cards.card(999_999) is None
    assert await store.cards.with_number(BERLIN, limit=1) == [first]
    assert await store.cards.with_record("lead/1", limit=9) == [first, second]
    assert await store.cards.with_record("none", limit=9) == await store.cards.with_number("x", limit=9) == []


def left_behind(key: str) -> tuple[NewWork, ...]:
    return (NewWork(kind="k", key=key, payload={}),)


async def test_a_disposition_leaves_its_work_and_says_what_stood_there_before(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    [call] = await placed_calls(store, campaign_id, 1)
    seen: list[str | None] = []

    async def said(code: str) -> str | None:
        def works(before: str | None) -> tuple[NewWork, ...]:
            seen.append(before)
            return left_behind(f"{before}-{code}")

        return await store.calls.set_disposition(
            call.id, agent_id=None, disposition=code, note="", at=NOW, works=works
        )

    assert [await said("a"), await said("a"), await said("b")] == [None, "a", "a"]
    assert seen == [None, "a", "a"]
    assert await waiting(store) == ["None-a", "a-a", "a-b"]


async def test_a_change_of_an_agent_leaves_its_work(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    change = AgentChange(agent_id=agent_id, at=NOW, before=AgentState.READY, after=AgentState.PAUSED)
    bad = replace(change, agent_id=999_999)
    with pytest.raises(NotFound):
        await store.agents.save_changes([(bad, an_agent(id=999_999))], works=left_behind("lost"))
    await store.agents.save_changes([(change, an_agent(id=agent_id))], works=left_behind("kept"))
    assert await waiting(store) == ["kept"]


async def test_moves_of_contacts_leave_their_work(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    agent_id = await a_stored_agent(store, campaign_ids=(campaign_id,))

    def works(move: OwnerMove) -> tuple[NewWork, ...]:
        return left_behind(f"{move.kind}-{move.before}-{move.after == agent_id}")

    claim = Claim(agent_id=agent_id, campaign_ids=(campaign_id,), count=1)
    moved = await store.ownership.claim(
        claim, terms=Terms(kind=MoveKind.CLAIMED, by="anna", at=NOW, works=works)
    )
    assert len(moved.moves) == 1
    assert await waiting(store) == ["claimed-None-True"]


async def test_callbacks_leave_their_work_when_they_fall_due(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    [candidate] = await store.campaigns.next_candidates(campaign_id, limit=1)
    new = NewCallback(
        contact_id=candidate.contact_id,
        campaign_id=campaign_id,
        agent_id=None,
        due_at=later(60),
        zone="Europe/Berlin",
        note="",
        call_id=None,
        by="anna",
    )
    made = await store.callbacks.add(new, raised=0, at=NOW)
    told = {"works": lambda one: left_behind(f"{one.id}-{one.state}-{one.reminded_at is not None}")}
    assert len(await store.callbacks.remind(later(60), at=NOW, limit=9, **told)) == 1
    assert len(await store.callbacks.fall_due(later(60), limit=9, **told)) == 1
    assert await waiting(store) == [f"{made.id}-due-True", f"{made.id}-planned-True"]
