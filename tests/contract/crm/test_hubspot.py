"""HubSpot's adapter against its strict fake: batches, associations, owners, outcomes, limits."""

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
from tests.contract.crm.houses import a_log
from tests.contract.crm.hubspot_house import HubSpotHouse, hubspot_house
from tests.contract.crm.hubspot_server import CONNECTED, NO_ANSWER, TOKEN
from tests.contract.crm.rest_server import Fault, breaks_off, hangs, says
from tests.contract.crm.strict_http import Window


@pytest.fixture
async def house() -> AsyncIterator[HubSpotHouse]:
    async with hubspot_house() as opened:
        yield opened


async def pushed(house: HubSpotHouse, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


def only_call(house: HubSpotHouse) -> dict[str, Any]:
    (row,) = house.server.objects["calls"].values()
    return row


def with_field(write: CallWrite, **fields: Any) -> CallWrite:
    return replace(write, fields={**write.fields, **fields})


async def test_a_call_stands_on_contact_company_and_deal(house: HubSpotHouse) -> None:
    log = a_log(crm_deal=f"deal:{house.deal}", crm_customer=house.company)

    result = await pushed(house, house.write(log))

    assert result.answer is Answer.OK, result.message
    assert result.remote is not None
    ends = {
        (to, to_id)
        for kind, row, to, to_id in house.server.links
        if (kind, row) == ("calls", result.remote.id)
    }
    assert ends == {("contacts", house.contact), ("companies", house.company), ("deals", house.deal)}


async def test_it_is_written_in_their_units(house: HubSpotHouse) -> None:
    log = a_log(caller_id="+4930555", recording_url="https://calls.example/1.mp3")
    await pushed(house, house.write(log))

    row = only_call(house)

    assert row["hs_call_duration"] == "42000"
    assert row["hs_call_status"] == "COMPLETED"
    assert row["hs_call_to_number"] == log.number
    assert row["hs_call_recording_url"] == "https://calls.example/1.mp3"
    assert row["waihu_call_id"] == row["hs_call_external_id"] == log.call_id


async def test_what_people_wrote_is_no_html(house: HubSpotHouse) -> None:
    await pushed(house, house.write(a_log(note="<script>alert(1)</script>")))

    assert "<script>" not in only_call(house)["hs_call_body"]


async def test_a_recording_that_it_would_refuse_is_left_out(house: HubSpotHouse) -> None:
    result = await pushed(house, house.write(a_log(recording_url="http://calls.example/1.mp3")))

    assert result.answer is Answer.OK, result.message
    assert "hs_call_recording_url" not in only_call(house)


async def test_an_empty_value_clears_the_property(house: HubSpotHouse) -> None:
    first = house.write(a_log(recording_url="https://calls.example/1.mp3"))
    remote = (await pushed(house, first)).remote

    await pushed(house, house.write(replace(first.log, recording_url=None), remote=remote))

    assert only_call(house)["hs_call_recording_url"] == ""


async def test_owners_are_found_by_e_mail_and_asked_for_once(house: HubSpotHouse) -> None:
    for _ in range(3):
        await pushed(house, house.write(a_log(), user="Anna@example.com"))

    assert {row["hubspot_owner_id"] for row in house.server.objects["calls"].values()} == {"501"}
    assert [path for _, path in house.server.asked].count("/crm/v3/owners") == 1


async def test_a_call_of_an_owner_who_is_not_there_is_written_without(house: HubSpotHouse) -> None:
    result = await pushed(house, house.write(a_log(), user="gone@example.com"))

    assert result.answer is Answer.OK, result.message
    assert "hubspot_owner_id" not in only_call(house)


async def test_codes_become_the_outcomes_of_the_account() -> None:
    async with hubspot_house(dispositions={"sold": CONNECTED, "*": NO_ANSWER}) as house:
        for code in ("sold", "something", CONNECTED):
            await pushed(house, house.write(a_log(disposition=code)))
        found = [row["hs_call_disposition"] for row in house.server.objects["calls"].values()]

    assert found == [CONNECTED, NO_ANSWER, CONNECTED]


async def test_a_code_without_an_outcome_is_left_out(house: HubSpotHouse) -> None:
    result = await pushed(house, house.write(a_log(disposition="sold")))

    assert result.answer is Answer.OK, result.message
    assert "hs_call_disposition" not in only_call(house)


async def test_check_tells_what_will_go_wrong() -> None:
    wrong = "00000000-0000-0000-0000-000000000000"
    async with hubspot_house(dispositions={"sold": wrong}) as house:
        del house.server.properties["calls"]["waihu_call_id"]
        house.server.unique.discard(("tasks", "waihu_follow_up_id"))
        checked = await house.crm.check()

    assert checked.who == "account 4711"
    first, second, third, fourth = checked.warnings
    assert "calls have no property 'waihu_call_id'" in first
    assert "POST /crm/v3/properties/calls" in first
    assert "'waihu_follow_up_id' of tasks is not unique" in second
    assert third == f"hubspot.dispositions.sold: the account has no call outcome {wrong}"
    assert f"No answer = {NO_ANSWER}" in fourth


@pytest.mark.parametrize("there", [True, False])
async def test_without_our_property_the_target_stops_and_no_call_is_given_up(
    house: HubSpotHouse, there: bool
) -> None:
    house.server.unique.discard(("calls", "waihu_call_id"))
    if not there:
        del house.server.properties["calls"]["waihu_call_id"]

    results = await house.crm.push([house.write(a_log()) for _ in range(8)])

    assert {one.answer for one in results} == {Answer.AUTH}
    assert "`cti crm check` says how" in results[0].message
    assert len(house.server.asked) == 1


async def test_check_of_a_good_account_warns_of_nothing() -> None:
    async with hubspot_house(dispositions={"sold": CONNECTED, "*": NO_ANSWER}) as house:
        assert list((await house.crm.check()).warnings) == []


async def test_a_batch_is_one_request_and_one_for_its_records(house: HubSpotHouse) -> None:
    writes = [house.write(a_log()) for _ in range(20)]

    results = await house.crm.push(writes)

    assert {one.answer for one in results} == {Answer.OK}
    assert [path for _, path in house.server.asked] == [
        "/crm/v3/objects/calls/batch/upsert",
        "/crm/v4/associations/calls/contacts/batch/associate/default",
    ]
    assert sum(one.more_requests for one in results) == 1


async def test_one_bad_call_of_many_is_found_and_the_others_written(house: HubSpotHouse) -> None:
    writes = [house.write(a_log()) for _ in range(20)]
    writes[13] = with_field(writes[13], hs_call_status="MAYBE")

    results = await house.crm.push(writes)

    assert [n for n, one in enumerate(results) if one.answer is not Answer.OK] == [13]
    assert results[13].answer is Answer.PERMANENT
    assert "MAYBE was not one of the allowed options" in results[13].message
    assert len(house.server.objects["calls"]) == 19
    assert sum(one.more_requests for one in results) == len(house.server.asked) - 1


@pytest.mark.parametrize("tells", [True, False])
async def test_of_several_updates_the_one_that_is_gone_is_told(house: HubSpotHouse, tells: bool) -> None:
    house.server.tells_absent = tells
    writes = [house.write(a_log()) for _ in range(5)]
    remotes = [one.remote for one in await house.crm.push(writes)]
    assert remotes[2] is not None
    await house.delete(remotes[2])

    again = [replace(one, remote=remote) for one, remote in zip(writes, remotes, strict=True)]
    results = await house.crm.push(again)

    assert [one.answer for one in results] == [Answer.OK, Answer.OK, Answer.DELETED, Answer.OK, Answer.OK]
    assert len(house.server.objects["calls"]) == 4


async def test_once_too_many_were_asked_nothing_more_is(house: HubSpotHouse) -> None:
    known = house.write(a_log())
    known = replace(known, remote=(await pushed(house, known)).remote)
    house.server.window = Window(0, 10.0)
    house.server.asked.clear()

    results = await house.crm.push([house.write(a_log()), known])

    assert [one.answer for one in results] == [Answer.THROTTLE, Answer.THROTTLE]
    assert len(house.server.asked) == 1


async def test_a_call_whose_record_is_gone_says_so_and_its_repeat_makes_no_double(
    house: HubSpotHouse,
) -> None:
    write = house.write(a_log(), home=RecordRef("contact", "999"))

    result = await pushed(house, write)
    assert result.answer is Answer.PERMANENT
    assert "but not on contact:999" in result.message
    again = await pushed(house, replace(write, home=RecordRef("contact", house.contact)))

    assert again.answer is Answer.OK
    assert len(house.server.objects["calls"]) == 1


async def test_one_record_that_is_gone_does_not_spoil_the_batch(house: HubSpotHouse) -> None:
    writes = [house.write(a_log()) for _ in range(6)]
    writes[4] = replace(writes[4], home=RecordRef("contact", "999"))

    results = await house.crm.push(writes)

    assert [n for n, one in enumerate(results) if one.answer is not Answer.OK] == [4]


async def test_a_kind_that_it_does_not_have_is_told_before_anything_is_sent(house: HubSpotHouse) -> None:
    result = await pushed(house, house.write(a_log(), home=RecordRef("crm.lead", "7")))

    assert result.answer is Answer.PERMANENT
    assert "crm.lead" in result.message
    assert house.server.asked == []


async def test_a_search_that_hears_late_makes_no_double(house: HubSpotHouse) -> None:
    write = house.write(a_log())
    house.server.after.append(breaks_off)
    await pushed(house, write)
    house.server.late |= set(house.server.objects["calls"])

    again = await pushed(house, replace(write, unsure=True))

    assert again.answer is Answer.OK
    assert len(house.server.objects["calls"]) == 1
    assert not any("search" in path for _, path in house.server.asked)


async def test_the_real_limit_pauses_for_its_window(house: HubSpotHouse) -> None:
    house.server.window = Window(2, 10.0)
    await pushed(house, house.write(a_log()))

    result = await pushed(house, house.write(a_log()))

    assert (result.answer, result.pause_seconds) == (Answer.THROTTLE, 10.0)
    assert len(house.server.objects["calls"]) == 1


@pytest.mark.parametrize(
    ("policy", "seconds"), [("SECONDLY", 1.0), ("TEN_SECONDLY_ROLLING", 10.0), ("DAILY", 3600.0), ("?", None)]
)
async def test_the_limit_that_was_hit_says_how_long(
    house: HubSpotHouse, policy: str, seconds: float | None
) -> None:
    house.server.before.append(says(429, f'{{"status": "error", "policyName": "{policy}"}}'))

    result = await pushed(house, house.write(a_log()))

    assert (result.answer, result.pause_seconds) == (Answer.THROTTLE, seconds)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (says(401), Answer.AUTH),
        (
            says(403, '{"category": "MISSING_SCOPES", "message": "needs crm.objects.contacts.write"}'),
            Answer.AUTH,
        ),
        (says(404), Answer.AWAY),
        (says(404, '{"category": "OBJECT_NOT_FOUND", "message": "no"}'), Answer.PERMANENT),
        (says(409), Answer.RETRY),
        (says(423), Answer.RETRY),
        (says(477, headers={"Retry-After": "60"}), Answer.THROTTLE),
        (says(500), Answer.UNKNOWN),
        (says(502), Answer.UNKNOWN),
        (says(503), Answer.AWAY),
        (says(524), Answer.UNKNOWN),
        (says(200, "<html/>"), Answer.UNKNOWN),
        (says(200, '{"results": []}'), Answer.UNKNOWN),
        (breaks_off, Answer.UNKNOWN),
    ],
)
async def test_each_fault_is_understood_and_the_repeat_makes_one(
    house: HubSpotHouse, fault: Fault, answer: Answer
) -> None:
    write = house.write(a_log())
    house.server.before.append(fault)

    result = await pushed(house, write)
    again = await pushed(house, replace(write, unsure=answer is Answer.UNKNOWN))

    assert result.answer is answer, result.message
    assert result.message
    assert again.answer is Answer.OK, again.message
    assert len(house.server.objects["calls"]) == 1


