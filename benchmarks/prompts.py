"""Real speech with known text: Asterisk's English prompts, at 8 kHz (`wav`) and 16 kHz (`g722`), by Debian's packages.

One speaker, recorded in a studio for telephones. Texts come from the package's own list; prompts whose text is a
note in brackets (tones), a letter or a number are left out.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile

from cti.asr.engine import Samples
from lab.errors import NotPrepared
from lab.prompts import prompt_file, prompt_texts

LONG_ENOUGH: Final = 3
"""Words. Shorter ones are numbers and letters of announcements put together."""
_UNSPEAKABLE: Final = re.compile(r"[\[\]<>(){}0-9]|\.\.\.|\b[A-Z]{2,}\b")


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
    """Return all that can be scored, by name. Raises NotPrepared."""
    return [
        Prompt(name=name, text=text, rate=rate, samples=samples)
        for name, text in sorted(prompt_texts().items())
        if len(text.split()) >= LONG_ENOUGH and not _UNSPEAKABLE.search(text) and "/" not in name
        if (samples := _samples(name, rate)) is not None
    ]


def _samples(name: str, rate: int) -> Samples | None:
    try:
        file = prompt_file(name, "wav" if rate == 8000 else "g722")
    except NotPrepared:
        return None  # the list names some that the package does not have
    return _wav(file, rate) if rate == 8000 else _g722(file)


def _wav(file: Path, rate: int) -> Samples:
    samples, found = soundfile.read(file, dtype="int16")
    assert found == rate, file
    return np.asarray(samples, np.int16)


def _g722(file: Path) -> Samples:
    """Decode G.722; its files have no head."""
    with av.open(str(file), format="g722") as opened:
        parts = [frame.to_ndarray().reshape(-1) for frame in opened.decode(audio=0)]
    return np.concatenate(parts).astype(np.int16)
