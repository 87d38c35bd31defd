"""Files that are handed out: only what lies below its folder, whatever a stored path says."""

import asyncio
from pathlib import Path

from cti.errors import NotFound


async def sound_file(folder: Path, below: Path) -> Path:
    """Return the file's real path. Raises NotFound when it is not there, or not below the folder."""
    return await asyncio.to_thread(_found, folder, below)


def _found(folder: Path, below: Path) -> Path:
    root = folder.resolve()
    path = (root / below).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound(f"the recording {below} is not in the recordings folder")
    return path
