"""The contract of `CrmStore`: facts as they are now, links that are kept, standings that nobody overtakes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cti.contacts.changes import Change
from cti.crm.ports import LinkCounts
from cti.model.calls import Call, CallState, EndReason, Join, Outcome
from cti.model.contacts import Candidate
from cti.model.crm import Link, RecordRef, TargetStanding
from cti.model.queries import RecordingFacts
from cti.model.work import NewWork, Work
from tests.builders import NOW, a_call, a_campaign, later, some_contacts
from tests.contract.conftest import OpenStore, Store

MINUTE = timedelta(minutes=1)


async def a_candidate_of(store: Store) -> Candidate:
    campaign = await store.campaigns.add_campaign(a_campaign(id=0))
    (contact,) = some_contacts(1)
    contact = replace(contact, crm_ref="lead:7")
    await store.campaigns.add_list(campaign_id=campaign.id, name="l", source="t", contacts=[contact], at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    deal = Change(contact={"crm_deal": (None, "deal:9"), "next_follow_up_at": (None, later(900))})
    await store.finding.change(candidate.contact_id, lambda _: deal, kind="edit", by="anna", at=NOW)
    return candidate


async def an_ended_call(store: Store, **given: Any) -> Call:
    candidate = await a_candidate_of(store)
    agent = await store.agents.add_agent(
        login="anna", name="Anna", endpoint="a001", node="pbx", campaign_ids=(candidate.campaign_id,)
    )
    call = a_call(
        number=candidate.number,
        campaign_id=candidate.campaign_id,
        list_id=candidate.list_id,
        contact_id=candidate.contact_id,
        number_id=candidate.number_id,
        crm_ref=candidate.crm_ref,
    )
    await store.calls.place([(call, candidate)])
    ended = replace(
        call,
        state=CallState.ENDED,
        agent_id=agent.id,
        ringing_at=later(2),
        answered_at=later(10),
        connected_at=later(12),
        ended_at=later(72),
        outcome=Outcome.CONNECTED,
        end_reason=EndReason.HUNG_UP,
        cause=16,
        joins=(Join(agent_id=agent.id, channel_id="x", joined_at=later(12), left_at=later(70)),),
        **given,
    )
    await store.calls.save([ended])
    return ended


async def test_a_call_is_told_with_its_names_and_figures(store: Store) -> None:
    call = await an_ended_call(store)
    await store.calls.set_disposition(
        call.id, agent_id=call.agent_id, disposition="sold", note="offer 王", at=later(80)
    )

    log = (await store.crm.logs([call.id, "0" * 32]))[call.id]

    assert (log.call_id, log.number, log.outcome, log.direction) == (
        call.id,
        call.number,
        "connected",
        "outbound",
    )
    assert (log.talk_seconds, log.ring_seconds, log.total_seconds) == (58.0, 8.0, 72.0)
    assert (log.agent, log.agent_name, log.extension) == ("anna", "Anna", "a001")
    assert (log.contact, log.campaign, log.disposition, log.note) == (
        "Contact 0",
        "autumn",
        "sold",
        "offer 王",
    )
    assert (log.crm_ref, log.crm_deal, log.crm_contact) == ("lead:7", "deal:9", None)
    assert (log.recording_seconds, log.recording_url, log.follow_up_at) == (None, None, later(900))


async def test_a_recording_is_told_once_its_file_is_there(store: Store) -> None:
    call = await an_ended_call(store)
    await store.recordings.save_recording(call.id, RecordingFacts(path=None, problem="no file"), at=NOW)
    assert (await store.crm.logs([call.id]))[call.id].recording_seconds is None

    await store.recordings.save_recording(call.id, RecordingFacts(path="a.wav", seconds=61.5), at=NOW)

    assert (await store.crm.logs([call.id]))[call.id].recording_seconds == 61.5


async def test_a_call_that_is_up_has_no_log(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])

    assert await store.crm.logs([call.id]) == {}
    assert await store.crm.logs([]) == {}


async def test_ended_calls_are_listed_by_when_they_were_placed(store: Store) -> None:
    call = await an_ended_call(store)

    assert await store.crm.ended_ids(since=NOW, until=later(1)) == [call.id]
    assert await store.crm.ended_ids(since=NOW, until=NOW) == []
    assert await store.crm.ended_ids(since=NOW, until=later(1), after=call.id) == []
    assert await store.crm.ended_ids(since=NOW, until=later(1), after="0") == [call.id]
    assert await store.crm.ended_ids(since=later(-9), until=NOW, after="0") == []


def link(call_id: str = "a", **given: Any) -> Link:
    return Link(**{"target": "odoo", "call_id": call_id} | given)


async def test_links_are_kept_by_target_and_call(store: Store) -> None:
    whole = link(
        remote=RecordRef("crm.phonecall", "17"),
        version=2,
        fingerprint="abc",
        pushed_at=later(1),
    )
    await store.crm.put_links([whole, link("b", deleted_at=NOW), link("a", target="bottle")])

    assert await store.crm.links("odoo", ["a", "b", "c"]) == {"a": whole, "b": link("b", deleted_at=NOW)}
    assert await store.crm.links("odoo", []) == {}
    await store.crm.put_links([replace(whole, version=3)])
    assert (await store.crm.links("odoo", ["a"]))["a"].version == 3


async def test_links_are_listed_in_pages(store: Store) -> None:
    await store.crm.put_links([link(one) for one in "cab"] + [link("a", target="other")])

    first = await store.crm.links_after("odoo", "", limit=2)
    rest = await store.crm.links_after("odoo", "b", limit=2)

    assert [one.call_id for one in first] == ["a", "b"]
    assert [one.call_id for one in rest] == ["c"]


async def test_a_beginning_leaves_what_else_is_remembered(store: Store) -> None:
    known = link(remote=RecordRef("call", "1"), version=1, fingerprint="f", pushed_at=NOW)
    await store.crm.put_links([known])

    await store.crm.begin("odoo", ["a", "new"], now=later(5))

    links = await store.crm.links("odoo", ["a", "new"])
    assert links == {
        "a": replace(known, sending_at=later(5)),
        "new": link("new", sending_at=later(5)),
    }
    assert links["new"].unsure


async def test_links_are_counted_by_target(store: Store) -> None:
    there = RecordRef("call", "1")
    await store.crm.put_links(
        [
            link("a", remote=there),
            link("b", remote=there, sending_at=NOW),
            link("c", remote=there, deleted_at=NOW),
            link("d", target="bottle"),
        ]
    )

    assert await store.crm.link_counts() == [
        LinkCounts(target="bottle", written=0, unsure=0, deleted=0),
        LinkCounts(target="odoo", written=2, unsure=1, deleted=1),
    ]


async def test_a_target_nobody_knows_stands_as_new(store: Store) -> None:
    assert await store.crm.standing("odoo") == TargetStanding(target="odoo")
    assert await store.crm.standings() == []


async def test_a_standing_is_kept_whole(store: Store) -> None:
    wanted = TargetStanding(
        target="odoo",
        state="paused",
        reason="away",
        since=NOW,
        until=later(9),
        failures=3,
        tokens=-1.5,
        tokens_at=later(1),
        slowed=0.25,
        day="2026-11-23",
        spent=17,
        counts={"ok": 4, "away": 1},
    )

    assert await store.crm.change_standing("odoo", lambda _: wanted) == wanted

    assert await store.crm.standing("odoo") == wanted
    assert await store.crm.standings() == [wanted]


async def test_changes_of_a_standing_at_once_lose_nothing(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]

    async def spend(store: Store) -> None:
        for _ in range(10):
            await store.crm.change_standing("odoo", lambda one: replace(one, spent=one.spent + 1))

    await asyncio.gather(*(spend(store) for store in stores))

    assert (await stores[0].crm.standing("odoo")).spent == 40


async def held(store: Store, *keys: str) -> list[Work]:
    works = [NewWork(kind="crm.push.odoo", key=key, payload={}) for key in keys]
    await store.work.add(works, now=NOW)
    return await store.work.lease(kinds=("crm.push.odoo",), limit=9, now=NOW, lease_for=MINUTE)


async def test_writing_begins_only_of_what_is_held(store: Store) -> None:
    mine, lost = await held(store, "a", "b")
    taken_over = replace(lost, lease="somebody else")

    assert await store.crm.begin_held("odoo", [mine, taken_over], now=later(1), lease_for=MINUTE) == {lost.id}

    links = await store.crm.links("odoo", ["a", "b"])
    assert {name: link.sending_at for name, link in links.items()} == {"a": later(1)}
    assert await store.work.lease(kinds=("crm.push.odoo",), limit=9, now=later(60), lease_for=MINUTE) != []
    assert await store.crm.begin_held("odoo", [], now=NOW, lease_for=MINUTE) == set()


async def test_settling_writes_links_ends_and_standing_of_what_is_held(store: Store) -> None:
    over, again, lost, newer = await held(store, "a", "b", "c", "d")
    await store.work.add([NewWork(kind="crm.push.odoo", key="d", payload={"n": 2})], now=NOW)
    told: list[set[int]] = []

    def change(ids: Any) -> Any:
        told.append(set(ids))
        return lambda standing: replace(standing, spent=7)

    works = (over, again, replace(lost, lease="somebody else"), newer)
    gone = await store.crm.settle_held(
        "odoo",
        [(work, Link(target="odoo", call_id=work.key, version=1)) for work in works],
        over={over.id, lost.id, newer.id},
        change=change,
        now=later(1),
        lease_for=MINUTE,
    )

    assert (gone, told) == ({lost.id}, [{lost.id}])
    assert set(await store.crm.links("odoo", ["a", "b", "c", "d"])) == {"a", "b", "d"}
    assert (await store.crm.standing("odoo")).spent == 7
    (counts,) = await store.work.counts()
    assert (counts.done, counts.leased, counts.waiting) == (1, 2, 1), "a newer version waits"
