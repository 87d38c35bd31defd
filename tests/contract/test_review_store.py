"""`ReviewStore` and `QueueStore`: reviews, and who holds which call, on each store."""

import asyncio
from dataclasses import replace

import pytest

from cti.errors import Conflict, NotFound
from cti.model.judgements import JudgedCall
from cti.model.reviews import AnsweredBy, QueueSource, QueueState, ReviewMove, ReviewState, ScoreAnswer
from cti.quality.ports import ReviewFilter
from cti.quality.talk import talk_figures
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.judged import (
    a_placed_call,
    a_review,
    a_step,
    a_stored_card,
    begun,
    judged,
    marks,
    submitted,
)
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.said import a_transcript


async def test_a_review_comes_back_whole(store: Store) -> None:
    call, card = await a_placed_call(store), await a_stored_card(store)
    answers = {
        "greeting": ScoreAnswer(
            value="no", share=0.0, evidence={"rule": "hello", "hits": []}, note="he did, 后来"
        ),
        "care": ScoreAnswer(value="na", answered_by=AnsweredBy.SERVICE),
    }
    wanted = a_review(call, card, answers=answers, points=None, fatal=("greeting",))

    made = await store.quality.reviews.begin(wanted, step=a_step(change={"x": [1, None]}))

    assert made == replace(wanted, id=made.id)
    assert await store.quality.reviews.review(made.id) == made
    assert await store.quality.reviews.steps(made.id) == [a_step(change={"x": [1, None]})]
    with pytest.raises(NotFound, match="there is no review 999"):
        await store.quality.reviews.review(999)


async def test_a_change_counts_the_edition_up_and_one_of_an_older_edition_is_refused(store: Store) -> None:
    call, card = await a_placed_call(store), await a_stored_card(store)
    draft = await begun(store, call, card)
    answers = {"greeting": ScoreAnswer(value="no", share=0.0)}

    saved = await store.quality.reviews.save(
        replace(draft, answers=answers, points=0.0, changed_at=later(1)),
        edition=1,
        step=a_step(ReviewMove.ANSWERED),
    )

    assert saved == replace(draft, answers=answers, points=0.0, changed_at=later(1), edition=2)
    with pytest.raises(Conflict, match="changed meanwhile: it is edition 2, not 1"):
        await store.quality.reviews.save(draft, edition=1, step=a_step())
    moves = [one.move for one in await store.quality.reviews.steps(draft.id)]
    assert moves == [ReviewMove.BEGUN, ReviewMove.ANSWERED]


async def test_a_submitted_review_ends_the_waiting_and_marks_the_call_with_its_score(store: Store) -> None:
    call, card = await a_placed_call(store), await a_stored_card(store)
    await store.quality.queue.put([call.call_id], source=QueueSource.HAND, reason="", priority=5, at=NOW)
    draft = await begun(store, call, card, points=80.0)
    assert await marks(store, call.call_id) == {}

    done = replace(draft, state=ReviewState.SUBMITTED, submitted_at=later(5), changed_at=later(5))
    saved = await store.quality.reviews.save(done, edition=1, step=a_step(ReviewMove.SUBMITTED))
    assert await marks(store, call.call_id) == {("score", "sales"): 80.0}
    [place] = await store.quality.queue.places(state=None, campaign_id=None, after=None, limit=9)
    assert (place.state, place.done_at) == (QueueState.DONE, later(5))

    resolved = replace(saved, state=ReviewState.RESOLVED, points=90.0)
    await store.quality.reviews.save(resolved, edition=2, step=a_step(ReviewMove.RESOLVED))
    assert await marks(store, call.call_id) == {("score", "sales"): 90.0}


async def test_a_call_has_one_review_that_counts_by_a_card_and_others_to_compare(store: Store) -> None:
    call, card, other = (
        await a_placed_call(store),
        await a_stored_card(store),
        await a_stored_card(store, "law"),
    )
    await begun(store, call, card)
    await begun(store, call, other)
    with pytest.raises(Conflict, match="the call has a review by this card already"):
        await begun(store, call, card, reviewer="tom")
    await submitted(store, call, card, reviewer="tom", calibration=True, points=10.0)
    with pytest.raises(Conflict, match="you have a review of this call by this card already"):
        await begun(store, call, card, reviewer="tom", calibration=True)
    assert await marks(store, call.call_id) == {}  # what only compares marks nothing


