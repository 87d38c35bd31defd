"""A worker's process with an engine that only tests have: it "hears" the digest of each channel, some time later.

All but the engine is what `python -m cti.asr` runs. The same sound always gives the same words.
"""

import argparse
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from cti.asr.pipeline import Heard
from cti.asr.sound import open_sound
from cti.asr.worker_ports import Ear
from cti.model.transcripts import CHANNELS, Segment, Word
from cti.transcribing import begin, leave

SLICES = 10
SLICE_SECONDS = 0.02


def digest_of(path: Path, channel: int) -> str:
    """Return what the engine hears on a channel."""
    with open_sound(path) as sound:
        return hashlib.sha256(sound.read(channel, 0, sound.frames).tobytes()).hexdigest()[:16]


class EchoScribe:
    engine, model, language, fingerprint = "echo", "echo", "en", "echo-1"

    def ear(self) -> Ear:
        return listen


def listen(path: Path, still: Callable[[float], Callable[[], None]]) -> Heard:
    with open_sound(path) as sound:
        seconds = sound.frames / sound.rate
    passing = still(seconds)
    for _ in range(SLICES):
        time.sleep(SLICE_SECONDS)
        passing()
    segments = tuple(
        Segment(speaker=speaker, words=(Word(text=digest_of(path, channel), start=0.1, end=0.9),))
        for channel, speaker in enumerate(CHANNELS)
    )
    return Heard(seconds=seconds, segments=segments)


class EchoScribes:
    def scribe(self, *, model: str, language: str) -> EchoScribe:
        return EchoScribe()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    parser.add_argument("--child", action="store_true")
    given = parser.parse_args()
    leave(begin(config=given.config, child=given.child, scribes=lambda settings: EchoScribes()))
