"""What the adapter of Odoo does beyond what every adapter promises, on a real Odoo 19."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.composition import Opened, open_target
from crm_sync.odoo.adapter import open_odoo
from crm_sync.port import Answer, CallWrite, CrmError, EndsFollowUps, PushResult
from cti.clock import SystemClock
from cti.model.crm import Link, RecordRef
from cti.settings.crm_sections import CrmTargetSettings
from lab.crm.odoo import Odoo, OdooRefused
from lab.crm.odoo_template import PHONECALL, PLAIN
from tests.builders import NOW
from tests.contract.crm.houses import a_log
from tests.contract.crm.odoo_house import FILE, LEAD, ODOO_HOUSES, OdooHouse, odoo_house

pytestmark = pytest.mark.crm_live


@pytest.fixture
async def phonecalls(odoo_server: Odoo) -> AsyncIterator[OdooHouse]:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        yield house


@pytest.fixture
async def chatter(odoo_server: Odoo) -> AsyncIterator[OdooHouse]:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-activity-json2"]) as house:
        yield house


@pytest.fixture(params=list(ODOO_HOUSES))
async def house(request: pytest.FixtureRequest, odoo_server: Odoo) -> AsyncIterator[OdooHouse]:
    """Shadow the suite's: each way into Odoo, and no other CRM."""
    async with odoo_house(odoo_server, **ODOO_HOUSES[request.param]) as opened:
        yield opened


async def pushed(house: OdooHouse, write: CallWrite) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


async def row_of(house: OdooHouse, result: PushResult) -> dict[str, object]:
    assert result.answer is Answer.OK, result.message
    (there,) = await house.standing(result.call_id)
    return dict(there["row"])


async def test_a_call_has_its_agent_its_length_and_its_time(phonecalls: OdooHouse) -> None:
    row = await row_of(phonecalls, await pushed(phonecalls, phonecalls.write(a_log(agent="anna"))))

    assert row["user_id"][1] == "Anna"  # type: ignore[index]
    assert (row["state"], row["direction"], row["duration"]) == ("done", "out", 0.7)
    # the bot's own time zone is not UTC
    assert row["date"] == NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert row["partner_phone"] == "+4930901820"


async def test_an_unanswered_call_has_no_length_however_late_it_is_written(phonecalls: OdooHouse) -> None:
    log = a_log(outcome="no_answer", talk_seconds=0.0)
    first = await pushed(phonecalls, phonecalls.write(log))
    again = phonecalls.write(replace(log, note="x"), remote=first.remote)
    again = replace(
        again, fields={k: v for k, v in again.fields.items() if k != "duration"} | {"state": "done"}
    )

    row = await row_of(phonecalls, await pushed(phonecalls, again))

    assert (row["state"], row["duration"]) == ("done", 0.0)


async def test_who_is_no_user_there_is_the_bot(phonecalls: OdooHouse) -> None:
    write = replace(phonecalls.write(a_log()), user="nobody@example.com")

    assert (await row_of(phonecalls, await pushed(phonecalls, write)))["user_id"][1] == "CTI bot"  # type: ignore[index]


async def test_the_agent_is_the_author_in_the_chatter(chatter: OdooHouse) -> None:
    row = await row_of(chatter, await pushed(chatter, chatter.write(a_log(agent="anna"))))

    assert row["author_id"][1] == "Anna"  # type: ignore[index]
    assert row["mail_activity_type_id"][1] == "Call"  # type: ignore[index]
    assert row["date"] == NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert row["is_internal"] is True


async def test_what_people_wrote_is_text_in_the_chatter(chatter: OdooHouse) -> None:
    log = a_log(
        note="<script>alert(1)</script> & <b>bold</b>", recording_url="https://calls.example/r?a=1&b=2"
    )

    body = str((await row_of(chatter, await pushed(chatter, chatter.write(log))))["body"])

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;" in body
    assert 'href="https://calls.example/r?a=1&amp;b=2"' in body


async def test_nobody_is_mailed_about_a_call(house: OdooHouse) -> None:
    before = await house.ask("mail.mail", "search_count", domain=[])

    await pushed(house, house.write(a_log(agent="anna")))

    assert await house.ask("mail.mail", "search_count", domain=[]) == before


