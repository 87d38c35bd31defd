"""Voices that say known sentences at known times, for phones of the lab."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lab.prompts import prompt_file, prompt_texts
from lab.softphone.audio import RATE, encode

PAUSE_SECONDS: Final = 0.9
"""Between two sentences: longer than what joins stretches of voice."""
_FRAME: Final = RATE // 100
_AUDIBLE: Final = 10 ** (-38 / 20)
"""Of full scale, as the effective value of 10 ms: above the studio's noise, below any spoken sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of a voice."""

    text: str
    at: float
    """When its first sound is heard, in seconds from the voice's beginning."""

    @property
    def phrases(self) -> list[str]:
        """Return each three words in a row, the first ones first: what it is looked for by."""
        words = [word.strip(",.?!") for word in self.text.split()]
        return [" ".join(words[at : at + 3]) for at in range(len(words) - 2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What somebody says, once."""

    sound: bytes
    """mu-law, 8 kHz."""
    sentences: tuple[Sentence, ...]

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE


def voice_of(prompts: Sequence[str], *, begin: float = 0.4, pause: float = PAUSE_SECONDS) -> Voice:
    """Return a voice that says Asterisk's prompts one after the other. Raises NotPrepared."""
    texts = prompt_texts()
    parts, sentences = [np.zeros(round(begin * RATE), np.int16)], list[Sentence]()
    for name in prompts:
        sound = _samples(name)
        at = sum(map(len, parts)) / RATE + _onset(sound)
        sentences.append(Sentence(text=texts[name], at=at))
        parts += [sound, np.zeros(round(pause * RATE), np.int16)]
    return Voice(sound=encode(np.concatenate(parts).tolist()), sentences=tuple(sentences))


def _samples(prompt: str) -> npt.NDArray[np.int16]:
    with wave.open(str(prompt_file(prompt)), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), prompt
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def _onset(sound: npt.NDArray[np.int16]) -> float:
    """Return when it is first loud, in seconds."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64) / 32768
    loud = np.sqrt(np.mean(np.square(frames), axis=1)) > _AUDIBLE
    return float(np.argmax(loud)) * _FRAME / RATE
