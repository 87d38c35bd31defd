"""WebRTC's voice detector; the only importer of webrtcvad."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import webrtcvad

from cti.asr.engine import Samples
from cti.asr.frames import QUIETEST_DB, frame_samples, whole_frames
from cti.asr.voice import Activity, Flags, Levels, frame_levels


class WebrtcVoice:
    """A Gaussian mixture over six bands; knows 8 kHz."""

    def __init__(self, mode: int) -> None:
        self._mode = mode

    def activity(self, blocks: Iterable[Samples], rate: int) -> Activity:
        detector: Any = webrtcvad.Vad(self._mode)  # it remembers: one for each channel
        frame = frame_samples(rate)
        flags: list[bool] = []
        levels: list[Levels] = []
        for block in blocks:
            flags.extend(detector.is_speech(one, rate) for one in whole_frames(block, frame))
            levels.append(frame_levels(block, frame))
        level: Levels = np.concatenate(levels) if levels else np.empty(0, np.float32)
        voiced: Flags = np.array(flags, np.bool_) & (level > QUIETEST_DB)
        return Activity(voiced=voiced, levels=level)
