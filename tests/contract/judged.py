"""Fills a store with calls that were judged, and looks at marks."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from cti.model.calls import Call
from cti.model.judgements import JudgedCall, Judgement
from cti.model.keyword_rules import Hit, RuleKind, RuleVerdict, Severity
from cti.model.reviews import Review, ReviewMove, ReviewState, ReviewStep, ScoreAnswer
from cti.model.score_cards import CardVersion
from cti.model.transcripts import Speaker
from cti.storage import tables
from cti.storage.database import Database
from tests.builders import NOW, a_call, later
from tests.contract.conftest import Store
from tests.said import a_card, a_judgement


async def a_placed_call(store: Store, seconds: float = 0.0, **given: Any) -> JudgedCall:
    """Store a call that was placed so many seconds after NOW."""
    call: Call = a_call(placed_at=later(seconds), **given)
    await store.calls.place([(call, None)])
    if call.agent_id is not None:
        await store.calls.save([call])
    return JudgedCall(
        call_id=call.id, placed_at=call.placed_at, campaign_id=call.campaign_id, agent_id=call.agent_id
    )


def a_verdict(code: str, severity: Severity = Severity.FLAG, **given: Any) -> RuleVerdict:
    """Build the verdict of a broken rule with one hit."""
    hit = Hit(phrase="保证", words="保 证", speaker=Speaker.AGENT, start=1.5, end=2.25)
    values: dict[str, Any] = {
        "code": code,
        "version": 1,
        "kind": RuleKind.MUST_NOT_SAY,
        "severity": severity,
        "broken": True,
        "hits": (hit,),
        "count": 1,
    }
    return RuleVerdict(**values | given)


def judged(call: JudgedCall, *verdicts: RuleVerdict, **given: Any) -> Judgement:
    """Build the judgement of a call."""
    return a_judgement(call=call, verdicts=verdicts, **given)


async def marks(store: Store, call_id: str) -> dict[tuple[str, str], float | None]:
    """Read a call's marks, as search finds them."""
    if isinstance(store, Database):
        wanted = select(tables.call_marks).where(tables.call_marks.c.call_id == call_id)
        async with store.quality.judgements._connections.reading() as connection:
            rows = await connection.execute(wanted)
            return {(row.kind, row.name): row.value for row in rows}
    return {
        (kind, name): value
        for (whose, kind, name), value in store.tables.call_marks.items()
        if whose == call_id
    }


async def a_stored_card(store: Store, code: str = "sales") -> CardVersion:
    """Store a card of one question."""
    return await store.quality.cards.add_card_version(a_card(code=code), by="lead", at=NOW)


def a_review(call: JudgedCall, card: CardVersion, **given: Any) -> Review:
    """Build a draft about to be written."""
    values: dict[str, Any] = {
        "id": 0,
        "call": call,
        "card_id": card.id,
        "card_code": card.card.code,
        "card_version": card.version,
        "reviewer": "rita",
        "state": ReviewState.DRAFT,
        "answers": {"greeting": ScoreAnswer(value="yes", share=1.0)},
        "points": 100.0,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Review(**values | given)


def a_step(move: ReviewMove = ReviewMove.BEGUN, **given: Any) -> ReviewStep:
    """Build a line of a review's history."""
    values: dict[str, Any] = {"at": NOW, "by": "rita", "move": move}
    return ReviewStep(**values | given)


async def begun(store: Store, call: JudgedCall, card: CardVersion, **given: Any) -> Review:
    """Store a draft."""
    return await store.quality.reviews.begin(a_review(call, card, **given), step=a_step())


async def submitted(store: Store, call: JudgedCall, card: CardVersion, **given: Any) -> Review:
    """Store a submitted review."""
    draft = await begun(store, call, card, **given)
    done = replace(
        draft,
        state=ReviewState.SUBMITTED,
        passed=draft.points is not None and draft.points >= 80,
        submitted_at=later(5),
        changed_at=later(5),
    )
    return await store.quality.reviews.save(done, edition=draft.edition, step=a_step(ReviewMove.SUBMITTED))
