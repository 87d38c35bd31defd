"""Sound files on disk. Every function blocks and belongs in a thread; every OSError leaves as a RecordingError."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cti.errors import DiskFull, RecordingError
from cti.recording.wav import wav_head, whole_frames

CHUNK_BYTES: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def size_of(path: Path) -> int | None:
    """Return the file's size, None when there is none."""
    with translated("cannot look at", path):
        try:
            return path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None


def read_part(path: Path, start: int, length: int) -> bytes:
    """Return so many bytes from `start` on; fewer only where the file ends."""
    with translated("cannot read", path), path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def write_whole(path: Path, chunks: Iterable[bytes]) -> int:
    """Write a file that is there wholly and durably, or not at all; return its size.

    A run that was killed leaves a part file beside it, which the next run for the same file removes. Each run writes
    a part file of its own name, so two runs at one time cannot mix; the later one wins.
    """
    with translated("cannot write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{_escaped(path.name)}.*.part"):
            left.unlink(missing_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            size = _write(part, chunks)
            part.replace(path)
            _sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    return size


def raw_sound(raw: Path) -> Iterator[bytes]:
    """Give the whole frames of a node's raw file, without a head."""
    with translated("cannot read", raw), raw.open("rb") as source:
        left = whole_frames(os.fstat(source.fileno()).st_size)
        while left:
            chunk = source.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise RecordingError(f"{raw} became shorter while it was read")
            left -= len(chunk)
            yield chunk


def as_wav(raw: Path, sound_bytes: int) -> Iterator[bytes]:
    """Give the WAV file of a raw file that has so many bytes of sound. Raises RecordingError when it has not."""
    yield wav_head(sound_bytes)
    left = sound_bytes
    for chunk in raw_sound(raw):
        left -= len(chunk)
        yield chunk
    if left:
        raise RecordingError(f"{raw} changed its length while it was read")


def remove(path: Path) -> None:
    """Remove a file; one that is gone already is no error."""
    with translated("cannot remove", path), suppress(NotADirectoryError):
        path.unlink(missing_ok=True)


@contextmanager
def translated(failed: str, path: Path) -> Iterator[None]:
    """Let an OSError of the block leave as a RecordingError: DiskFull where there is no room."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"{failed} {path}: the disk under {path.parent} is full") from error
        raise RecordingError(f"{failed} {path}: {error.strerror or error}") from error


def _write(part: Path, chunks: Iterable[bytes]) -> int:
    size = 0
    with part.open("wb") as target:
        for chunk in chunks:
            size += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return size


def _escaped(name: str) -> str:
    """Return a name in which nothing is a pattern; a campaign may be called `[a]*`, though `safe_word` forbids it."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable (fsync(2): the folder's entry has to be synced too)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