async def test_reviewers_that_race_for_one_call_begin_one_review(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    call, card = await a_placed_call(stores[0]), await a_stored_card(stores[0])
    found = await asyncio.gather(
        *(begun(stores[n % 3], call, card, reviewer=f"r{n}") for n in range(6)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in found) == 5
    assert len(await stores[0].quality.reviews.reviews(ReviewFilter())) == 1


async def test_reviews_are_listed_newest_first_by_what_is_asked(store: Store) -> None:
    agent_id, card = await a_stored_agent(store), await a_stored_card(store)
    calls = [await a_placed_call(store, agent_id=agent_id), *[await a_placed_call(store) for _ in range(2)]]
    one = await submitted(store, calls[0], card)
    two = await begun(store, calls[1], card, reviewer="tom")
    three = await submitted(store, calls[2], card, calibration=True)

    async def listed(**wanted: object) -> list[int]:
        found = await store.quality.reviews.reviews(ReviewFilter(**wanted))  # type: ignore[arg-type]
        return [review.id for review in found]

    assert await listed() == [three.id, two.id, one.id]
    assert await listed(agent_id=agent_id) == [one.id]
    assert await listed(reviewer="tom") == [two.id]
    assert await listed(state="draft") == [two.id]
    assert await listed(call_id=calls[2].call_id) == [three.id]
    assert await listed(counted_only=True) == [one.id]
    assert await listed(before_id=three.id, limit=1) == [two.id]


async def test_remarks_are_kept_in_order_with_their_second(store: Store) -> None:
    call, card = await a_placed_call(store), await a_stored_card(store)
    review = await begun(store, call, card)
    reviews = store.quality.reviews
    first = await reviews.comment(review.id, by="rita", at=NOW, seconds=12.5, text="here 在这里")
    second = await reviews.comment(review.id, by="anna", at=later(1), seconds=None, text="no")
    assert await reviews.comments(review.id) == [first, second]
    assert (first.seconds, first.text, second.seconds) == (12.5, "here 在这里", None)
    with pytest.raises(NotFound):
        await reviews.comment(999, by="rita", at=NOW, seconds=None, text="x")


async def put(store: Store, *calls: JudgedCall, priority: int = 30) -> int:
    ids = [call.call_id for call in calls]
    return await store.quality.queue.put(
        ids, source=QueueSource.SAMPLE, reason="drawn", priority=priority, at=NOW
    )


async def claimed(store: Store, reviewer: str, at: float = 0.0, **given: int) -> str | None:
    place = await store.quality.queue.claim(
        reviewer, campaign_id=given.get("campaign_id"), until=later(at + 60), now=later(at)
    )
    return place.call.call_id if place else None


async def test_the_queue_gives_out_by_priority_and_the_held_call_again(store: Store) -> None:
    one, two, three = [await a_placed_call(store, n) for n in range(3)]
    await put(store, one, two)
    await put(store, three, priority=5)
    assert await claimed(store, "rita") == three.call_id
    assert await claimed(store, "tom") == one.call_id
    assert await claimed(store, "rita", 1) == three.call_id
    assert await claimed(store, "uma") == two.call_id
    assert await claimed(store, "eve") is None


async def test_a_hold_ends_by_time_by_giving_back_and_is_made_longer_by_work(store: Store) -> None:
    call = await a_placed_call(store)
    await put(store, call)
    queue = store.quality.queue
    assert await claimed(store, "rita") == call.call_id
    assert await queue.extend(call.call_id, "rita", until=later(100))
    assert not await queue.extend(call.call_id, "tom", until=later(500))
    assert await claimed(store, "tom", 99) is None
    assert await claimed(store, "tom", 100) == call.call_id
    assert not await queue.extend(call.call_id, "rita", until=later(900))
    [place] = await queue.places(state=QueueState.WAITING, campaign_id=None, after=None, limit=9)
    assert not await queue.release(place.id, "rita")
    assert await queue.release(place.id, "tom")
    assert await claimed(store, "rita", 101) == call.call_id


async def test_only_calls_that_were_never_queued_or_reviewed_are_put_in(store: Store) -> None:
    known, reviewed, fresh = [await a_placed_call(store, n) for n in range(3)]
    await put(store, known)
    await submitted(store, reviewed, await a_stored_card(store))
    unknown = replace(fresh, call_id="0" * 32)
    assert await put(store, known, reviewed, fresh, fresh, unknown) == 1
    [_, place] = await store.quality.queue.places(state=None, campaign_id=None, after=None, limit=9)
    assert place.call == fresh
    assert await store.quality.queue.drop(place.id, at=NOW)
    assert not await store.quality.queue.drop(place.id, at=NOW)
    assert await put(store, fresh) == 0


async def test_places_are_read_page_by_page_and_of_one_campaign(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    mine = await a_placed_call(store, campaign_id=campaign_id)
    others = [await a_placed_call(store, n) for n in range(3)]
    await put(store, *others)
    await put(store, mine, priority=40)
    queue = store.quality.queue
    first = await queue.places(state=None, campaign_id=None, after=None, limit=2)
    last = (first[-1].priority, first[-1].id)
    rest = await queue.places(state=None, campaign_id=None, after=last, limit=9)
    assert [one.call for one in (*first, *rest)] == [*others, mine]
    assert await claimed(store, "rita", campaign_id=campaign_id) == mine.call_id
    assert await claimed(store, "rita", campaign_id=campaign_id + 1) is None


async def test_reviewers_that_race_never_hold_one_call(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    calls = [await a_placed_call(stores[0], n) for n in range(30)]
    await put(stores[0], *calls)

    async def take_all(reviewer: int) -> list[str]:
        store, taken = stores[reviewer % 3], []
        while place := await store.quality.queue.claim(
            f"r{reviewer}-{len(taken)}", campaign_id=None, until=later(60), now=NOW
        ):
            taken.append(place.call.call_id)
        return taken

    taken = await asyncio.gather(*(take_all(n) for n in range(6)))
    flat = [one for some in taken for one in some]
    assert sorted(flat) == sorted(call.call_id for call in calls)


async def test_calls_worth_a_review_are_judged_long_and_somebodys(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store, contacts=0), await a_stored_agent(store)
    good = await a_placed_call(store, 10, agent_id=agent_id, campaign_id=campaign_id)
    early = await a_placed_call(store, 0, agent_id=agent_id)
    late = await a_placed_call(store, 20, agent_id=agent_id)
    nobodys = await a_placed_call(store, 10)
    short = await a_placed_call(store, 10, agent_id=agent_id)
    await a_placed_call(store, 10, agent_id=agent_id)  # not judged
    for call in (good, early, late, nobodys):
        await store.quality.judgements.save(judged(call))
    brief = talk_figures(a_transcript(seconds=5.0))
    await store.quality.judgements.save(judged(short, figures=brief))
    span = {"since": later(10), "until": later(20), "least_seconds": 20.0}
    assert await store.quality.queue.drawable(campaign_id=None, **span) == [good]  # type: ignore[arg-type]
    found = await store.quality.queue.drawable(campaign_id=campaign_id + 1, **span)  # type: ignore[arg-type]
    assert found == []
