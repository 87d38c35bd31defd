"""Both detectors on one sound."""

import builtins
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cti.asr.engine import Samples
from cti.asr.frames import frame_samples
from cti.asr.voice import spans_of
from cti.asr.voice_detectors import LevelVoice, VoiceDetector, best_detector
from cti.asr.webrtc_voice import WebrtcVoice
from tests.unit.asr.speaking import sounds


def blocks(samples: Samples, rate: int, frames: int) -> Iterator[Samples]:
    step = frames * frame_samples(rate)
    return (samples[at : at + step] for at in range(0, len(samples), step))


@pytest.fixture(params=["webrtc", "level"])
def detector(request: pytest.FixtureRequest) -> VoiceDetector:
    return WebrtcVoice(2) if request.param == "webrtc" else LevelVoice()


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_voice_is_found_where_it_is(detector: VoiceDetector, rate: int) -> None:
    sound = sounds((2.0, 4.0), (6.0, 7.0), seconds=10.0, rate=rate)
    found = spans_of(detector.activity(blocks(sound, rate, 500), rate).voiced)
    assert len(found) == 2
    assert [found[0].start, found[1].start] == pytest.approx([2.0, 6.0], abs=0.1)
    assert [found[0].end, found[1].end] == pytest.approx([4.0, 7.0], abs=0.3)


def test_how_the_sound_is_cut_into_blocks_changes_nothing(detector: VoiceDetector) -> None:
    sound = sounds((0.5, 1.5), (2.0, 3.3), seconds=4.05)
    whole = detector.activity([sound], 8000)
    cut = detector.activity(blocks(sound, 8000, 7), 8000)
    assert np.array_equal(whole.voiced, cut.voiced)
    assert np.array_equal(whole.levels, cut.levels)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 5.0])
def test_silence_holds_no_voice(detector: VoiceDetector, seconds: float) -> None:
    assert not detector.activity([np.zeros(round(seconds * 8000), np.int16)], 8000).voiced.any()
    assert not detector.activity([], 8000).voiced.any()


def test_without_the_library_the_level_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(best_detector(), WebrtcVoice)
    monkeypatch.delitem(sys.modules, "cti.asr.webrtc_voice")
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "webrtcvad":
            raise ImportError("no webrtcvad here")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert isinstance(best_detector(), LevelVoice)