async def test_a_call_stands_on_a_contact(house: OdooHouse) -> None:
    (contact,) = await house.ask("res.partner", "create", vals_list=[{"name": "Li Wei"}])
    log = a_log(crm_ref=f"res.partner:{contact}")

    result = await pushed(house, house.write(log))

    assert result.answer is Answer.OK, result.message
    (there,) = await house.standing(log.call_id)
    assert there["home"] == str(contact)


async def test_a_call_on_a_contact_stands_on_the_deal_too(phonecalls: OdooHouse) -> None:
    (contact,) = await phonecalls.ask("res.partner", "create", vals_list=[{"name": "Li Wei"}])
    (deal,) = await phonecalls.add_records({"name": "Deal", "type": "opportunity"})
    log = a_log(crm_ref=f"res.partner:{contact}", crm_deal=deal.id)

    row = await row_of(phonecalls, await pushed(phonecalls, phonecalls.write(log)))

    assert (row["partner_id"][0], row["opportunity_id"][0]) == (contact, int(deal.id))  # type: ignore[index]


async def test_a_deal_apart_from_the_lead_is_told_once(house: OdooHouse) -> None:
    (deal,) = await house.add_records({"name": "Deal", "type": "opportunity"})
    write = house.write(a_log(crm_deal=deal.id))

    results = [await pushed(house, write), await pushed(house, replace(write, unsure=True))]
    await pushed(house, replace(write, remote=results[0].remote))

    assert [(one.answer, one.message) for one in results] == [(Answer.OK, "")] * 2
    notes = await house.ask(
        "mail.message",
        "search_read",
        domain=[["model", "=", LEAD], ["res_id", "=", int(deal.id)], ["subtype_id.name", "=", "Note"]],
        fields=["body"],
    )
    assert len(notes) == 1
    assert f"res_id={house.lead}" in notes[0]["body"]


async def test_tags_are_found_or_made(phonecalls: OdooHouse) -> None:
    write = phonecalls.write(a_log())
    tagged = replace(write, fields={**write.fields, "tag_ids": "Sold, Call again"})

    row = await row_of(phonecalls, await pushed(phonecalls, tagged))
    second = replace(phonecalls.write(a_log()), fields={**write.fields, "tag_ids": "Sold"})
    other = await row_of(phonecalls, await pushed(phonecalls, second))

    assert len(row["tag_ids"]) == 2  # type: ignore[arg-type]
    assert set(other["tag_ids"]) < set(row["tag_ids"])  # type: ignore[call-overload]


async def test_a_tag_that_was_deleted_since_is_made_again(phonecalls: OdooHouse) -> None:
    write = phonecalls.write(a_log())
    tagged = replace(write, fields={**write.fields, "tag_ids": f"Tag {phonecalls.token}"})
    tags = (await row_of(phonecalls, await pushed(phonecalls, tagged)))["tag_ids"]
    await phonecalls.ask("crm.tag", "unlink", ids=tags)

    first, second = await pushed(phonecalls, tagged), await pushed(phonecalls, tagged)

    assert (first.answer, second.answer) == (Answer.RETRY, Answer.OK), first.message


async def test_a_word_that_a_field_does_not_know_spoils_no_other_call(phonecalls: OdooHouse) -> None:
    writes = [phonecalls.write(a_log()) for _ in range(9)]
    for n in (2, 7):
        writes[n] = replace(writes[n], fields={**writes[n].fields, "direction": "sideways"})

    results = await phonecalls.crm.push(writes)

    refused = [n for n, one in enumerate(results) if one.answer is Answer.PERMANENT]
    assert refused == [2, 7]
    assert "sideways" in results[2].message
    assert [one.answer for one in results].count(Answer.OK) == 7
    for one in writes:
        assert len(await phonecalls.standing(one.log.call_id)) == (one.fields["direction"] == "out")


async def test_calls_that_are_there_already_spoil_no_batch(house: OdooHouse) -> None:
    writes = [house.write(a_log()) for _ in range(5)]
    first = await house.crm.push(writes[1:4:2])

    results = await house.crm.push(writes)

    assert {one.answer for one in results} == {Answer.OK}
    assert [results[1].remote, results[3].remote] == [one.remote for one in first]
    for one in writes:
        assert len(await house.standing(one.log.call_id)) == 1