async def test_silence_is_unknown() -> None:
    async with hubspot_house(timeout_seconds=0.3) as house:
        house.server.before.append(hangs)
        while hangs in house.server.before:  # on a busy machine it may give up before it was heard at all
            result = await pushed(house, house.write(a_log()))
        assert result.answer is Answer.UNKNOWN


async def test_the_token_is_in_no_message(house: HubSpotHouse) -> None:
    house.server.before.append(says(400, f"bad token {TOKEN}"))

    assert TOKEN not in (await pushed(house, house.write(a_log()))).message


async def test_a_record_comes_with_owner_company_and_open_deal(house: HubSpotHouse) -> None:
    house.server.objects["contacts"][house.contact] |= {
        "hubspot_owner_id": "501",
        "hs_lead_status": "UNQUALIFIED",
    }
    closed = house.server.add("deals", dealname="Old", dealstage="won", hs_is_closed="true")
    house.server.link("contacts", house.contact, "deals", closed)
    ref = RecordRef("contact", house.contact)

    one = (await house.crm.records([ref]))[ref]

    assert (one.name, one.owner, one.over) == ("Wei Li", "anna@example.com", "lost")
    assert one.customer == RecordRef("company", house.company)
    assert one.deal == Deal(
        ref=RecordRef("deal", house.deal), name="Autumn", stage="offer", amount=12000.0, currency="EUR"
    )


