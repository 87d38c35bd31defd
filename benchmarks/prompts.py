"""Real speech with known text: Asterisk's English prompts, at 8 kHz (`wav`) and 16 kHz (`g722`), by Debian's packages.

One speaker, recorded in a studio for telephones. Texts come from the package's own list; prompts whose text is a
note in brackets (tones), a letter or a number are left out.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile

from cti.asr.engine import Samples
from lab.installation import cache_folder

PROMPTS: Final = "prompts-1"
"""The folder in the lab's cache; scripts/lab-tools makes it under the same name."""
LONG_ENOUGH: Final = 3
"""Words. Shorter ones are numbers and letters of announcements put together."""
_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9_-]+): *(?P<text>.+)")
_UNSPEAKABLE: Final = re.compile(r"[\[\]<>(){}0-9]|\.\.\.|\b[A-Z]{2,}\b")


class NoPrompts(Exception):
    """They were not fetched."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prompt:
    """One sentence or a few."""

    name: str
    text: str
    rate: int
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def prompts(rate: int) -> list[Prompt]:
    """Return all that can be scored, by name. Raises NoPrompts."""
    share = cache_folder() / PROMPTS / "usr" / "share"
    folder = share / "asterisk" / "sounds" / "en_US_f_Allison"
    texts = sorted((share / "doc").glob("asterisk-core-sounds-en*/core-sounds-en.txt*"))
    if not folder.is_dir() or not texts:
        raise NoPrompts(f"Asterisk's prompts are not in {share}: run scripts/lab-tools")
    return [prompt for name, text in _texts(texts[0]) if (prompt := _prompt(folder, name, text, rate))]


def _texts(file: Path) -> Iterator[tuple[str, str]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", errors="replace") as lines:
        matches = [match for line in lines if (match := _LINE.fullmatch(line.strip()))]
    found = {match["name"]: match["text"] for match in matches}
    for name, text in sorted(found.items()):
        if len(text.split()) >= LONG_ENOUGH and not _UNSPEAKABLE.search(text):
            yield name, text


def _prompt(folder: Path, name: str, text: str, rate: int) -> Prompt | None:
    file = folder / f"{name}.{'wav' if rate == 8000 else 'g722'}"
    if not file.is_file():
        return None
    samples = _wav(file, rate) if rate == 8000 else _g722(file)
    return Prompt(name=name, text=text, rate=rate, samples=samples)


def _wav(file: Path, rate: int) -> Samples:
    samples, found = soundfile.read(file, dtype="int16")
    assert found == rate, file
    return np.asarray(samples, np.int16)


def _g722(file: Path) -> Samples:
    """Decode G.722; its files have no head."""
    with av.open(str(file), format="g722") as opened:
        parts = [frame.to_ndarray().reshape(-1) for frame in opened.decode(audio=0)]
    return np.concatenate(parts).astype(np.int16)
