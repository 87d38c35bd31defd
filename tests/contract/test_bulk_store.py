"""Actions on many contacts are carried out alike in each store: once each, resumed, and taken back."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cti.contacts.bulk_desk import BulkDesk
from cti.contacts.bulk_plans import judged
from cti.contacts.desk import Asking
from cti.contacts.settling import Viewer
from cti.errors import Conflict, NotFound
from cti.model.bulk import BULK_WORK, BulkAction, BulkKind, BulkOrder, BulkState
from cti.model.conditions import EVERYTHING, Op, Scope, Test
from cti.model.contact_rows import ContactQuery, ContactRow, Sort
from cti.model.work import Work
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.crowd import mark_contact, mark_entry
from tests.contract.people import a_stored_agent, a_stored_campaign, placed_calls
from tests.fakes.clock import FakeClock
from tests.fakes.memory_owners import FakeOwners

LEAD = Asking(name="lead", zone="Europe/Berlin")


def a_desk(store: Store, owners: FakeOwners | None = None) -> BulkDesk:
    from zoneinfo import ZoneInfo

    def viewer(asking: Asking) -> Viewer:
        return Viewer(now=NOW, zone=ZoneInfo(asking.zone), campaigns={"autumn": 1})

    return BulkDesk(
        store=store.bulk,
        clock=FakeClock(),
        viewer=viewer,
        owners=owners or FakeOwners(store),
        on_work=lambda: None,
        pause_seconds=0,
    )


async def carried_out(store: Store, kind: BulkKind, given: Any = None, **argument: Any) -> BulkAction:
    """Begin an action and carry it out to its end."""
    desk = a_desk(store)
    action = await desk.begin(kind, argument, given or {}, LEAD)
    return await to_the_end(store, action)


async def to_the_end(store: Store, action: BulkAction, desk: BulkDesk | None = None) -> BulkAction:
    work = Work(
        id=1,
        kind=BULK_WORK,
        key=str(action.id),
        version=1,
        payload={"id": action.id},
        attempts=1,
        lease="x",
        leased_until=later(60),
    )
    await (desk or a_desk(store)).carry_out(work)
    return await store.bulk.action(action.id)


async def everybody(store: Store) -> list[ContactRow]:
    return await store.finding.contacts(ContactQuery(sort=Sort.OLDEST, limit=1000))


async def states(store: Store) -> list[tuple[str, str | None]]:
    rows = [entry for row in await everybody(store) for entry in await store.finding.entries(row.id)]
    return [(entry.state, entry.reason) for entry in rows]


async def test_an_action_changes_whom_its_condition_finds_and_says_why_not_the_others(store: Store) -> None:
    await a_stored_campaign(store, contacts=5)
    first = (await everybody(store))[0]
    await mark_contact(store, first.id, stage="won")

    action = await carried_out(store, BulkKind.STAGE, {"field": "name", "contains": "contact"}, stage="won")

    assert (action.state, action.matched, action.done, action.counts) == (
        BulkState.DONE,
        5,
        4,
        {"already": 1},
    )
    assert (action.by, action.at, action.finished_at) == ("lead", FakeClock().now(), FakeClock().now())
    assert {row.stage for row in await everybody(store)} == {"won"}
    (kept,) = await store.finding.changes((await everybody(store))[1].id, limit=5)
    assert (kept.kind, kept.bulk_id, kept.change) == (
        "stage",
        action.id,
        {"contact": {"stage": [None, "won"]}},
    )


async def test_it_is_noted_together_with_the_work_that_carries_it_out(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    action = await a_desk(store).begin(BulkKind.STOP, {}, {}, LEAD)
    (counts,) = [one for one in await store.work.counts() if one.kind == BULK_WORK]
    assert counts.waiting == 1
    assert await store.bulk.actions(limit=5) == [action]
    assert await store.bulk.actions(limit=5, before=action.id) == []


async def test_bite_by_bite_each_contact_is_judged_once(store: Store) -> None:
    await a_stored_campaign(store, contacts=7)
    order = BulkOrder(kind=BulkKind.TAG, argument={"tag": "vip"}, condition={}, by="lead")
    action = await store.bulk.begin(order, EVERYTHING, at=NOW)
    seen: list[int] = []

    def judge(subject: Any, before: Any) -> Any:
        seen.append(subject.id)
        return judged(BulkKind.TAG, subject, {"tag": "vip"}, NOW)

    positions = []
    while action.state is BulkState.RUNNING:
        ids = await store.bulk.next_ids(EVERYTHING, after=action.position, last=action.last_id, limit=3)
        action = await store.bulk.bite(action.id, ids, judge, at=NOW)
        action = await store.bulk.bite(action.id, ids or [1], judge, at=NOW)
        positions.append(action.done)

    assert positions == [3, 6, 7, 7]
    assert action.state is BulkState.DONE
    assert seen == [row.id for row in await everybody(store)]


async def test_a_bite_that_fails_leaves_nothing_and_is_taken_again(store: Store) -> None:
    await a_stored_campaign(store, contacts=3)
    order = BulkOrder(kind=BulkKind.TAG, argument={"tag": "vip"}, condition={}, by="lead")
    action = await store.bulk.begin(order, EVERYTHING, at=NOW)
    ids = [row.id for row in await everybody(store)]
    bite = partial(store.bulk.bite, action.id, ids, at=NOW)

    def broken(subject: Any, before: Any) -> Any:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await bite(broken)
    assert await store.bulk.action(action.id) == action
    assert (await to_the_end(store, action)).done == 3


async def test_contacts_that_come_later_are_left_alone(store: Store) -> None:
    await a_stored_campaign(store, contacts=2)
    action = await a_desk(store).begin(BulkKind.TAG, {"tag": "vip"}, {}, LEAD)
    await a_stored_campaign(store, name="winter", contacts=2)

    action = await to_the_end(store, action)

    assert action.done == 2
    tagged = Test(field="tag", op=Op.IS, values=("vip",))
    assert await store.finding.count(tagged, Scope.CONTACT) == 2


async def test_who_is_stopped_is_done_in_all_lists_and_a_call_that_is_up_goes_on(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    await placed_calls(store, campaign_id, 1)

    action = await carried_out(store, BulkKind.STOP)

    assert (action.done, action.counts) == (3, {})
    assert await states(store) == [("dialing", None), ("done", "stopped"), ("done", "stopped")]
    assert all(row.stopped_at == FakeClock().now() for row in await everybody(store))
    assert (await carried_out(store, BulkKind.STOP)).counts == {"already": 3}


async def test_who_is_reopened_is_dialed_again_unless_he_is_being_called(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    await placed_calls(store, campaign_id, 1)
    await carried_out(store, BulkKind.STOP)

    action = await carried_out(store, BulkKind.REOPEN)

    assert (action.done, action.counts) == (2, {"dialing": 1})
    assert await states(store) == [("dialing", None), ("pending", None), ("pending", None)]
    assert [row.stopped_at is None for row in await everybody(store)] == [False, True, True]


async def test_an_action_is_taken_back_where_nobody_changed_anything_since(store: Store) -> None:
    await a_stored_campaign(store, contacts=3)
    ids = [row.id for row in await everybody(store)]
    entry = (await store.finding.entries(ids[1]))[0]
    await mark_entry(
        store, entry.id, state="waiting" if not _is_memory(store) else _waiting(), due_at=later(60)
    )
    stop = await carried_out(store, BulkKind.STOP)
    await mark_contact(store, ids[2], stopped_at=later(99))

    undo = await to_the_end(store, await a_desk(store).undo(stop.id, by="anna"))

    assert (undo.kind, undo.done, undo.counts, undo.undoes) == (
        BulkKind.UNDO,
        2,
        {"changed_since": 1},
        stop.id,
    )
    assert await states(store) == [("pending", None), ("waiting", None), ("done", "stopped")]
    assert (await store.finding.entries(ids[1]))[0].due_at == later(60)
    assert (await store.bulk.action(stop.id)).undone_by == undo.id
    with pytest.raises(Conflict, match="undone before"):
        await a_desk(store).undo(stop.id, by="anna")
    with pytest.raises(Conflict, match="undid another one"):
        await a_desk(store).undo(undo.id, by="anna")


def _is_memory(store: Store) -> bool:
    return type(store).__name__ == "MemoryStore"


def _waiting() -> Any:
    from cti.model.contacts import EntryState

    return EntryState.WAITING


async def test_what_still_runs_is_not_taken_back(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    action = await a_desk(store).begin(BulkKind.STOP, {}, {}, LEAD)
    with pytest.raises(Conflict, match="still running"):
        await a_desk(store).undo(action.id, by="anna")
    with pytest.raises(NotFound):
        await a_desk(store).undo(999_999, by="anna")


async def test_tags_are_given_and_taken(store: Store) -> None:
    await a_stored_campaign(store, contacts=2)
    given = await carried_out(store, BulkKind.TAG, tag="vip")
    assert {row.tags for row in await everybody(store)} == {("vip",)}
    assert (await carried_out(store, BulkKind.UNTAG, tag="vip")).done == 2
    undo = await to_the_end(store, await a_desk(store).undo(given.id, by="x"))
    assert undo.counts == {"changed_since": 2}


async def test_contacts_go_to_another_list_and_back(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=2)
    two = await store.campaigns.add_list(campaign_id=one, name="second", source="", contacts=[], at=NOW)
    argument = {"list": two.list_id, "campaign": one, "order": "oldest"}

    move = await carried_out(store, BulkKind.MOVE, **argument)

    assert (move.done, (await carried_out(store, BulkKind.MOVE, **argument)).counts) == (2, {"already": 2})
    lists = [(await store.finding.entries(row.id))[0].list for row in await everybody(store)]
    assert lists == ["second", "second"]
    await to_the_end(store, await a_desk(store).undo(move.id, by="x"))
    assert (await store.finding.entries((await everybody(store))[0].id))[0].list == "first"


async def test_a_list_is_made_of_whom_a_query_finds_and_is_dialed(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=3)
    two = await a_stored_campaign(store, name="winter", contacts=1)
    anna = await a_stored_agent(store)
    rows = await everybody(store)
    await mark_contact(store, rows[0].id, owner_agent_id=anna, zone="Asia/Tokyo")
    await mark_contact(store, rows[1].id, stopped_at=NOW)
    argument = {"campaign": two, "name": "again", "priority": 4, "order": "oldest", "again": False}

    made = await carried_out(store, BulkKind.LIST, **argument)

    assert (made.matched, made.done) == (4, 2)
    assert made.counts == {"stopped": 1, "in_campaign_already": 1}
    entries = [(await store.finding.entries(row.id))[-1] for row in (rows[0], rows[2])]
    assert [(one.list, one.campaign, one.state, one.priority) for one in entries] == [
        ("again", "winter", "pending", 4)
    ] * 2
    (subject,) = await store.bulk.look([rows[0].id])
    new = subject.entries[-1]
    assert (new.owner_key, new.zone, new.rank) == (anna, "Asia/Tokyo", float(new.id))
    assert (await store.campaigns.progress(one)).total == 3
    with pytest.raises(Conflict, match="again"):
        await carried_out(store, BulkKind.LIST, **argument)
    undo = await to_the_end(store, await a_desk(store).undo(made.id, by="x"))
    assert (undo.done, (await store.campaigns.progress(two)).total) == (2, 1)


async def test_a_dry_run_counts_and_changes_nothing(store: Store) -> None:
    await a_stored_campaign(store, contacts=3)
    await mark_contact(store, (await everybody(store))[0].id, stopped_at=NOW)
    before = await everybody(store)

    tried = await a_desk(store).try_out(BulkKind.STOP, {}, {}, LEAD)

    assert (tried.matched, tried.would, tried.left) == (3, 2, {"already": 1})
    assert await everybody(store) == before
    assert await store.bulk.actions(limit=5) == []


async def test_a_condition_means_the_same_however_long_an_action_takes(store: Store) -> None:
    await a_stored_campaign(store, contacts=2)
    action = await a_desk(store).begin(
        BulkKind.TAG, {"tag": "new"}, {"field": "created", "within": "today"}, LEAD
    )
    assert action.matched == 2
    desk = a_desk(store)
    desk._clock = FakeClock(later(86_400 * 3))  # type: ignore[attr-defined]
    kept = await store.bulk.action(action.id)
    assert desk._settled_again(replace(kept)) == a_desk(store)._settled_again(kept)
    assert (await to_the_end(store, action)).done == 2


async def test_contacts_are_given_to_an_agent_through_ownership_bite_by_bite(store: Store) -> None:
    await a_stored_campaign(store, contacts=5)
    await a_stored_agent(store, login="anna")
    ids = [row.id for row in await everybody(store)]
    owners = FakeOwners(store, refuses={ids[1]: "cap"})
    desk = a_desk(store, owners)
    argument = {"owner": "anna", "take_over": False}

    tried = await desk.try_out(BulkKind.ASSIGN, argument, {}, LEAD)
    action = await to_the_end(store, await desk.begin(BulkKind.ASSIGN, argument, {}, LEAD), desk)

    assert (tried.matched, tried.would, tried.left) == (5, 4, {"cap": 1})
    assert (action.state, action.done, action.counts) == (BulkState.DONE, 4, {"cap": 1})
    assert owners.given == [("anna", ids, True), ("anna", ids, False)]
    with pytest.raises(Conflict, match="in their history"):
        await desk.undo(action.id, by="lead")