async def test_a_call_in_a_batch_that_a_user_deleted_stays_deleted(house: OdooHouse) -> None:
    writes = [house.write(a_log()) for _ in range(4)]
    remotes = [one.remote for one in await house.crm.push(writes)]
    assert remotes[2] is not None
    await house.delete(remotes[2])

    results = await house.crm.push(
        [replace(one, remote=remote) for one, remote in zip(writes, remotes, strict=True)]
    )

    assert [one.answer for one in results] == [Answer.OK, Answer.OK, Answer.DELETED, Answer.OK]
    assert list(await house.standing(writes[2].log.call_id)) == []


async def test_a_call_that_a_user_archived_is_brought_up_to_date_where_it_is(phonecalls: OdooHouse) -> None:
    log = a_log()
    remote = (await pushed(phonecalls, phonecalls.write(log))).remote
    assert remote is not None
    await phonecalls.ask(remote.kind, "write", ids=[int(remote.id)], values={"active": False})

    result = await pushed(phonecalls, phonecalls.write(replace(log, note="later"), remote=remote))

    assert (result.answer, result.remote) == (Answer.OK, remote), result.message
    (back,) = await phonecalls.crm.read_back([log.call_id])
    assert back.remote == remote


async def test_a_call_that_is_hidden_from_us_is_not_taken_for_deleted(chatter: OdooHouse) -> None:
    """A right that was lost, or a lead that went to another company: the call would never be written again."""
    log = a_log(agent="anna")
    remote = (await pushed(chatter, chatter.write(log))).remote
    (company,) = await chatter.ask("res.company", "create", vals_list=[{"name": log.call_id}])
    elsewhere = {"company_id": company, "user_id": False, "team_id": False}
    await chatter.ask(LEAD, "write", ids=[chatter.lead], vals=elsewhere)

    result = await pushed(chatter, chatter.write(replace(log, note="later"), remote=remote))

    assert (result.answer, "hidden" in result.message) == (Answer.PERMANENT, True), result


async def test_a_call_whose_lead_was_deleted_is_still_brought_up_to_date(phonecalls: OdooHouse) -> None:
    write = phonecalls.write(a_log())
    remote = (await pushed(phonecalls, write)).remote
    await phonecalls.ask(LEAD, "unlink", ids=[phonecalls.lead])

    late = phonecalls.write(replace(write.log, note="transcript"), remote=remote)
    result = await pushed(phonecalls, late)
    row = await row_of(phonecalls, result)

    assert "transcript" in str(row["description"])
    assert result.message.startswith("left where it stands: ")


async def test_a_call_on_a_lead_that_is_not_there_is_refused(house: OdooHouse) -> None:
    result = await pushed(house, house.write(a_log(crm_ref="987654321")))

    assert result.answer is Answer.PERMANENT
    assert result.message


async def test_without_a_record_the_chatter_has_no_place_for_a_call(chatter: OdooHouse) -> None:
    result = await pushed(chatter, replace(chatter.write(a_log()), home=None))

    assert result.answer is Answer.PERMANENT
    assert "needs one" in result.message


async def test_eight_who_write_the_same_call_make_one(house: OdooHouse) -> None:
    write = house.write(a_log())

    results = await asyncio.gather(*(pushed(house, write) for _ in range(8)))

    assert {one.answer for one in results} <= {Answer.OK, Answer.RETRY}
    assert Answer.OK in {one.answer for one in results}
    assert len(await house.standing(write.log.call_id)) == 1


async def test_a_number_is_found_as_people_write_it(house: OdooHouse) -> None:
    await house.add_records(
        {"name": "Spaces", "number": "138 0013 8000"},
        {"name": "Plus", "number": "+86 138-0013-8000"},
        {"name": "Plain", "number": "13800138000"},
        {"name": "Other", "number": "13800138001"},
    )

    found = await house.crm.find_by_number("+8613800138000")

    assert {one.name for one in found} >= {"Spaces", "Plus", "Plain"}
    assert "Other" not in {one.name for one in found}


