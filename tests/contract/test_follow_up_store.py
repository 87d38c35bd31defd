"""The contract of `FollowUpStore`: facts as they are now, links that are kept, and what stands there otherwise."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cti.contacts.changes import Change, Subject
from cti.crm.follow_ups import CallbackFollowers, ContactFollowers
from cti.model.callbacks import Callback, CallbackChange, CallbackState, NewCallback
from cti.model.follow_ups import FollowLink
from cti.model.work import Work
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.contract.conftest import Store

FOLLOW_CONTACT = ContactFollowers(["odoo"]).changed
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
        "text_print": "p",
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

    fact = (await store.follow_ups.facts([str(one.id), str(one.id + 999), "contact-999"]))[str(one.id)]

    assert (fact.crm_ref, fact.due_at, fact.open, fact.done) == ("odoo/lead:7", later(3600), True, False)
    assert (fact.agent, fact.extension, fact.text, fact.created_by) == ("anna", "a001", "王", "anna")
    await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.DONE), by="anna", raised=0, at=later(1)
    )
    fact = (await store.follow_ups.facts([str(one.id)]))[str(one.id)]
    assert (fact.open, fact.done) == (False, True)


async def test_links_are_kept_by_target_and_callback(store: Store) -> None:
    one = await a_callback(store)
    link = a_link(one)
    await store.follow_ups.put(a_link(one, remote=None, written=()))
    await store.follow_ups.put(link)

    assert await store.follow_ups.links("odoo", [str(one.id)]) == {str(one.id): link}
    assert await store.follow_ups.links("other", [str(one.id)]) == {}
    assert await store.follow_ups.written("odoo", one.contact_id) == [later(3600)]
    assert await store.follow_ups.written("other", one.contact_id) == []


async def test_what_stands_there_otherwise_is_found(store: Store) -> None:
    one = await a_callback(store)
    await its_work(store, end=True)
    await store.follow_ups.put(a_link(one))
    assert await store.follow_ups.behind("odoo", limit=9) == []

    await store.callbacks.change(one.id, CallbackChange(due_at=later(7200)), by="anna", raised=0, at=later(2))
    assert await store.follow_ups.behind("odoo", limit=9) == [str(one.id)]
    await store.follow_ups.put(a_link(one, written_at=later(3)))
    assert await store.follow_ups.behind("odoo", limit=9) == []
    await store.follow_ups.put(a_link(one, written_at=later(3), agent_id=None))
    assert await store.follow_ups.behind("odoo", limit=9) == [str(one.id)]
    await store.callbacks.change(
        one.id, CallbackChange(state=CallbackState.CANCELLED), by="anna", raised=0, at=later(3)
    )
    await store.follow_ups.put(a_link(one, written_at=later(4)))
    assert await store.follow_ups.behind("odoo", limit=9) == [str(one.id)]
    assert await store.follow_ups.behind("other", limit=9) == []
    await store.follow_ups.put(a_link(one, standing=False))
    assert await store.follow_ups.behind("odoo", limit=9) == []


async def wants_back(store: Store, contact_id: int, at: datetime | None, when: datetime) -> None:
    """Change a contact's next follow-up, as an edit does."""

    def plan(subject: Subject) -> Change:
        return Change(contact={"next_follow_up_at": (subject.facts["next_follow_up_at"], at)})

    await store.finding.change(contact_id, plan, kind="edit", by="anna", at=when, works=FOLLOW_CONTACT)


