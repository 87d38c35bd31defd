"""A model's folder: what kind it is, its digest, and a copy with other settings. Blocks; belongs in a thread."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cti.asr.profile import EngineName, ModelProfile
from cti.errors import EngineError

_MARKS: Final = {
    EngineName.VOSK: (("am/final.mdl",), ("final.mdl",)),
    EngineName.WHISPER: (("model.bin", "config.json"),),
}
"""Files that show which engine a folder is for; Vosk's oldest models have all in one folder."""
_CHUNK_BYTES: Final = 1 << 20


def checked_folder(profile: ModelProfile) -> str:
    """Return the digest of the profile's folder.

    Raises EngineError: there is none, it is for another engine or for none, it is not the one the checksum means.
    """
    kind = kind_of(profile.path)
    if not profile.path.is_dir():
        what = "is a file" if profile.path.exists() else "does not exist"
        raise EngineError(
            f"model {profile.name}: the folder {profile.path} {what}; `cti models fetch {profile.name}`"
            " brings a model that is known"
        )
    if kind is not profile.engine:
        found = f"a model of {kind}" if kind else "no model that is known"
        raise EngineError(
            f"model {profile.name}: {profile.path} holds {found}, and {profile.engine} is to hear with it"
        )
    digest = folder_digest(profile.path)
    if profile.checksum and profile.checksum.lower() != digest:
        raise EngineError(
            f"model {profile.name}: the checksum of {profile.path} is {digest}, and the settings say {profile.checksum}"
        )
    return digest


def kind_of(folder: Path) -> EngineName | None:
    """Return which engine a folder's files are for, None for none that is known."""
    for engine, sets in _MARKS.items():
        if any(all((folder / name).is_file() for name in names) for names in sets):
            return engine
    return None


def folder_digest(folder: Path) -> str:
    """Return SHA-256 over all names and contents of a folder, in hex. Raises EngineError."""
    whole = hashlib.sha256()
    try:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            whole.update(f"{file.relative_to(folder).as_posix()}\0{file_digest(file)}\n".encode())
    except OSError as error:
        raise EngineError(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from error
    return whole.hexdigest()


def file_digest(file: Path) -> str:
    """Return a file's SHA-256 in hex. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def with_lines(text: str, lines: Iterable[str]) -> str:
    """Lay options over a Kaldi configuration: the same key is replaced, a new one comes last. Pure."""
    over = {line.split("=", 1)[0]: line for line in lines}
    kept = [line for line in text.splitlines() if line.split("=", 1)[0].strip() not in over]
    return "\n".join([*kept, *over.values()]) + "\n"


def overlaid(profile: ModelProfile, digest: str, cache: Path) -> Path:
    """Return a folder like the profile's with its lines in it: made of hard links, once, in `cache`.

    Its name says what it was made from, so it never has to be made anew and the original is never changed.
    Raises EngineError.
    """
    if not profile.mfcc_conf and not profile.model_conf:
        return profile.path
    lines = "\n".join((*profile.mfcc_conf, "", *profile.model_conf))
    mark = hashlib.sha256(f"{digest}\n{lines}".encode()).hexdigest()[:16]
    made = cache / f"{profile.name}-{mark}"
    if made.is_dir():
        return made
    try:
        _make(profile, made)
    except OSError as error:
        raise EngineError(
            f"model {profile.name}: a copy with other settings cannot be made in {cache}: {error.strerror or error}"
        ) from error
    return made


def _make(profile: ModelProfile, made: Path) -> None:
    made.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{made.name}.", dir=made.parent))
    try:
        for file in (path for path in profile.path.rglob("*") if path.is_file()):
            target = part / file.relative_to(profile.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(file.resolve(), target)
        for name, lines in (("mfcc.conf", profile.mfcc_conf), ("model.conf", profile.model_conf)):
            if lines:
                _lay_over(profile, part, name, lines)
        with suppress(OSError):  # another process was as fast
            part.rename(made)
        if not made.is_dir():
            raise OSError(f"{made} could not be put in its place")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _link(file: Path, target: Path) -> None:
    """Link hard; where that is not allowed (another disk, another owner's file), by name."""
    try:
        os.link(file, target)
    except OSError:
        target.symlink_to(file)


def _lay_over(profile: ModelProfile, folder: Path, name: str, lines: tuple[str, ...]) -> None:
    file = next((one for one in (folder / "conf" / name, folder / name) if one.is_file()), None)
    if file is None:
        raise EngineError(f"model {profile.name}: {profile.path} has no {name} to lay {lines[0]} over")
    text = with_lines(file.read_text(encoding="utf-8"), lines)
    file.unlink()  # it is a link: writing into it would change the original
    file.write_text(text, encoding="utf-8")