async def test_a_lead_comes_with_all_that_is_known_of_it(house: OdooHouse) -> None:
    (country,) = await house.ask("res.country", "search", domain=[["code", "=", "CN"]])
    (owner,) = await house.ask("res.users", "search", domain=[["login", "=", "anna@example.com"]])
    (contact,) = await house.ask(
        "res.partner", "create", vals_list=[{"name": "Li Wei", "tz": "Asia/Shanghai"}]
    )
    facts = {"country_id": country, "user_id": owner, "partner_id": contact, "expected_revenue": 5000}
    (ref,) = await house.add_records(
        {"name": "Deal", "number": "13800138000", "type": "opportunity", **facts}
    )
    await house.ask(
        LEAD,
        "activity_schedule",
        ids=[int(ref.id)],
        act_type_xmlid="mail.mail_activity_data_call",
        date_deadline="2026-12-01",
    )

    (lead,) = (await house.crm.pull(house.source, cursor="", limit=10)).records

    assert (lead.ref, lead.owner, lead.region, lead.zone) == (ref, "anna@example.com", "CN", "Asia/Shanghai")
    assert lead.customer == RecordRef("res.partner", str(contact))
    assert lead.deal is not None
    assert (lead.deal.ref, lead.deal.name, lead.deal.amount) == (ref, "Deal", 5000)
    assert (lead.deal.stage, lead.deal.currency, lead.stage) == ("New", "USD", "New")
    assert lead.next_follow_up_at == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert lead.fields == {"referred": house.token}


async def test_lost_archived_blacklisted_and_merged_leads_are_told_apart(house: OdooHouse) -> None:
    names = ("lost", "archived", "blacklisted", "merged", "kept")
    refs = await house.add_records(
        *({"name": one, "number": f"1390013{n:04}"} for n, one in enumerate(names))
    )
    lost, archived, blacklisted, merged, kept = refs
    (country,) = await house.ask("res.country", "search", domain=[["code", "=", "CN"]])
    await house.ask(LEAD, "write", ids=[int(one.id) for one in refs], vals={"country_id": country})
    await house.ask(LEAD, "action_set_lost", ids=[int(lost.id)])
    await house.ask(LEAD, "write", ids=[int(archived.id)], vals={"active": False, "probability": 10})
    await house.ask("phone.blacklist", "create", vals_list=[{"number": "+8613900130002"}])
    await house.ask(LEAD, "merge_opportunity", ids=[int(kept.id), int(merged.id)])

    now = await house.crm.records(refs)

    assert len(now) == 4  # of two that were merged one is not there any more
    assert (now[lost].over, now[archived].over, now[blacklisted].over) == ("lost", "archived", None)
    assert (now[blacklisted].do_not_call, now[lost].do_not_call) == (True, False)


async def test_a_change_of_a_lead_comes_again(house: OdooHouse) -> None:
    (ref, _) = await house.add_records({"name": "Before"}, {"name": "Other"})
    cursor = (await house.crm.pull(house.source, cursor="", limit=10)).cursor
    await house.ask(LEAD, "write", ids=[int(ref.id)], vals={"contact_name": "After"})

    page = await house.crm.pull(house.source, cursor=cursor, limit=10)

    assert "After" in {one.name for one in page.records}


async def test_what_the_bot_may_not_see_is_not_taken_for_gone(odoo_server: Odoo) -> None:
    async with narrow_house(odoo_server) as house:
        (ref,) = await house.add_records({"name": "Of Ben"})
        (ben,) = await house.ask("res.users", "search", domain=[["login", "=", "ben@example.com"]])
        await house.ask(LEAD, "write", ids=[int(ref.id)], vals={"user_id": ben})

        with pytest.raises(CrmError) as told:
            await house.crm.records([ref])

        warnings = (await house.crm.check()).warnings

    assert told.value.answer is Answer.PERMANENT
    assert any("All Documents" in one for one in warnings)
    assert any("runs out on" in one for one in warnings)


@asynccontextmanager
async def narrow_house(server: Odoo) -> AsyncIterator[OdooHouse]:
    """Open it with the key of Anna, who sees her own leads alone; it runs out tomorrow."""
    key = await asyncio.to_thread(server.give_key, PLAIN, "anna@example.com", days=1)
    table = {**ODOO_HOUSES["odoo-activity-json2"], "key": key}
    async with odoo_house(server, **table) as house:
        yield house


async def test_check_names_the_bot_and_the_version_and_has_nothing_to_say(phonecalls: OdooHouse) -> None:
    found = await phonecalls.crm.check()

    assert "cti-bot@example.com" in found.who
    assert found.version.startswith("19.")
    assert list(found.warnings) == []


async def test_check_says_where_calls_go_without_the_module(chatter: OdooHouse) -> None:
    assert any("crm.phonecall" in one for one in (await chatter.crm.check()).warnings)


