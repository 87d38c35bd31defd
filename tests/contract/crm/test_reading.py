"""What every adapter that reads promises: records, sources, numbers, follow-ups, and calls as they stand there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from crm_sync.port import Answer, CrmError, EndsFollowUps, PulledRecord
from cti.model.crm import RecordRef
from tests.builders import NOW
from tests.contract.crm.houses import House, a_log
from tests.contract.crm.reading_houses import ReadingHouse, reading

NUMBER = "+4930901821"


@pytest.fixture
def there(house: House) -> ReadingHouse:
    """Give each CRM whose records can be read."""
    found = reading(house)
    if found is None or not house.crm.capabilities.pulls:
        pytest.skip("this CRM does not read records")
    return found


async def pulled(house: ReadingHouse, *, limit: int, cursor: str = "") -> tuple[list[PulledRecord], str]:
    """Pull until there is no more; the records as they came, and the last cursor."""
    records: list[PulledRecord] = []
    for _ in range(60):
        page = await house.crm.pull(house.source, cursor=cursor, limit=limit)
        records += page.records
        cursor = page.cursor
        if not page.more:
            return records, cursor
    raise AssertionError("the source never ends")


def names(records: Sequence[PulledRecord]) -> list[str]:
    """Return the names in the order of their first coming."""
    return list(dict.fromkeys(one.name for one in records if one.name.startswith("Person")))


async def test_a_source_gives_every_record_oldest_change_first(there: ReadingHouse) -> None:
    for number in (3, 1, 2, 5, 4):
        await there.add_record(number, changed_seconds=number * 60, phone=f"+493090180{number}")

    records, _ = await pulled(there, limit=2)

    if there.source != "leads":  # the one in memory keeps them as they came
        assert names(records) == [f"Person {number}" for number in (1, 2, 3, 4, 5)]
    assert set(names(records)) == {f"Person {number}" for number in (1, 2, 3, 4, 5)}
    assert {one.numbers for one in records if one.name == "Person 3"} == {("+4930901803",)}


async def test_records_of_one_moment_are_more_than_a_page_and_none_is_lost(there: ReadingHouse) -> None:
    for number in range(7):
        await there.add_record(number, changed_seconds=60, phone=f"+493090180{number}")
    await there.add_record(7, changed_seconds=120, phone="+4930901807")

    records, _ = await pulled(there, limit=2)

    assert set(names(records)) == {f"Person {number}" for number in range(8)}


async def test_a_source_goes_on_where_it_was(there: ReadingHouse) -> None:
    await there.add_record(1, changed_seconds=0, phone="+4930901801")
    _, cursor = await pulled(there, limit=10)
    await there.add_record(2, changed_seconds=86_400, phone="+4930901802")

    records, cursor = await pulled(there, limit=10, cursor=cursor)
    again, _ = await pulled(there, limit=10, cursor=cursor)

    assert "Person 2" in names(records)
    assert "Person 1" not in names(again)


async def test_a_source_that_is_not_there_is_told(there: ReadingHouse) -> None:
    with pytest.raises(CrmError, match="no_such_source") as told:
        await there.crm.pull("no_such_source", cursor="", limit=10)
    assert told.value.answer is Answer.PERMANENT


async def test_records_are_read_several_at_a_time_and_what_is_gone_is_left_out(there: ReadingHouse) -> None:
    first = await there.add_record(1, changed_seconds=0, phone="+4930901801")
    second = await there.add_record(2, changed_seconds=0, phone="+4930901802")
    gone = await there.add_record(3, changed_seconds=0, phone="+4930901803")
    await there.remove_record(gone)
    never = RecordRef(first.kind, "987654321")

    found = await there.crm.records([first, second, gone, never])

    assert {ref: one.name for ref, one in found.items()} == {first: "Person 1", second: "Person 2"}
    assert found[first].ref == first
    assert found[first].changed_at == NOW
    assert await there.crm.records([]) == {}


async def test_a_number_is_found_and_none_that_only_looks_like_it(there: ReadingHouse) -> None:
    if not there.crm.capabilities.finds:
        pytest.skip("this CRM does not find by number")
    mine = await there.add_record(1, changed_seconds=0, phone=NUMBER)
    await there.add_record(2, changed_seconds=0, phone="+4930901822")
    await there.add_record(3, changed_seconds=0, phone="+8630901821")

    found = await there.crm.find_by_number(NUMBER)

    assert [one.ref for one in found] == [mine]
    assert list(await there.crm.find_by_number("+4930000000")) == []


async def test_a_follow_up_stands_there_once_and_the_same_key_moves_it(there: ReadingHouse) -> None:
    if not there.crm.capabilities.follow_ups and there.source != "leads":
        pytest.skip("this CRM has no follow-ups")
    ref = await there.add_record(1, changed_seconds=0, phone=NUMBER)
    at, later = NOW + timedelta(days=1), NOW + timedelta(days=2)

    first = await there.crm.follow_up(ref, at=at, user=None, text="Call back", key="k1")
    second = await there.crm.follow_up(ref, at=later, user=None, text="Call back", key="k1")

    assert first == second
    (one,) = await there.follow_ups("k1")
    assert one["home"] == ref.id
    assert datetime.fromisoformat(one["at"]).astimezone(UTC) == later


@pytest.mark.parametrize("done", [True, False])
async def test_a_follow_up_that_is_over_is_ended_alone_and_may_come_again(
    there: ReadingHouse, done: bool
) -> None:
    if not there.crm.capabilities.ends_follow_ups:
        pytest.skip("this CRM's users end follow-ups themselves")
    crm = cast(EndsFollowUps, there.crm)
    ref = await there.add_record(1, changed_seconds=0, phone=NUMBER)
    at, later = NOW + timedelta(days=1), NOW + timedelta(days=2)

    await crm.follow_up_over(ref, key="k1", done=done)  # there never was one
    for key in ("k1", "k2"):
        await there.crm.follow_up(ref, at=at, user=None, text="Call back", key=key)
    for _ in range(2):  # an answer may be lost
        await crm.follow_up_over(ref, key="k1", done=done)
    assert list(await there.follow_ups("k1")) == []
    assert len(await there.follow_ups("k2")) == 1, "the other stays"

    await there.crm.follow_up(ref, at=later, user=None, text="after all", key="k1")
    (one,) = await there.follow_ups("k1")
    assert datetime.fromisoformat(one["at"]).astimezone(UTC) == later


async def test_calls_read_back_with_record_and_length(house: House) -> None:
    if not house.crm.capabilities.reads_back:
        pytest.skip("this CRM does not read back")
    writes = [house.write(a_log()) for _ in range(3)]
    remotes = {}
    for write in writes:  # one by one, for some CRMs take no more
        (result,) = await house.crm.push([write])
        remotes[write.log.call_id] = result.remote

    found = await house.crm.read_back([write.log.call_id for write in writes])

    assert {one.call_id: one.remote for one in found} == remotes
    assert {one.home for one in found} == {writes[0].home}
    assert all(one.seconds is None or one.seconds == pytest.approx(42, abs=60) for one in found)
    assert await house.crm.read_back([]) == []


async def test_only_calls_of_the_span_are_given(house: House) -> None:
    if not house.crm.capabilities.reads_back:
        pytest.skip("this CRM does not read back")
    early, late = a_log(placed_at=NOW - timedelta(days=2)), a_log()
    for log in (early, late):
        await house.crm.push([house.write(log)])

    span = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1)}
    found = [one.call_id async for one in house.crm.written(**span)]

    assert late.call_id in found
    assert early.call_id not in found
