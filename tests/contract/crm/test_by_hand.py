"""What people do to a call's record in a CRM stays when ours changes. See `CallWrite.leave`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from crm_sync.fingerprint import fingerprint, since_last
from crm_sync.port import Answer, CallWrite, Idempotency, PushResult
from cti.model.crm import RecordRef
from tests.contract.crm.houses import House, ManualHouse, TextHouse, a_log
from tests.contract.crm.rest_server import rest_house


def manual(house: House) -> ManualHouse:
    if not isinstance(house, ManualHouse):
        pytest.skip("users of this CRM cannot be played")
    return house


def texts(house: House) -> TextHouse:
    if not isinstance(house, TextHouse) or not house.note:
        pytest.skip("before it writes over a text this adapter does not look, or nobody can change one")
    return house


async def pushed(house: House, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    assert result.answer is Answer.OK, result.message
    return result


async def made(house: House) -> tuple[CallWrite, RecordRef]:
    """Write a call; return what was written, and what stands there for it."""
    write = house.write(a_log())
    result = await pushed(house, write)
    assert result.remote is not None
    return write, result.remote


def changed(house: House, first: CallWrite, remote: RecordRef, note: str) -> CallWrite:
    """Return the update by which a note comes."""
    later = house.write(replace(first.log, note=note), remote=remote)
    return since_last(later, fingerprint(first))


async def test_what_a_person_moved_stays_where_it_is_when_ours_changes(house: House) -> None:
    there = manual(house)
    first, remote = await made(house)
    by_hand = await there.by_hand(remote)

    await pushed(house, changed(house, first, remote, "wants an offer"))

    (row,) = await house.standing(first.log.call_id)
    assert {name: row[name] for name in by_hand} == by_hand
    assert "wants an offer" in row["note"]


async def test_on_order_ours_is_written_over_it(house: House) -> None:
    there = manual(house)
    first, remote = await made(house)
    (before,) = await house.standing(first.log.call_id)
    by_hand = await there.by_hand(remote)

    await pushed(house, since_last(house.write(first.log, remote=remote), ""))

    (row,) = await house.standing(first.log.call_id)
    assert "title" not in by_hand or row["title"] == before["title"]
    assert not there.goes_back or row["home"] == before["home"]


async def test_a_record_that_we_link_later_is_linked(house: House) -> None:
    there = manual(house)
    if not there.goes_back:
        pytest.skip("in this CRM a call stays where it was written first, or stands on both")
    first, remote = await made(house)
    assert first.home is not None
    await there.by_hand(remote)
    ours = first.home.id
    fields = {name: "1" if value == ours else value for name, value in first.fields.items()}
    before = replace(first, home=replace(first.home, id="1"), fields=fields)

    await pushed(house, since_last(house.write(first.log, remote=remote), fingerprint(before)))

    (row,) = await house.standing(first.log.call_id)
    assert row["home"] == first.home.id


async def test_a_text_that_a_person_changed_stays_and_is_told(house: House) -> None:
    there = texts(house)
    first, remote = await made(house)
    await there.type_over(remote, "he will be back in May")

    result = await pushed(house, changed(house, first, remote, "wants an offer"))

    (row,) = await house.standing(first.log.call_id)
    assert row["note"] == "he will be back in May"
    assert result.left == {there.note}


async def test_a_text_that_nobody_changed_is_written(house: House) -> None:
    there = texts(house)
    first, remote = await made(house)
    second = changed(house, first, remote, "wants an offer")
    result = await pushed(house, second)
    assert result.left == frozenset()

    third = house.write(replace(first.log, note="has bought"), remote=remote)
    result = await pushed(house, since_last(third, fingerprint(second)))

    (row,) = await house.standing(first.log.call_id)
    assert "has bought" in row["note"]
    assert result.left == frozenset()
    assert there.note in second.sent()


async def test_a_text_is_written_over_on_order(house: House) -> None:
    there = texts(house)
    first, remote = await made(house)
    await there.type_over(remote, "he will be back in May")

    await pushed(house, since_last(house.write(replace(first.log, note="x"), remote=remote), ""))

    (row,) = await house.standing(first.log.call_id)
    assert "he will be back in May" not in row["note"]


async def test_what_a_user_deleted_is_told_by_an_update_of_one_field_too(house: House) -> None:
    first, remote = await made(house)
    await house.delete(remote)

    (result,) = await house.crm.push([changed(house, first, remote, "late")])

    assert result.answer is Answer.DELETED
    assert list(await house.standing(first.log.call_id)) == []


@pytest.mark.parametrize(
    ("more", "names"),
    [
        pytest.param({"method": "PATCH"}, {"note"}, id="PATCH changes what it names"),
        pytest.param(
            {"method": "PUT"}, {"subject", "started", "seconds", "note", "home", "mark"}, id="PUT is whole"
        ),
        pytest.param({"method": "PUT", "partial": True}, {"note"}, id="unless its table says otherwise"),
    ],
)
async def test_an_update_over_rest_leaves_out_what_its_request_lets_it(
    more: Mapping[str, Any], names: set[str]
) -> None:
    update = {"path": "/api/calls/{id}", "wrap": "fields", **more}
    async with rest_house(Idempotency.OWN_ID, update=update) as house:
        first, remote = await made(house)
        house.server.rows[remote.id].clear()

        await pushed(house, changed(house, first, remote, "wants an offer"))

        assert house.server.rows[remote.id].keys() == names
