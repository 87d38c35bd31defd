"""From the recording's rate to the one an engine hears; the only importer of soxr. Pure."""

from typing import Final

import numpy as np
import soxr

from cti.asr.engine import Samples, Stretch
from cti.asr.profile import RateHandling

NARROW: Final = 8000
WIDE: Final = 16000


def heard_rate(rate: int) -> int:
    """Return at which rate sound of that rate is worked on: 8 kHz below 16 kHz, else 16 kHz."""
    return WIDE if rate >= WIDE else NARROW


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """Return the sound at another rate, by a good resampler."""
    if rate == wanted or not len(samples):
        return samples
    found: Samples = soxr.resample(samples, rate, wanted, quality="HQ")
    return found


def doubled(samples: Samples) -> Samples:
    """Return the sound at twice its rate, by straight lines from sample to sample."""
    wide = np.empty(2 * len(samples), np.int16)
    wide[0::2] = samples
    if len(samples):
        following = np.append(samples[1:], samples[-1])
        wide[1::2] = (samples.astype(np.int32) + following) >> 1
    return wide


def handled(stretch: Stretch, handling: RateHandling) -> Stretch:
    """Return the stretch as the model is to hear it; sound of 16 kHz stays as it is."""
    if stretch.rate != NARROW or handling is RateHandling.NATIVE:
        return stretch
    wide = (
        doubled(stretch.samples)
        if handling is RateHandling.LINEAR16K
        else resampled(stretch.samples, NARROW, WIDE)
    )
    return Stretch(start=stretch.start, rate=WIDE, samples=wide)
