"""Collecting recordings, on real files in a folder of the test."""

import base64
import json
import wave
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cti.errors import GiveUp, NotFound, RecordingError, StorageError
from cti.hooks.subscriptions import works_of
from cti.model.events import RecordingMissing, RecordingReady
from cti.model.telling import Tell
from cti.model.vocabulary import told
from cti.model.webhooks import Webhook
from cti.recording.works import compress_work
from tests.unit.recording.collecting import ANSWERED, CALL, ENDED, KEPT, NAME, SOUND, Desk, kinds


def a_tell() -> Tell:
    """Return what one webhook makes of events that asked for all of the call's campaign."""
    hook = Webhook(
        id=1,
        name="crm",
        url="https://crm.example",
        events=("recording.*",),
        campaign_ids=(4,),
        secret="whsec_x",
        state_at=ENDED,
        created_at=ENDED,
    )
    return lambda event: works_of(event, [hook], now=ENDED)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_raw_file_becomes_a_wav_file_with_both_sides(desk: Desk) -> None:
    desk.record()
    await desk.collect()
    with wave.open(str(desk.wav)) as kept:
        assert (kept.getnchannels(), kept.getframerate(), kept.getnframes()) == (2, 8000, 16_000)
        assert kept.readframes(16_000) == SOUND
    assert desk.facts.saved == [(CALL, KEPT)]
    assert desk.events == [
        RecordingReady(
            call_id=CALL,
            path=f"{NAME}.wav",
            seconds=2.0,
            size_bytes=64_044,
            at=desk.clock.now(),
            campaign_id=4,
        )
    ]
    assert not desk.raw.exists()


@pytest.mark.parametrize(
    ("sound", "types"),
    [
        (SOUND, ["recording.ready"]),
        (SOUND[:20_000], ["recording.ready", "recording.missing"]),
        (None, ["recording.missing"]),
    ],
)
async def test_what_is_told_is_written_with_the_facts_under_the_same_ids(
    tmp_path: Path, sound: bytes | None, types: list[str]
) -> None:
    woken: list[int] = []
    desk = Desk(tmp_path, tell=a_tell(), on_work=lambda: woken.append(1))
    if sound is not None:
        desk.record(sound)
    await desk.collect_late()
    works = [row.wish for row in desk.facts.tables.works.values()]
    assert [work.payload["type"] for work in works] == types
    assert [work.payload["event_id"] for work in works] == [
        known.id for one in desk.events if (known := told(one))
    ]
    campaigns = {json.loads(work.payload["body"])["data"]["campaign_id"] for work in works}
    assert campaigns == {4}
    assert woken == [1]


async def test_what_could_not_be_stored_is_not_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tell=a_tell())
    desk.record()
    desk.facts.fault = StorageError("locked", temporary=True)
    with pytest.raises(StorageError):
        await desk.collect()
    assert (desk.facts.tables.works, desk.events) == ({}, [])


async def test_the_raw_file_stays_when_it_is_to_be_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, keep_raw=True)
    desk.record()
    await desk.collect()
    assert desk.raw.read_bytes() == SOUND


async def test_a_last_frame_that_was_cut_off_is_left_out(desk: Desk) -> None:
    desk.record(SOUND + b"\x01\x02\x03")
    await desk.collect()
    assert desk.wav.stat().st_size == 44 + len(SOUND)


@pytest.mark.parametrize("sound", [None, b"", SOUND[:20_000]], ids=["missing", "empty", "too short"])
async def test_what_may_still_come_is_waited_for(desk: Desk, sound: bytes | None) -> None:
    if sound is not None:
        desk.record(sound)
    with pytest.raises(RecordingError):
        await desk.collect()
    assert desk.facts.saved == []
    assert desk.events == []


async def test_a_few_runs_are_made_however_long_ago_the_call_was(desk: Desk) -> None:
    desk.clock.advance(86_400)
    with pytest.raises(RecordingError, match="there is no file"):
        await desk.collect(attempts=1)


