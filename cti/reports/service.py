"""Reports and reconciliation, bound to where the facts come from."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.queries import CallFilter
from cti.model.reconciliation import Reconciliation
from cti.model.stories import Story
from cti.model.tables import Cell, ReportKind, Table
from cti.reports.figures import Tally, agent_seconds
from cti.reports.ports import FactStore, Stories
from cti.reports.reconcile import differences, unknown_channels
from cti.reports.tables import calls_table, group_of, time_table

_MARGIN: Final = timedelta(minutes=10)
"""A call is committed before its channel is made, and by another clock: around the span's beginning one may lie
within and the other before it."""


class Reports:
    """Figures from stored facts."""

    def __init__(self, *, facts: FactStore, agents: Callable[[], Sequence[Agent]], clock: Clock) -> None:
        self._facts = facts
        self._agents = agents
        self._clock = clock

    async def report(self, kind: ReportKind, *, since: datetime, until: datetime) -> Table:
        """Count calls placed, or time spent, in the span: since inclusive, until exclusive."""
        if kind is ReportKind.AGENT_TIME:
            return await self._agent_time(since, until)
        tallies: defaultdict[Cell, Tally] = defaultdict(Tally)
        async for row in self._facts.all_call_rows(CallFilter(since=since, until=until)):
            tallies[group_of(kind, row)].add(row.call)
        return calls_table(kind, {group: tally.counts() for group, tally in tallies.items()})

    async def _agent_time(self, since: datetime, until: datetime) -> Table:
        until = min(until, self._clock.now())
        changes = await self._facts.agent_changes(since=since, until=until)
        return time_table(agent_seconds(changes, since=since, until=until), self._agents())


class CallReconciler:
    """Compares our calls with the CEL of every node."""

    def __init__(self, *, facts: FactStore, stories: Stories, nodes: Sequence[str]) -> None:
        self._facts = facts
        self._stories = stories
        self._nodes = tuple(nodes)

    async def run(self, since: datetime) -> Reconciliation:
        """Look at all calls placed since then that have ended. Raises NodeError when a node's CEL cannot be read."""
        calls = [call for call in await self._calls(since) if call.ended]
        told = await self._told(since - _MARGIN)
        new = [story for story in told.values() if story.started_at and story.started_at >= since]
        # Asked after the stories were read: a call placed meanwhile is known here before its channel is there.
        known = frozenset(call.id for call in await self._calls(since - _MARGIN))
        found = differences(calls, told) + unknown_channels(new, known)
        return Reconciliation(
            since=since, compared=sum(call.channel_id in told for call in calls), differences=tuple(found)
        )

    async def _calls(self, since: datetime) -> list[Call]:
        return [row.call async for row in self._facts.all_call_rows(CallFilter(since=since))]

    async def _told(self, since: datetime) -> dict[str, Story]:
        told: dict[str, Story] = {}
        for node in self._nodes:
            told |= {story.channel_id: story for story in await self._stories.all_since(node, since)}
        return told
