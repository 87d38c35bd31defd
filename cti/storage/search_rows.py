"""What both databases' searches share: the rows of hits with their names, and the filters that other tables answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Row, Select, exists, literal_column, select

from cti.model.searches import Hit, MarkKind, SearchFilter
from cti.model.transcripts import Speaker
from cti.search.hits import judged, marks_of, moment_of
from cti.search.query import Query
from cti.storage import tables

_segments, _transcripts, _calls = tables.segments.c, tables.transcripts.c, tables.calls.c
_marks = tables.call_marks.c
_PLACES: Final[ColumnElement[int]] = literal_column("14")
"""Of a segment's id, see `cti.search.segment_ids`; spelled out, so that PostgreSQL knows its type."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A stretch of ids."""

    first: int
    beyond: int
    """Exclusive."""


def hits_from(index: FromClause, segment_id: ColumnElement[int]) -> Select[Any]:
    """Return the rows of what an index found; `segment_id` is its column."""
    return (
        select(
            _segments.id,
            _segments.speaker,
            _segments.start_ms,
            _segments.end_ms,
            _segments.text,
            _segments.words,
            _segments.confidence,
            _transcripts.call_id,
            _transcripts.version,
            _calls.placed_at,
            _calls.list_id,
            _calls.disposition,
            tables.campaigns.c.name.label("campaign"),
            tables.agents.c.login.label("agent"),
        )
        .select_from(index)
        .join(tables.transcripts, _transcripts.key == segment_id.op(">>")(_PLACES))
        .join(tables.calls, _calls.id == _transcripts.call_id)
        # last: what the call's filters drop need not be read
        .join(tables.segments, _segments.id == segment_id)
        .outerjoin(tables.campaigns, tables.campaigns.c.id == _calls.campaign_id)
        .outerjoin(tables.agents, tables.agents.c.id == _calls.agent_id)
    )


def narrowed(question: Select[Any], narrow: SearchFilter) -> Select[Any]:
    """Return the question with what the index cannot answer; unchanged when there is nothing of it."""
    return question.where(*_conditions(narrow))


def is_narrowed(narrow: SearchFilter) -> bool:
    """Say whether other tables than the index must be asked."""
    return bool(_conditions(narrow))


def hit_of(row: Row[Any], query: Query) -> Hit | None:
    """Return the row as a hit; None when the query does not hold for its text."""
    judgement = judged(query, row.text)
    if judgement is None:
        return None
    units, places = judgement
    words = [(word, start, end) for word, start, end, _ in json.loads(row.words)]
    return Hit(
        segment_id=row.id,
        call_id=row.call_id,
        version=row.version,
        placed_at=row.placed_at,
        campaign=row.campaign,
        agent=row.agent,
        list_id=row.list_id,
        disposition=row.disposition,
        speaker=Speaker(row.speaker),
        start=row.start_ms / 1000,
        end=row.end_ms / 1000,
        at=round(moment_of(row.text, words, units, places[0][0])) / 1000,
        text=row.text,
        marks=marks_of(units, places),
        confidence=row.confidence,
    )


def _conditions(narrow: SearchFilter) -> list[ColumnElement[bool]]:
    asked: list[tuple[object, Callable[[Any], ColumnElement[bool]]]] = [
        (narrow.disposition, lambda code: _calls.disposition == code),
        (narrow.min_seconds, lambda seconds: _transcripts.seconds >= seconds),
        (narrow.max_seconds, lambda seconds: _transcripts.seconds <= seconds),
        (narrow.min_confidence, lambda share: _segments.confidence >= share),
        (narrow.rule, lambda name: _marked(MarkKind.RULE, _marks.name == name)),
        (_scored(narrow), lambda within: _marked(MarkKind.SCORE, *within)),
    ]
    return [condition(value) for value, condition in asked if value is not None]


def _scored(narrow: SearchFilter) -> list[ColumnElement[bool]] | None:
    within: list[ColumnElement[bool]] = []
    if narrow.min_score is not None:
        within.append(_marks.value >= narrow.min_score)
    if narrow.max_score is not None:
        within.append(_marks.value <= narrow.max_score)
    return within or None


def _marked(kind: MarkKind, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    marked = exists().where(_marks.call_id == _calls.id, _marks.kind == kind.value, *conditions)
    return marked.select_from(tables.call_marks).correlate(tables.calls)
