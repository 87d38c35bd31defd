"""The contract of `RecordingStore`."""

from dataclasses import replace
from datetime import datetime

import pytest

from cti.errors import Conflict, NotFound
from cti.model.calls import CallState
from cti.model.queries import CallFilter, RecordingFacts
from cti.model.recordings import HoldStep, Pause, Peaks, Place, RecordedCall, SoundFormat
from cti.model.work import COMPRESS_RECORDING, NewWork
from tests.builders import NOW, a_call, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_agent, a_stored_campaign, placed_calls

FACTS = RecordingFacts(
    path="2026/a.wav",
    seconds=5.02,
    size_bytes=3_000_000_000,
    sha256="ab" * 32,
    retention="short",
    recorded_at=NOW,
)
PEAKS = Peaks(bucket_ms=100, channels=2, levels=bytes([0, 1, 254, 127]))


def name(n: int) -> str:
    return f"{n:032x}"


async def recorded(store: Store, n: int = 1, **given: object) -> str:
    """Store a call with a recording; return its id."""
    await store.calls.place([(a_call(id=name(n), placed_at=later(n)), None)])
    facts = replace(FACTS, path=f"2026/{n}.wav", **given)  # type: ignore[arg-type]
    await store.recordings.save_recording(name(n), facts, at=later(n))
    return name(n)


async def facts_of(store: Store, call_id: str) -> RecordingFacts:
    facts = await store.recordings.recording(call_id)
    assert facts is not None
    (row,) = [row for row in await store.facts.call_rows(CallFilter()) if row.call.id == call_id]
    assert row.recording == facts
    return facts


async def test_all_that_is_known_comes_back(store: Store) -> None:
    full = replace(FACTS, place=Place.S3, format=SoundFormat.OPUS, key_id="2026a", problem="short")
    await store.calls.place([(a_call(id=name(1)), None)])
    assert await store.recordings.recording(name(1)) is None
    await store.recordings.save_recording(name(1), full, at=NOW, peaks=PEAKS)
    assert await facts_of(store, name(1)) == full
    assert await store.recordings.peaks(name(1)) == PEAKS
    assert await store.recordings.peaks(name(2)) is None


async def test_a_recording_of_no_call_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.recordings.save_recording("0" * 32, FACTS, at=NOW)


