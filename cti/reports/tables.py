"""Figures laid out as tables. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from cti.model.agents import Agent, AgentState
from cti.model.queries import CallRow
from cti.model.tables import Cell, ReportKind, Table
from cti.reports.figures import Counts

_COUNTS: Final = (
    "placed",
    "answered",
    "connected",
    "dropped",
    "gone_early",
    "machine",
    "no_answer",
    "busy",
    "failed",
    "lost",
    "open",
)
_COUNT_COLUMNS: Final = (*_COUNTS, "drop_rate", "talk_seconds", "average_answer_to_join_seconds")

TITLES: Final[Mapping[ReportKind, str]] = {
    ReportKind.CALLS_BY_AGENT: "Calls by agent",
    ReportKind.CALLS_BY_CAMPAIGN: "Calls by campaign",
    ReportKind.CALLS_BY_HOUR: "Calls by hour (UTC)",
    ReportKind.CALLS_BY_OUTCOME: "Calls by outcome",
    ReportKind.AGENT_TIME: "Agents' time by state",
}

_GROUPS: Final[Mapping[ReportKind, str]] = {
    ReportKind.CALLS_BY_AGENT: "agent",
    ReportKind.CALLS_BY_CAMPAIGN: "campaign",
    ReportKind.CALLS_BY_HOUR: "hour",
    ReportKind.CALLS_BY_OUTCOME: "outcome",
}


def group_of(kind: ReportKind, row: CallRow) -> Cell:
    """Return which line of the report a call belongs to; empty when it has no agent or campaign."""
    match kind:
        case ReportKind.CALLS_BY_AGENT:
            return row.agent_login or ""
        case ReportKind.CALLS_BY_CAMPAIGN:
            return row.campaign_name or ""
        case ReportKind.CALLS_BY_HOUR:
            return row.call.placed_at.replace(minute=0, second=0, microsecond=0)
        case ReportKind.CALLS_BY_OUTCOME:
            return row.call.outcome.value if row.call.outcome else "open"
        case ReportKind.AGENT_TIME:
            raise ValueError("time is not counted by call")


def calls_table(kind: ReportKind, groups: Mapping[Cell, Counts]) -> Table:
    """Return one row per group, sorted by it."""
    if kind is ReportKind.CALLS_BY_OUTCOME:
        return _outcomes_table(groups)
    lines = sorted(groups.items(), key=lambda line: str(line[0]))
    return Table(
        title=TITLES[kind],
        columns=(_GROUPS[kind], *_COUNT_COLUMNS),
        rows=tuple((group, *_cells(counted)) for group, counted in lines),
    )


def time_table(spent: Mapping[int, Mapping[AgentState, float]], agents: Sequence[Agent]) -> Table:
    """Return a row per agent who has a history in the span, and a column of seconds per state."""
    logins = {agent.id: agent.login for agent in agents}
    lines = sorted((logins.get(agent_id, f"agent {agent_id}"), states) for agent_id, states in spent.items())
    return Table(
        title=TITLES[ReportKind.AGENT_TIME],
        columns=("agent", *(f"{state}_seconds" for state in AgentState)),
        rows=tuple(
            (login, *(round(states.get(state, 0.0), 3) for state in AgentState)) for login, states in lines
        ),
    )


def _outcomes_table(groups: Mapping[Cell, Counts]) -> Table:
    sizes = {group: counted.placed + counted.open for group, counted in groups.items()}
    total = sum(sizes.values())
    lines = sorted(groups.items(), key=lambda line: (-sizes[line[0]], str(line[0])))
    return Table(
        title=TITLES[ReportKind.CALLS_BY_OUTCOME],
        columns=("outcome", "calls", "share", "talk_seconds"),
        rows=tuple(
            (group, sizes[group], round(sizes[group] / total, 4), round(counted.talk_seconds, 3))
            for group, counted in lines
        ),
    )


def _cells(counted: Counts) -> tuple[Cell, ...]:
    rate, join = counted.drop_rate, counted.answer_to_join_seconds
    return (
        *(getattr(counted, name) for name in _COUNTS),
        None if rate is None else round(rate, 4),
        round(counted.talk_seconds, 3),
        None if join is None else round(join, 3),
    )
