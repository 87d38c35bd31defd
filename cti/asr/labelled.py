"""Speech with known text, for measuring. Reads two layouts.

- `FOLDER/*/trans.txt`: lines `FILE<tab>TEXT`, the files beside it; the folder's name begins with the language
  (`ko-KR-...`).
- `FOLDER/NAME.wav` with `FOLDER/NAME.txt`; the language is that of the model, or is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cti.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One file."""

    path: Path
    text: str
    language: str
    """`en`, `zh`; empty: not told."""


def labelled(folder: Path, language: str = "") -> list[Labelled]:
    """Return all there is, by path. Raises BadInput when there is none, or a file is missing or not UTF-8."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such folder")
    found = sorted([*_listed(folder), *_pairs(folder, language)], key=lambda one: one.path)
    if not found:
        raise BadInput(f"{folder}: holds no speech with text: */trans.txt, or NAME.wav with NAME.txt")
    return found


def _listed(folder: Path) -> Iterator[Labelled]:
    for table in sorted([*folder.glob("trans.txt"), *folder.glob("*/trans.txt")]):
        for number, line in enumerate(_text(table).splitlines(), start=1):
            if not line.strip():
                continue
            name, tab, text = line.partition("\t")
            path = table.parent / name.strip()
            if not tab:
                raise BadInput(f"{table}, line {number}: a tab between file and text is missing")
            if path.parent != table.parent or not path.is_file():
                raise BadInput(f"{table}, line {number}: there is no file {name.strip()!r} beside it")
            yield Labelled(path=path, text=text.strip(), language=table.parent.name.split("-")[0].lower())


def _pairs(folder: Path, language: str) -> Iterator[Labelled]:
    for path in folder.glob("*.wav"):
        text = path.with_suffix(".txt")
        if text.is_file():
            yield Labelled(path=path, text=_text(text).strip(), language=language)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
