"""Calls over the API: lists and pages, the verdict."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.model.call_record import CALL_FIELDS
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Link
from cti.model.queries import CallFilter
from tests.builders import NOW, a_call, a_campaign, later, some_contacts
from tests.fakes.memory_looks import set_columns
from tests.fakes.site import Site


def call_id(number: int) -> str:
    return f"{number:032x}"


async def stored(site: Site, at: int, **given: Any) -> Call:
    call = a_call(id=call_id(at), placed_at=later(at), campaign_id=1, **given)
    await site.store.calls.place([(call, None)])
    return call


async def test_a_page_tells_where_the_next_one_begins(site: Site) -> None:
    for number in range(1, 6):
        await stored(site, number)
    seen, cursor = [], ""
    while True:
        told = await site.told("GET", f"calls?limit=2{cursor}")
        seen += [call["id"] for call in told["calls"]]
        if told["next"] is None:
            break
        cursor = f"&cursor={told['next']}"
    assert seen == [call_id(number) for number in (5, 4, 3, 2, 1)]


async def test_calls_are_found_by_what_is_known_of_them(site: Site) -> None:
    await stored(site, 1, agent_id=site.anna, number="+493023125001")
    ended = await stored(site, 2, agent_id=site.bob, number="+493023125002")
    await site.store.calls.save(
        [replace(ended, state=CallState.ENDED, outcome=Outcome.BUSY, ended_at=later(9))]
    )

    async def found(query: str) -> list[int]:
        told = await site.told("GET", "calls", params=dict([query.split("=", 1)]))
        return [int(call["id"], 16) for call in told["calls"]]

    assert await found("agent=anna") == [1]
    assert await found("campaign=autumn") == [2, 1]
    assert await found("number=25002") == [2]
    assert await found("number=+493023125001") == [1]
    assert await found("outcome=busy") == [2]
    assert await found("open=true") == [1]
    assert await found(f"since={later(2).isoformat()}") == [2]
    assert await found(f"until={later(2).isoformat()}") == [1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "outcome=great",
        "since=yesterday",
        "since=2026-11-23T10:00:00",
        "number=abc",
        "cursor=../..",
        "colour=red",
        "columns=id,nothing",
        "format=xml",
        "open=maybe",
        "limit=1&limit=2",
    ],
)
async def test_a_wrong_question_is_refused(site: Site, query: str) -> None:
    assert (await site.refused("GET", f"calls?{query}", status=422))["kind"] == "bad_input"


async def test_a_record_has_every_field_that_is_documented_and_no_other(site: Site) -> None:
    await stored(site, 1, agent_id=site.anna)
    record = await site.told("GET", f"calls/{call_id(1)}")
    assert list(record) == [field.name for field in CALL_FIELDS]
    assert (record["agent"], record["campaign"]) == ("anna", "autumn")
    assert record["placed_at"] == "2026-11-23T09:00:01.000000Z"


async def test_csv_has_the_columns_asked_for_and_disarms_formulas(site: Site) -> None:
    await stored(site, 1)
    await site.store.calls.set_disposition(
        call_id(1), agent_id=site.anna, disposition="=cmd|x", note="-1", at=NOW
    )
    answer = await site.ask("GET", "calls?format=csv&columns=number,disposition,note,outcome")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert await answer.text() == "number,disposition,note,outcome\r\n+4930901820,'=cmd|x,-1,\r\n"


async def test_csv_brings_all_calls_whatever_the_limit(site: Site) -> None:
    for number in range(1, 2001):
        await stored(site, number)
    answer = await site.ask("GET", "calls?format=csv&limit=1")
    assert len((await answer.text()).splitlines()) == 2001


async def test_an_agent_sees_his_own_calls_alone(site: Site) -> None:
    await stored(site, 1, agent_id=site.anna)
    await stored(site, 2, agent_id=site.bob)
    told = await site.told("GET", "calls", as_="anna")
    assert [call["id"] for call in told["calls"]] == [call_id(1)]
    await site.told("GET", f"calls/{call_id(1)}", as_="anna")
    await site.refused("GET", f"calls/{call_id(2)}", as_="anna", status=403)
    await site.refused("GET", f"calls/{call_id(2)}/recording", as_="anna", status=403)
    body = {"disposition": "sold"}
    await site.refused("PUT", f"calls/{call_id(2)}/disposition", json=body, as_="anna", status=403)


async def test_a_call_between_two_others_is_not_taken_for_its_neighbour(site: Site) -> None:
    await stored(site, 1)
    await stored(site, 3)
    await site.refused("GET", f"calls/{call_id(2)}", status=404)
    await site.refused("GET", f"calls/{call_id(4)}", status=404)


async def test_the_verdict_of_an_agent_is_kept_and_again_overwrites(site: Site) -> None:
    await stored(site, 1, agent_id=site.anna)
    path = f"calls/{call_id(1)}/disposition"
    await site.told("PUT", path, json={"disposition": "sold", "note": "two\nlines"}, as_="anna")
    assert site.store.tables.verdicts[call_id(1)].agent_id == site.anna
    record = await site.told("PUT", path, json={"disposition": "not sold"}, as_="anna")
    assert (record["disposition"], record["note"]) == ("not sold", "")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"disposition": ""},
        {"disposition": "x" * 65},
        {"disposition": "a\x00"},
        {"disposition": "a\nb"},
        {"disposition": "x", "note": "\x00"},
        {"disposition": "x", "note": 5},
        {"disposition": "x", "who": 2},
    ],
)
async def test_a_wrong_verdict_is_refused(site: Site, body: dict[str, object]) -> None:
    await stored(site, 1, agent_id=site.anna)
    await site.refused("PUT", f"calls/{call_id(1)}/disposition", json=body, status=422)
    assert site.store.tables.verdicts == {}


@pytest.mark.parametrize("name", ["1", "..%2f..%2fetc%2fpasswd", "z" * 32, "A" * 32, "0" * 33, "%00" * 32])
async def test_an_id_that_is_none_is_not_found(site: Site, name: str) -> None:
    await site.refused("GET", f"calls/{name}", status=404)
    await site.refused("GET", f"calls/{name}/recording", status=404)


async def test_the_floor_shows_what_is_up(site: Site) -> None:
    await stored(site, 1)
    ended = await stored(site, 2)
    await site.store.calls.save([replace(ended, state=CallState.ENDED, ended_at=NOW + timedelta(seconds=3))])
    floor = await site.told("GET", "floor")
    assert [call["id"] for call in floor["calls"]] == [call_id(1)]
    assert [agent["login"] for agent in floor["agents"]] == ["anna", "bob"]
    assert floor["campaigns"][0]["progress"]["total"] == 0
    assert floor["nodes"][0]["connected"] is True


async def test_a_call_that_is_up_and_its_own_page_tell_the_contact_s_deal(site: Site) -> None:
    contacts = some_contacts(1)
    campaign = await site.store.campaigns.add_campaign(a_campaign(id=0, name="deals"))
    await site.store.campaigns.add_list(
        campaign_id=campaign.id, name="l", source="t", contacts=contacts, at=NOW
    )
    (candidate,) = await site.store.campaigns.next_candidates(campaign.id, limit=1)
    deal = {"ref": "odoo/crm.lead:1", "name": "Roof", "stage": "Offer", "amount": 1200.0, "currency": "EUR"}
    set_columns(site.store.tables, candidate.contact_id, {"deal": deal})
    await stored(site, 1, contact_id=candidate.contact_id)
    await stored(site, 2)

    floor = await site.told("GET", "floor")

    assert {call["id"]: call["deal"] for call in floor["calls"]} == {call_id(1): deal, call_id(2): None}
    assert {call["contact"] for call in floor["calls"]} == {"Contact 0", None}
    assert (await site.told("GET", f"calls/{call_id(1)}"))["deal"] == deal
    assert (await site.told("GET", "calls?open=true"))["calls"][-1]["deal"] == deal


async def a_talk(site: Site, **given: Any) -> Call:
    """An ended call of Anna's."""
    call = await stored(site, 1, agent_id=site.anna, **given)
    done = replace(call, state=CallState.ENDED, outcome=Outcome.CONNECTED, ended_at=later(9))
    await site.store.calls.save([done])
    return done