async def a_contact(store: Store) -> int:
    campaign = await store.campaigns.add_campaign(a_campaign(id=0))
    (contact,) = some_contacts(1)
    contact = replace(contact, crm_ref="odoo/lead:7")
    await store.campaigns.add_list(campaign_id=campaign.id, name="l", source="t", contacts=[contact], at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    return candidate.contact_id


def an_own_link(contact_id: int, **given: Any) -> FollowLink:
    values: dict[str, Any] = {
        "target": "odoo",
        "callback_id": None,
        "contact_id": contact_id,
        "ref": "odoo/lead:7",
        "written": (later(3600),),
        "written_at": later(1),
    }
    return FollowLink(**values | given)


async def test_a_contact_s_own_follow_up_leaves_its_work_with_the_same_commit(store: Store) -> None:
    contact_id = await a_contact(store)

    await wants_back(store, contact_id, later(3600), later(1))

    leased = await store.work.lease(
        kinds=("crm.follow_up.odoo",), limit=9, now=later(2), lease_for=timedelta(seconds=60)
    )
    assert [(work.key, work.payload) for work in leased] == [
        (f"contact-{contact_id}", {"contact_id": contact_id})
    ]
    fact = (await store.follow_ups.facts([f"contact-{contact_id}"]))[f"contact-{contact_id}"]
    assert (fact.crm_ref, fact.due_at, fact.open, fact.callback_id) == (
        "odoo/lead:7",
        later(3600),
        True,
        None,
    )
    await wants_back(store, contact_id, None, later(3))
    fact = (await store.follow_ups.facts([f"contact-{contact_id}"]))[f"contact-{contact_id}"]
    assert (fact.due_at, fact.open) == (None, False)


async def test_an_edit_of_something_else_leaves_no_work(store: Store) -> None:
    contact_id = await a_contact(store)

    def plan(subject: Subject) -> Change:
        return Change(contact={"name": (subject.facts["name"], "Another")})

    await store.finding.change(contact_id, plan, kind="edit", by="anna", at=NOW, works=FOLLOW_CONTACT)

    assert await store.work.counts() == []


async def test_a_contact_s_own_follow_up_that_stands_otherwise_is_found(store: Store) -> None:
    contact_id = await a_contact(store)
    await wants_back(store, contact_id, later(3600), later(1))
    await its_work(store, end=True)
    await store.follow_ups.put(an_own_link(contact_id))
    assert await store.follow_ups.behind("odoo", limit=9) == []
    assert await store.follow_ups.written("odoo", contact_id) == [later(3600)]

    await wants_back(store, contact_id, later(7200), later(2))
    assert await store.follow_ups.behind("odoo", limit=9) == [], "its work waits"
    await its_work(store, end=True)
    assert await store.follow_ups.behind("odoo", limit=9) == [f"contact-{contact_id}"]
    await store.follow_ups.put(an_own_link(contact_id, written=(later(3600), later(7200))))
    assert await store.follow_ups.behind("odoo", limit=9) == []
    await wants_back(store, contact_id, None, later(3))
    await its_work(store, end=True)
    assert await store.follow_ups.behind("odoo", limit=9) == [f"contact-{contact_id}"]
    await store.follow_ups.put(an_own_link(contact_id, standing=False))
    assert await store.follow_ups.behind("odoo", limit=9) == []


async def test_the_crm_moves_what_stands_there_and_nothing_else(store: Store) -> None:
    contact_id = await a_contact(store)
    move: dict[str, Any] = {"at": later(7200), "by": "crm odoo", "now": later(9)}
    await wants_back(store, contact_id, later(3600), later(1))
    assert not await store.follow_ups.moved_there("odoo", contact_id, **move)
    await store.follow_ups.put(an_own_link(contact_id, standing=False))
    assert not await store.follow_ups.moved_there("odoo", contact_id, **move)
    await store.follow_ups.put(an_own_link(contact_id))
    assert not await store.follow_ups.moved_there("odoo", contact_id + 999, **move)
    assert not await store.follow_ups.moved_there("other", contact_id, **move)

    assert await store.follow_ups.moved_there("odoo", contact_id, **move)

    key = f"contact-{contact_id}"
    assert (await store.follow_ups.facts([key]))[key].due_at == later(7200)
    assert await store.follow_ups.written("odoo", contact_id) == [later(3600), later(7200)]
    assert await store.follow_ups.behind("odoo", limit=9) == []
    (told, _) = await store.finding.changes(contact_id, limit=9)
    assert (told.kind, told.by) == ("crm", "crm odoo")


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
    assert await store.follow_ups.behind("odoo", limit=9) == [str(one.id)]
