"""What every adapter that reads records promises. See `crm_sync.port.Crm`."""

from datetime import timedelta
from typing import cast
from uuid import uuid4

import pytest

from crm_sync.port import Answer, CrmError, EndsFollowUps, PulledRecord
from cti.crm.promises import is_ours
from cti.model.crm import RecordRef
from tests.builders import NOW
from tests.contract.crm.houses import House, RecordHouse

NUMBER = "+4930901820"


def records_of(house: House) -> RecordHouse:
    if not house.crm.capabilities.pulls or not isinstance(house, RecordHouse):
        pytest.skip("no records can be pulled from this CRM")
    return house


async def pulled(house: RecordHouse, *, limit: int, cursor: str = "") -> tuple[list[PulledRecord], str]:
    """Return all pages from a cursor on, and where they end."""
    found: list[PulledRecord] = []
    for _ in range(60):
        page = await house.crm.pull(house.source, cursor=cursor, limit=limit)
        assert len(page.records) <= limit
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("the pages do not end")


async def test_records_are_as_they_are_now_and_what_is_gone_is_left_out(house: House) -> None:
    there = records_of(house)
    lead, other = await there.add_records({"name": "Li Wei", "number": NUMBER}, {"name": "Han Mei"})
    gone = RecordRef(lead.kind, "987654321")

    found = await there.crm.records([lead, gone, other])

    assert set(found) == {lead, other}
    assert (found[lead].ref, found[lead].name, list(found[lead].numbers)) == (lead, "Li Wei", [NUMBER])
    assert found[lead].over is None


async def test_a_record_that_is_over_says_why(house: House) -> None:
    there = records_of(house)
    lead, _ = await there.add_records({"name": "Li Wei"}, {"name": "Han Mei"})
    why = await there.end_record(lead)

    assert (await there.crm.records([lead]))[lead].over == why


async def test_all_records_of_one_instant_come_and_those_that_are_over_too(house: House) -> None:
    there = records_of(house)
    refs = await there.add_records(*({"name": f"Lead {n}"} for n in range(7)))
    refs += await there.add_records({"name": "Later"})
    why = await there.end_record(refs[3])

    found, _ = await pulled(there, limit=2)

    assert {one.ref for one in found} == set(refs)
    assert {one.over for one in found if one.ref == refs[3]} == {why}


async def test_a_pull_goes_on_from_its_cursor(house: House) -> None:
    there = records_of(house)
    await there.add_records({"name": "First"})
    _, cursor = await pulled(there, limit=50)
    (new,) = await there.add_records({"name": "Second"})

    found, cursor = await pulled(there, limit=50, cursor=cursor)
    assert new in {one.ref for one in found}

    again, _ = await pulled(there, limit=50, cursor=cursor)
    assert {one.name for one in again} <= {"First", "Second"}


async def test_a_source_without_records_is_empty(house: House) -> None:
    found, _ = await pulled(records_of(house), limit=50)

    assert found == []


async def test_an_unknown_source_is_refused(house: House) -> None:
    with pytest.raises(CrmError) as told:
        await records_of(house).crm.pull("no_such_source", cursor="", limit=10)

    assert told.value.answer is Answer.PERMANENT
    assert "no_such_source" in str(told.value)


async def test_open_records_are_found_by_number(house: House) -> None:
    if not house.crm.capabilities.finds:
        pytest.skip("this CRM finds nothing by number")
    there = records_of(house)
    lead, over, _ = await there.add_records(
        {"name": "Li Wei", "number": NUMBER}, {"name": "Won", "number": NUMBER}, {"name": "No number"}
    )
    await there.end_record(over)

    found = {one.ref for one in await there.crm.find_by_number(NUMBER)}

    assert lead in found
    assert over not in found
    assert list(await there.crm.find_by_number("+493090182999")) == []


async def test_a_follow_up_of_the_same_key_is_moved_and_never_doubled(house: House) -> None:
    if not house.crm.capabilities.follow_ups:
        pytest.skip("this CRM takes no follow-ups")
    there = records_of(house)
    (lead,) = await there.add_records({"name": "Li Wei"})
    key = uuid4().hex
    first, later = NOW + timedelta(days=3), NOW + timedelta(days=5)

    made = await there.crm.follow_up(lead, at=first, user=None, text="wants an offer", key=key)
    moved = await there.crm.follow_up(lead, at=later, user=None, text="wants an offer", key=key)

    assert moved == made
    assert list(await there.follow_ups(lead)) == [later.date()]


@pytest.mark.parametrize("hour", [1, 10, 22])
async def test_our_own_follow_up_that_comes_back_is_known(house: House, hour: int) -> None:
    if not house.crm.capabilities.follow_ups:
        pytest.skip("this CRM takes no follow-ups")
    there = records_of(house)
    (lead,) = await there.add_records({"name": "Li Wei"})
    at = (NOW + timedelta(days=3)).replace(hour=hour, minute=30)

    await there.crm.follow_up(lead, at=at, user=None, text="wants an offer", key=uuid4().hex)

    back = (await there.crm.records([lead]))[lead]
    if back.next_follow_up_at is not None:
        assert is_ours(back.next_follow_up_at, [at], day=back.next_follow_up_on)


async def test_a_follow_up_on_a_record_that_is_not_there_is_refused(house: House) -> None:
    if not house.crm.capabilities.follow_ups:
        pytest.skip("this CRM takes no follow-ups")
    there = records_of(house)
    (lead,) = await there.add_records({"name": "Li Wei"})

    with pytest.raises(CrmError):
        await there.crm.follow_up(
            RecordRef(lead.kind, "987654321"), at=NOW, user=None, text="call", key=uuid4().hex
        )


@pytest.mark.parametrize("done", [True, False])
async def test_a_follow_up_that_is_over_stands_there_no_more_and_may_come_again(
    house: House, done: bool
) -> None:
    if not house.crm.capabilities.ends_follow_ups:
        pytest.skip("this CRM's users end follow-ups themselves")
    there, crm = records_of(house), cast(EndsFollowUps, house.crm)
    (lead,) = await there.add_records({"name": "Li Wei"})
    key, at = uuid4().hex, NOW + timedelta(days=3)

    await crm.follow_up_over(lead, key=key, done=done)  # there never was one
    await there.crm.follow_up(lead, at=at, user=None, text="wants an offer", key=key)
    await there.crm.follow_up(lead, at=at, user=None, text="another", key=uuid4().hex)
    for _ in range(2):  # an answer may be lost
        await crm.follow_up_over(lead, key=key, done=done)
    assert len(await there.follow_ups(lead)) == 1, "the other stays"

    later = NOW + timedelta(days=9)
    await there.crm.follow_up(lead, at=later, user=None, text="after all", key=key)
    assert later.date() in await there.follow_ups(lead)


async def test_a_record_has_a_page(house: House) -> None:
    there = records_of(house)
    (lead,) = await there.add_records({"name": "Li Wei"})

    url = there.crm.record_url(lead)

    assert url is not None
    assert lead.id in url