async def chosen(site: Site, ref: str | None, *, status: int = 200, as_: str = "anna") -> Any:
    body = {"crm_ref": ref}
    return await site.told("PUT", f"calls/{call_id(1)}/record", status=status, as_=as_, json=body)


def work_of(site: Site) -> dict[str, int]:
    return {row.wish.kind: row.version for row in site.store.tables.works.values()}


async def test_a_rep_chooses_the_record_that_his_call_belongs_to(site: Site) -> None:
    await stored(site, 1, agent_id=site.anna)
    told = await chosen(site, "odoo/crm.lead:7")
    assert (told["id"], told["crm_ref"]) == (call_id(1), "odoo/crm.lead:7")
    assert work_of(site) == {}  # it is written when the call ends
    assert (await chosen(site, "crm.lead:8"))["crm_ref"] == "crm.lead:8"


async def test_chosen_after_the_end_the_call_is_written_anew(site: Site) -> None:
    await a_talk(site)
    await chosen(site, "odoo/crm.lead:7")
    assert work_of(site) == {"crm.push.odoo": 1, "crm.push.rest": 1}


async def test_another_agents_call_is_not_his_to_choose_for(site: Site) -> None:
    await stored(site, 1, agent_id=site.bob)
    await chosen(site, "odoo/crm.lead:7", status=403)
    await chosen(site, "odoo/crm.lead:7", as_="lead")
    await chosen(site, "odoo/crm.lead:7", status=403, as_="qa")


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("no reference", "is no reference"),
        ("other/crm.lead:7", "there are: odoo, rest"),
        ("", "crm_ref"),
        (None, "crm_ref"),
    ],
)
async def test_what_is_no_record_of_a_crm_is_refused(site: Site, ref: str | None, words: str) -> None:
    await stored(site, 1, agent_id=site.anna)
    error = (await chosen(site, ref, status=422))["error"]
    assert words in error["message"]
    (row,) = await site.store.facts.call_rows(CallFilter())
    assert row.call.crm_ref is None


