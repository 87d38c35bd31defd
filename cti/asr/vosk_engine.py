"""Vosk; the only importer of it.

What makes it fast and right was measured:

- A recognizer composes its graph as it hears, which costs most of a second at first. So a listener keeps one.
- Its word times count from its birth. So what it was given before a stretch is taken off.
- `FinalResult` drops all state but the composed graph: with `--dither=0` a stretch gives the same words whatever
  was heard before it.
- It grows slowly. So it is let go after some hours of sound, and after an error.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import vosk

from cti.asr.engine import Samples, Stretch
from cti.asr.profile import ModelProfile
from cti.asr.rates import handled
from cti.errors import EngineError
from cti.model.transcripts import Word

STEP_SECONDS: Final = 0.25
"""What is given at once: an utterance's end is looked for once per step, and other threads run between steps."""
KEPT_SECONDS: Final = 4 * 3600.0
"""Sound after which a recognizer is made anew: about a thousand channels of calls. It costs a second of work."""

_MARK: Final = re.compile(r"\[.*\]|<.*>")
"""Words of some models that nobody said: `[unk]`, `[noise]`, footnotes of the texts they learned from (`[8]`)."""


class VoskEngine:
    """One loaded model; threads share it, Vosk counts its users."""

    def __init__(self, model: Any, profile: ModelProfile, fingerprint: str, kept_seconds: float) -> None:
        self._model = model
        self._profile = profile
        self._fingerprint = fingerprint
        self._kept_seconds = kept_seconds

    @classmethod
    def open(
        cls, folder: Path, profile: ModelProfile, fingerprint: str, *, kept_seconds: float = KEPT_SECONDS
    ) -> "VoskEngine":
        """Load the model in `folder` (the profile's, or the copy with its lines). Raises EngineError."""
        vosk.SetLogLevel(-1)
        try:
            model = vosk.Model(str(folder))
        except Exception as error:  # it raises nothing more special
            raise EngineError(f"model {profile.name}: Vosk cannot load {folder}: {error}") from error
        return cls(model, profile, fingerprint, kept_seconds)

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def batch_seconds(self) -> float:
        return 0.0

    def listener(self) -> "VoskListener":
        return VoskListener(self._model, self._profile, self._kept_seconds)


class VoskListener:
    """One recognizer for each rate, kept."""

    def __init__(self, model: Any, profile: ModelProfile, kept_seconds: float) -> None:
        self._model = model
        self._profile = profile
        self._kept_seconds = kept_seconds
        self._kept: dict[int, _Kept] = {}

    def hear(self, stretches: Sequence[Stretch]) -> list[Word]:
        return [word for stretch in stretches for word in self._heard(handled(stretch, self._profile.rate))]

    def _heard(self, stretch: Stretch) -> list[Word]:
        kept = self._kept.get(stretch.rate)
        try:
            if kept is None or kept.fed_seconds > self._kept_seconds:
                kept = self._kept[stretch.rate] = _Kept(self._model, stretch.rate)
            before = kept.fed_seconds
            results = kept.results(stretch.samples)
        except Exception as error:  # it raises nothing more special
            self._kept.pop(stretch.rate, None)
            raise EngineError(
                f"model {self._profile.name}: Vosk failed at {stretch.start:.2f} s of the recording ({stretch.rate}"
                f" samples a second): {error}"
            ) from error
        return [word for result in results for word in words_of(result, stretch.start - before)]


class _Kept:
    """A recognizer, and how much it was given so far."""

    def __init__(self, model: Any, rate: int) -> None:
        self._recognizer = vosk.KaldiRecognizer(model, rate)
        self._recognizer.SetWords(True)
        self._rate = rate
        self._fed = 0

    @property
    def fed_seconds(self) -> float:
        return self._fed / self._rate

    def results(self, samples: Samples) -> list[str]:
        step = round(STEP_SECONDS * self._rate)
        found = []
        for begin in range(0, len(samples), step):
            if self._recognizer.AcceptWaveform(samples[begin : begin + step].tobytes()):
                found.append(self._recognizer.Result())
        found.append(self._recognizer.FinalResult())
        self._fed += len(samples)
        return found


def words_of(result: str, shift: float) -> list[Word]:
    """Read one of Vosk's results: `{"result": [{"word", "start", "end", "conf"}], "text"}`; times move by `shift`."""
    return [
        Word(
            text=one["word"],
            start=round(one["start"] + shift, 3),
            end=round(one["end"] + shift, 3),
            confidence=round(one["conf"], 3),
        )
        for one in json.loads(result).get("result", ())
        if not _MARK.fullmatch(one["word"])
    ]
