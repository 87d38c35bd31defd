"""Bitrix24's adapter against its strict fake: batches, marks, bindings, limits, and texts that are no commands."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from aiohttp import web

from crm_sync.fingerprint import fingerprint, since_last
from crm_sync.port import CallWrite, CrmError, Deal, EndsFollowUps, PushResult
from cti.errors import SettingsError
from cti.model.crm import Answer, RecordRef
from tests.builders import NOW
from tests.contract.crm.bitrix24_house import Bitrix24House, bitrix24_house
from tests.contract.crm.bitrix24_server import ACTIVITY, CODE
from tests.contract.crm.houses import a_log
from tests.contract.crm.rest_server import Fault, breaks_off, hangs, says
from tests.fakes.clock import FakeClock


@pytest.fixture
async def house() -> AsyncIterator[Bitrix24House]:
    async with bitrix24_house() as opened:
        await opened.crm.push([opened.write(a_log())])  # it knows the fields of an activity now
        opened.server.activities.clear()
        opened.server.bindings.clear()
        opened.server.commands.clear()
        opened.server.asked.clear()
        yield opened


async def pushed(house: Bitrix24House, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


def only_call(house: Bitrix24House) -> dict[str, Any]:
    (row,) = house.server.activities.values()
    return row


async def test_a_call_is_an_outgoing_one_with_the_person_it_was_made_to(house: Bitrix24House) -> None:
    log = a_log()
    await pushed(house, house.write(log))

    row = only_call(house)

    assert (row["TYPE_ID"], row["DIRECTION"], row["COMPLETED"]) == ("2", "2", "Y")
    assert row["START_TIME"] == "2026-11-23T09:00:00+00:00"
    assert (row["ORIGINATOR_ID"], row["ORIGIN_ID"]) == ("waihu", log.call_id)
    assert row["COMMUNICATIONS"] == [
        {"TYPE": "PHONE", "VALUE": log.number, "ENTITY_TYPE_ID": "3", "ENTITY_ID": house.contact}
    ]
    assert row["RESPONSIBLE_ID"] == "1"


async def test_the_agent_is_responsible(house: Bitrix24House) -> None:
    for _ in range(3):
        await pushed(house, house.write(a_log(), user="anna@example.com"))
    result = await pushed(house, house.write(a_log(), user="gone@example.com"))

    assert result.answer is Answer.OK, result.message
    assert [row["RESPONSIBLE_ID"] for row in house.server.activities.values()] == ["6", "6", "6", "1"]
    assert house.server.commands.count("user.get") == 2


async def test_a_call_stands_on_its_deal_too_and_is_bound_once(house: Bitrix24House) -> None:
    first = house.write(a_log(crm_deal=house.deal))
    remote = (await pushed(house, first)).remote
    assert remote is not None

    again = await pushed(house, replace(first, remote=remote))

    assert again.answer is Answer.OK, again.message
    assert house.server.bindings == {(remote.id, "2", house.deal), (remote.id, "3", house.contact)}
    assert house.server.commands == [
        "crm.activity.add",
        "crm.activity.binding.add",
        "crm.activity.update",
        "crm.activity.binding.add",
    ]


async def test_a_change_of_the_note_leaves_what_people_bound(house: Bitrix24House) -> None:
    first = house.write(a_log(crm_deal=house.deal))
    remote = (await pushed(house, first)).remote
    assert remote is not None
    theirs = {(remote.id, "4", house.company), (remote.id, "3", house.contact)}
    house.server.bindings = set(theirs)  # a person took it from the deal, and put it on the company too
    house.server.commands.clear()

    later = house.write(replace(first.log, note="wants an offer"), remote=remote)
    result = await pushed(house, since_last(later, fingerprint(first)))

    assert result.answer is Answer.OK, result.message
    assert house.server.bindings == theirs
    assert house.server.commands == ["crm.activity.update"]


async def test_a_deal_that_we_link_later_is_bound_and_nothing_else_is_touched(house: Bitrix24House) -> None:
    first = house.write(a_log())
    remote = (await pushed(house, first)).remote
    assert remote is not None
    house.server.bindings.add((remote.id, "4", house.company))

    later = house.write(replace(first.log, crm_deal=house.deal), remote=remote)
    await pushed(house, since_last(later, fingerprint(first)))

    assert {one[1:] for one in house.server.bindings} == {
        ("2", house.deal),
        ("3", house.contact),
        ("4", house.company),
    }


async def test_a_deal_is_bound_again_when_the_record_changes(house: Bitrix24House) -> None:
    """For that makes all bindings anew."""
    log = a_log(crm_deal=house.deal, crm_ref=f"company:{house.company}")
    first = house.write(log)
    remote = (await pushed(house, first)).remote
    assert remote is not None

    later = house.write(replace(log, crm_ref=f"contact:{house.contact}"), remote=remote)
    await pushed(house, since_last(later, fingerprint(first)))

    assert {one[1:] for one in house.server.bindings} == {("2", house.deal), ("3", house.contact)}


async def test_a_deal_that_is_gone_leaves_the_call_on_its_record(house: Bitrix24House) -> None:
    result = await pushed(house, house.write(a_log(), deal=RecordRef("deal", "999")))

    assert result.answer is Answer.OK, result.message
    assert len(house.server.activities) == 1


async def test_a_binding_that_is_not_sure_is_made_sure_without_a_double(house: Bitrix24House) -> None:
    write = house.write(a_log(), deal=RecordRef("deal", house.deal))
    house.server.blocked = {"crm.activity.binding.add"}

    unsure = await pushed(house, write)
    house.server.blocked = set()
    again = await pushed(house, replace(write, unsure=True))

    assert (unsure.answer, again.answer) == (Answer.UNKNOWN, Answer.OK)
    assert len(house.server.activities) == 1
    assert {one[1:] for one in house.server.bindings} == {("2", house.deal), ("3", house.contact)}


async def test_a_call_on_a_deal_names_the_deals_contact(house: Bitrix24House) -> None:
    log = a_log(crm_ref=f"deal:{house.deal}", crm_contact=house.contact)
    result = await pushed(house, house.write(log))

    assert result.answer is Answer.OK, result.message
    row = only_call(house)
    assert (row["OWNER_TYPE_ID"], row["OWNER_ID"]) == ("2", house.deal)
    assert row["COMMUNICATIONS"][0]["ENTITY_ID"] == house.contact


async def test_twenty_calls_are_one_request(house: Bitrix24House) -> None:
    results = await house.crm.push(
        [house.write(a_log(), deal=RecordRef("deal", house.deal)) for _ in range(20)]
    )

    assert {one.answer for one in results} == {Answer.OK}
    assert len({one.remote for one in results}) == 20
    assert [path for _, path in house.server.asked] == [f"/rest/1/{CODE}/batch.json"]


async def test_unsure_ones_are_looked_for_together_and_none_is_doubled(house: Bitrix24House) -> None:
    writes = [house.write(a_log()) for _ in range(5)]
    await house.crm.push(writes[:3])
    house.server.asked.clear()

    results = await house.crm.push([replace(one, unsure=True) for one in writes])

    assert {one.answer for one in results} == {Answer.OK}
    assert len(house.server.activities) == 5
    assert len(house.server.asked) == 2
    assert sum(one.more_requests for one in results) == 1


@pytest.mark.parametrize(
    "fault", [says(500, '{"error": "INTERNAL_SERVER_ERROR"}'), breaks_off, says(200, "[]")]
)
async def test_when_the_look_fails_nothing_is_written_unseen(house: Bitrix24House, fault: Fault) -> None:
    house.server.before.append(fault)

    result = await pushed(house, house.write(a_log(), unsure=True))

    assert result.answer is Answer.RETRY, result
    assert "while looking for the call" in result.message
    assert house.server.activities == {}


@pytest.mark.parametrize(
    "note", ["$result[call_0]", "$RESULT [call_0]", "100 $ &fields[OWNER_ID]=1#?%24result[x]"]
)
async def test_what_people_wrote_is_no_command(house: Bitrix24House, note: str) -> None:
    first, second = house.write(a_log()), house.write(a_log(note=note))

    results = await house.crm.push([first, second])

    assert {one.answer for one in results} == {Answer.OK}
    row = house.server.activities[results[1].remote.id] if results[1].remote else {}
    assert note.replace("$r", "＄r").replace("$R", "＄R") in row["DESCRIPTION"]
    assert row["OWNER_ID"] == house.contact


async def test_the_real_bucket_pauses(house: Bitrix24House) -> None:
    house.server.bucket = 0

    result = await pushed(house, house.write(a_log()))

    assert (result.answer, result.pause_seconds) == (Answer.THROTTLE, 5.0)


async def test_a_method_that_ran_too_long_pauses_until_it_is_free() -> None:
    async with bitrix24_house(clock=FakeClock()) as house:
        house.server.resets_at = NOW.timestamp() + 140
        await pushed(house, house.write(a_log()))
        house.server.blocked = {"crm.activity.add"}

        known = await pushed(house, house.write(a_log()))

    assert (known.answer, known.pause_seconds) == (Answer.THROTTLE, 140.0)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (says(400, '{"error": "", "error_description": "no"}'), Answer.PERMANENT),
        (says(400, '{"error": "INVALID_REQUEST", "error_description": "Https required"}'), Answer.AUTH),
        (says(401, '{"error": "expired_token"}'), Answer.AUTH),
        (says(403, '{"error": "ACCESS_DENIED"}'), Answer.AUTH),
        (says(403, '{"error": "insufficient_scope"}'), Answer.AUTH),
        (says(200, '{"error": "insufficient_scope"}'), Answer.AUTH),
        (says(200, '{"error": "SOMETHING"}'), Answer.PERMANENT),
        (says(429, '{"error": "OPERATION_TIME_LIMIT"}'), Answer.THROTTLE),
        (says(503, '{"error": "QUERY_LIMIT_EXCEEDED"}'), Answer.THROTTLE),
        (says(503, '{"error": "OVERLOAD_LIMIT"}'), Answer.AWAY),
        (says(500, '{"error": "INTERNAL_SERVER_ERROR"}'), Answer.UNKNOWN),
        (says(500, '{"error": "PORTAL_DELETED"}'), Answer.AWAY),
        (says(502), Answer.UNKNOWN),
        (says(503), Answer.UNKNOWN),
        (says(302, headers={"Location": "/login"}), Answer.AWAY),
        (says(200, "<html/>"), Answer.UNKNOWN),
        (says(200, '{"result": {"result": [], "result_error": []}}'), Answer.UNKNOWN),
        (breaks_off, Answer.UNKNOWN),
    ],
)
async def test_each_fault_is_understood_and_the_repeat_makes_one(
    house: Bitrix24House, fault: Fault, answer: Answer
) -> None:
    write = house.write(a_log())
    house.server.before.append(fault)

    result = await pushed(house, write)
    again = await pushed(house, replace(write, unsure=answer is Answer.UNKNOWN))

    assert result.answer is answer, result.message
    assert result.message
    assert again.answer is Answer.OK, again.message
    assert len(house.server.activities) == 1


async def test_silence_is_unknown() -> None:
    async with bitrix24_house(timeout_seconds=0.3) as house:
        house.server.before.append(hangs)
        while hangs in house.server.before:  # on a busy machine it may give up before it was heard at all
            result = await pushed(house, house.write(a_log()))
        assert result.answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"home": None}, "must have one"),
        ({"home": RecordRef("crm.lead", "7")}, "no kind 'crm.lead'"),
        ({"home": RecordRef("lead", "7; drop")}, "are numbers"),
        ({"deal": RecordRef("deal", "x")}, "are numbers"),
        ({"home": RecordRef("lead", "999")}, "Could not build binding"),
    ],
)
async def test_a_record_that_cannot_be_is_told(
    house: Bitrix24House, given: dict[str, Any], told: str
) -> None:
    result = await pushed(house, house.write(a_log(), **given))

    assert result.answer is Answer.PERMANENT
    assert told in result.message


async def test_an_owner_that_is_gone_does_not_mean_that_the_call_is(house: Bitrix24House) -> None:
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote

    result = await pushed(house, replace(write, remote=remote, home=RecordRef("lead", "999")))

    assert result.answer is Answer.PERMANENT


async def test_the_webhooks_code_is_in_no_message(house: Bitrix24House) -> None:
    house.server.before.append(says(400, f'{{"error": "", "error_description": "/rest/1/{CODE}/ is wrong"}}'))
    assert CODE not in (await pushed(house, house.write(a_log()))).message
    await house.order("away")
    with pytest.raises(CrmError) as told:
        await house.crm.check()
    assert CODE not in str(told.value)


async def test_a_record_comes_with_owner_company_and_open_deal(house: Bitrix24House) -> None:
    house.server.records["contact"][house.contact] |= {"ASSIGNED_BY_ID": "6", "ADDRESS_COUNTRY_CODE": "DE"}
    house.server.add("deal", TITLE="Old", CONTACT_ID=house.contact, CLOSED="Y")
    ref = RecordRef("contact", house.contact)

    one = (await house.crm.records([ref]))[ref]

    assert (one.name, one.owner, one.region) == ("Wei Li", "anna@example.com", "DE")
    assert one.customer == RecordRef("company", house.company)
    assert one.deal == Deal(
        ref=RecordRef("deal", house.deal), name="Autumn", stage="OFFER", amount=12000.0, currency="EUR"
    )


@pytest.mark.parametrize(("meaning", "over"), [("S", "won"), ("F", "lost"), ("P", None)])
async def test_a_lead_that_is_over_says_why(house: Bitrix24House, meaning: str, over: str | None) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
    house.server.records["lead"][ref.id]["STATUS_SEMANTIC_ID"] = meaning

    assert (await house.crm.records([ref]))[ref].over == over
    assert bool(await house.crm.find_by_number("+4930901821")) is (over is None)


async def test_a_field_of_ones_own_forbids_calling() -> None:
    async with bitrix24_house(lead={"numbers": ["PHONE"], "do_not_call": "UF_CRM_1"}) as house:
        ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
        house.server.records["lead"][ref.id]["UF_CRM_1"] = "1"
        assert (await house.crm.records([ref]))[ref].do_not_call


async def test_check_tells_what_will_go_wrong() -> None:
    async with bitrix24_house(responsible=77) as house:
        checked = await house.crm.check()
    assert checked.who == "Bot Waihu (user 1)"
    assert list(checked.warnings) == ["bitrix24.responsible: there is no user 77"]


async def test_a_planned_call_needs_a_number(house: Bitrix24House) -> None:
    ref = RecordRef("company", house.company)
    with pytest.raises(CrmError, match="has no number"):
        await house.crm.follow_up(ref, at=NOW + timedelta(days=1), user=None, text="x", key="k")


async def test_a_call_that_was_planned_is_completed_or_deleted(house: Bitrix24House) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
    crm = cast(EndsFollowUps, house.crm)
    for key in ("done", "cancelled"):
        await house.crm.follow_up(ref, at=NOW + timedelta(days=1), user=None, text=key, key=key)

    await crm.follow_up_over(ref, key="done", done=True)
    await crm.follow_up_over(ref, key="cancelled", done=False)

    assert {row["ORIGIN_ID"]: row["COMPLETED"] for row in house.server.activities.values()} == {"done": "Y"}


async def test_what_a_person_completed_is_not_deleted(house: Bitrix24House) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
    made = await house.crm.follow_up(ref, at=NOW + timedelta(days=1), user=None, text="x", key="k")
    house.server.activities[made.id] |= {"COMPLETED": "Y", "DESCRIPTION": "he was glad"}

    for done in (True, False):
        await cast(EndsFollowUps, house.crm).follow_up_over(ref, key="k", done=done)

    assert house.server.activities[made.id]["DESCRIPTION"] == "he was glad"


async def test_what_a_person_completed_is_not_opened_again_by_another_time(house: Bitrix24House) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
    made = await house.crm.follow_up(ref, at=NOW + timedelta(days=1), user=None, text="x", key="k")
    row = house.server.activities[made.id]
    row["COMPLETED"] = "Y"

    for stands in (True, False):
        given: dict[str, Any] = {"user": None, "text": "x", "key": "k", "stands": stands}
        assert await house.crm.follow_up(ref, at=NOW + timedelta(days=2), **given) == made
        assert house.server.activities[made.id]["COMPLETED"] == ("Y" if stands else "N")


async def test_a_planned_call_that_is_deleted_meanwhile_is_as_good_as_ended(house: Bitrix24House) -> None:
    ref = await house.add_record(1, changed_seconds=0, phone="+4930901821")
    await house.crm.follow_up(ref, at=NOW + timedelta(days=1), user=None, text="x", key="k")

    async def deletes_all(_: web.Request) -> None:
        house.server.activities.clear()

    house.server.after.append(deletes_all)
    await cast(EndsFollowUps, house.crm).follow_up_over(ref, key="k", done=True)
    assert not house.server.after, "it was deleted meanwhile"
    assert house.server.activities == {}


async def test_links_lead_to_the_account(house: Bitrix24House) -> None:
    assert (house.crm.record_url(RecordRef("lead", "7")) or "").endswith("/crm/lead/details/7/")
    assert house.crm.record_url(RecordRef("activity", "7")) is None


async def test_more_calls_than_a_page_are_read(house: Bitrix24House) -> None:
    for _ in range(6):
        await house.crm.push([house.write(a_log()) for _ in range(20)])

    span = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1)}
    found = [one.remote async for one in house.crm.written(**span)]

    assert len(found) == len(set(found)) == 120


async def test_a_page_that_does_not_go_on_is_told_and_leaves_none_out_in_silence(
    house: Bitrix24House,
) -> None:
    rows = ", ".join(f'{{"ID": "{n}"}}' for n in range(1, 51))
    page = says(200, f'{{"result": [{rows}]}}')
    house.server.before += [page, page]
    with pytest.raises(CrmError, match="would be left out"):
        [one async for one in house.crm.written(since=NOW, until=NOW + timedelta(hours=1))]


async def test_a_field_that_is_made_later_is_seen_at_the_next_try(house: Bitrix24House) -> None:
    write = house.write(a_log())
    write = replace(write, fields={**write.fields, "UF_CRM_X": "x"})
    assert (await pushed(house, write)).answer is Answer.PERMANENT
    fields = {name: {"type": "string"} for name in [*ACTIVITY, "UF_CRM_X"]}
    house.server.before.append(says(200, json.dumps({"result": fields})))
    house.server.before.append(says(200, '{"result": {"result": {"call_0": 7}}}'))

    assert (await pushed(house, write)).answer is Answer.OK


async def test_a_table_that_is_wrong_is_told_with_its_key() -> None:
    with pytest.raises(SettingsError, match=r"bitrix24\.toml: bitrix24: batch"):
        async with bitrix24_house(batch=26):
            pass
