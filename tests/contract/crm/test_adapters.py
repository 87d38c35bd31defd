"""What every adapter promises, whatever its CRM. See `crm_sync.port.Crm`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_sync.port import Answer, CrmError, Idempotency, PushResult, Removes
from tests.builders import NOW
from tests.contract.crm.houses import House, a_log


def can(house: House, fault: str) -> None:
    if fault not in house.faults:
        pytest.skip(f"this CRM cannot be made to: {fault}")


async def pushed(house: House, write: object) -> PushResult:
    (result,) = await house.crm.push([write])  # type: ignore[list-item]
    return result


async def test_a_call_is_created_once_on_its_record_with_its_times(house: House) -> None:
    write = house.write(a_log())

    result = await pushed(house, write)

    assert (result.call_id, result.answer) == (write.log.call_id, Answer.OK), result.message
    assert result.remote is not None
    (there,) = await house.standing(write.log.call_id)
    assert there["id"] == result.remote.id
    assert write.home is not None
    assert there["home"] == write.home.id
    assert there["started_at"].startswith(write.log.placed_at.isoformat()[:16])


async def test_what_was_created_is_updated_and_stays_one(house: House) -> None:
    first = house.write(a_log())
    remote = (await pushed(house, first)).remote

    again = await pushed(house, house.write(replace(first.log, note="wants an offer"), remote=remote))

    assert (again.answer, again.remote) == (Answer.OK, remote), again.message
    (there,) = await house.standing(first.log.call_id)
    assert "wants an offer" in there["note"]


async def test_an_unsure_repeat_makes_no_double(house: House) -> None:
    write = house.write(a_log())
    first = await pushed(house, write)

    second = await pushed(house, replace(write, unsure=True))

    assert (second.answer, second.remote) == (Answer.OK, first.remote), second.message
    assert len(await house.standing(write.log.call_id)) == 1


async def test_an_unsure_write_that_never_arrived_is_made(house: House) -> None:
    write = house.write(a_log(), unsure=True)

    result = await pushed(house, write)

    assert result.answer is Answer.OK, result.message
    assert len(await house.standing(write.log.call_id)) == 1


async def test_a_lost_answer_is_unknown_and_its_repeat_makes_no_double(house: House) -> None:
    can(house, "lose_answer")
    write = house.write(a_log())
    await house.order("lose_answer")

    lost = await pushed(house, write)
    again = await pushed(house, replace(write, unsure=True))

    if (
        house.crm.capabilities.idempotency is not Idempotency.KEY
    ):  # where repeating is safe, the adapter may have
        assert lost.answer is Answer.UNKNOWN
    assert again.answer is Answer.OK, again.message
    assert len(await house.standing(write.log.call_id)) == 1


async def test_where_keys_are_known_a_blind_repeat_makes_no_double_either(house: House) -> None:
    if house.crm.capabilities.idempotency is Idempotency.MARKER:
        pytest.skip("this CRM knows no keys")
    write = house.write(a_log())

    results = [await pushed(house, write) for _ in range(3)]

    assert {result.answer for result in results} == {Answer.OK}
    assert len({result.remote for result in results}) == 1
    assert len(await house.standing(write.log.call_id)) == 1


async def test_what_a_user_deleted_is_told_and_not_made_again(house: House) -> None:
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    assert remote is not None
    await house.delete(remote)

    result = await pushed(house, house.write(replace(write.log, note="late"), remote=remote))

    assert result.answer is Answer.DELETED
    assert list(await house.standing(write.log.call_id)) == []


async def test_a_field_that_is_not_there_is_refused_for_good(house: House) -> None:
    write = house.write(a_log())
    wrong = replace(write, fields={**write.fields, "no_such_field_x": "1"})

    result = await pushed(house, wrong)

    assert result.answer is Answer.PERMANENT
    assert result.message


async def test_one_bad_call_does_not_spoil_its_batch(house: House) -> None:
    if house.crm.capabilities.batch < 3:
        pytest.skip("this CRM takes calls one by one")
    good, bad, also_good = (house.write(a_log()) for _ in range(3))
    bad = replace(bad, fields={**bad.fields, "no_such_field_x": "1"})

    results = await house.crm.push([good, bad, also_good])

    assert [result.call_id for result in results] == [one.log.call_id for one in (good, bad, also_good)]
    assert [result.answer for result in results] == [Answer.OK, Answer.PERMANENT, Answer.OK]
    assert len(await house.standing(also_good.log.call_id)) == 1


async def test_a_crm_that_is_away_took_nothing(house: House) -> None:
    can(house, "away")
    write = house.write(a_log())
    await house.order("away")

    assert (await pushed(house, write)).answer is Answer.AWAY
    with pytest.raises(CrmError) as told:
        await house.crm.check()
    assert told.value.answer is Answer.AWAY


async def test_too_many_requests_tell_how_long_to_wait(house: House) -> None:
    can(house, "throttle")
    write = house.write(a_log())
    await house.order("throttle")

    result = await pushed(house, write)

    assert (result.answer, result.pause_seconds) == (Answer.THROTTLE, 17.0)
    assert list(await house.standing(write.log.call_id)) == []


async def test_a_refused_key_stops_the_target_and_is_no_fault_of_the_call(house: House) -> None:
    can(house, "refuse_key")
    write = house.write(a_log())
    await house.order("refuse_key")

    assert (await pushed(house, write)).answer is Answer.AUTH


async def test_what_was_written_reads_back(house: House) -> None:
    if not house.crm.capabilities.reads_back:
        pytest.skip("this CRM does not read back")
    write, absent = house.write(a_log()), a_log()
    remote = (await pushed(house, write)).remote

    (one,) = await house.crm.read_back([write.log.call_id, absent.call_id])
    span = [
        each
        async for each in house.crm.written(since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
        if each.call_id == write.log.call_id
    ]

    assert (one.call_id, one.remote, one.home) == (write.log.call_id, remote, write.home)
    assert [each.remote for each in span] == [remote]


async def test_what_is_removed_is_gone_and_may_be_gone_already(house: House) -> None:
    crm = house.crm
    if not crm.capabilities.removes:
        pytest.skip("this CRM takes nothing away")
    assert isinstance(crm, Removes)
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    assert remote is not None

    await crm.remove(remote)
    await crm.remove(remote)

    assert list(await house.standing(write.log.call_id)) == []


async def test_check_says_who_we_are(house: House) -> None:
    assert (await house.crm.check()).who
