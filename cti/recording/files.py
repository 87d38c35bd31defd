"""Sound files on disk. Every function blocks and belongs in a thread; every OSError leaves as a RecordingError."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from cti.errors import RecordingError
from cti.recording.wav import HEAD_BYTES, sound_bytes_of, wav_head, whole_frames

_CHUNK_BYTES: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def size_of(path: Path) -> int | None:
    """Return the file's size, None when there is none."""
    with _translated("cannot look at", path):
        try:
            return path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None


def kept_sound_bytes(wav: Path) -> int | None:
    """Return the bytes of sound in a WAV file that was kept before, None when there is none that is whole."""
    with _translated("cannot read", wav):
        try:
            with wav.open("rb") as file:
                return sound_bytes_of(file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size)
        except (FileNotFoundError, NotADirectoryError):
            return None


def keep_as_wav(raw: Path, wav: Path) -> int:
    """Write the raw sound as a WAV file that is there wholly and durably, or not at all; return its sound's bytes.

    A run that was killed leaves a part file beside it, which the next run for the same file removes. Each run writes
    a part file of its own name, so two runs at one time cannot mix; the later one wins.
    """
    with _translated("cannot write", wav):
        wav.parent.mkdir(parents=True, exist_ok=True)
        for left in wav.parent.glob(f".{wav.name}.*.part"):
            left.unlink(missing_ok=True)
        part = wav.with_name(f".{wav.name}.{secrets.token_hex(4)}.part")
        try:
            sound = _write(raw, part)
            part.replace(wav)
            _sync_folder(wav.parent)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    return sound


def remove(path: Path) -> None:
    """Remove a file; one that is gone already is no error."""
    with _translated("cannot remove", path):
        path.unlink(missing_ok=True)


def _write(raw: Path, part: Path) -> int:
    with raw.open("rb") as source, part.open("wb") as target:
        sound = whole_frames(os.fstat(source.fileno()).st_size)
        target.write(wav_head(sound))
        _copy(source, target, sound)
        target.flush()
        os.fsync(target.fileno())
    return sound


def _copy(source: BinaryIO, target: BinaryIO, size_bytes: int) -> None:
    left = size_bytes
    while left:
        chunk = source.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise RecordingError(f"{source.name} became shorter while it was read")
        target.write(chunk)
        left -= len(chunk)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable (fsync(2): the folder's entry has to be synced too)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(failed: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise RecordingError(f"{failed} {path}: the disk under {path.parent} is full") from error
        raise RecordingError(f"{failed} {path}: {error.strerror or error}") from error
