"""Sound files, read from any place. WAV (PCM, mu-law, A-law), FLAC, Ogg Opus."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from math import gcd
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import soundfile

from cti.asr.engine import Samples
from cti.asr.rates import NARROW, heard_rate, resampled
from cti.errors import BadInput

_EDGE_SECONDS: Final = 0.05
"""Read beyond both ends of a piece that is resampled, so that the filter has settled."""
_HEAD_BYTES: Final = 4096
_UNKNOWN_SIZES: Final = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF})
"""What writers put who did not know how long it would be."""


class SoundFile:
    """One open file. Not for two threads at one time."""

    def __init__(self, file: soundfile.SoundFile, name: str, problem: str | None) -> None:
        self._file = file
        self._name = name
        self._rate: int = file.samplerate
        self.rate = heard_rate(self._rate)
        self.channels: int = file.channels
        self.frames: int = file.frames * self.rate // self._rate
        self.problem = problem

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    def read(self, channel: int, start: int, frames: int) -> Samples:
        if not 0 <= channel < self.channels:
            raise BadInput(f"{self._name}: there is no channel {channel}; it has {self.channels}")
        if self.rate == self._rate:
            return self._read(channel, start, frames)
        step = self.rate // gcd(
            self.rate, self._rate
        )  # only there do both rates have a sample at the same moment
        edge = round(_EDGE_SECONDS * self.rate)
        begin = max(start - edge, 0) // step * step
        end = start + frames + edge
        wide = self._read(channel, begin * self._rate // self.rate, (end - begin) * self._rate // self.rate)
        return resampled(wide, self._rate, self.rate)[start - begin : start - begin + frames]

    def _read(self, channel: int, start: int, frames: int) -> Samples:
        try:
            self._file.seek(min(start, self._file.frames))
            block = self._file.read(max(frames, 0), dtype="int16", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise BadInput(f"{self._name}: cannot be read at sample {start}: {error}") from error
        samples: Samples = np.ascontiguousarray(block[:, channel])
        return samples


class SoundArray:
    """Sound in memory, channels by samples; for short pieces."""

    def __init__(self, channels: list[Samples], rate: int) -> None:
        self._channels = channels
        self.rate = rate
        self.channels = len(channels)
        self.frames = max((len(one) for one in channels), default=0)
        self.problem: str | None = None

    def read(self, channel: int, start: int, frames: int) -> Samples:
        return self._channels[channel][start : start + frames]


@contextmanager
def open_sound(source: Path | BinaryIO, name: str | None = None) -> Iterator[SoundFile]:
    """Open a recording. Raises BadInput, which names it: empty, no sound file, a rate below 8 kHz."""
    called = name or (str(source) if isinstance(source, Path) else "the sound")
    try:
        with source.open("rb") if isinstance(source, Path) else _kept(source) as raw:
            head, size = _head(raw)
            if not size:
                raise BadInput(f"{called}: is empty")
            with _opened(raw, called) as file:
                if file.samplerate < NARROW:
                    raise BadInput(
                        f"{called}: {file.samplerate} samples a second; at least {NARROW} are needed"
                    )
                yield SoundFile(file, called, cut_short(head, size))
    except OSError as error:
        raise BadInput(f"{called}: cannot be read: {error.strerror or error}") from error


@contextmanager
def _kept(source: BinaryIO) -> Iterator[BinaryIO]:
    yield source


def _head(raw: BinaryIO) -> tuple[bytes, int]:
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    head = raw.read(_HEAD_BYTES)
    raw.seek(0)
    return head, size


@contextmanager
def _opened(raw: BinaryIO, called: str) -> Iterator[soundfile.SoundFile]:
    try:
        file = soundfile.SoundFile(raw)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise BadInput(f"{called}: is no sound file that can be read: {error}") from error
    with file:
        yield file


def cut_short(head: bytes, file_bytes: int) -> str | None:
    """Return a sentence when a WAV file holds less sound than its head says; other files: None. Pure."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at = 12
    while at + 8 <= len(head):
        kind, size = struct.unpack_from("<4sI", head, at)
        if kind == b"data":
            there = file_bytes - at - 8
            if size in _UNKNOWN_SIZES or size <= there:
                return None
            return f"the file is cut short: {there} bytes of sound are there, its head says {size}"
        at += 8 + size + size % 2
    return None
