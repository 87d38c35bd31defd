"""Sound in its forms: WAV, FLAC, Ogg Opus. By soundfile (libsndfile). Blocks."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final, cast

import soundfile

from cti.errors import BrokenSound, RecordingError
from cti.model.recordings import SoundFormat
from cti.recording.ports import Samples, Source
from cti.recording.wav import HEAD_LOOK, wav_problem

_FORMS: Final = {
    SoundFormat.WAV: ("WAV", "PCM_16"),
    SoundFormat.FLAC: ("FLAC", "PCM_16"),
    SoundFormat.OPUS: ("OGG", "OPUS"),
}
_READ_AHEAD: Final = 1 << 18
"""Bytes asked of a source at once: the source may be a request over the network."""


class SourceFile(io.RawIOBase):
    """A source as a file that is open for reading."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        found = self._source.read(self._at, len(view))
        view[: len(found)] = found
        self._at += len(found)
        return len(found)


class DecodedSound:
    """A file that is being read; see the port `Sound`."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.frames = int(file.frames)

    def blocks(self, frames: int = 65_536) -> Iterator[Samples]:
        """See the port."""
        left = self.frames
        while left > 0:
            try:
                block = self._file.read(min(frames, left), dtype="int16", always_2d=True)
            except soundfile.SoundFileError as error:
                raise BrokenSound(f"the sound cannot be read to its end: {error}") from error
            if not len(block):
                raise BrokenSound(f"the sound is cut off: {left} frames of {self.frames} are missing")
            left -= len(block)
            yield block


@contextmanager
def decoded(source: Source, form: SoundFormat, *, seconds: float | None = None) -> Iterator[DecodedSound]:
    """Open sound for reading. Raises BrokenSound: empty, cut off, another form, shorter than `seconds` says."""
    if not source.size:
        raise BrokenSound("the file is empty")
    if form is SoundFormat.WAV and (problem := wav_problem(source.read(0, HEAD_LOOK), source.size)):
        raise BrokenSound(problem)
    with io.BufferedReader(SourceFile(source), _READ_AHEAD) as buffered:
        try:
            file = soundfile.SoundFile(buffered)
        except soundfile.SoundFileError as error:
            raise BrokenSound(
                f"this is no sound in the form {form.value}, or it is cut off: {error}"
            ) from error
        with file:
            if file.format != _FORMS[form][0] and not (form is SoundFormat.WAV and file.format == "WAVEX"):
                raise BrokenSound(f"the file should be {form.value}, and is {file.format}")
            if seconds is not None and file.frames < round(seconds * file.samplerate) - 1:
                there = file.frames / file.samplerate
                raise BrokenSound(f"the file is cut off: {there:.2f} s of {seconds:.2f} s are there")
            yield DecodedSound(file)


def encode(blocks: Iterable[Samples], file: IO[bytes], form: SoundFormat, *, rate: int, channels: int) -> int:
    """Write sound into a file that is open for reading and writing; return its frames. Raises RecordingError."""
    container, coding = _FORMS[form]
    frames = 0
    try:
        with soundfile.SoundFile(file, "w", rate, channels, coding, format=container) as encoder:
            for block in blocks:
                encoder.write(block)
                frames += len(block)
    except soundfile.SoundFileError as error:
        raise RecordingError(f"cannot write {form.value}: {error}") from error
    return frames
