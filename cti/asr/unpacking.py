"""Archives of models -> a folder. Names in an archive come from outside: none leads out of the folder."""

import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

MOST_BYTES: Final = 16 << 30
"""Unpacked; the largest model that is known has 3 GB."""
_PART: Final = re.compile(r"(.+)\.part(\d+)")


def unpack(archive: Path, target: Path, *, inside: str | None) -> None:
    """Unpack the files under `inside` (None: under the one folder there is) into `target`. Raises OSError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [one for one in opened.infolist() if not one.is_dir()]
            if sum(one.file_size for one in members) > MOST_BYTES:
                raise OSError(f"{archive.name} would be larger than {MOST_BYTES >> 30} GB")
            top = inside if inside is not None else _one_folder(archive, members)
            for member in members:
                if member.filename.startswith(f"{top}/"):
                    _write(opened, member, target, member.filename[len(top) + 1 :])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise OSError(f"{archive.name} cannot be unpacked: {error}") from error


def join_parts(folder: Path) -> None:
    """Make one file NAME of `NAME.part1`, `NAME.part2` and on. Raises OSError."""
    parts: dict[Path, dict[int, Path]] = {}
    for file in folder.rglob("*"):
        if found := _PART.fullmatch(file.name):
            parts.setdefault(file.with_name(found[1]), {})[int(found[2])] = file
    for whole, numbered in parts.items():
        if sorted(numbered) != list(range(1, len(numbered) + 1)):
            raise OSError(f"{whole.name} has the parts {sorted(numbered)}; one is missing")
        with whole.open("wb") as target:
            for _, part in sorted(numbered.items()):
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target)
                part.unlink()


def _one_folder(archive: Path, members: list[zipfile.ZipInfo]) -> str:
    tops = {one.filename.split("/", 1)[0] for one in members if "/" in one.filename}
    if len(tops) != 1:
        raise OSError(f"{archive.name} has {len(tops)} folders in it; one was expected")
    return tops.pop()


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise OSError(f"the archive holds the name {member.filename!r}, which leads out of its folder")
    file = target.joinpath(*path.parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, file.open("wb") as written:
        shutil.copyfileobj(source, written)
