"""Whether a frame holds voice: WebRTC's detector, or the level alone where that library is not to be had."""

import logging
from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np

from cti.asr.engine import Samples
from cti.asr.frames import QUIETEST_DB, frame_samples
from cti.asr.voice import Activity, Flags, Levels, frame_levels

log = logging.getLogger(__name__)

MODE: Final = 2
"""WebRTC's strictness, 0 to 3: measured with 2."""
OVER_FLOOR_DB: Final = 10.0
FLOOR_SHARE: Final = 10.0
"""The floor is the level that so many per cent of frames do not reach."""


class VoiceDetector(Protocol):
    """Finds voice in one channel."""

    def activity(self, blocks: Iterable[Samples], rate: int) -> Activity:
        """Look at a channel, block by block: all but the last are whole numbers of frames (`frame_samples`)."""
        ...


def best_detector() -> VoiceDetector:
    """Return WebRTC's detector, or the one by level where the library is missing."""
    try:
        from cti.asr.webrtc_voice import WebrtcVoice  # a compiled library; not on every machine
    except ImportError as error:
        log.warning("webrtcvad cannot be loaded (%s): voice is told from silence by its level alone", error)
        return LevelVoice()
    return WebrtcVoice(MODE)


class LevelVoice:
    """Voice is what stands out of the channel's own floor."""

    def activity(self, blocks: Iterable[Samples], rate: int) -> Activity:
        frame = frame_samples(rate)
        parts = [frame_levels(block, frame) for block in blocks]
        levels: Levels = np.concatenate(parts) if parts else np.empty(0, np.float32)
        return Activity(voiced=_above(levels), levels=levels)


def _above(levels: Levels) -> Flags:
    if not len(levels):
        return np.empty(0, np.bool_)
    least = max(float(np.percentile(levels, FLOOR_SHARE)) + OVER_FLOOR_DB, QUIETEST_DB)
    above: Flags = levels > least
    return above
