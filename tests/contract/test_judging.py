"""Judging from end to end over each store: by the work runner, twice, after a kill, and anew after a rule's change."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cti.bus import EventBus, Subscription
from cti.errors import GiveUp
from cti.model.events import CallFlagged
from cti.model.judgements import RescanState
from cti.model.keyword_rules import Severity
from cti.model.searches import SearchFilter
from cti.model.work import NewWork, Work
from cti.quality import rescans
from cti.quality.review_desk import GivenAnswer
from cti.search.ports import Asked
from cti.search.query import parse
from cti.wiring.quality import QualityParts
from cti.work.runner import WorkRunner
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.judged import a_placed_call, marks
from tests.fakes.clock import FakeClock
from tests.fakes.quality_parts import quality_parts
from tests.said import a_card, a_rule, a_transcript

PROMISE = a_rule("guaranteed", code="promise", title="Promises", severity=Severity.ALERT)


class Desk:
    """Judging, with what it told."""

    def __init__(self, store: Store) -> None:
        self.store, self.bus, self.clock = store, EventBus(), FakeClock()
        self.parts: QualityParts = quality_parts(store, self.bus, self.clock, lambda: [])

    async def a_call(self, said: str, seconds: float = 0.0) -> str:
        """Store a call with a transcript."""
        call = await a_placed_call(self.store, seconds)
        await self.store.transcripts.save(a_transcript(("agent", 1, said), call_id=call.call_id))
        return call.call_id

    async def judge(self, call_id: str) -> None:
        """Run the handler as the runner does."""
        await self.parts.handlers["quality.judge"](a_work("quality.judge", call_id))

    async def rescan(self) -> int:
        """Begin a rescan and return its id."""
        begun = await self.parts.desks.rescans.begin(campaign_id=None, since=None, by="lead")
        return begun.id

    async def carry_out(self, rescan_id: int) -> None:
        """Run the handler of the rescan's work."""
        work = replace(a_work("quality.rescan", str(rescan_id)), payload={"id": rescan_id})
        await self.parts.handlers["quality.rescan"](work)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def a_work(kind: str, key: str) -> Work:
    return Work(
        id=1, kind=kind, key=key, version=1, payload={}, attempts=1, lease="x", leased_until=later(60)
    )


def told(events: Subscription) -> list[str]:
    """Return the calls that were told of."""
    found = []
    while not events._queue.empty():
        event = events._queue.get_nowait()
        assert isinstance(event, CallFlagged)
        found.append(event.call_id)
    return found


