"""Results over many calls, as tables: by agent, over time, by question, by rule, by reviewer; calibration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cti.errors import BadInput
from cti.model.agents import Agent
from cti.model.judgements import JudgedTally
from cti.model.reviews import ScoredTally
from cti.model.tables import Table
from cti.quality import tables
from cti.quality.ports import Asked, ResultStore
from cti.quality.sampling import week_of

MOST_SPANS: Final = 120
"""Rows of a table over time; each is a question of its own."""


class ResultKind(StrEnum):
    """The tables there are."""

    AGENTS = "agents"
    DAYS = "days"
    WEEKS = "weeks"
    QUESTIONS = "questions"
    RULES = "rules"
    REVIEWERS = "reviewers"
    CALIBRATION = "calibration"


OWN: Final = frozenset(
    {ResultKind.AGENTS, ResultKind.DAYS, ResultKind.WEEKS, ResultKind.QUESTIONS, ResultKind.RULES}
)
"""Tables that can be made for one agent alone."""


class Results:
    """Makes the tables."""

    def __init__(
        self,
        *,
        store: ResultStore,
        agents: Callable[[], Sequence[Agent]],
        titles: Callable[[], Mapping[str, str]],
        zone: ZoneInfo,
    ) -> None:
        self._store = store
        self._agents = agents
        self._titles = titles
        self._zone = zone

    async def table(self, kind: ResultKind, asked: Asked) -> Table:
        """Make a table. Raises BadInput (too many days or weeks; a table that is not about one agent)."""
        if asked.agent_id is not None and kind not in OWN:
            raise BadInput(f"agent: the table {kind} is not about one agent")
        match kind:
            case ResultKind.AGENTS:
                logins = {agent.id: agent.login for agent in self._agents()}
                return tables.by_agent(*await self._tallies(asked), logins)
            case ResultKind.DAYS | ResultKind.WEEKS:
                return await self._over_time(kind, asked)
            case ResultKind.QUESTIONS:
                return tables.by_question(await self._store.question_tallies(asked))
            case ResultKind.RULES:
                return tables.by_rule(await self._store.rule_counts(asked), self._titles())
            case ResultKind.REVIEWERS:
                return tables.by_reviewer(await self._store.scored_tallies(asked, by_reviewer=True))
            case ResultKind.CALIBRATION:
                return tables.calibration(await self._store.scored_together(asked))

    async def _over_time(self, kind: ResultKind, asked: Asked) -> Table:
        spans = spans_of(kind, asked.since, asked.until, self._zone)
        rows = [
            (name, *await self._tallies(replace(asked, since=since, until=until)))
            for name, since, until in spans
        ]
        return tables.over_time(rows, step="day" if kind is ResultKind.DAYS else "week")

    async def _tallies(self, asked: Asked) -> tuple[Sequence[JudgedTally], Sequence[ScoredTally]]:
        return await self._store.judged_tallies(asked), await self._store.scored_tallies(asked)


def spans_of(
    kind: ResultKind, since: datetime, until: datetime, zone: ZoneInfo
) -> list[tuple[str, datetime, datetime]]:
    """Return the days or weeks, where the service is, that the span touches; the first and last cut to the span.

    Raises BadInput for more than `MOST_SPANS`.
    """
    day = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    length = 1
    if kind is ResultKind.WEEKS:
        day, length = day - timedelta(days=day.weekday()), 7
    spans: list[tuple[str, datetime, datetime]] = []
    while day < until:
        if len(spans) == MOST_SPANS:
            raise BadInput(f"since: more than {MOST_SPANS} {kind} up to until; ask for fewer")
        after = day + timedelta(days=length)
        name = week_of(day, zone) if kind is ResultKind.WEEKS else day.date().isoformat()
        spans.append((name, max(day, since), min(after, until)))
        day = after
    return spans
