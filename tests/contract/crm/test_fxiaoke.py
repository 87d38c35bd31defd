"""The adapter of 纷享销客 against its strict fake: tokens, types, codes in the body, marks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_sync.port import CallWrite, CrmError, PushResult
from cti.errors import SettingsError
from cti.model.crm import Answer, RecordRef
from tests.builders import NOW
from tests.contract.crm.fxiaoke_house import FxiaokeHouse, fxiaoke_house, loses
from tests.contract.crm.fxiaoke_server import ANNA, ANNAS_MOBILE, APP_SECRET, CALLS, PERMANENT, USER
from tests.contract.crm.houses import a_log
from tests.contract.crm.rest_server import Fault, breaks_off, hangs, says
from tests.contract.crm.strict_http import Window
from tests.fakes.clock import FakeClock


@pytest.fixture
async def house() -> AsyncIterator[FxiaokeHouse]:
    async with fxiaoke_house() as opened:
        await pushed(opened, opened.write(a_log()))  # it has a token, and knows the object
        opened.server.rows[CALLS].clear()
        opened.server.asked.clear()
        yield opened


async def pushed(house: FxiaokeHouse, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


def only_call(house: FxiaokeHouse) -> dict[str, Any]:
    (row,) = house.server.rows[CALLS].values()
    return row


def says_code(code: int) -> Fault:
    return says(200, f'{{"errorCode": {code}, "errorMessage": "不行", "traceId": "E-O.9"}}')


async def test_values_have_the_form_that_their_fields_want(house: FxiaokeHouse) -> None:
    log = a_log(
        disposition="sold", note="要报价", crm_deal=f"NewOpportunityObj:{house.deal}", contact="王小明"
    )
    await pushed(house, house.write(replace(log, crm_customer=house.account)))

    row = only_call(house)

    assert row["start_time__c"] == round(NOW.timestamp() * 1000)
    assert row["talk_seconds__c"] == "42"
    assert row["outcome__c"] == "已接通"
    assert row["name"] == "致电 王小明（sold）"
    assert (row["contact__c"], row["account__c"], row["opportunity__c"]) == (
        house.contact,
        house.account,
        house.deal,
    )
    assert row["owner"] == [USER]


async def test_the_agent_is_found_by_mobile_and_asked_for_once(house: FxiaokeHouse) -> None:
    for user in (ANNAS_MOBILE, ANNAS_MOBILE, ANNA, "13700137000"):
        result = await pushed(house, house.write(a_log(), user=user))
        assert result.answer is Answer.OK, result.message

    assert [row["owner"] for row in house.server.rows[CALLS].values()] == [[ANNA], [ANNA], [ANNA], [USER]]
    assert [path for _, path in house.server.asked].count("/cgi/user/getByMobile") == 2


async def test_an_update_leaves_the_owner(house: FxiaokeHouse) -> None:
    write = house.write(a_log(), user=ANNAS_MOBILE)
    remote = (await pushed(house, write)).remote

    again = await pushed(house, house.write(replace(write.log, note="later"), remote=remote))

    assert again.answer is Answer.OK, again.message
    assert only_call(house)["owner"] == [ANNA]


async def test_where_no_id_is_given_it_is_found_by_its_mark(house: FxiaokeHouse) -> None:
    first = await pushed(house, house.write(a_log()))
    house.server.gives_id = True
    second = await pushed(house, house.write(a_log()))

    assert [first.remote, second.remote] == [RecordRef(CALLS, one) for one in house.server.rows[CALLS]]


@pytest.mark.parametrize("fault", ["lost", "refused"])
async def test_a_call_that_is_taken_and_not_found_yet_is_unknown_and_not_doubled(
    house: FxiaokeHouse, fault: str
) -> None:
    write = house.write(a_log())
    if fault == "lost":
        house.server.after.append(loses(house.server, "query"))
    else:
        house.server.window = Window(1, 3600.0)

    lost = await pushed(house, write)
    house.server.window = Window(100, 20.0)
    again = await pushed(house, replace(write, unsure=True))

    assert (lost.answer, again.answer) == (Answer.UNKNOWN, Answer.OK), lost.message
    assert len(house.server.rows[CALLS]) == 1


async def test_writing_begins_no_workflow(house: FxiaokeHouse) -> None:
    await pushed(house, house.write(a_log()))
    body = next(one for one in reversed(house.server.bodies) if "object_data" in one.get("data", {}))
    assert (body["triggerWorkFlow"], body["triggerApprovalFlow"]) == (False, False)


async def test_a_token_is_had_once_for_all() -> None:
    async with fxiaoke_house() as house:
        await asyncio.gather(*(pushed(house, house.write(a_log())) for _ in range(5)))
        assert house.server.tokens_given == 1


async def test_a_token_is_had_anew_when_it_is_refused(house: FxiaokeHouse) -> None:
    house.server.token = "somebody else's"

    result = await pushed(house, house.write(a_log()))

    assert (result.answer, house.server.tokens_given) == (Answer.OK, 2)


async def test_a_token_is_had_anew_before_it_runs_out() -> None:
    clock = FakeClock()
    async with fxiaoke_house(clock=clock) as house:
        await pushed(house, house.write(a_log()))
        clock.advance(6800)
        await pushed(house, house.write(a_log()))
        assert house.server.tokens_given == 1
        clock.advance(200)
        await pushed(house, house.write(a_log()))
        assert house.server.tokens_given == 2


async def test_secrets_that_get_no_token_stop_the_target_and_are_in_no_message() -> None:
    async with fxiaoke_house(secret=f"wrong-secret:{PERMANENT}") as house:
        result = await pushed(house, house.write(a_log()))
    assert result.answer is Answer.AUTH
    assert "wrong-secret" not in result.message


@pytest.mark.parametrize("fault", [breaks_off, says(502), says_code(-1)])
async def test_no_answer_to_the_question_for_a_token_wrote_nothing(fault: Fault) -> None:
    async with fxiaoke_house() as house:
        house.server.before.append(fault)
        assert (await pushed(house, house.write(a_log()))).answer is Answer.AWAY


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (says_code(-2), Answer.UNKNOWN),
        (says_code(-1), Answer.UNKNOWN),
        (says_code(50009), Answer.UNKNOWN),
        (says_code(14001), Answer.THROTTLE),
        (says_code(30004), Answer.THROTTLE),
        (says_code(30002), Answer.THROTTLE),
        (says_code(30003), Answer.AUTH),
        (says_code(20021), Answer.AUTH),
        (says_code(20012), Answer.AUTH),
        (says_code(15003), Answer.AUTH),
        (says_code(15002), Answer.PERMANENT),
        (says_code(424242), Answer.PERMANENT),
        (says(200, "<html/>"), Answer.UNKNOWN),
        (says(200, "{}"), Answer.UNKNOWN),
        (says(302, headers={"Location": "/login"}), Answer.AWAY),
        (says(500), Answer.UNKNOWN),
        (says(502), Answer.UNKNOWN),
        (says(503), Answer.UNKNOWN),
        (says(404), Answer.UNKNOWN),
        (breaks_off, Answer.UNKNOWN),
    ],
)
async def test_each_fault_is_understood_and_the_repeat_makes_one(
    house: FxiaokeHouse, fault: Fault, answer: Answer
) -> None:
    write = house.write(a_log())
    house.server.before.append(fault)

    result = await pushed(house, write)
    again = await pushed(house, replace(write, unsure=answer is Answer.UNKNOWN))

    assert result.answer is answer, result.message
    assert result.message
    assert again.answer is Answer.OK, again.message
    assert len(house.server.rows[CALLS]) == 1


async def test_the_real_window_pauses_for_its_length(house: FxiaokeHouse) -> None:
    house.server.window = Window(0, 20.0)

    result = await pushed(house, house.write(a_log()))

    assert (result.answer, result.pause_seconds) == (Answer.THROTTLE, 20.0)


async def test_a_day_that_is_used_up_pauses_to_midnight_of_beijing() -> None:
    clock = FakeClock(datetime(2026, 11, 23, 15, 0, tzinfo=UTC))  # 23:00 there
    async with fxiaoke_house(clock=clock) as house:
        await pushed(house, house.write(a_log()))
        house.server.before.append(says_code(30002))
        assert (await pushed(house, house.write(a_log()))).pause_seconds == 3600.0


async def test_silence_is_unknown() -> None:
    async with fxiaoke_house(timeout_seconds=0.3) as slow:
        is_known = False
        while not is_known:
            with suppress(CrmError):  # on a busy machine it may give up before it was answered
                await slow.crm.check()
                is_known = True
        slow.server.before.append(hangs)
        while hangs in slow.server.before:
            result = await pushed(slow, slow.write(a_log()))
        assert result.answer is Answer.UNKNOWN


@pytest.mark.parametrize("fault", [says_code(15002), breaks_off, says_code(-1)])
async def test_when_the_look_fails_nothing_is_written_unseen(house: FxiaokeHouse, fault: Fault) -> None:
    house.server.before.append(fault)

    result = await pushed(house, house.write(a_log(), unsure=True))

    assert result.answer is Answer.RETRY, result
    assert house.server.rows[CALLS] == {}


async def test_a_refused_update_of_what_is_there_is_not_taken_for_deleted(house: FxiaokeHouse) -> None:
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    house.server.before.append(says_code(15002))

    result = await pushed(house, replace(write, remote=remote))

    assert result.answer is Answer.PERMANENT


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("outcome__c", "maybe", "there is no option 'maybe'"),
        ("talk_seconds__c", "long", "no number"),
        ("start_time__c", "yesterday", "no time"),
        ("nothing__c", "x", "no field 'nothing__c'"),
    ],
)
async def test_a_value_that_does_not_fit_is_told_before_anything_is_sent(
    house: FxiaokeHouse, field: str, value: str, told: str
) -> None:
    write = house.write(a_log())

    result = await pushed(house, replace(write, fields={**write.fields, field: value}))

    assert result.answer is Answer.PERMANENT
    assert told in result.message
    assert house.server.asked == []


async def test_a_kind_that_no_field_leads_to_is_told(house: FxiaokeHouse) -> None:
    result = await pushed(house, house.write(a_log(), home=RecordRef("PartnerObj", "1")))
    assert result.answer is Answer.PERMANENT
    assert "fxiaoke.links names no field for 'PartnerObj'" in result.message


async def test_check_tells_of_objects_and_fields_that_are_not_there() -> None:
    async with fxiaoke_house() as house:
        del house.server.fields[CALLS]["call_id__c"]
        del house.server.fields["LeadsObj"]
        checked = await house.crm.check()
    assert checked.who == f"{USER} of FSCID_1"
    assert list(checked.warnings) == [f"{CALLS} has no field call_id__c", "there is no object LeadsObj"]


@pytest.mark.parametrize("there", [True, False])
async def test_without_the_object_or_its_mark_the_target_stops(there: bool) -> None:
    async with fxiaoke_house() as house:
        if there:
            del house.server.fields[CALLS]["call_id__c"]
        else:
            del house.server.fields[CALLS]
        result = await pushed(house, house.write(a_log()))
    assert result.answer is Answer.AUTH
    assert "call_id__c" in result.message


async def test_check_of_a_good_account_warns_of_nothing() -> None:
    async with fxiaoke_house() as house:
        assert list((await house.crm.check()).warnings) == []


async def test_people_are_found_in_every_kind_and_spelling(house: FxiaokeHouse) -> None:
    (one,) = await house.crm.find_by_number("+8613800138000")
    assert (one.name, one.customer) == ("王小明", RecordRef("AccountObj", house.account))
    (other,) = await house.crm.find_by_number("+862112345678")
    assert other.ref == RecordRef("AccountObj", house.account)


async def test_a_lead_that_is_over_says_why(house: FxiaokeHouse) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+8613800138001")
    house.server.rows["LeadsObj"][ref.id]["biz_status"] = "transformed"
    assert (await house.crm.records([ref]))[ref].over == "won"


async def test_follow_ups_are_refused_with_the_reason(house: FxiaokeHouse) -> None:
    assert not house.crm.capabilities.follow_ups
    with pytest.raises(CrmError, match="follow-ups stay here"):
        await house.crm.follow_up(RecordRef("LeadsObj", "1"), at=NOW, user=None, text="", key="k")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"secret": APP_SECRET}, "expected is appSecret:permanentCode"),
        ({"user": "1000"}, "fxiaoke.toml: fxiaoke: user:"),
        ({"object": "no spaces"}, "fxiaoke.toml: fxiaoke: object:"),
        ({"records": {"PartnerObj": {}}}, "fxiaoke.toml: fxiaoke: records.PartnerObj"),
    ],
)
async def test_settings_that_are_wrong_are_told_with_their_key(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        async with fxiaoke_house(**given):
            pass
    assert told in str(refused.value)


async def test_a_field_that_is_made_later_is_seen_at_the_next_try() -> None:
    async with fxiaoke_house() as house:
        mark = house.server.fields[CALLS].pop("call_id__c")
        assert (await pushed(house, house.write(a_log()))).answer is Answer.AUTH
        house.server.fields[CALLS]["call_id__c"] = mark
        result = await pushed(house, house.write(a_log()))
    assert result.answer is Answer.OK, result.message
