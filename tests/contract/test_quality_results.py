"""`ResultStore`: the same sums in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest

from cti.model.judgements import SUMMED, JudgedTally, RuleCount
from cti.model.keyword_rules import Severity
from cti.model.reviews import (
    AnsweredBy,
    QuestionTally,
    ReviewMove,
    ReviewState,
    ScoreAnswer,
    ScoredTally,
)
from cti.quality.ports import Asked
from cti.quality.talk import talk_figures
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.judged import a_placed_call, a_step, a_stored_card, a_verdict, begun, judged, submitted
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.said import a_transcript

ALL = Asked(since=NOW, until=later(1000))


async def test_judged_calls_are_added_up_by_agent_within_the_span(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store, contacts=0), await a_stored_agent(store)
    figures = talk_figures(a_transcript(("agent", 1, "one two three"), ("customer", 2, "no no no no")))
    calls = [
        await a_placed_call(store, 0, agent_id=agent_id, campaign_id=campaign_id),
        await a_placed_call(store, 10, agent_id=agent_id),
        await a_placed_call(store, 20, agent_id=agent_id),
        await a_placed_call(store, 30),
        await a_placed_call(store, 1000, agent_id=agent_id),
    ]
    verdicts = [
        (a_verdict("x"),),
        (a_verdict("x"), a_verdict("y", Severity.ALERT)),
        (a_verdict("n", Severity.NOTE),),
        (),
        (a_verdict("x"),),
    ]
    for call, found in zip(calls, verdicts, strict=True):
        await store.quality.judgements.save(judged(call, *found, figures=figures))

    tallies = {one.agent_id: one for one in await store.quality.results.judged_tallies(ALL)}

    sums = {name: float(getattr(figures, name)) for name in SUMMED}
    assert set(tallies) == {agent_id, None}
    own = tallies[agent_id]
    assert (own.calls, own.flagged, own.alerts) == (3, 2, 1)
    assert own.sums == pytest.approx({name: 3 * value for name, value in sums.items()})
    assert tallies[None] == JudgedTally(agent_id=None, calls=1, sums=pytest.approx(sums))
    [one] = await store.quality.results.judged_tallies(replace(ALL, campaign_id=campaign_id))
    assert one.calls == 1
    assert await store.quality.results.rule_counts(ALL) == [
        RuleCount(code="x", severity=Severity.FLAG, calls=2),
        RuleCount(code="n", severity=Severity.NOTE, calls=1),
        RuleCount(code="y", severity=Severity.ALERT, calls=1),
    ]
    assert await store.quality.results.rule_counts(replace(ALL, agent_id=agent_id + 1)) == []


async def test_scores_and_answers_are_added_up_without_drafts_and_comparisons(store: Store) -> None:
    agent_id, card = await a_stored_agent(store), await a_stored_card(store)
    calls = [await a_placed_call(store, n, agent_id=agent_id) for n in range(5)]
    overridden = ScoreAnswer(value="no", share=0.0, evidence={"rule": "hello"})
    service = ScoreAnswer(value="yes", share=1.0, answered_by=AnsweredBy.SERVICE, evidence={"rule": "hello"})
    na = ScoreAnswer(value="na")
    await submitted(store, calls[0], card, points=90.0, answers={"greeting": service})
    await submitted(
        store, calls[1], card, points=0.0, fatal=("law",), answers={"greeting": overridden}, reviewer="tom"
    )
    contested = await submitted(store, calls[2], card, points=None, answers={"greeting": na})
    await store.quality.reviews.save(
        replace(contested, state=ReviewState.APPEALED), edition=2, step=a_step(ReviewMove.APPEALED)
    )
    await begun(store, calls[3], card, points=50.0)
    await submitted(store, calls[0], card, points=40.0, reviewer="tom", calibration=True)

    results = store.quality.results
    assert await results.scored_tallies(ALL) == [
        ScoredTally(who=agent_id, reviews=2, points=90.0, passed=1, fatal=1, appealed=1)
    ]
    by_reviewer = {one.who: one for one in await results.scored_tallies(ALL, by_reviewer=True)}
    assert (by_reviewer["rita"].reviews, by_reviewer["tom"].reviews) == (1, 1)
    assert await results.question_tallies(ALL) == [
        QuestionTally(card="sales", question="greeting", answers=3, na=1, shares=1.0, overridden=1)
    ]
    assert await results.question_tallies(replace(ALL, agent_id=agent_id + 1)) == []
    assert await results.scored_tallies(replace(ALL, until=NOW)) == []


async def test_calls_that_several_scored_are_listed_together(store: Store) -> None:
    card = await a_stored_card(store)
    alone, both = await a_placed_call(store), await a_placed_call(store, 1)
    await submitted(store, alone, card)
    first = await submitted(store, both, card)
    second = await submitted(store, both, card, reviewer="tom", calibration=True)
    await begun(store, both, card, reviewer="uma", calibration=True)
    assert await store.quality.results.scored_together(ALL) == [first, second]
    assert await store.quality.results.scored_together(replace(ALL, since=later(2))) == []