async def test_the_work_runner_judges_a_call_whose_transcript_is_there(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    call_id = await desk.a_call("it is guaranteed")
    await desk.store.work.add([NewWork(kind="quality.judge", key=call_id, payload={})], now=NOW)
    runner = WorkRunner(store=desk.store.work, handlers=desk.parts.handlers, clock=desk.clock)

    async with asyncio.TaskGroup() as tasks:
        await runner.step(tasks)

    judgement = await desk.store.quality.judgements.judgement(call_id)
    assert judgement is not None
    assert [(one.code, one.broken) for one in judgement.verdicts] == [("promise", True)]
    assert judgement.figures.agent_turns == 1
    [counts] = await desk.store.work.counts()
    assert (counts.kind, counts.done) == ("quality.judge", 1)


async def test_judging_twice_tells_and_queues_once(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    call_id = await desk.a_call("it is guaranteed")
    with desk.bus.subscribe() as events:
        await desk.judge(call_id)
        await desk.judge(call_id)
        assert told(events) == [call_id]
    assert len(await desk.parts.desks.queue.places(state=None)) == 1


async def test_a_better_transcript_is_judged_anew(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    call_id = await desk.a_call("it is guaranteed")
    await desk.judge(call_id)
    better = a_transcript(("agent", 1, "it is guarded"), call_id=call_id, fingerprint="better")
    await desk.store.transcripts.save(better)
    await desk.judge(call_id)
    judgement = await desk.store.quality.judgements.judgement(call_id)
    assert judgement is not None
    assert (judgement.transcript_version, judgement.severity) == (2, None)
    assert await marks(desk.store, call_id) == {}
    assert await desk.parts.desks.queue.places() == []


async def test_without_a_transcript_nothing_is_kept_and_without_a_call_it_is_given_up(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    call_id = await desk.a_call("it is guaranteed")
    await desk.judge(call_id)
    await desk.store.transcripts.forget([call_id])
    await desk.judge(call_id)
    assert await desk.store.quality.judgements.judgement(call_id) is None
    with pytest.raises(GiveUp, match="there is no call"):
        await desk.judge("0" * 32)


async def test_a_rescan_that_is_killed_goes_on_where_it_stood(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescans, "BITE", 2)
    calls = [await desk.a_call("it is guaranteed" if n % 2 else "hello", n) for n in range(7)]
    await desk.parts.rules.put([PROMISE], by="lead")
    rescan_id = await desk.rescan()
    judge, judged = desk.parts.judge.judge, 0

    async def dying(call_id: str, *, alert: bool) -> object:
        nonlocal judged
        judged += 1
        if judged == 4:
            raise ConnectionError("killed")
        return await judge(call_id, alert=alert)

    monkeypatch.setattr(desk.parts.judge, "judge", dying)
    with pytest.raises(ConnectionError):
        await desk.carry_out(rescan_id)
    assert (await desk.parts.desks.rescans.rescan(rescan_id)).judged == 2
    await desk.carry_out(rescan_id)

    done = await desk.parts.desks.rescans.rescan(rescan_id)
    assert (done.state, done.matched, done.judged) == (RescanState.DONE, 7, 7)
    # one that was judged in the bite that died is as before when it is judged again, and not counted
    assert done.changed in (2, 3)
    places = await desk.parts.desks.queue.places()
    assert {place.call.call_id for place in places} == set(calls[1::2])
    await desk.carry_out(rescan_id)
    assert await desk.parts.desks.rescans.rescan(rescan_id) == done


async def test_a_rescan_that_is_stopped_judges_no_more_and_another_may_begin(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescans, "BITE", 2)
    for n in range(6):
        await desk.a_call("hello", n)
    rescan_id = await desk.rescan()
    judge = desk.parts.judge.judge

    async def stopping(call_id: str, *, alert: bool) -> object:
        await desk.parts.desks.rescans.stop(rescan_id)
        return await judge(call_id, alert=alert)

    monkeypatch.setattr(desk.parts.judge, "judge", stopping)
    await desk.carry_out(rescan_id)
    stopped = await desk.parts.desks.rescans.rescan(rescan_id)
    assert (stopped.state, stopped.judged) == (RescanState.STOPPED, 2)
    assert await desk.rescan() != rescan_id


async def test_a_changed_rule_leaves_old_verdicts_explained_until_a_rescan(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    call_id = await desk.a_call("it is guaranteed")
    await desk.judge(call_id)
    await desk.parts.rules.put([replace(PROMISE, phrases=("certain",))], by="lead")

    old = await desk.store.quality.judgements.judgement(call_id)
    assert old is not None
    [verdict] = old.verdicts
    explained = {one.version: one.rule for one in desk.parts.rules.history("promise")}
    assert explained[verdict.version].phrases == ("guaranteed",)

    with desk.bus.subscribe() as events:
        await desk.carry_out(await desk.rescan())
        assert told(events) == []
    new = await desk.store.quality.judgements.judgement(call_id)
    assert new is not None
    assert (new.revision, new.severity, new.verdicts[0].version) == (2, None, 2)


async def test_what_was_written_is_loaded_by_the_next_process(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    other = quality_parts(desk.store, desk.bus, desk.clock, lambda: [])
    await other.load()
    assert other.rules.book().revision == 1
    assert [one.rule for one in other.rules.rules()] == [PROMISE]


async def test_search_finds_calls_by_the_rules_they_broke_and_by_their_score(desk: Desk) -> None:
    await desk.parts.rules.put([PROMISE], by="lead")
    flagged, fine = await desk.a_call("it is guaranteed"), await desk.a_call("it is fine", 1)
    for call_id in (flagged, fine):
        await desk.judge(call_id)
    card = await desk.parts.cards.put(a_card(), by="lead")
    review = await desk.parts.desks.reviews.begin(fine, card.card.code, reviewer="rita")
    answered = await desk.parts.desks.reviews.answer(
        review.id, {"greeting": GivenAnswer(value="yes")}, reviewer="rita", edition=review.edition
    )
    await desk.parts.desks.reviews.submit(review.id, reviewer="rita", edition=answered.edition)

    async def found(**narrow: Any) -> list[str]:
        asked = Asked(query=parse("it"), narrow=SearchFilter(**narrow))
        return [hit.call_id for hit in (await desk.store.search.find(asked)).hits]

    assert await found() == [fine, flagged]
    assert await found(rule="promise") == [flagged]
    assert await found(min_score=90.0) == [fine]
    assert await found(max_score=90.0) == []
