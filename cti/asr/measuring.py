"""How well a model hears: its error rate by quality of sound and by what is done to the rate. Blocks."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cti.asr.engine import Engine, Samples
from cti.asr.engines import open_engine
from cti.asr.labelled import Labelled
from cti.asr.pipeline import transcribe
from cti.asr.profile import EngineName, ModelProfile, RateHandling
from cti.asr.rates import NARROW, WIDE
from cti.asr.scoring import Score, score, total
from cti.asr.sound import SoundArray, open_sound
from cti.asr.telephone import telephone
from cti.errors import EngineError
from cti.model.transcripts import Speaker

TELEPHONE: Final = "8 kHz mu-law"
STUDIO: Final = "16 kHz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One model on one quality of sound with one handling of the rate."""

    model: str
    language: str
    quality: str
    rate: RateHandling
    files: int
    seconds: float
    score: Score
    cpu_seconds: float
    """Processor time for each second of sound, this process and all its threads."""
    problem: str = ""
    """Why it could not be measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spoken:
    """Sound with its text."""

    samples: Samples
    rate: int
    text: str

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def spoken(files: Iterable[Labelled]) -> list[Spoken]:
    """Read files of one channel. Raises BadInput."""
    found = []
    for one in files:
        with open_sound(one.path) as sound:
            found.append(Spoken(samples=sound.read(0, 0, sound.frames), rate=sound.rate, text=one.text))
    return found


def for_model(files: Sequence[Labelled], profile: ModelProfile) -> list[Labelled]:
    """Return the files in the model's language, and those that tell none."""
    language = profile.language.split("-")[0]
    return [one for one in files if one.language in ("", language)]


def rates_to_try(profile: ModelProfile) -> tuple[RateHandling, ...]:
    """Return the handlings that differ for this engine: Whisper's `native` is a good resampler."""
    if profile.engine is EngineName.WHISPER:
        return (RateHandling.LINEAR16K, RateHandling.SOXR16K)
    return tuple(RateHandling)


def measure(profile: ModelProfile, speech: Sequence[Spoken], *, cache: Path) -> Iterator[Measured]:
    """Give the error rate on wideband sound, where there is any, and for each handling at telephone quality."""
    wide = [one for one in speech if one.rate == WIDE]
    narrow = [
        one
        if one.rate == NARROW
        else Spoken(samples=telephone(one.samples, one.rate), rate=NARROW, text=one.text)
        for one in speech
    ]
    if wide:
        yield _measured(profile, wide, STUDIO, cache)
    for rate in rates_to_try(profile):
        yield _measured(replace(profile, rate=rate), narrow, TELEPHONE, cache)


def best_rate(measured: Iterable[Measured]) -> RateHandling | None:
    """Return the handling with the fewest errors at telephone quality; None when nothing was measured."""
    known = [one for one in measured if one.quality == TELEPHONE and not one.problem]
    return min(known, key=lambda one: one.score.rate).rate if known else None


def heard_text(engine: Engine, speech: Iterable[Spoken]) -> Iterator[str]:
    """Give what the engine writes of each, by the pipeline the service uses."""
    listener = engine.listener()
    for one in speech:
        heard = transcribe(
            SoundArray([one.samples], one.rate),
            engine=engine,
            listener=listener,
            speakers=(Speaker.CUSTOMER,),
        )
        yield " ".join(segment.shown for segment in heard.segments)


def _measured(profile: ModelProfile, speech: Sequence[Spoken], quality: str, cache: Path) -> Measured:
    seconds = sum(one.seconds for one in speech)
    scores: list[Score] = []
    problem = ""
    began = time.process_time()
    try:
        engine = open_engine(profile, cache=cache)
        began = time.process_time()
        written = heard_text(engine, speech)
        scores = [score(one.text, text, profile.language) for one, text in zip(speech, written, strict=True)]
    except EngineError as error:
        problem = str(error)
    return Measured(
        model=profile.name,
        language=profile.language,
        quality=quality,
        rate=profile.rate,
        files=len(speech),
        seconds=round(seconds, 1),
        score=total(scores),
        cpu_seconds=round((time.process_time() - began) / max(seconds, 0.001), 3),
        problem=problem,
    )
