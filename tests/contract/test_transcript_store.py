"""The contract of `TranscriptStore`: one current transcript a call, whatever runs twice or at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cti.errors import BadInput, NotFound
from cti.model.calls import Call
from cti.model.queries import RecordingFacts
from cti.model.transcripts import Span, Speaker
from cti.model.work import NewWork
from cti.search.segment_ids import MOST_SEGMENTS
from tests.builders import NOW, a_call, later
from tests.contract.conftest import OpenStore, Store
from tests.talk import A, C, a_transcript, dialogue, said

KEPT = RecordingFacts(path="2026/a.wav", seconds=6.0, size_bytes=96_044, sha256="ab" * 32)


async def a_placed_call(store: Store, **given: object) -> Call:
    call = a_call(**given)
    await store.calls.place([(call, None)])
    return call


async def test_a_transcript_comes_back_whole(store: Store) -> None:
    call = await a_placed_call(store)
    segments = (
        said(C, "hello there", at=1.25),
        said(A, "您 好", at=2.5, text="您好！"),
        replace(said(C, "嗯", at=4.0), words=(replace(said(C, "嗯").words[0], confidence=None),)),
    )
    voices = {
        Speaker.CUSTOMER: (Span(start=1.2, end=2.3), Span(start=4.0, end=4.6)),
        Speaker.AGENT: (Span(start=2.5, end=3.5),),
    }
    one = a_transcript(call.id, segments, voices=voices, language="zh", problem="the left channel is silent")

    assert await store.transcripts.save(one) == 1

    assert await store.transcripts.current(call.id) == replace(one, version=1)
    assert await store.transcripts.version(call.id, 1) == replace(one, version=1)
    assert await store.transcripts.version(call.id, 2) is None
    assert await store.transcripts.versions(call.id) == [replace(one, version=1, segments=(), voices={})]


async def test_times_are_kept_to_the_millisecond(store: Store) -> None:
    call = await a_placed_call(store)

    await store.transcripts.save(a_transcript(call.id, [said(C, "one two", at=0.12345, each=1 / 3)]))

    stored = await store.transcripts.current(call.id)
    assert stored is not None
    assert [word.start for word in stored.segments[0].words] == [0.123, 0.457]


async def test_a_transcript_of_nothing_says_why(store: Store) -> None:
    call = await a_placed_call(store)

    await store.transcripts.save(a_transcript(call.id, problem="no voice was heard"))

    stored = await store.transcripts.current(call.id)
    assert stored is not None
    assert (stored.segments, stored.problem) == ((), "no voice was heard")


async def test_a_job_that_runs_twice_writes_once(store: Store) -> None:
    call = await a_placed_call(store)
    one = a_transcript(call.id, dialogue("hello"))
    work = NewWork(kind="judge", key=call.id, payload={})

    assert await store.transcripts.save(one, [work]) == 1
    assert await store.transcripts.save(replace(one, segments=()), [work]) == 1

    assert await store.transcripts.current(call.id) == replace(one, version=1)
    (leased,) = await store.work.lease(kinds=["judge"], limit=9, now=later(100), lease_for=timedelta(1))
    assert leased.version == 1


async def test_a_better_model_makes_a_new_version_and_the_old_one_stays(store: Store) -> None:
    call = await a_placed_call(store)
    old = a_transcript(call.id, dialogue("hallo"))
    new = a_transcript(call.id, dialogue("hello"), fingerprint="f2", model="large-en-us")

    assert [await store.transcripts.save(one) for one in (old, new)] == [1, 2]

    assert await store.transcripts.current(call.id) == replace(new, version=2)
    assert await store.transcripts.version(call.id, 1) == replace(old, version=1)
    assert [one.model for one in await store.transcripts.versions(call.id)] == ["large-en-us", "small-en-us"]


async def test_work_that_follows_is_written_with_the_transcript_or_not_at_all(store: Store) -> None:
    call = await a_placed_call(store)
    work = NewWork(kind="judge", key=call.id, payload={"why": "new transcript"})

    await store.transcripts.save(a_transcript(call.id, dialogue("hello")), [work])
    with pytest.raises(NotFound):
        await store.transcripts.save(a_transcript("f" * 32), [replace(work, key="other")])

    (leased,) = await store.work.lease(kinds=["judge"], limit=9, now=later(100), lease_for=timedelta(1))
    assert (leased.key, leased.payload) == (call.id, {"why": "new transcript"})


async def test_there_is_nothing_of_a_call_that_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound, match="f" * 32):
        await store.transcripts.save(a_transcript("f" * 32))

    assert await store.transcripts.current("f" * 32) is None
    assert await store.transcripts.versions("f" * 32) == []


async def test_more_segments_than_have_room_are_refused(store: Store) -> None:
    call = await a_placed_call(store)

    with pytest.raises(BadInput, match=str(MOST_SEGMENTS)):
        await store.transcripts.save(a_transcript(call.id, [said(C, "no")] * (MOST_SEGMENTS + 1)))


async def test_calls_of_one_moment_do_not_get_in_each_other_s_way(store: Store) -> None:
    calls = [a_call(placed_at=NOW) for _ in range(150)]
    await store.calls.place([(call, None) for call in calls])

    for call in calls:
        await store.transcripts.save(a_transcript(call.id, dialogue(call.id)))

    for call in calls:
        stored = await store.transcripts.current(call.id)
        assert stored is not None
        assert [segment.shown for segment in stored.segments] == [call.id]


async def test_saves_that_race_leave_one_version_each_and_one_current(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    call, other = await a_placed_call(stores[0]), await a_placed_call(stores[0])
    saves = [
        store.transcripts.save(a_transcript(one.id, dialogue(f"words {n}"), fingerprint=f"f{n}"))
        for n in range(6)
        for store in stores
        for one in (call, other)
    ]

    versions = await asyncio.gather(*saves)

    assert sorted(versions) == sorted(6 * list(range(1, 7)))
    for one in (call, other):
        kept = await stores[0].transcripts.versions(one.id)
        assert [each.version for each in kept] == [6, 5, 4, 3, 2, 1]
        current = await stores[0].transcripts.current(one.id)
        assert current is not None
        assert (current.version, current.fingerprint) == (6, kept[0].fingerprint)


async def test_what_is_forgotten_is_gone_with_all_its_versions(store: Store) -> None:
    call, other = await a_placed_call(store), await a_placed_call(store)
    for n in (1, 2):
        await store.transcripts.save(a_transcript(call.id, dialogue("secret"), fingerprint=f"f{n}"))
    await store.transcripts.save(a_transcript(other.id, dialogue("kept")))

    assert await store.transcripts.forget([call.id, "f" * 32]) == 2

    assert await store.transcripts.versions(call.id) == []
    assert await store.transcripts.current(other.id) is not None
    assert await store.transcripts.save(a_transcript(call.id, dialogue("anew"))) == 1


async def test_what_is_past_its_time_is_listed_oldest_first_and_nothing_else(store: Store) -> None:
    """Whether the file of the recording is still there makes no difference; a hold does."""
    calls = {}
    for n, (name, retention) in enumerate(
        [
            ("a", "short"),
            ("b", "short"),
            ("kept", "long"),
            ("late", "short"),
            ("held", "short"),
            ("silent", "short"),
        ]
    ):
        recorded_at = later(n if name != "late" else 100)
        call = await a_placed_call(store, placed_at=later(n))
        facts = replace(KEPT, retention=retention, recorded_at=recorded_at)
        await store.recordings.save_recording(call.id, facts, at=NOW)
        if name != "silent":
            await store.transcripts.save(a_transcript(call.id, dialogue("old"), fingerprint="f1"))
            await store.transcripts.save(a_transcript(call.id, dialogue("new"), fingerprint="f2"))
        calls[name] = call.id
    await a_placed_call(store)  # without a recording
    await store.recordings.set_hold(calls["held"], held=True, by="lea", reason="", at=NOW)
    await store.recordings.begin_deleting({"short": later(1)}, limit=9, at=later(200))
    await store.recordings.finish_deleting(calls["a"], at=later(200))
    before = {"short": later(50), "long": later(2)}

    found = await store.transcripts.past(before, after=0, limit=9)
    assert [call_id for _, call_id in found] == [calls["a"], calls["b"]]
    (first,) = await store.transcripts.past(before, after=0, limit=1)
    assert await store.transcripts.past(before, after=first[0], limit=9) == found[1:]
    assert await store.transcripts.past({}, after=0, limit=9) == []