async def test_a_follow_up_is_the_agents_on_his_day(house: OdooHouse) -> None:
    (ref,) = await house.add_records({"name": "Li Wei"})
    at = datetime(2026, 12, 1, 17, 30, tzinfo=UTC)  # the day after, in Shanghai
    mails = await house.ask("mail.mail", "search_count", domain=[])

    made = await house.crm.follow_up(
        ref, at=at, user="anna@example.com", text="<b>offer</b>", key=ref.id + house.token
    )

    (row,) = await house.ask("mail.activity", "read", ids=[int(made.id)])
    assert (row["user_id"][1], row["date_deadline"]) == ("Anna", "2026-12-02")
    assert await house.ask("mail.mail", "search_count", domain=[]) == mails
    assert "01:30" in row["note"]
    assert "&lt;b&gt;offer&lt;/b&gt;" in row["note"]


async def test_a_follow_up_that_was_done_stands_again(house: OdooHouse) -> None:
    (ref,) = await house.add_records({"name": "Li Wei"})
    key = ref.id + house.token
    made = await house.crm.follow_up(ref, at=NOW, user=None, text="call", key=key)
    await house.ask("mail.activity", "action_feedback", ids=[int(made.id)])

    await house.crm.follow_up(ref, at=NOW + timedelta(days=7), user=None, text="call", key=key)

    (row,) = await house.ask(
        "mail.activity",
        "search_read",
        domain=[["res_model", "=", LEAD], ["res_id", "=", int(ref.id)]],
        fields=["date_deadline"],
        context={},
    )
    assert row["date_deadline"] == (NOW + timedelta(days=7)).date().isoformat()


async def test_a_follow_up_that_was_done_is_not_opened_again_by_another_time(house: OdooHouse) -> None:
    (ref,) = await house.add_records({"name": "Li Wei"})
    given: dict[str, Any] = {"user": None, "text": "call", "key": ref.id + house.token}
    made = await house.crm.follow_up(ref, at=NOW, **given)
    await house.ask("mail.activity", "action_feedback", ids=[int(made.id)])

    await house.crm.follow_up(ref, at=NOW + timedelta(days=7), **given, stands=True)

    domain = [["res_model", "=", LEAD], ["res_id", "=", int(ref.id)]]
    assert await house.ask("mail.activity", "search", domain=domain, context={}) == []


async def test_an_outage_takes_nothing_and_leaves_no_doubles(odoo_server: Odoo, house: OdooHouse) -> None:
    write = house.write(a_log())
    before = await pushed(house, write)
    odoo_server.stop()
    try:
        away = await pushed(house, replace(write, unsure=True))
    finally:
        await odoo_server.start()

    after = await pushed(house, replace(write, unsure=True))

    assert away.answer is Answer.AWAY, away.message
    assert (after.answer, after.remote) == (Answer.OK, before.remote)
    assert len(await house.standing(write.log.call_id)) == 1


async def test_while_its_database_is_away_the_crm_is_away(odoo_server: Odoo, house: OdooHouse) -> None:
    write = house.write(a_log())
    await house.crm.check()
    odoo_server.postgres.stop()
    try:
        away = await pushed(house, write)
    finally:
        odoo_server.postgres.start()

    assert away.answer is Answer.AWAY, away.message
    for _ in range(5):  # connections that broke off are noticed one by one
        if (after := await pushed(house, write)).answer is Answer.OK:
            break
    assert after.answer is Answer.OK, after.message


async def test_a_database_that_is_not_there_is_told(odoo_server: Odoo) -> None:
    async with odoo_house(odoo_server, **ODOO_HOUSES["odoo-phonecall-json2"]) as house:
        table = {"database": "no_such_database"}
        account = Account("odoo", odoo_server.url, SecretStr(odoo_server.bot_key), "odoo.toml")
        async with open_odoo(account, table, clock=SystemClock()) as crm:
            (result,) = await crm.push([house.write(a_log())])

    assert result.answer is Answer.AWAY
    assert "no such database" in result.message


async def test_the_file_that_is_shipped_is_read_by_the_process(odoo_server: Odoo, tmp_path: Path) -> None:
    text = FILE.read_text().replace('database = "odoo"', f'database = "{PHONECALL}"')
    assert PHONECALL in text
    (tmp_path / "odoo.toml").write_text(text)
    target = CrmTargetSettings(
        name="odoo",
        adapter="odoo",
        url=odoo_server.url,
        secret=SecretStr(odoo_server.bot_key),
        mapping=tmp_path / "odoo.toml",
    )

    async with open_target(target, clock=SystemClock()) as ready:
        await check_all(ready)
        page = await ready.crm.pull("leads", cursor="", limit=5)

    assert len(page.records) <= 5