@pytest.mark.parametrize("sound", [None, b""], ids=["missing", "empty"])
async def test_what_never_comes_is_stored_as_a_problem_and_raises_an_alarm(
    desk: Desk, sound: bytes | None
) -> None:
    if sound is not None:
        desk.record(sound)
    await desk.collect_late()
    [(_, facts)] = desk.facts.saved
    assert facts.path is None
    assert facts.problem
    assert kinds(desk.events) == [RecordingMissing]
    assert desk.files_kept() == []


async def test_a_recording_that_stays_too_short_is_kept_and_raises_an_alarm(desk: Desk) -> None:
    desk.record(SOUND[:20_000])
    await desk.collect_late()
    [(_, facts)] = desk.facts.saved
    assert facts.path == f"{NAME}.wav"
    assert facts.problem == "the recording has 0.62 s of a call of 2.00 s"
    assert kinds(desk.events) == [RecordingReady, RecordingMissing]
    assert desk.wav.stat().st_size == 20_044


async def test_a_recording_longer_than_its_call_is_kept_and_said_to_be(desk: Desk) -> None:
    desk.record(SOUND * 3)
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts.problem == "the recording has 6.00 s though the call lasted 2.00 s"
    assert kinds(desk.events) == [RecordingReady]


async def test_a_call_that_was_over_at_once_needs_no_recording_and_no_alarm(desk: Desk) -> None:
    desk.clock.advance(300)
    await desk.collect(attempts=9, answered_at=ENDED.isoformat())
    [(_, facts)] = desk.facts.saved
    assert facts.problem == "the call was over before anything was recorded"
    assert desk.events == []


async def test_a_file_that_still_grows_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.record()
    sizes = iter([64_000, 64_320])
    monkeypatch.setattr("cti.recording.collector.size_of", lambda _: next(sizes))
    with pytest.raises(RecordingError, match="still being written"):
        await desk.collect()
    assert desk.raw.exists()


async def test_a_node_without_a_folder_is_named(desk: Desk) -> None:
    with pytest.raises(RecordingError, match="no recordings folder of the node 'other'"):
        await desk.collect(node="other")


async def test_an_order_that_leads_out_of_the_folder_touches_nothing(desk: Desk) -> None:
    with pytest.raises(GiveUp):
        await desk.collect(name="../../../secret")


async def test_a_recording_of_a_call_that_is_not_known_is_not_tried_again(desk: Desk) -> None:
    desk.record()
    desk.facts.fault = NotFound("no call of this id")
    with pytest.raises(GiveUp):
        await desk.collect()
    assert desk.raw.exists()


async def test_with_a_key_nothing_readable_reaches_the_disk(tmp_path: Path) -> None:
    desk = Desk(tmp_path, keys=f"2026a:{base64.b64encode(bytes(32)).decode()}")
    desk.record()
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts == replace(KEPT, path=f"{NAME}.wav.sealed", key_id="2026a")
    [kept] = desk.files_kept()
    assert SOUND[:64] not in kept.read_bytes()
    assert desk.archive.problem(facts) is None


async def test_a_file_is_named_by_the_template_and_brings_class_and_work(tmp_path: Path) -> None:
    work = compress_work(CALL)
    desk = Desk(
        tmp_path,
        template=lambda _: "{date}/{number}-{call_id}",
        retention=lambda call: f"class of {call.node}",
        following=lambda call, facts: [work],
    )
    desk.record()
    await desk.collect()
    [(_, facts)] = desk.facts.saved
    assert facts.path == f"2026-11-23/4930901820-{CALL}.wav"
    assert facts.retention == "class of pbx"
    assert [row.wish for row in desk.facts.tables.works.values()] == [work]


async def test_a_pause_ends_with_the_call(desk: Desk) -> None:
    await desk.facts.begin_pause(CALL, by="anna", at=ANSWERED + timedelta(seconds=1))
    desk.record()
    await desk.collect()
    [pause] = await desk.facts.pauses(CALL)
    assert pause.ended_at == ENDED