async def test_links_lead_to_the_account_that_check_found(house: HubSpotHouse) -> None:
    ref = RecordRef("contact", "7/../8")
    assert house.crm.record_url(ref) is None

    await house.crm.check()

    assert house.crm.record_url(ref) == "https://app.hubspot.com/contacts/4711/record/0-1/7%2F..%2F8"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"ky": "x"}, "hubspot.toml: hubspot: ky: there is no such key"),
        ({"key": "Bad Name"}, "hubspot.toml: hubspot: key:"),
        ({"batch": 101}, "hubspot.toml: hubspot: batch:"),
        (
            {"sources": {"a": {"filters": [{"property": "x", "operator": "LIKE"}]}}},
            "sources.a.filters[0].operator",
        ),
    ],
)
async def test_a_table_that_is_wrong_is_told_with_its_key(more: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        async with hubspot_house(**more):
            pass
    assert told in str(refused.value)


async def test_a_task_is_completed_or_put_into_the_bin(house: HubSpotHouse) -> None:
    ref, crm = RecordRef("contact", house.contact), cast(EndsFollowUps, house.crm)
    for key in ("done", "cancelled"):
        await house.crm.follow_up(ref, at=NOW, user=None, text=key, key=key)

    await crm.follow_up_over(ref, key="done", done=True)
    await crm.follow_up_over(ref, key="cancelled", done=False)

    (task,) = house.server.objects["tasks"].values()
    assert (task["waihu_follow_up_id"], task["hs_task_status"]) == ("done", "COMPLETED")
    (binned,) = house.server.archived["tasks"].values()
    assert (binned["waihu_follow_up_id"], binned["hs_task_status"]) == ("cancelled", "NOT_STARTED")


async def test_a_task_that_a_person_completed_is_not_put_into_the_bin(house: HubSpotHouse) -> None:
    ref, crm = RecordRef("contact", house.contact), cast(EndsFollowUps, house.crm)
    made = await house.crm.follow_up(ref, at=NOW, user=None, text="x", key="k1")
    house.server.objects["tasks"][made.id]["hs_task_status"] = "COMPLETED"
    changed = house.server.objects["tasks"][made.id]["hs_lastmodifieddate"]
    house.server.now += timedelta(hours=1)

    for done in (True, False):
        await crm.follow_up_over(ref, key="k1", done=done)

    assert house.server.objects["tasks"][made.id]["hs_lastmodifieddate"] == changed


@pytest.mark.parametrize("done", [True, False])
async def test_a_task_that_is_binned_meanwhile_is_as_good_as_ended(house: HubSpotHouse, done: bool) -> None:
    ref = RecordRef("contact", house.contact)
    made = await house.crm.follow_up(ref, at=NOW, user=None, text="x", key="k1")

    async def bins_it(_: web.Request) -> None:
        house.server.archive("tasks", made.id)

    house.server.after.append(bins_it)
    await cast(EndsFollowUps, house.crm).follow_up_over(ref, key="k1", done=done)

    assert house.server.archived["tasks"].keys() == {made.id}


async def test_without_a_property_for_tasks_none_is_ended() -> None:
    async with hubspot_house(task_key="") as house:
        assert not house.crm.capabilities.ends_follow_ups
        with pytest.raises(CrmError, match="task_key is empty"):
            await cast(EndsFollowUps, house.crm).follow_up_over(
                RecordRef("contact", house.contact), key="k1", done=True
            )


async def test_a_change_of_the_note_leaves_what_people_did(house: HubSpotHouse) -> None:
    """They took the call from its deal, gave it to somebody, and put it onto another record."""
    first = house.write(a_log(crm_deal=house.deal, crm_customer=house.company), user="anna@example.com")
    remote = (await pushed(house, first)).remote
    assert remote is not None
    await house.by_hand(remote)
    theirs = set(house.server.links)
    house.server.asked.clear()

    later = house.write(replace(first.log, note="wants an offer"), user="anna@example.com", remote=remote)
    result = await pushed(house, since_last(later, fingerprint(first)))

    assert result.answer is Answer.OK, result.message
    assert house.server.links == theirs
    assert only_call(house)["hubspot_owner_id"] == "502"
    assert [method for method, _ in house.server.asked] == ["PATCH"]


async def test_a_deal_that_we_link_later_is_linked(house: HubSpotHouse) -> None:
    first = house.write(a_log())
    remote = (await pushed(house, first)).remote
    later = house.write(replace(first.log, crm_deal=house.deal), remote=remote)
    house.server.links.clear()

    await pushed(house, since_last(later, fingerprint(first)))

    assert {(to, to_id) for _, _, to, to_id in house.server.links} == {("deals", house.deal)}


async def test_what_people_wrote_is_no_html_in_a_follow_up(house: HubSpotHouse) -> None:
    ref = RecordRef("contact", house.contact)
    await house.crm.follow_up(ref, at=NOW, user=None, text="<img src=x>\nagain", key="k1")

    (task,) = house.server.objects["tasks"].values()

    assert task["hs_task_body"] == "&lt;img src=x&gt;<br>again"
    assert task["hs_task_subject"] == "<img src=x>\nagain"


async def test_a_gateways_404_does_not_mean_that_the_call_was_deleted(house: HubSpotHouse) -> None:
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    house.server.before.append(says(404, "<html>not here</html>"))

    assert (await pushed(house, replace(write, remote=remote))).answer is not Answer.DELETED
    assert (await pushed(house, replace(write, remote=remote))).answer is Answer.OK


@pytest.mark.parametrize("wrong", ["..", "abc", "7/../8"])
async def test_an_id_that_is_none_is_told_and_spoils_no_other(house: HubSpotHouse, wrong: str) -> None:
    good, bad = RecordRef("contact", house.contact), RecordRef("contact", wrong)
    result = await pushed(house, house.write(a_log(), home=bad))
    assert (result.answer, "are numbers" in result.message) == (Answer.PERMANENT, True)
    with pytest.raises(CrmError, match="are numbers"):
        await house.crm.follow_up(bad, at=NOW, user=None, text="x", key="k")
    assert house.server.asked == []

    assert set(await house.crm.records([good, bad])) == {good}
