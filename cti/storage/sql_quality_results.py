"""`ResultStore` on the database: judged calls, scores and answers added up over a span of the calls' placing."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select

from cti.model.judgements import SUMMED, JudgedTally, RuleCount
from cti.model.keyword_rules import RANKS, Severity
from cti.model.reviews import QuestionTally, Review, ReviewState, ScoredTally
from cti.quality.ports import Asked
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.sql_reviews import read_reviews
from cti.storage.uninterrupted import to_the_end

_judgements, _verdicts = tables.call_judgements.c, tables.call_verdicts.c
_reviews, _answers = tables.reviews.c, tables.review_answers.c
_NOT_DRAFT: Final = _reviews.state != ReviewState.DRAFT.value
_COUNTED: Final = (_NOT_DRAFT, tables.no_calibration)
_APPEALED: Final = _reviews.state.in_([ReviewState.APPEALED.value, ReviewState.RESOLVED.value])


class SqlQualityResults:
    """Sums and counts; rates and means are made of them elsewhere."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def judged_tallies(self, asked: Asked) -> list[JudgedTally]:
        """See the port."""
        question = (
            select(
                _judgements.agent_id,
                func.count().label("calls"),
                _counted(_judgements.rank >= RANKS[Severity.FLAG]).label("flagged"),
                _counted(_judgements.rank >= RANKS[Severity.ALERT]).label("alerts"),
                *(func.coalesce(func.sum(_judgements[name]), 0.0).label(name) for name in SUMMED),
            )
            .where(*_within(_judgements, asked))
            .group_by(_judgements.agent_id)
            .order_by(_judgements.agent_id)
        )
        async with self._connections.reading() as connection:
            return [
                JudgedTally(
                    agent_id=row.agent_id,
                    calls=row.calls,
                    flagged=row.flagged,
                    alerts=row.alerts,
                    sums={name: float(getattr(row, name)) for name in SUMMED},
                )
                for row in await connection.execute(question)
            ]

    @to_the_end
    async def scored_tallies(self, asked: Asked, *, by_reviewer: bool = False) -> list[ScoredTally]:
        """See the port."""
        who = _reviews.reviewer if by_reviewer else _reviews.agent_id
        question = (
            select(
                who.label("who"),
                func.count(_reviews.points).label("reviews"),
                func.coalesce(func.sum(_reviews.points), 0.0).label("points"),
                _counted(_reviews.passed).label("passed"),
                _counted(_reviews.has_fatal).label("fatal"),
                _counted(_APPEALED).label("appealed"),
            )
            .where(*_within(_reviews, asked), *_COUNTED)
            .group_by(who)
            .order_by(who)
        )
        async with self._connections.reading() as connection:
            return [ScoredTally(**row._mapping) for row in await connection.execute(question)]

    @to_the_end
    async def question_tallies(self, asked: Asked) -> list[QuestionTally]:
        """See the port."""
        question = (
            select(
                _reviews.card_code.label("card"),
                _answers.question,
                func.count().label("answers"),
                _counted(_answers.share.is_(None)).label("na"),
                func.coalesce(func.sum(_answers.share), 0.0).label("shares"),
                _counted(_answers.overridden).label("overridden"),
            )
            .join_from(tables.reviews, tables.review_answers, _answers.review_id == _reviews.id)
            .where(*_within(_reviews, asked), *_COUNTED)
            .group_by(_reviews.card_code, _answers.question)
            .order_by(_reviews.card_code, _answers.question)
        )
        async with self._connections.reading() as connection:
            return [QuestionTally(**row._mapping) for row in await connection.execute(question)]

    @to_the_end
    async def rule_counts(self, asked: Asked) -> list[RuleCount]:
        """See the port."""
        calls = func.count().label("calls")
        question = (
            select(_verdicts.rule, _verdicts.severity, calls)
            .join_from(tables.call_judgements, tables.call_verdicts, _verdicts.call_id == _judgements.call_id)
            .where(*_within(_judgements, asked), _verdicts.broken)
            .group_by(_verdicts.rule, _verdicts.severity)
            .order_by(calls.desc(), _verdicts.rule, _verdicts.severity)
        )
        async with self._connections.reading() as connection:
            return [
                RuleCount(code=row.rule, severity=Severity(row.severity), calls=row.calls)
                for row in await connection.execute(question)
            ]

    @to_the_end
    async def scored_together(self, asked: Asked) -> list[Review]:
        """See the port."""
        several = (
            select(_reviews.call_id, _reviews.card_code)
            .where(*_within(_reviews, asked), _NOT_DRAFT)
            .group_by(_reviews.call_id, _reviews.card_code)
            .having(func.count() > 1)
            .subquery()
        )
        question = (
            select(tables.reviews)
            .join(
                several,
                (several.c.call_id == _reviews.call_id) & (several.c.card_code == _reviews.card_code),
            )
            .where(_NOT_DRAFT)
            .order_by(_reviews.call_id, _reviews.card_code, _reviews.id)
        )
        async with self._connections.reading() as connection:
            return await read_reviews(connection, (await connection.execute(question)).all())


def _within(columns: Any, asked: Asked) -> list[ColumnElement[bool]]:
    wanted = [columns.placed_at >= asked.since, columns.placed_at < asked.until]
    if asked.campaign_id is not None:
        wanted.append(columns.campaign_id == asked.campaign_id)
    if asked.agent_id is not None:
        wanted.append(columns.agent_id == asked.agent_id)
    return wanted


def _counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