async def check_all(ready: Opened) -> None:
    assert (await ready.crm.check()).version.startswith("19.")
    log = a_log(disposition="sold")
    (result,) = await ready.crm.push([ready.mapping.write(log, Link(target="odoo", call_id=log.call_id))])
    assert result.answer is Answer.OK, result.message
    assert [one.call_id for one in await ready.crm.read_back([log.call_id])] == [log.call_id]


async def test_reading_back_a_span_pages_and_leaves_out_what_is_not_ours(phonecalls: OdooHouse) -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    writes = [phonecalls.write(a_log(placed_at=at + timedelta(minutes=n))) for n in range(3)]
    await phonecalls.crm.push(writes)
    stranger = {"name": "by hand", "date": "2026-06-01 12:01:00", "opportunity_id": phonecalls.lead}
    await phonecalls.ask("crm.phonecall", "create", vals_list=[stranger])

    span = phonecalls.crm.written(since=at, until=at + timedelta(minutes=2))
    found = [one async for one in span]

    assert [one.call_id for one in found] == [one.log.call_id for one in writes[:2]]
    assert [one.seconds for one in found] == pytest.approx([42.0, 42.0])
    assert found[1].started_at == at + timedelta(minutes=1)


async def test_a_call_that_somebody_archived_stands_there_and_is_brought_up_to_date(
    phonecalls: OdooHouse,
) -> None:
    log = a_log()
    first = await pushed(phonecalls, phonecalls.write(log))
    assert first.remote is not None
    await phonecalls.ask("crm.phonecall", "write", ids=[int(first.remote.id)], values={"active": False})

    assert [one.remote for one in await phonecalls.crm.read_back([log.call_id])] == [first.remote]
    again = await pushed(phonecalls, phonecalls.write(replace(log, note="after"), remote=first.remote))

    assert (again.answer, again.remote) == (Answer.OK, first.remote), again.message
    (there,) = await phonecalls.standing(log.call_id)
    assert "after" in str(there["note"])
    assert there["row"]["active"] is False


async def test_a_follow_up_that_is_done_is_shown_in_the_chatter_once_and_nobody_is_mailed(
    house: OdooHouse,
) -> None:
    (lead,) = await house.add_records({"name": "Li Wei"})
    before = await house.ask("mail.mail", "search_count", domain=[])
    await house.crm.follow_up(lead, at=NOW, user="anna@example.com", text="the offer", key="k" * 32 + lead.id)
    ends = cast(EndsFollowUps, house.crm)

    for _ in range(2):
        await ends.follow_up_over(lead, key="k" * 32 + lead.id, done=True)

    shown = [["model", "=", LEAD], ["res_id", "=", int(lead.id)], ["mail_activity_type_id", "!=", False]]
    assert await house.ask("mail.message", "search_count", domain=shown) == 1
    assert await house.ask("mail.mail", "search_count", domain=[]) == before


async def test_the_bot_may_not_delete_calls_and_a_copy_bears_no_mark(phonecalls: OdooHouse) -> None:
    """So the adapter removes nothing, and has nothing to remove: of one external id there is one record."""
    log = a_log()
    first = await pushed(phonecalls, phonecalls.write(log))
    assert first.remote is not None
    ids, server = [int(first.remote.id)], phonecalls.server

    with pytest.raises(OdooRefused, match="AccessError"):
        await server.ask(PHONECALL, "crm.phonecall", "unlink", key=server.bot_key, ids=ids)

    await phonecalls.ask("crm.phonecall", "copy", ids=ids)
    assert [one.remote for one in await phonecalls.crm.read_back([log.call_id])] == [first.remote]
    assert phonecalls.crm.capabilities.removes is False


async def test_a_call_on_a_lead_that_is_lost_meanwhile_is_written(house: OdooHouse) -> None:
    (lead,) = await house.add_records({"name": "Li Wei"})
    await house.ask(LEAD, "action_set_lost", ids=[int(lead.id)])

    log = a_log(crm_ref=str(lead))
    result = await pushed(house, house.write(log))

    assert result.answer is Answer.OK, result.message
    assert [one["home"] for one in await house.standing(log.call_id)] == [lead.id]
