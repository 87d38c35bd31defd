"""The contract of `FollowUpStore`: facts as they are now, links that are kept, and what stands there otherwise."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cti.crm.follow_ups import CallbackFollowers
from cti.model.callbacks import Callback, CallbackChange, CallbackState, NewCallback
from cti.model.follow_ups import FollowLink
from cti.model.work import Work
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.contract.conftest import Store

FOLLOW = CallbackFollowers(["odoo"]).moved


async def a_callback(store: Store) -> Callback:
    campaign = await store.campaigns.add_campaign(a_campaign(id=0))
    anna = await store.agents.add_agent(
        login="anna", name="Anna", endpoint="a001", node="pbx", campaign_ids=(campaign.id,)
    )
    (contact,) = some_contacts(1)
    contact = replace(contact, crm_ref="odoo/lead:7")
    await store.campaigns.add_list(campaign_id=campaign.id, name="l", source="t", contacts=[contact], at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    new = NewCallback(
        contact_id=candidate.contact_id,
        campaign_id=campaign.id,
        due_at=later(3600),
        zone="UTC",
        by="anna",
        agent_id=anna.id,
        note="王",
    )
    return await store.callbacks.add(new, raised=0, at=NOW, works=FOLLOW)


def a_link(one: Callback, **given: Any) -> FollowLink:
    values: dict[str, Any] = {
        "target": "odoo",
        "callback_id": one.id,
        "contact_id": one.contact_id,
        "ref": "odoo/lead:7",
        "remote": "task:3",
        "written": (one.due_at,),
        "agent_id": one.agent_id,
        "written_at": later(1),
    }
    return FollowLink(**values | given)


async def its_work(store: Store, *, end: bool = False) -> Work:
    (work,) = await store.work.lease(
        kinds=("crm.follow_up.odoo",), limit=9, now=later(9), lease_for=timedelta(seconds=60)
    )
    if end:
        await store.work.finish(work, now=later(9))
    return work


async def test_a_callback_leaves_its_work_with_the_same_commit(store: Store) -> None:
    one = await a_callback(store)

    await store.callbacks.change(
        one.id, CallbackChange(due_at=later(7200)), by="anna", raised=0, at=later(1), works=FOLLOW
    )

    (count,) = await store.work.counts()
    assert (count.kind, count.waiting) == ("crm.follow_up.odoo", 1)


async def test_facts_are_those_of_now(store: Store) -> None:
    one = await a_callback(store)

    fact = (await store.follow_ups.facts([one.id, one.id + 999]))[one.id]

    assert (fact.crm_ref, fact.due_at, fact.open, fact.done) == ("odoo/lead:7", later(3600), True, False)
    assert (fact.agent, fact.extension, fact.text, fact.created_by) == ("anna", "a001", "王", "anna")
    await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.DONE), by="anna", raised=0, at=later(1)
    )
    fact = (await store.follow_ups.facts([one.id]))[one.id]
    assert (fact.open, fact.done) == (False, True)


async def test_links_are_kept_by_target_and_callback(store: Store) -> None:
    one = await a_callback(store)
    link = a_link(one)
    await store.follow_ups.put(a_link(one, remote=None, written=()))
    await store.follow_ups.put(link)

    assert await store.follow_ups.links("odoo", [one.id]) == {one.id: link}
    assert await store.follow_ups.links("other", [one.id]) == {}
    assert await store.follow_ups.written("odoo", one.contact_id) == [later(3600)]
    assert await store.follow_ups.written("other", one.contact_id) == []


async def test_what_stands_there_otherwise_is_found(store: Store) -> None:
    one = await a_callback(store)
    await its_work(store, end=True)
    await store.follow_ups.put(a_link(one))
    assert await store.follow_ups.behind("odoo", limit=9) == []

    await store.callbacks.change(one.id, CallbackChange(due_at=later(7200)), by="anna", raised=0, at=later(2))
    assert await store.follow_ups.behind("odoo", limit=9) == [one.id]
    await store.follow_ups.put(a_link(one, written_at=later(3)))
    assert await store.follow_ups.behind("odoo", limit=9) == []
    await store.follow_ups.put(a_link(one, written_at=later(3), agent_id=None))
    assert await store.follow_ups.behind("odoo", limit=9) == [one.id]
    await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.CANCELLED), by="anna", raised=0, at=later(3)
    )
    await store.follow_ups.put(a_link(one, written_at=later(4)))
    assert await store.follow_ups.behind("odoo", limit=9) == [one.id]
    assert await store.follow_ups.behind("other", limit=9) == []
    await store.follow_ups.put(a_link(one, standing=False))
    assert await store.follow_ups.behind("odoo", limit=9) == []


async def test_what_somebody_works_on_or_gave_up_is_not_found(store: Store) -> None:
    one = await a_callback(store)
    await store.follow_ups.put(a_link(one, agent_id=None))
    assert await store.follow_ups.behind("odoo", limit=9) == [], "it waits"
    work = await its_work(store)
    assert await store.follow_ups.behind("odoo", limit=9) == [], "it is under way"

    await store.work.bury(work, error="no", now=later(10))
    assert await store.follow_ups.behind("odoo", limit=9) == [], "it is a dead letter"
    await store.work.discard(work.id, now=later(11))
    assert await store.follow_ups.behind("odoo", limit=9) == [], "somebody gave it up"

    await store.callbacks.change(
        one.id, CallbackChange(due_at=later(7200)), by="anna", raised=0, at=later(12)
    )
    assert await store.follow_ups.behind("odoo", limit=9) == [one.id]
