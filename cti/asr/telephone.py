"""What a telephone does to sound: 8 kHz and G.711 mu-law. For measuring models on speech that is better than that."""

import io

import numpy as np
import soundfile

from cti.asr.engine import Samples
from cti.asr.rates import NARROW, resampled


def telephone(samples: Samples, rate: int) -> Samples:
    """Return the sound as it leaves a telephone line, at 8 kHz."""
    narrow = resampled(samples, rate, NARROW)
    held = io.BytesIO()
    soundfile.write(held, narrow, NARROW, format="WAV", subtype="ULAW")
    held.seek(0)
    heard, _ = soundfile.read(held, dtype="int16")
    return np.asarray(heard, np.int16)
