"""`JudgementStore`: a judgement with its marks and its place in the queue, on each store."""

import asyncio
from dataclasses import replace

import pytest

from cti.errors import Conflict, NotFound
from cti.model.judgements import Bite, Changed, JudgementFilter, RescanState
from cti.model.keyword_rules import RuleKind, Severity
from cti.model.reviews import QueueSource, QueueState
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.judged import a_placed_call, a_verdict, judged, marks
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.said import a_judgement, a_transcript


async def waiting(store: Store) -> list[tuple[str, str, int]]:
    places = await store.quality.queue.places(
        state=QueueState.WAITING, campaign_id=None, after=None, limit=100
    )
    return [(one.call.call_id, one.reason, one.priority) for one in places]


async def test_a_judgement_comes_back_whole(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store, contacts=0), await a_stored_agent(store)
    call = await a_placed_call(store, campaign_id=campaign_id, agent_id=agent_id)
    assert await store.quality.judgements.call(call.call_id) == call
    kept = a_verdict("quiet", broken=False, hits=(), count=0)
    said = a_verdict("hello", kind=RuleKind.MUST_SAY, broken=False)
    unsaid = a_verdict("law", Severity.NOTE, kind=RuleKind.MUST_SAY, hits=(), count=0)
    judgement = judged(call, said, unsaid, kept, language="zh", revision=3)

    assert await store.quality.judgements.save(judgement) == Changed(new=("law",))

    assert await store.quality.judgements.judgement(call.call_id) == judgement
    assert await store.quality.judgements.judgement("0" * 32) is None
    assert await marks(store, call.call_id) == {("rule", "law"): 0.0}
    assert await waiting(store) == []  # a note flags nothing


async def test_judging_again_takes_the_place_of_the_first_and_tells_what_changed(store: Store) -> None:
    call = await a_placed_call(store)
    save = store.quality.judgements.save
    await save(judged(call, a_verdict("a"), a_verdict("b", Severity.NOTE)))

    assert await save(judged(call, a_verdict("a"), a_verdict("b", Severity.NOTE))) == Changed()
    now = judged(call, a_verdict("b"), a_verdict("c", Severity.ALERT, count=7), revision=2)
    assert await save(now) == Changed(new=("b", "c"), gone=("a",))

    assert await store.quality.judgements.judgement(call.call_id) == now
    assert await marks(store, call.call_id) == {("rule", "b"): 1.0, ("rule", "c"): 7.0}


async def test_a_late_judgement_changes_nothing(store: Store) -> None:
    call = await a_placed_call(store)
    newest = judged(call, a_verdict("a"), transcript_version=2, revision=2)
    await store.quality.judgements.save(newest)
    for late in ({"transcript_version": 1, "revision": 9}, {"transcript_version": 2, "revision": 1}):
        found = await store.quality.judgements.save(judged(call, a_verdict("z"), **late))
        assert found == Changed()
    assert await store.quality.judgements.judgement(call.call_id) == newest
    assert await marks(store, call.call_id) == {("rule", "a"): 1.0}


