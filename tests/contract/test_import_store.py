"""The contract of `ImportStore` and `LeadStore`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from cti.contacts.ports import UNDO_BITE
from cti.contacts.staging import Bite
from cti.errors import Conflict, NotFound
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.campaign_rules import Order
from cti.model.contacts import Candidate, NewContact, NewNumber, RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles, DoubleScope
from cti.model.imports import (
    Import,
    ImportOrder,
    ImportState,
    Lead,
    LeadTaken,
    ReadFile,
    StagedRow,
    UndoCounts,
)
from cti.storage import tables
from cti.storage.database import Database, open_database
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign, call_for, placed_calls

READ = ReadFile(encoding="utf-8", columns={"手机": "number", "a": "field:a"}, rows=2, refused=1)
MERGE = Doubles(rule=DoubleRule.MERGE, scope=DoubleScope.EVERYWHERE)
REPLACE = Doubles(rule=DoubleRule.REPLACE, scope=DoubleScope.EVERYWHERE)


def person(*numbers: str, **given: Any) -> NewContact:
    facts = {"name": "Ada"} | given
    return NewContact(
        numbers=tuple(NewNumber(e164=n, raw=n, zone="Europe/Berlin", kind="mobile") for n in numbers), **facts
    )


def rows(*contacts: NewContact) -> tuple[StagedRow, ...]:
    return tuple(StagedRow(line=line, contact=contact) for line, contact in enumerate(contacts, 2))


def an_order(campaign_id: int, **given: Any) -> ImportOrder:
    return ImportOrder(
        **{"campaign_id": campaign_id, "name": "spring", "source": "spring.csv", "by": "lead"} | given
    )


async def begun(store: Store, order: ImportOrder) -> Import:
    new = await store.imports.add_import(order, file="f", size_bytes=10, at=NOW)
    return await store.imports.begin_writing(new.id, READ, at=NOW)


async def imported(
    store: Store,
    campaign_id: int,
    *contacts: NewContact,
    refused: Sequence[RowRefused] = (),
    ranked: Order = Order.OLDEST,
    **given: Any,
) -> Import:
    """Import contacts in one bite."""
    now = await begun(store, an_order(campaign_id, **given))
    bite = Bite(rows=rows(*contacts), refused=tuple(refused), end=7)
    now = await store.imports.write(now, bite, order=ranked, at=NOW)
    return await store.imports.finish(now.id, at=later(1))


async def undone(store: Store, import_id: int) -> Import:
    now = await store.imports.begin_undo(import_id, by="admin", at=later(60))
    while now.state is ImportState.UNDOING:
        now = await store.imports.undo_bite(import_id, at=later(61))
    return now


async def candidates(store: Store, campaign_id: int) -> list[Candidate]:
    return await store.campaigns.next_candidates(campaign_id, limit=5000)


async def test_an_import_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    campaign_id = await a_stored_campaign(store, contacts=0)
    order = an_order(campaign_id, region="CN", priority=3, mapping={"手机": "number"}, doubles=MERGE)

    new = await store.imports.add_import(order, file="abc", size_bytes=1234, at=NOW)

    assert (new.order, new.file, new.size_bytes, new.state) == (order, "abc", 1234, ImportState.WAITING)
    assert await other.imports.get_import(new.id) == new
    assert await other.imports.unfinished() == [new]
    assert await other.imports.imports(campaign_id=campaign_id) == [new]
    assert await other.imports.imports(campaign_id=campaign_id + 1) == []
    assert await other.imports.imports(before_id=new.id) == []


async def test_what_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.imports.add_import(an_order(77), file="f", size_bytes=1, at=NOW)
    for asking in (store.imports.get_import(7), store.imports.refusals(7)):
        with pytest.raises(NotFound):
            await asking
    with pytest.raises(NotFound):
        await store.imports.begin_undo(7, by="a", at=NOW)


async def test_a_list_s_name_is_taken_once(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    await imported(store, campaign_id, person("+4930111"))
    with pytest.raises(Conflict, match="spring"):
        await store.imports.add_import(an_order(campaign_id), file="f", size_bytes=1, at=NOW)


async def test_a_written_bite_can_be_dialed_and_is_counted(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    refused = [RowRefused(line=9, reason="no number", code="no_number")]

    done = await imported(
        store,
        campaign_id,
        person("+4930111", "+4930112", crm_ref="L-1", fields={"tags": ["a"], "城市": "北京"}),
        person("+4930113", name="Bob", zone="Asia/Shanghai", priority=9),
        refused=refused,
        priority=4,
    )

    assert (done.state, done.counts.added, done.counts.taken) == (ImportState.DONE, 2, 2)
    assert (done.counts.refused, done.rows_done, done.read) == ({"no_number": 1}, 2, READ)
    assert done.finished_at == later(1)
    found = {one.number: one for one in await candidates(store, campaign_id)}
    assert (found["+4930111"].name, found["+4930111"].crm_ref) == ("Ada", "L-1")
    assert [(one.line, one.code) for one in await store.imports.refusals(done.id)] == [(9, "no_number")]


async def test_a_bite_that_was_written_is_not_written_again(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    now = await begun(store, an_order(campaign_id))
    bite = Bite(rows=rows(person("+4930111")), refused=(), end=7)
    after = await store.imports.write(now, bite, order=Order.OLDEST, at=NOW)

    with pytest.raises(Conflict):
        await store.imports.write(now, bite, order=Order.OLDEST, at=NOW)

    assert await store.imports.get_import(now.id) == after
    assert len(await candidates(store, campaign_id)) == 1


async def test_refused_rows_come_page_by_page(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    refused = [RowRefused(line=line, reason="no number", code="no_number") for line in range(2, 12)]
    done = await imported(store, campaign_id, refused=refused)

    first = await store.imports.refusals(done.id, limit=4)
    second = await store.imports.refusals(done.id, after_id=first[-1].id, limit=4)

    assert [one.line for one in first + second] == list(range(2, 10))


@pytest.mark.parametrize("scope", list(DoubleScope))
async def test_a_known_contact_is_skipped_where_he_is_looked_for(store: Store, scope: DoubleScope) -> None:
    here = await a_stored_campaign(store, contacts=0, name="here")
    elsewhere = await a_stored_campaign(store, contacts=0, name="elsewhere")
    await imported(store, here, person("+4930111"), name="old")
    await imported(store, elsewhere, person("+4930222"), name="old")

    doubles = Doubles(rule=DoubleRule.SKIP, scope=scope)
    new = [person("+4930999", "+4930111"), person("+4930222"), person("+4930333")]
    done = await imported(store, here, *new, doubles=doubles)

    added = {DoubleScope.FILE: 3, DoubleScope.CAMPAIGN: 2, DoubleScope.EVERYWHERE: 1}[scope]
    assert done.counts.added == added
    assert sum(done.counts.refused.values()) == 3 - added
    assert {one.code for one in await store.imports.refusals(done.id)} <= {"already_known"}


async def test_a_merged_contact_keeps_what_he_has_gets_what_he_lacks_and_joins_the_list(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0, name="one")
    two = await a_stored_campaign(store, contacts=0, name="two")
    await imported(store, one, person("+4930111", name="Ada", fields={"a": "1"}))

    done = await imported(
        store,
        two,
        person("+4930222", "+4930111", name="Countess", crm_ref="L-9", fields={"a": "2", "b": "3"}),
        doubles=MERGE,
    )

    assert (done.counts.added, done.counts.merged, done.counts.joined) == (0, 1, 1)
    (there,) = await candidates(store, one)
    (here,) = await candidates(store, two)
    assert here.contact_id == there.contact_id
    assert (here.name, here.crm_ref, here.number) == ("Ada", "L-9", "+4930111")


async def test_a_replaced_contact_has_the_row_s_numbers_and_texts(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0, name="one")
    await imported(store, one, person("+4930111", "+4930112", name="Ada", crm_ref="L-1"))

    done = await imported(
        store, one, person("+4930222", "+4930112", name="Countess"), name="b", doubles=REPLACE
    )

    assert (done.counts.replaced, done.counts.joined) == (1, 0)
    (found,) = await candidates(store, one)
    assert (found.name, found.crm_ref, found.number) == ("Countess", "L-1", "+4930222")


async def test_a_contact_is_known_by_the_crm_s_reference_when_that_is_chosen(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", crm_ref="L-1"))
    by_reference = replace(MERGE, key=DoubleKey.CRM_REF)

    done = await imported(
        store,
        one,
        person("+4930222", crm_ref="L-1"),
        person("+4930111", crm_ref="L-2"),
        name="b",
        doubles=by_reference,
    )

    assert (done.counts.merged, done.counts.added) == (1, 1)


async def test_rows_of_one_person_in_one_file_become_one_contact(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)

    done = await imported(
        store, one, person("+4930111", name=""), person("+4930222", "+4930111"), doubles=MERGE
    )

    assert (done.counts.added, done.counts.merged) == (1, 1)
    (found,) = await candidates(store, one)
    assert (found.name, found.number) == ("Ada", "+4930111")


async def test_a_dry_run_s_look_writes_nothing(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"))
    now = await store.imports.add_import(
        an_order(one, name="b", dry_run=True), file="f", size_bytes=1, at=NOW
    )

    bite = Bite(rows=rows(person("+4930111"), person("+4930222")), refused=(), end=1)
    plan = await store.imports.look(now, bite)

    assert (len(plan.added), len(plan.refused)) == (1, 1)
    assert len(await candidates(store, one)) == 1


async def test_entries_are_ranked_by_the_campaign_s_order(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    contacts = [person("+4930111", score=1.0), person("+4930222", score=5.0)]
    await imported(store, one, *contacts, ranked=Order.SCORE)

    queued = await store.queue.lanes(one, owners=[0])

    assert [(lane.zone, lane.rank) for lane in queued] == [("Europe/Berlin", -5.0)]


async def test_undoing_takes_away_what_was_added_and_gives_the_name_free(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=2)
    contacts = [person(f"+49301{n:05d}") for n in range(UNDO_BITE + 20)]
    done = await imported(store, one, *contacts)

    after = await undone(store, done.id)

    count = len(contacts)
    assert after.undo == UndoCounts(entries_removed=count, contacts_removed=count)
    assert (after.state, after.undone_by, after.undone_at) == (ImportState.UNDONE, "admin", later(60))
    assert len(await candidates(store, one)) == 2
    again = await imported(store, one, *contacts)
    assert again.counts.added == count


async def tags_of(database: Database) -> set[tuple[int, str]]:
    async with database.imports._connections.reading() as connection:
        return {(row.contact_id, row.tag) for row in await connection.execute(select(tables.contact_tags))}


async def test_tags_stand_in_their_table_and_go_with_the_contact(database_url: str) -> None:
    async with open_database(database_url) as database:
        one = await a_stored_campaign(database, contacts=0)
        done = await imported(
            database, one, person("+4930111", fields={"tags": ["hot", "vip"], "a": "1"}), name="old"
        )
        await imported(database, one, person("+4930111", fields={"tags": ["hot", "new"]}), doubles=MERGE)
        (found,) = await candidates(database, one)
        assert await tags_of(database) == {(found.contact_id, tag) for tag in ("hot", "vip", "new")}

        after = await undone(database, done.id)

        assert after.undo == UndoCounts(entries_removed=1, contacts_removed=1)
        assert await tags_of(database) == set()


async def test_undoing_leaves_whom_was_dialed_meanwhile(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    done = await imported(store, one, person("+4930111"), person("+4930222"))
    (call,) = await placed_calls(store, one, 1)

    after = await undone(store, done.id)

    assert after.undo == UndoCounts(entries_removed=1, entries_kept=1, contacts_removed=1, contacts_kept=1)
    assert await store.calls.get(call.id) == call
    assert (await store.campaigns.progress(one)).total == 1


@pytest.mark.parametrize("doubles", [MERGE, REPLACE], ids=["merge", "replace"])
async def test_undoing_puts_back_what_was_changed(store: Store, doubles: Doubles) -> None:
    one = await a_stored_campaign(store, contacts=0)
    before = person("+4930111", "+4930112", name="Ada", fields={"a": "1"})
    await imported(store, one, before, name="old")
    (shown,) = await candidates(store, one)
    row = person("+4930222", "+4930112", name="Countess", crm_ref="L-2", zone="Asia/Shanghai")
    done = await imported(store, one, row, doubles=doubles)
    assert await candidates(store, one) != [shown]

    after = await undone(store, done.id)

    assert after.undo == UndoCounts(restored=1)
    (found,) = await candidates(store, one)
    assert (found.name, found.number, found.crm_ref) == (shown.name, shown.number, None)


async def test_undoing_keeps_a_number_that_was_called_but_shows_it_no_more(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"), name="old")
    done = await imported(store, one, person("+4930222", "+4930111"), doubles=REPLACE)
    (call,) = await placed_calls(store, one, 1)
    assert call.number == "+4930222"

    after = await undone(store, done.id)

    assert after.undo == UndoCounts(restored=1)
    assert await store.calls.get(call.id) == call


async def test_whom_a_later_import_changed_is_left_as_he_is(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", name=""), name="old")
    first = await imported(store, one, person("+4930111", name="Ada"), name="a", doubles=MERGE)
    now = await begun(store, an_order(one, name="b", doubles=REPLACE))
    bite = Bite(rows=rows(person("+4930111", name="Bob")), refused=(), end=1)
    await store.imports.write(now, bite, order=Order.OLDEST, at=later(5))

    after = await undone(store, first.id)

    assert after.undo == UndoCounts(left=1)
    assert [found.name for found in await candidates(store, one)] == ["Bob"]


async def test_only_what_is_done_can_be_undone_and_once(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    now = await begun(store, an_order(one))
    with pytest.raises(Conflict, match="writing"):
        await store.imports.begin_undo(now.id, by="a", at=NOW)
    await store.imports.finish(now.id, at=NOW)
    await undone(store, now.id)
    with pytest.raises(Conflict, match="undone"):
        await store.imports.begin_undo(now.id, by="a", at=NOW)


async def test_an_import_that_fails_while_it_is_written_leaves_nothing(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    now = await begun(store, an_order(one))
    bite = Bite(rows=rows(person("+4930111")), refused=(), end=7)
    await store.imports.write(now, bite, order=Order.OLDEST, at=NOW)

    now = await store.imports.begin_undo(now.id, by="", at=NOW, error="the file is gone")
    while now.state is ImportState.UNDOING:
        now = await store.imports.undo_bite(now.id, at=NOW)

    assert (now.state, now.error) == (ImportState.FAILED, "the file is gone")
    assert await candidates(store, one) == []


async def led(store: Store, campaign_id: int, contact: NewContact, **given: Any) -> LeadTaken:
    facts: dict[str, Any] = {"priority": 10_000, "doubles": MERGE} | given
    lead = Lead(campaign_id=campaign_id, contact=contact, **facts)
    return await store.leads.add_lead(lead, order=Order.OLDEST, at=NOW)


async def test_a_lead_is_the_next_to_be_dialed(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=5)

    taken = await led(store, one, person("+4930999", name="Lead"))

    (lane, *_) = await store.queue.lanes(one, owners=[0])
    assert (lane.entry_id, lane.priority) == (taken.entry_id, 10_000)
    assert (taken.state, taken.known, taken.again) == ("pending", False, False)


async def test_a_lead_of_somebody_who_waits_already_puts_him_first(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", name="A"), person("+4930222", name=""))
    waiting = (await candidates(store, one))[1]

    taken = await led(store, one, person("+4930222", name="Bob"))

    assert (taken.contact_id, taken.entry_id, taken.known) == (waiting.contact_id, waiting.entry_id, True)
    (lane, *_) = await store.queue.lanes(one, owners=[0])
    assert lane.entry_id == taken.entry_id
    assert {found.name for found in await candidates(store, one)} == {"A", "Bob"}


async def test_undoing_an_import_does_not_take_a_lead_away(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    done = await imported(store, one, person("+4930111"), person("+4930222"))
    taken = await led(store, one, person("+4930222"))

    after = await undone(store, done.id)

    assert after.undo == UndoCounts(entries_removed=1, contacts_removed=1, contacts_kept=1)
    assert [found.entry_id for found in await candidates(store, one)] == [taken.entry_id]


async def test_a_lead_who_is_being_called_is_told_so(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"))
    await placed_calls(store, one, 1)

    taken = await led(store, one, person("+4930111"))

    assert (taken.state, taken.known) == ("dialing", True)


async def test_a_lead_whose_key_came_before_is_not_taken_twice(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    first = await led(store, one, person("+4930111"), key="form-7")

    again = await led(store, one, person("+4930222"), key="form-7")

    assert again == replace(first, known=True, again=True)
    assert len(await candidates(store, one)) == 1


async def test_a_lead_s_data_leave_a_known_contact_as_he_is_when_the_rule_says_skip(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111", name="Ada"))

    await led(store, one, person("+4930111", name="X"), doubles=replace(REPLACE, rule=DoubleRule.SKIP))

    assert [found.name for found in await candidates(store, one)] == ["Ada"]


async def test_a_lead_for_an_unknown_campaign_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await led(store, 77, person("+4930111"))


async def test_a_contact_who_was_done_with_gets_a_new_place(store: Store) -> None:
    one = await a_stored_campaign(store, contacts=0)
    await imported(store, one, person("+4930111"))
    (candidate,) = await candidates(store, one)
    call = call_for(candidate)
    await store.calls.place([(call, candidate)])
    ended = replace(
        call,
        state=CallState.ENDED,
        ended_at=later(9),
        outcome=Outcome.BUSY,
        end_reason=EndReason.HUNG_UP,
    )
    await store.calls.save([ended])

    done = await imported(store, one, person("+4930111"), name="again", doubles=MERGE)

    assert (done.counts.merged, done.counts.joined) == (1, 1)
    (found,) = await candidates(store, one)
    assert found.contact_id == candidate.contact_id
    assert found.entry_id != candidate.entry_id
