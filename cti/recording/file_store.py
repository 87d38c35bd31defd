"""`FileStore` in a folder."""

from collections.abc import Iterable
from pathlib import Path

from cti.errors import FileMissing
from cti.recording.files import read_part, remove, size_of, translated, write_whole


class FolderStore:
    """Files below one folder. A key, wherever it came from, never leads out of it, by a link either."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """See the port."""
        return write_whole(self._path(key), chunks)

    def size(self, key: str) -> int | None:
        """See the port."""
        path = self._path(key)
        return size_of(path) if path.is_file() else None

    def read(self, key: str, start: int, length: int) -> bytes:
        """See the port."""
        return read_part(self._path(key), start, length)

    def remove(self, key: str) -> None:
        """See the port."""
        remove(self._path(key))

    def _path(self, key: str) -> Path:
        with translated("cannot look at", self._folder):
            root = self._folder.resolve()
            try:
                path = (root / key).resolve()
            except (ValueError, RuntimeError) as error:  # a NUL, links in a circle
                raise FileMissing(f"{key!r} names no file: {error}") from error
        if path == root or not path.is_relative_to(root):
            raise FileMissing(f"{key!r} does not lie in the recordings folder")
        return path