async def test_a_name_is_made_of_what_is_known_of_the_call(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    agent_id = await a_stored_agent(store)
    (call, *_) = await placed_calls(store, campaign_id, 1)
    ended = replace(call, state=CallState.ENDED, agent_id=agent_id, ended_at=later(9))
    await store.calls.save([ended])
    assert await store.recordings.recorded_call(call.id) == RecordedCall(
        call_id=call.id,
        placed_at=call.placed_at,
        node=call.node,
        number=call.number,
        campaign_id=campaign_id,
        campaign="autumn",
        agent="anna",
        list_id=call.list_id,
        contact_id=call.contact_id,
        ended_at=later(9),
    )
    assert await store.recordings.recorded_call("f" * 32) is None


async def test_collected_again_it_keeps_its_hold_and_brings_its_work_once(store: Store) -> None:
    call_id = await recorded(store)
    await store.recordings.set_hold(call_id, held=True, by="lea", reason="claim", at=later(1))
    work = NewWork(kind=COMPRESS_RECORDING, key=call_id, payload={})
    for _ in range(2):
        await store.recordings.save_recording(
            call_id, replace(FACTS, seconds=6.0), at=later(2), peaks=PEAKS, works=[work]
        )
    assert (await facts_of(store, call_id)).held
    assert (await facts_of(store, call_id)).seconds == 6.0
    assert [(one.kind, one.waiting) for one in await store.work.counts()] == [(COMPRESS_RECORDING, 1)]


async def test_a_file_moves_only_from_where_it_was(store: Store) -> None:
    call_id = await recorded(store)
    before = await facts_of(store, call_id)
    after = replace(before, place=Place.S3, format=SoundFormat.FLAC, path="x.flac", key_id="k", size_bytes=9)
    work = NewWork(kind=COMPRESS_RECORDING, key=call_id, payload={})
    assert await store.recordings.move_recording(call_id, before=before, after=after, now=NOW, works=[work])
    assert await facts_of(store, call_id) == after
    again = await store.recordings.move_recording(call_id, before=before, after=before, now=NOW, works=[work])
    assert not again
    assert await facts_of(store, call_id) == after
    assert [one.waiting for one in await store.work.counts()] == [1]


async def test_recordings_are_listed_page_by_page_and_by_key(store: Store) -> None:
    for n, key in enumerate(["old", None, "new", "old"], 1):
        await recorded(store, n, key_id=key)
    await store.calls.place([(a_call(id=name(9)), None)])
    await store.recordings.save_recording(name(9), RecordingFacts(path=None, problem="no file"), at=NOW)

    async def listed(after: str, **given: str) -> list[int]:
        page = await store.recordings.recordings_after(after, limit=2, **given)  # type: ignore[arg-type]
        assert page == [(call_id, await store.recordings.recording(call_id)) for call_id, _ in page]
        return [int(call_id, 16) for call_id, _ in page]

    assert [await listed(""), await listed(name(2)), await listed(name(4))] == [[1, 2], [3, 4], []]
    assert await listed("", key_id_is_not="new") == [1, 2]
    assert await listed(name(2), key_id_is_not="new") == [4]
    assert await store.recordings.count_recordings() == 4
    assert await store.recordings.count_recordings(key_id_is_not="new") == 3


async def deleting(store: Store, limit: int = 10, **before: datetime) -> list[int]:
    begun = await store.recordings.begin_deleting(before, limit=limit, at=later(100))
    assert all(facts.deleting_at is not None and facts.path for _, facts in begun)
    return sorted(int(call_id, 16) for call_id, _ in begun)


async def test_only_what_is_past_its_class_s_time_is_deleted(store: Store) -> None:
    for n in (1, 2, 3):
        await recorded(store, n, recorded_at=later(n))
    await recorded(store, 4, recorded_at=later(1), retention="long")
    await recorded(store, 5, recorded_at=None)
    assert await deleting(store) == []
    assert await deleting(store, short=later(3)) == [1, 2]
    for n in (1, 2):
        await store.recordings.finish_deleting(name(n), at=later(101))
    assert await deleting(store, short=later(3)) == []
    assert await deleting(store, short=later(9), long=later(1.5)) == [3, 4]


async def test_what_was_deleted_keeps_its_row_and_loses_its_outline(store: Store) -> None:
    call_id = await recorded(store)
    await store.recordings.save_recording(call_id, FACTS, at=NOW, peaks=PEAKS)
    await deleting(store, short=later(5))
    await store.recordings.finish_deleting(call_id, at=later(101))
    facts = await facts_of(store, call_id)
    assert (facts.path, facts.deleted_at, facts.sha256) == (None, later(101), FACTS.sha256)
    assert await store.recordings.peaks(call_id) is None
    assert await store.recordings.count_recordings() == 0
    await store.recordings.save_recording(call_id, FACTS, at=later(102))
    assert (await facts_of(store, call_id)).path is None


async def test_a_deletion_that_was_not_finished_is_begun_again_first(store: Store) -> None:
    for n in (1, 2, 3):
        await recorded(store, n, recorded_at=later(4 - n))
    assert await deleting(store, limit=1, short=later(9)) == [3]
    assert await deleting(store, limit=2, short=later(9)) == [2, 3]
    assert await deleting(store, limit=2) == [2, 3]


async def test_nothing_under_hold_is_deleted(store: Store) -> None:
    call_id = await recorded(store)
    assert await store.recordings.set_hold(call_id, held=True, by="lea", reason="claim", at=later(1))
    assert not await store.recordings.set_hold(call_id, held=True, by="max", reason="too", at=later(2))
    assert await deleting(store, short=later(9)) == []
    assert await store.recordings.retention_counts() == [("short", True, 1)]
    assert await store.recordings.set_hold(call_id, held=False, by="max", reason="over", at=later(3))
    assert await store.recordings.hold_steps(call_id) == [
        HoldStep(held=True, by="lea", reason="claim", at=later(1)),
        HoldStep(held=False, by="max", reason="over", at=later(3)),
    ]
    assert await deleting(store, short=later(9)) == [1]


async def test_what_is_being_deleted_can_neither_be_held_nor_moved(store: Store) -> None:
    call_id = await recorded(store)
    await deleting(store, short=later(9))
    with pytest.raises(Conflict):
        await store.recordings.set_hold(call_id, held=True, by="lea", reason="", at=later(1))
    facts = await facts_of(store, call_id)
    moved = replace(facts, place=Place.S3)
    assert not await store.recordings.move_recording(call_id, before=facts, after=moved, now=NOW)
    with pytest.raises(NotFound):
        await store.recordings.set_hold(name(7), held=True, by="lea", reason="", at=later(1))


async def test_a_pause_begins_once_and_ends_once(store: Store) -> None:
    call_id = name(1)
    with pytest.raises(NotFound):
        await store.recordings.begin_pause(call_id, by="anna", at=NOW)
    await store.calls.place([(a_call(id=call_id), None)])
    assert await store.recordings.begin_pause(call_id, by="anna", at=later(1))
    assert not await store.recordings.begin_pause(call_id, by="max", at=later(2))
    assert await store.recordings.pauses(call_id) == [Pause(began_at=later(1), by="anna")]
    assert await store.recordings.open_pauses() == {call_id: None}
    assert await store.recordings.end_pause(call_id, at=later(3))
    assert not await store.recordings.end_pause(call_id, at=later(4))
    assert await store.recordings.begin_pause(call_id, by="max", at=later(5))
    await store.recordings.drop_pause(call_id)
    await store.recordings.begin_pause(call_id, by="max", at=later(6))
    await store.recordings.end_pause(call_id, at=later(5.5))
    assert await store.recordings.pauses(call_id) == [
        Pause(began_at=later(1), ended_at=later(3), by="anna"),
        Pause(began_at=later(6), ended_at=later(6), by="max"),
    ]
    assert await store.recordings.open_pauses() == {}


async def test_the_recording_s_facts_end_a_pause_that_went_on_to_the_call_s_end(store: Store) -> None:
    call = a_call(id=name(1))
    await store.calls.place([(call, None)])
    await store.recordings.begin_pause(call.id, by="anna", at=later(1))
    await store.calls.save([replace(call, state=CallState.ENDED, ended_at=later(8))])
    assert await store.recordings.open_pauses() == {call.id: later(8)}
    await store.recordings.save_recording(call.id, FACTS, at=later(9), ended_at=later(8))
    assert await store.recordings.pauses(call.id) == [Pause(began_at=later(1), ended_at=later(8), by="anna")]
