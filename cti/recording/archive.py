"""Kept recordings, whatever their place, form and key: written, opened, checked, removed. Blocks: belongs in threads.

Knows nothing of the database: it is handed the facts. What a file is encrypted with it reads from the file itself, so a
kill between a new file and its new facts leaves nothing that cannot be read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from cti.errors import BrokenSound, FileMissing, RecordingError, WrongKey
from cti.model.queries import RecordingFacts
from cti.model.recordings import Place, SoundFormat, all_keys, file_key
from cti.recording.file_store import FolderStore
from cti.recording.keys import KeyRing
from cti.recording.plan import ArchivePlan
from cti.recording.ports import FileStore, Samples, Sound, Source
from cti.recording.sealing import HEAD, Unsealed, is_sealed, sealed
from cti.recording.sound_files import decoded

PIECE: Final = 1 << 20
"""Bytes read at once where all are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that was written."""

    path: str
    key_id: str | None
    size_bytes: int
    """As it is played."""
    sha256: str


class Archive:
    """The stores and the keys together; see `SoundReader`, which it is."""

    def __init__(self, *, stores: Mapping[Place, FileStore], keys: KeyRing) -> None:
        self._stores = dict(stores)
        self.keys = keys

    @classmethod
    def open(cls, plan: ArchivePlan) -> Self:
        """Raises BadInput for keys that cannot be read."""
        stores: dict[Place, FileStore] = {Place.LOCAL: FolderStore(plan.folder)}
        if plan.s3 is not None:
            from cti.recording.s3_store import S3Store  # boto3 takes a third of a second to load

            stores[Place.S3] = S3Store(plan.s3, spool=plan.folder / ".spool")
        return cls(stores=stores, keys=KeyRing.read(plan.keys))

    @property
    def last_place(self) -> Place:
        """Where recordings end up."""
        return Place.S3 if Place.S3 in self._stores else Place.LOCAL

    def write(self, place: Place, name: str, form: SoundFormat, chunks: Iterable[bytes]) -> Kept:
        """Write a recording under the current key, wholly or not at all; again replaces."""
        key_id = self.keys.current
        path = file_key(name, form, sealed=key_id is not None)
        measured = _Measured(chunks)
        content: Iterable[bytes] = measured
        if key_id is not None:
            content = sealed(measured, key_id=key_id, key=self.keys.key(key_id))
        self._store(place).put(path, content)
        return Kept(path=path, key_id=key_id, size_bytes=measured.size, sha256=measured.digest.hexdigest())

    def open_source(self, facts: RecordingFacts) -> Source:
        """Open the bytes as they are played. Raises FileMissing, WrongKey, BrokenSound, RecordingError."""
        store, path = self._store(facts.place), facts.path or ""
        size = store.size(path) if path else None
        if size is None:
            raise FileMissing(f"the recording {path} is not in its place ({facts.place.value})")
        source: Source = _Stored(store, path, size)
        return Unsealed(source, self.keys) if is_sealed(source.read(0, HEAD)) else source

    def chunks(self, facts: RecordingFacts) -> Iterator[bytes]:
        """Give all bytes as they are played. Raises BrokenSound when the file is shorter than it says."""
        source = self.open_source(facts)
        at = 0
        while at < source.size:
            piece = source.read(at, PIECE)
            if not piece:
                raise BrokenSound(f"{facts.path} became shorter while it was read")
            at += len(piece)
            yield piece

    def described(self, facts: RecordingFacts) -> Kept:
        """Return what can be known of a file from itself; reads all of it."""
        source = self.open_source(facts)
        key_id = source.key_id if isinstance(source, Unsealed) else None
        measured = _Measured(self.chunks(facts))
        for _ in measured:
            pass
        digest = measured.digest.hexdigest()
        return Kept(path=facts.path or "", key_id=key_id, size_bytes=measured.size, sha256=digest)

    def problem(self, facts: RecordingFacts) -> str | None:
        """Read the whole file; return what is wrong with it, None when its checksum agrees.

        Raises RecordingError when it cannot be had now, for example because the S3 store is away.
        """
        try:
            found = self.described(facts)
        except (BrokenSound, WrongKey, FileMissing) as error:
            return str(error)
        if facts.size_bytes is not None and found.size_bytes != facts.size_bytes:
            return f"it has {found.size_bytes} bytes and should have {facts.size_bytes}"
        if facts.sha256 is not None and found.sha256 != facts.sha256:
            return "its checksum does not agree: the file was changed"
        return None

    @contextmanager
    def open_sound(self, facts: RecordingFacts, *, channels: int | None = 2) -> Iterator[Sound]:
        """See the port."""
        with decoded(self.open_source(facts), facts.format, seconds=facts.seconds) as sound:
            if channels is not None and sound.channels != channels:
                raise BrokenSound(f"{facts.path} has {sound.channels} channels; a recording has {channels}")
            yield sound

    def read_sound(self, facts: RecordingFacts, *, channels: int | None = 2) -> tuple[Samples, int]:
        """See the port."""
        with self.open_sound(facts, channels=channels) as sound:
            blocks = list(sound.blocks())
            nothing = np.zeros((0, sound.channels), np.int16)
            return (np.concatenate(blocks) if blocks else nothing), sound.rate

    def remove_all(self, name: str, *, but: RecordingFacts | None = None) -> None:
        """Remove every file that a recording of this name may have left in any place, but the one of these facts."""
        for place, store in self._stores.items():
            for key in all_keys(name):
                if but is None or (place, key) != (but.place, but.path):
                    store.remove(key)

    def _store(self, place: Place) -> FileStore:
        store = self._stores.get(place)
        if store is None:
            raise RecordingError(
                f"the recording lies in the place {place.value!r}, which the settings do not name"
            )
        return store


class _Stored:
    """A file of a store as a source."""

    def __init__(self, store: FileStore, key: str, size: int) -> None:
        self._store, self._key = store, key
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        return self._store.read(self._key, start, length)


class _Measured:
    """Chunks that are counted and digested as they go by."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            self.digest.update(chunk)
            yield chunk
