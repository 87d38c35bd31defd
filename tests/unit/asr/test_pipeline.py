"""The whole way, with a fake engine and real voice activity."""

from collections.abc import Sequence

import numpy as np
import pytest

from cti.asr.engine import Samples, Stretch
from cti.asr.pipeline import transcribe, until
from cti.asr.sound import SoundArray
from cti.asr.voice import PAD_SECONDS
from cti.errors import BadInput, EngineError, TooSlow
from cti.model.transcripts import Speaker, Word
from tests.unit.asr.speaking import RATE, FakeEngine, sounds


def two(
    left: list[tuple[float, float]], right: list[tuple[float, float]], seconds: float = 12.0
) -> SoundArray:
    return SoundArray([sounds(*left, seconds=seconds), sounds(*right, seconds=seconds, seed=2)], RATE)


def test_each_channel_is_its_speaker_s_and_segments_stand_by_time() -> None:
    engine = FakeEngine()
    heard = transcribe(two([(1, 2), (7, 8)], [(4, 6)]), engine=engine, listener=engine)
    assert [segment.speaker for segment in heard.segments] == [
        Speaker.CUSTOMER,
        Speaker.AGENT,
        Speaker.CUSTOMER,
    ]
    assert [segment.start for segment in heard.segments] == pytest.approx([1.0, 4.0, 7.0], abs=0.15)
    assert heard.seconds == 12.0
    assert heard.problem is None


def test_voices_are_told_without_the_padding_that_the_engine_hears() -> None:
    engine = FakeEngine()
    heard = transcribe(two([(1, 2)], []), engine=engine, listener=engine)
    (voice,) = heard.voices[Speaker.CUSTOMER]
    assert heard.voices[Speaker.AGENT] == ()
    ((stretch,),) = engine.batches
    assert stretch.start == pytest.approx(voice.start - PAD_SECONDS)
    assert stretch.end == pytest.approx(voice.end + PAD_SECONDS)


def test_an_engine_is_given_as_much_at_once_as_it_wants() -> None:
    alone, together = FakeEngine(), FakeEngine(batch_seconds=5.0)
    call = two([(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)], [])
    transcribe(call, engine=alone, listener=alone)
    transcribe(call, engine=together, listener=together)
    assert [len(batch) for batch in alone.batches] == [1] * 5
    assert len(together.batches) < 3
    assert all(sum(one.seconds for one in batch) <= 5.0 for batch in together.batches)
    assert [one.start for batch in together.batches for one in batch] == [
        one.start for (one,) in alone.batches
    ]


def test_a_silent_channel_is_not_given_to_the_engine() -> None:
    engine = FakeEngine()
    heard = transcribe(two([], []), engine=engine, listener=engine)
    assert (heard.segments, engine.batches, heard.problem) == ((), [], None)


def test_the_other_side_come_through_is_not_heard_twice() -> None:
    left = sounds((1, 3), (6, 8), seconds=10)
    engine = FakeEngine()
    heard = transcribe(SoundArray([left, (left / 180).astype("int16")], RATE), engine=engine, listener=engine)
    assert heard.voices[Speaker.AGENT] == ()
    assert len(heard.voices[Speaker.CUSTOMER]) == 2


def test_one_channel_where_two_are_needed_is_named() -> None:
    engine = FakeEngine()
    with pytest.raises(BadInput, match="has 1 channel; 2 channels are needed: customer, agent"):
        transcribe(SoundArray([sounds((1, 2), seconds=3)], RATE), engine=engine, listener=engine)
    with pytest.raises(BadInput, match="has 2 channels; 1 channel are needed"):
        transcribe(two([], []), engine=engine, listener=engine, speakers=(Speaker.AGENT,))


def test_a_mix_on_both_channels_is_read_once_and_told() -> None:
    mixed = sounds((1, 2), (5, 6), seconds=8)
    engine = FakeEngine()
    heard = transcribe(SoundArray([mixed, mixed.copy()], RATE), engine=engine, listener=engine)
    assert len(heard.segments) == 2
    assert set(heard.voices) == {Speaker.CUSTOMER}
    assert "all channels hold the same sound" in (heard.problem or "")


def test_a_recording_without_sound_is_told() -> None:
    engine = FakeEngine()
    assert (
        transcribe(two([], [], seconds=0.0), engine=engine, listener=engine).problem
        == "there is no sound in it"
    )


def test_an_engine_s_failure_comes_through() -> None:
    engine = FakeEngine(fails_at=5.0)
    with pytest.raises(EngineError):
        transcribe(two([(1, 2), (6, 7)], []), engine=engine, listener=engine)


def test_a_run_ends_when_it_is_told_to() -> None:
    engine = FakeEngine()
    clock = iter(range(100))
    with pytest.raises(TooSlow, match=r"stopped 1\.0 s after the limit"):
        transcribe(
            two([(1, 2), (3, 4), (5, 6), (7, 8)], []),
            engine=engine,
            listener=engine,
            still=until(3.0, lambda: float(next(clock))),
        )
    assert len(engine.batches) == 2  # two looks were before the first


class Endless:
    """Three hours of two channels that nobody holds in memory; counts how much is asked for at once."""

    rate = RATE
    channels = 2
    frames = 3 * 3600 * RATE
    problem = None

    def __init__(self) -> None:
        self._minute = [sounds((2, 5), (20, 41), seconds=60, seed=1), sounds((8, 12), seconds=60, seed=2)]
        self.most_frames = 0

    def read(self, channel: int, start: int, frames: int) -> Samples:
        self.most_frames = max(self.most_frames, frames)
        frames = max(0, min(frames, self.frames - start))
        first = start % len(self._minute[channel])
        return np.resize(np.roll(self._minute[channel], -first)[: max(frames, 1)], frames)


def test_of_three_hours_no_more_is_held_than_of_half_a_minute() -> None:
    recording, engine = Endless(), Counting()
    heard = transcribe(recording, engine=engine, listener=engine)
    assert heard.seconds == 3 * 3600
    assert recording.most_frames <= 30 * RATE
    assert engine.heard == len(heard.segments) == 3 * 180
    assert heard.segments[-1].start > 3 * 3600 - 60


class Counting(FakeEngine):
    """Keeps nothing of what it heard."""

    heard = 0

    def hear(self, stretches: Sequence[Stretch]) -> list[Word]:
        self.heard += len(stretches)
        words = super().hear(stretches)
        self.batches.clear()
        return words
