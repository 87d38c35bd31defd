"""faster-whisper; the only importer of it. The extra `whisper`.

A window of 30 s costs the same however full it is, so stretches are put one behind the other with a short silence
between, and the times of the words are brought back. Each window is heard for itself: told what came before it,
Whisper repeats itself when it once went wrong. Temperature 0: the same sound gives the same text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import faster_whisper
import numpy as np
import numpy.typing as npt

from cti.asr.engine import Stretch
from cti.asr.profile import ModelProfile, RateHandling
from cti.asr.rates import WIDE, handled, resampled
from cti.errors import EngineError
from cti.model.transcripts import Word

BATCH_SECONDS: Final = 26.0
BETWEEN_SECONDS: Final = 0.4
LOOPING_RATIO: Final = 2.4
"""Text that packs better than this is one phrase over and over (the threshold of Whisper's authors): not speech."""


class WhisperEngine:
    """One loaded model; as many threads as it was opened for decode at one time."""

    def __init__(self, model: Any, profile: ModelProfile, fingerprint: str) -> None:
        self._model = model
        self._profile = profile
        self._fingerprint = fingerprint

    @classmethod
    def open(
        cls, folder: Path, profile: ModelProfile, fingerprint: str, *, threads: int = 1
    ) -> "WhisperEngine":
        """Load the model. Raises EngineError."""
        try:
            model = faster_whisper.WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=1,
                num_workers=threads,
                local_files_only=True,
            )
        except Exception as error:  # CTranslate2 and the tokenizer raise what they like
            raise EngineError(f"model {profile.name}: Whisper cannot load {folder}: {error}") from error
        return cls(model, profile, fingerprint)

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def batch_seconds(self) -> float:
        return BATCH_SECONDS

    def listener(self) -> "WhisperListener":
        return WhisperListener(self._model, self._profile)


class WhisperListener:
    """Keeps nothing from one window to the next."""

    def __init__(self, model: Any, profile: ModelProfile) -> None:
        self._model = model
        self._profile = profile

    def hear(self, stretches: Sequence[Stretch]) -> list[Word]:
        if not stretches:
            return []
        window = in_a_row([_wide(stretch, self._profile.rate) for stretch in stretches])
        try:
            found = list(self._words(window.samples))
        except Exception as error:  # as above
            raise EngineError(
                f"model {self._profile.name}: Whisper failed at {stretches[0].start:.2f} s of the recording: {error}"
            ) from error
        return [window.in_recording(word) for word in found]

    def _words(self, samples: npt.NDArray[np.float32]) -> Iterator[Word]:
        segments, _ = self._model.transcribe(
            samples,
            language=self._profile.language.split("-")[0].lower(),
            beam_size=self._profile.beam,
            temperature=0.0,
            condition_on_previous_text=False,
            initial_prompt=self._profile.prompt or None,
            word_timestamps=True,
            vad_filter=False,
        )
        for segment in segments:
            if segment.compression_ratio > LOOPING_RATIO:
                continue
            for word in segment.words or ():
                yield Word(
                    text=word.word.strip(),
                    start=round(float(word.start), 3),
                    end=round(float(word.end), 3),
                    confidence=round(float(word.probability), 3),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a stretch stands in a window and in the recording, in seconds."""

    window: float
    recording: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Stretches in a row."""

    samples: npt.NDArray[np.float32]
    """16 kHz, -1 to 1."""
    places: tuple[Place, ...]

    def in_recording(self, word: Word) -> Word:
        """Return the word with the recording's times: those of the stretch its middle lies in, or before."""
        middle = (word.start + word.end) / 2
        place = next(
            (place for place in reversed(self.places) if place.window - BETWEEN_SECONDS / 2 <= middle),
            self.places[0],
        )
        start, end = (
            place.recording + min(max(at - place.window, 0.0), place.seconds) for at in (word.start, word.end)
        )
        return Word(text=word.text, start=round(start, 3), end=round(end, 3), confidence=word.confidence)


def in_a_row(stretches: Sequence[Stretch]) -> Window:
    """Put stretches of 16 kHz behind each other. Pure."""
    silence = np.zeros(round(BETWEEN_SECONDS * WIDE), np.float32)
    parts: list[npt.NDArray[np.float32]] = []
    places = []
    at = 0
    for stretch in stretches:
        places.append(Place(window=at / WIDE, recording=stretch.start, seconds=stretch.seconds))
        sound = stretch.samples.astype(np.float32) / 32768.0
        parts += [sound, silence]
        at += len(sound) + len(silence)
    return Window(samples=np.concatenate(parts), places=tuple(places))


def _wide(stretch: Stretch, handling: RateHandling) -> Stretch:
    """Return the stretch at 16 kHz: Whisper knows no other rate, so `native` means a good resampler."""
    wide = handled(stretch, handling)
    if wide.rate == WIDE:
        return wide
    return Stretch(start=wide.start, rate=WIDE, samples=resampled(wide.samples, wide.rate, WIDE))