async def test_a_call_that_is_not_there_is_not_judged(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.quality.judgements.save(a_judgement())


async def test_flagged_calls_come_into_the_queue_and_go_when_nothing_is_broken_any_more(store: Store) -> None:
    flag, alert = await a_placed_call(store), await a_placed_call(store, 1)
    save = store.quality.judgements.save
    await save(judged(flag, a_verdict("x")))
    await save(judged(alert, a_verdict("x"), a_verdict("y", Severity.ALERT)))
    assert await waiting(store) == [(alert.call_id, "x, y", 10), (flag.call_id, "x", 20)]

    await save(judged(alert, a_verdict("x"), revision=2))
    assert await waiting(store) == [(flag.call_id, "x", 20), (alert.call_id, "x", 20)]

    await save(judged(flag, revision=2))
    assert await waiting(store) == [(alert.call_id, "x", 20)]
    [dropped] = await store.quality.queue.places(
        state=QueueState.DROPPED, campaign_id=None, after=None, limit=9
    )
    assert (dropped.call, dropped.done_at) == (flag, NOW)


async def test_a_call_that_was_dropped_comes_back_only_for_a_rule_that_is_newly_broken(store: Store) -> None:
    call = await a_placed_call(store)
    save, queue = store.quality.judgements.save, store.quality.queue
    await save(judged(call, a_verdict("x")))
    [place] = await queue.places(state=None, campaign_id=None, after=None, limit=9)
    assert await queue.drop(place.id, at=NOW)

    await save(judged(call, a_verdict("x"), revision=2))
    assert await waiting(store) == []
    await save(judged(call, a_verdict("x"), a_verdict("y"), revision=3))
    assert await waiting(store) == [(call.call_id, "x, y", 20)]


async def test_a_call_that_somebody_reviews_stays_when_its_rules_change(store: Store) -> None:
    call = await a_placed_call(store)
    await store.quality.judgements.save(judged(call, a_verdict("x")))
    await store.quality.queue.claim("rita", campaign_id=None, until=later(60), now=NOW)
    await store.quality.judgements.save(judged(call, revision=2))
    assert len(await waiting(store)) == 1


async def test_a_call_put_in_by_hand_stays_whatever_is_judged(store: Store) -> None:
    call = await a_placed_call(store)
    await store.quality.queue.put([call.call_id], source=QueueSource.HAND, reason="me", priority=5, at=NOW)
    await store.quality.judgements.save(judged(call, a_verdict("x")))
    await store.quality.judgements.save(judged(call, revision=2))
    assert await waiting(store) == [(call.call_id, "me", 5)]


async def test_two_judgings_at_once_leave_one_judgement(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    call = await a_placed_call(stores[0])
    found = await asyncio.gather(
        *(stores[n % 3].quality.judgements.save(judged(call, a_verdict("x"))) for n in range(6))
    )
    assert sorted(len(one.new) for one in found) == [0, 0, 0, 0, 0, 1]
    assert len(await waiting(stores[0])) == 1


async def test_flagged_calls_are_listed_newest_first_by_what_is_asked(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store, contacts=0), await a_stored_agent(store)
    one = await a_placed_call(store, 0, campaign_id=campaign_id)
    two = await a_placed_call(store, 10, agent_id=agent_id)
    three = await a_placed_call(store, 20)
    fine = await a_placed_call(store, 30)
    save = store.quality.judgements.save
    await save(judged(one, a_verdict("x"), a_verdict("kept", broken=False)))
    await save(judged(two, a_verdict("x"), a_verdict("y", Severity.ALERT)))
    await save(judged(three, a_verdict("y", Severity.NOTE)))
    await save(judged(fine, a_verdict("x", broken=False)))

    async def listed(**wanted: object) -> list[str]:
        return [
            found.call.call_id
            for found in await store.quality.judgements.flagged(JudgementFilter(**wanted))  # type: ignore[arg-type]
        ]

    ordered = sorted([one, two, three], key=lambda call: call.call_id, reverse=True)
    found = await store.quality.judgements.flagged(JudgementFilter())
    assert [flagged.call for flagged in found] == ordered
    by_id = {flagged.call.call_id: flagged for flagged in found}
    assert by_id[two.call_id].severity is Severity.ALERT
    assert by_id[two.call_id].verdicts == (a_verdict("x"), a_verdict("y", Severity.ALERT))
    assert by_id[one.call_id].verdicts == (a_verdict("x"),)
    assert await listed(rule="y", limit=1) == [max(two.call_id, three.call_id)]
    assert set(await listed(rule="x")) == {one.call_id, two.call_id}
    assert await listed(campaign_id=campaign_id) == [one.call_id]
    assert await listed(agent_id=agent_id) == [two.call_id]
    assert await listed(since=later(10), until=later(20)) == [two.call_id]
    assert await listed(before_id=ordered[0].call_id, limit=1) == [ordered[1].call_id]


async def test_what_is_forgotten_leaves_no_hit_and_no_mark(store: Store) -> None:
    call, other = await a_placed_call(store), await a_placed_call(store, 1)
    for one in (call, other):
        await store.quality.judgements.save(judged(one, a_verdict("x")))
    assert await store.quality.judgements.forget([call.call_id, "0" * 32]) == 1
    assert await store.quality.judgements.judgement(call.call_id) is None
    assert await marks(store, call.call_id) == {}
    assert await marks(store, other.call_id) == {("rule", "x"): 1.0}
    found = await store.quality.judgements.flagged(JudgementFilter())
    assert [one.call for one in found] == [other]


async def test_a_rescan_walks_through_calls_with_a_transcript_newest_first(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    calls = [await a_placed_call(store, n, campaign_id=campaign_id) for n in range(3)]
    await a_placed_call(store, 5, campaign_id=campaign_id)
    other = await a_placed_call(store, 6)
    for call in (*calls, other):
        await store.transcripts.save(a_transcript(call_id=call.call_id))
    judgements = store.quality.judgements

    rescan = await judgements.begin_rescan(
        campaign_id=campaign_id, since=later(1), revision=4, by="lead", at=NOW
    )
    assert (rescan.matched, rescan.state, rescan.revision) == (2, RescanState.RUNNING, 4)
    with pytest.raises(Conflict, match="runs already"):
        await judgements.begin_rescan(campaign_id=None, since=None, revision=4, by="lead", at=NOW)
    ids = sorted((call.call_id for call in calls[1:]), reverse=True)
    assert await judgements.next_calls(rescan, limit=10) == ids
    assert await judgements.next_calls(rescan, limit=1) == ids[:1]

    bite = Bite(position=ids[0], judged=1, changed=1, without_transcript=0)
    rescan = await judgements.bitten(rescan.id, bite)
    assert await judgements.bitten(rescan.id, bite) == rescan  # noted once
    assert (rescan.judged, rescan.changed, rescan.position) == (1, 1, ids[0])
    assert await judgements.next_calls(rescan, limit=10) == ids[1:]

    done = await judgements.end_rescan(rescan.id, RescanState.DONE, at=later(9))
    assert (done.state, done.finished_at) == (RescanState.DONE, later(9))
    assert await judgements.end_rescan(rescan.id, RescanState.STOPPED, at=later(10)) == done
    assert await judgements.rescan(rescan.id) == done
    again = await judgements.begin_rescan(campaign_id=None, since=None, revision=5, by="lead", at=NOW)
    assert again.matched == 4
    assert [one.id for one in await judgements.rescans(limit=5)] == [again.id, rescan.id]
    works = {one.kind: one.waiting for one in await store.work.counts()}
    assert works["quality.rescan"] == 2
    with pytest.raises(NotFound):
        await judgements.rescan(999)


async def test_figures_that_say_nothing_come_back_as_nothing(store: Store) -> None:
    call = await a_placed_call(store)
    judgement = judged(call)
    assert judgement.figures.talk_ratio is None
    await store.quality.judgements.save(replace(judgement))
    found = await store.quality.judgements.judgement(call.call_id)
    assert found is not None
    assert found.figures == judgement.figures
