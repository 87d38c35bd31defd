"""The contract of `ImportStore`: what an import wrote is taken away again, but for what was used meanwhile."""

import pytest
from sqlalchemy import select

from cti.contacts.ports import UNDO_BITE
from cti.contacts.staging import Bite
from cti.errors import Conflict
from cti.model.campaign_rules import Order
from cti.model.doubles import Doubles
from cti.model.imports import (
    ImportState,
    UndoCounts,
)
from cti.storage import tables
from cti.storage.database import Database, open_database
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.imported import (
    MERGE,
    REPLACE,
    an_order,
    begun,
    candidates,
    imported,
    person,
    rows,
    undone,
)
from tests.contract.people import a_stored_campaign, placed_calls


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
