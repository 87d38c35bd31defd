"""The contract of `FactStore`."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from cti.errors import NotFound
from cti.model.agents import AgentChange, AgentState
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.queries import CallFilter, RecordingFacts
from tests.builders import NOW, a_call, an_agent, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_agent, a_stored_campaign, placed_calls


def numbered(n: int, **given: Any) -> Call:
    """Build the n-th call: ids and times rise with n."""
    return a_call(**{"id": f"{n:032x}", "placed_at": later(n), "number": f"+4930{n:06}"} | given)


async def stored(store: Store, *calls: Call) -> None:
    await store.calls.place([(call, None) for call in calls])


async def ids(store: Store, wanted: CallFilter) -> list[int]:
    return [int(row.call.id, 16) for row in await store.facts.call_rows(wanted)]


async def test_a_row_carries_the_names_people_look_for(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    agent_id = await a_stored_agent(store)
    (call, *_) = await placed_calls(store, campaign_id, 1)
    stay = Join(agent_id=agent_id, channel_id="waihu-a-1-0a", joined_at=later(1))
    talking = replace(call, state=CallState.CONNECTED, agent_id=agent_id, joins=(stay,))
    await store.calls.save([talking])
    await store.calls.set_disposition(call.id, agent_id=agent_id, disposition="sold", note="n", at=later(2))

    (row,) = await store.facts.call_rows(CallFilter())

    assert row.call == talking
    assert (row.contact_name, row.campaign_name, row.agent_login) == ("Contact 0", "autumn", "anna")
    assert (row.disposition, row.note, row.recording, row.deal) == ("sold", "n", None, None)


async def test_a_call_of_nobody_has_no_names(store: Store) -> None:
    await stored(store, numbered(1))

    (row,) = await store.facts.call_rows(CallFilter())

    assert (row.contact_name, row.campaign_name, row.agent_login) == (None, None, None)
    assert (row.disposition, row.note, row.recording) == (None, None, None)


async def test_calls_come_newest_first_page_by_page(store: Store) -> None:
    await stored(store, *(numbered(n) for n in range(1, 8)))

    first = await ids(store, CallFilter(limit=3))
    second = await ids(store, CallFilter(limit=3, before_id=f"{first[-1]:032x}"))

    assert (first, second) == ([7, 6, 5], [4, 3, 2])


async def test_a_span_of_time_begins_inclusive_and_ends_exclusive(store: Store) -> None:
    await stored(store, *(numbered(n) for n in range(1, 8)))

    assert await ids(store, CallFilter(since=later(3), until=later(5))) == [4, 3]


async def test_calls_are_found_by_campaign_agent_outcome_disposition_and_being_open(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store), await a_stored_agent(store)
    await stored(
        store,
        numbered(1, campaign_id=campaign_id),
        numbered(2, agent_id=agent_id),
        numbered(3),
        numbered(4),
    )
    ended: dict[str, Any] = {"state": CallState.ENDED, "ended_at": later(9), "outcome": Outcome.BUSY}
    await store.calls.save([replace(numbered(3), **ended)])
    await store.calls.set_disposition(f"{4:032x}", agent_id=None, disposition="sold", note="", at=later(5))

    assert await ids(store, CallFilter(campaign_id=campaign_id)) == [1]
    assert await ids(store, CallFilter(agent_id=agent_id)) == [2]
    assert await ids(store, CallFilter(outcome="busy")) == [3]
    assert await ids(store, CallFilter(disposition="sold")) == [4]
    assert await ids(store, CallFilter(open_only=True)) == [4, 2, 1]
    assert await ids(store, CallFilter(outcome="busy", agent_id=agent_id)) == []


async def test_calls_are_found_by_number_or_its_last_digits(store: Store) -> None:
    await stored(
        store,
        numbered(1, number="+4930901820"),
        numbered(2, number="+493090182"),
        numbered(3, number="+4940901820"),
        numbered(4, number="+8613800138000"),
    )

    assert await ids(store, CallFilter(number="+4930901820")) == [1]
    assert await ids(store, CallFilter(number="901820")) == [3, 1]
    assert await ids(store, CallFilter(number="4930901820")) == [1]
    assert await ids(store, CallFilter(number="90182")) == [2]
    assert await ids(store, CallFilter(number="0_820")) == []
    assert await ids(store, CallFilter(number="%")) == []


async def test_all_calls_are_streamed_whatever_the_limit(store: Store) -> None:
    await stored(store, *(numbered(n) for n in range(1, 2302)))

    rows = store.facts.all_call_rows(CallFilter(limit=5, since=later(2)))

    assert [int(row.call.id, 16) async for row in rows] == list(range(2301, 1, -1))


async def test_a_recording_is_told_and_told_anew(store: Store) -> None:
    await stored(store, numbered(1))
    missing = RecordingFacts(path=None, problem="no file")
    found = RecordingFacts(path="2026/11/23/a.wav", seconds=5.02, size_bytes=3_000_000_000)
    await store.recordings.save_recording(f"{1:032x}", missing, at=later(2))
    assert [row.recording for row in await store.facts.call_rows(CallFilter())] == [missing]

    await store.recordings.save_recording(f"{1:032x}", found, at=later(3))

    assert [row.recording for row in await store.facts.call_rows(CallFilter())] == [found]


async def test_a_recording_of_no_call_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.recordings.save_recording("0" * 32, RecordingFacts(path="a"), at=NOW)


def change(agent_id: int, at: datetime, after: AgentState) -> AgentChange:
    return AgentChange(agent_id=agent_id, at=at, before=AgentState.LOGGED_OUT, after=after)


async def test_a_span_of_changes_begins_with_each_agent_s_last_one_before_it(store: Store) -> None:
    anna, bert = await a_stored_agent(store, login="anna"), await a_stored_agent(store, login="bert")
    changes = [
        change(anna, later(1), AgentState.READY),
        change(bert, later(2), AgentState.READY),
        change(anna, later(3), AgentState.PAUSED),
        change(bert, later(10), AgentState.ON_CALL),
        change(anna, later(12), AgentState.READY),
        change(anna, later(20), AgentState.LOGGED_OUT),
    ]
    await store.agents.save_changes([(one, an_agent(id=one.agent_id)) for one in changes])

    found = await store.facts.agent_changes(since=later(10), until=later(20))

    assert found == [changes[1], changes[2], changes[3], changes[4]]


async def test_an_agent_who_never_changed_before_has_no_first_change(store: Store) -> None:
    anna = await a_stored_agent(store)
    only = change(anna, later(5), AgentState.READY)
    await store.agents.save_changes([(only, an_agent(id=anna))])

    assert await store.facts.agent_changes(since=later(5), until=later(6)) == [only]
    assert await store.facts.agent_changes(since=later(1), until=later(5)) == []
