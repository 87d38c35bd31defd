"""Reports and reconciliation, over stores in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from cti.model.agents import AgentChange, AgentState
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.ids import CALL_PREFIX
from cti.model.stories import Story
from cti.model.tables import ReportKind
from cti.reports.service import CallReconciler, Reports
from tests.builders import NOW, a_call, a_campaign, an_agent, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


class TwoStories:
    """A node's records in memory."""

    def __init__(self, *stories: Story) -> None:
        self.stories = stories

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        raise NotImplementedError

    async def all_since(self, node: str, since: datetime) -> Sequence[Story]:
        return [
            one for one in self.stories if one.node == node and one.started_at and one.started_at >= since
        ]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.tables.campaigns[1] = a_campaign()
    store.tables.agents[1] = an_agent()
    return store


def put(store: MemoryStore, outcome: Outcome | None, **given: object) -> Call:
    call = a_call(**({"campaign_id": 1, "outcome": outcome} | ended(outcome) | given))
    store.tables.calls[call.id] = call
    return call


def ended(outcome: Outcome | None) -> dict[str, object]:
    if outcome is None:
        return {}
    return {
        "state": CallState.ENDED,
        "ended_at": later(10),
        "end_reason": EndReason.HUNG_UP,
        "cause": 16,
        "channel": "PJSIP/carrier-00000001",
    }


def reports(store: MemoryStore) -> Reports:
    return Reports(facts=store.facts, agents=lambda: [an_agent()], clock=FakeClock(later(100)))


def told(call: Call) -> Story:
    return Story(
        node="pbx",
        channel_id=call.channel_id,
        started_at=call.placed_at,
        ended_at=call.ended_at,
        cause=call.cause,
    )


@pytest.mark.parametrize(
    ("kind", "column", "groups"),
    [
        (ReportKind.CALLS_BY_AGENT, "agent", {"": 2, "anna": 1}),
        (ReportKind.CALLS_BY_CAMPAIGN, "campaign", {"autumn": 3}),
        (ReportKind.CALLS_BY_HOUR, "hour", {NOW: 2, later(3600): 1}),
    ],
)
async def test_calls_are_counted_by_group(
    store: MemoryStore, kind: ReportKind, column: str, groups: dict[object, int]
) -> None:
    put(store, Outcome.CONNECTED, agent_id=1)
    put(store, Outcome.BUSY, placed_at=later(59))
    put(store, Outcome.BUSY, placed_at=later(3600 + 1800))
    put(store, Outcome.BUSY, placed_at=later(9999))
    table = await reports(store).report(kind, since=NOW, until=later(9000))
    assert table.columns[:2] == (column, "placed")
    assert {row[0]: row[1] for row in table.rows} == groups
    assert all(len(row) == len(table.columns) for row in table.rows)


async def test_outcomes_come_with_their_share_the_most_frequent_first(store: MemoryStore) -> None:
    for outcome in (Outcome.BUSY, Outcome.BUSY, Outcome.CONNECTED, None):
        put(store, outcome)
    table = await reports(store).report(ReportKind.CALLS_BY_OUTCOME, since=NOW, until=later(60))
    assert [row[:3] for row in table.rows] == [("busy", 2, 0.5), ("connected", 1, 0.25), ("open", 1, 0.25)]


async def test_agents_time_ends_now_and_not_in_the_future(store: MemoryStore) -> None:
    store.tables.agent_changes.append(
        AgentChange(agent_id=1, at=later(40), before=AgentState.LOGGED_OUT, after=AgentState.READY)
    )
    table = await reports(store).report(ReportKind.AGENT_TIME, since=NOW, until=later(10_000))
    [row] = table.rows
    assert dict(zip(table.columns, row, strict=True)) == {
        "agent": "anna",
        **{f"{state}_seconds": 60.0 if state is AgentState.READY else 0.0 for state in AgentState},
    }


async def test_a_node_that_agrees_gives_no_difference(store: MemoryStore) -> None:
    call = put(store, Outcome.BUSY)
    put(store, None)
    got = await CallReconciler(facts=store.facts, stories=TwoStories(told(call)), nodes=["pbx"]).run(NOW)
    assert (got.compared, got.differences) == (1, ())


async def test_both_kinds_of_difference_are_found(store: MemoryStore) -> None:
    call = put(store, Outcome.BUSY)
    stray = Story(node="pbx", channel_id=CALL_PREFIX + "0" * 32, started_at=later(1))
    stories = TwoStories(replace(told(call), cause=17), stray)
    got = await CallReconciler(facts=store.facts, stories=stories, nodes=["pbx"]).run(NOW)
    assert [found.subject for found in got.differences] == ["cause", "unknown_channel"]


async def test_a_call_placed_just_before_the_span_is_no_stranger(store: MemoryStore) -> None:
    call = put(store, Outcome.BUSY, placed_at=later(-1))
    late = replace(told(call), started_at=later(1))
    got = await CallReconciler(facts=store.facts, stories=TwoStories(late), nodes=["pbx"]).run(NOW)
    assert got.differences == ()


async def test_a_channel_that_began_by_an_earlier_clock_is_the_call_s_own(store: MemoryStore) -> None:
    call = put(store, Outcome.BUSY, placed_at=later(1))
    early = replace(told(call), started_at=later(-1))
    got = await CallReconciler(facts=store.facts, stories=TwoStories(early), nodes=["pbx"]).run(NOW)
    assert (got.compared, got.differences) == (1, ())
