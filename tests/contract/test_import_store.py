"""The contract of `ImportStore`: rows are written once, in bites; doubles are skipped, merged or replaced."""

from dataclasses import replace

import pytest

from cti.contacts.staging import Bite
from cti.errors import Conflict, NotFound
from cti.model.campaign_rules import Order
from cti.model.contacts import RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles, DoubleScope
from cti.model.imports import (
    ImportState,
)
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.imported import MERGE, READ, REPLACE, an_order, begun, candidates, imported, person, rows
from tests.contract.people import a_stored_campaign


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