@pytest.mark.parametrize(
    ("before", "link", "status"),
    [
        pytest.param("odoo/lead:1", {"version": 1}, 409, id="written there"),
        pytest.param("odoo/lead:1", {"sending_at": NOW}, 409, id="perhaps written there"),
        pytest.param("odoo/lead:1", {}, 200, id="not written yet"),
        pytest.param(None, {"version": 1}, 200, id="written without a record"),
        pytest.param("rest/lead:1", {"version": 1}, 200, id="named a record of another"),
    ],
)
async def test_what_stands_on_a_record_is_moved_in_the_crm_alone(
    site: Site, before: str | None, link: dict[str, Any], status: int
) -> None:
    call = await a_talk(site, crm_ref=before)
    await site.store.crm.put_links([Link(target="odoo", call_id=call.id, **link)])
    told = await chosen(site, "odoo/lead:2", status=status)
    assert status == 200 or "move it there" in told["error"]["message"]


@pytest.mark.parametrize("column", ["crm_contact", "crm_customer", "crm_deal"])
@pytest.mark.parametrize(("ref", "status"), [("odoo/res.partner:5", 409), ("rest/contact:5", 200)])
async def test_nor_is_what_stands_on_a_record_of_its_contacts(
    site: Site, column: str, ref: str, status: int
) -> None:
    """A call that names no record itself is written on those."""
    campaign = await site.store.campaigns.add_campaign(a_campaign(id=0, name="c"))
    await site.store.campaigns.add_list(
        campaign_id=campaign.id, name="l", source="t", contacts=some_contacts(1), at=NOW
    )
    (candidate,) = await site.store.campaigns.next_candidates(campaign.id, limit=1)
    set_columns(site.store.tables, candidate.contact_id, {column: ref})
    call = await a_talk(site, contact_id=candidate.contact_id)
    await site.store.crm.put_links([Link(target="odoo", call_id=call.id, version=1)])

    told = await chosen(site, "odoo/lead:2", status=status)

    assert status == 200 or "stands in odoo on odoo/res.partner:5" in told["error"]["message"]
