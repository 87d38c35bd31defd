"""From 8 to 16 kHz."""

import numpy as np
import pytest

from cti.asr.engine import Stretch
from cti.asr.profile import RateHandling
from cti.asr.rates import doubled, handled, heard_rate


def stretch(rate: int) -> Stretch:
    samples = (9000 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)).astype(np.int16)
    return Stretch(start=2.0, rate=rate, samples=samples)


def test_straight_lines_keep_each_sample_and_put_the_middle_between() -> None:
    assert doubled(np.array([0, 100, -100, 32767], np.int16)).tolist() == [
        0,
        50,
        100,
        0,
        -100,
        16333,
        32767,
        32767,
    ]
    assert not len(doubled(np.empty(0, np.int16)))


@pytest.mark.parametrize("handling", list(RateHandling))
def test_wideband_sound_is_left_alone(handling: RateHandling) -> None:
    sound = stretch(16000)
    assert handled(sound, handling) is sound


@pytest.mark.parametrize("handling", [RateHandling.LINEAR16K, RateHandling.SOXR16K])
def test_telephone_sound_lasts_as_long_at_16_khz(handling: RateHandling) -> None:
    wide = handled(stretch(8000), handling)
    assert (wide.rate, wide.seconds, wide.start) == (16000, 1.0, 2.0)
    assert np.abs(wide.samples[200:-200].astype(int) - stretch(16000).samples[200:-200]).max() < 120


def test_native_is_native() -> None:
    sound = stretch(8000)
    assert handled(sound, RateHandling.NATIVE) is sound


@pytest.mark.parametrize(("rate", "heard"), [(8000, 8000), (11025, 8000), (16000, 16000), (48000, 16000)])
def test_no_band_is_invented(rate: int, heard: int) -> None:
    assert heard_rate(rate) == heard
