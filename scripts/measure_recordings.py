"""Measures what recordings cost, in size and processor time: the figures of docs/how-to/recordings.md.

    python scripts/measure_recordings.py FOLDER

FOLDER holds speech as 8 kHz WAV files of one channel (Debian's asterisk-core-sounds-en-wav). A two-leg call of ten
minutes is made of it: each side speaks about 40 % of the time, through mu-law as over a trunk, over a quiet line.
"""

import base64
import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from cti.model.queries import RecordingFacts
from cti.model.recordings import Place, SoundFormat
from cti.recording.archive import Archive, Kept
from cti.recording.peaks import peaks_of
from cti.recording.plan import ArchivePlan
from cti.recording.sound_files import encode
from cti.recording.wav import wav_head

RATE: Final = 8000
SECONDS: Final = 600
KEY: Final = "k:" + base64.b64encode(bytes(32)).decode()


def main(folder: Path) -> None:
    """Print a row for each form."""
    clips = [_clip(path) for path in sorted(folder.rglob("*.wav"))]
    clips = [clip for clip in clips if len(clip) > RATE]
    call = np.stack([_side(clips, seed) for seed in (1, 2)], axis=1).astype("<i2")
    occupied = [float((np.abs(call[:, side].astype(int)) > 200).mean()) for side in (0, 1)]
    print(f"{SECONDS} s, {len(clips)} clips, samples over 200: {occupied[0]:.0%} and {occupied[1]:.0%}")
    content = wav_head(call.nbytes) + call.tobytes()
    for keys in ("", KEY):
        with tempfile.TemporaryDirectory() as temporary:
            _measure(Path(temporary), keys, content)


def _measure(root: Path, keys: str, content: bytes) -> None:
    archive = Archive.open(ArchivePlan(folder=root, keys=keys))
    kept, spent = _timed(lambda: archive.write(Place.LOCAL, "a", SoundFormat.WAV, _pieces(content)))
    _say("sealed" if keys else "plain", "wav", root / kept.path, spent)
    facts = RecordingFacts(path=kept.path, seconds=SECONDS, size_bytes=kept.size_bytes, sha256=kept.sha256)
    for form in (SoundFormat.FLAC, SoundFormat.OPUS):
        smaller, spent = _timed(lambda form=form: _compressed(archive, facts, form))
        _say("sealed" if keys else "plain", form.value, root / smaller.path, spent)
        _, spent = _timed(
            lambda smaller=smaller, form=form: archive.read_sound(
                RecordingFacts(path=smaller.path, format=form)
            )
        )
        print(f"    read: {spent / SECONDS * 3600:.2f} s of processor an hour")
    samples, _ = archive.read_sound(facts)
    _, spent = _timed(lambda: peaks_of([samples], rate=RATE, channels=2, seconds=SECONDS))
    print(f"    peaks: {spent / SECONDS * 3600:.2f} s of processor an hour")


def _compressed(archive: Archive, facts: RecordingFacts, form: SoundFormat) -> Kept:
    with io.BytesIO() as file:
        with archive.open_sound(facts) as sound:
            encode(sound.blocks(), file, form, rate=sound.rate, channels=sound.channels)
        return archive.write(Place.LOCAL, "a", form, [file.getvalue()])


def _timed(do: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return do(), time.process_time() - began


def _say(kind: str, form: str, path: Path, spent: float) -> None:
    size = path.stat().st_size
    hour = size / SECONDS * 3600 / 1e6
    print(f"{kind:7} {form:5} {hour:7.1f} MB an hour, {spent / SECONDS * 3600:6.2f} s of processor an hour")


def _pieces(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), 1 << 20):
        yield content[at : at + (1 << 20)]


def _clip(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16")
    return samples if rate == RATE and samples.ndim == 1 else np.zeros(0, np.int16)


def _side(clips: list[np.ndarray], seed: int) -> np.ndarray:
    """Return one side: clips with gaps of one and a half times their length, a noise floor of -65 dB, mu-law."""
    chance, length = random.Random(seed), SECONDS * RATE
    side = np.random.default_rng(seed).normal(0, 18, length)
    at = 0
    while at < length:
        clip = chance.choice(clips)
        part = clip[: length - at]
        side[at : at + len(part)] += part
        at += round(len(clip) * (1 + 1.5 * 2 * chance.random()))
    return _mu_law(side)


def _mu_law(samples: np.ndarray) -> np.ndarray:
    """Return the samples after G.711 mu-law and back (the continuous curve, mu = 255, rounded to 8 bits)."""
    level = np.sign(samples) * np.log1p(255 * np.minimum(np.abs(samples) / 32_768, 1)) / np.log(256)
    level = np.round(level * 127) / 127
    return np.sign(level) * np.expm1(np.abs(level) * np.log(256)) / 255 * 32_767


if __name__ == "__main__":
    main(Path(sys.argv[1]))
