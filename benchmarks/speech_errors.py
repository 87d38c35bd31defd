"""`python -m benchmarks.speech_errors`: error rates of every model at hand, as the table of the docs.

Models: those that can be fetched, and those named in WAIHU_SPEECH_MODELS, `NAME:ENGINE:LANGUAGE:FOLDER` each,
separated by commas. Speech: Asterisk's prompts (English), and the folder with speech files where there is one.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import said
from benchmarks.prompts import prompts
from benchmarks.speech_places import CACHE, fetched, speech_folder
from cti.asr.catalogue import ZH_PROMPT
from cti.asr.labelled import labelled
from cti.asr.measuring import TELEPHONE, Measured, Spoken, best_rate, measure, spoken
from cti.asr.profile import EngineName, ModelProfile, RateHandling
from cti.asr.scoring import by_character
from cti.errors import BadInput, CtiError
from lab.errors import NotPrepared

VARIABLE: Final = "WAIHU_SPEECH_MODELS"
PROMPTS: Final = 20
PROMPT_SECONDS: Final = (3.0, 7.0)
LANGUAGES: Final = {"en": "", "ko": "", "zh": ZH_PROMPT}
"""What Whisper is measured in, with the prompt it is given."""


def main() -> int:
    """Print the table, row by row."""
    print("| model | language | speech | sound | rate | error | processor time |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for profile in _profiles():
        for name, speech in _speech(profile.language):
            said.step(f"{profile.name} ({profile.language}) on {name}")
            found = list(measure(profile, speech, cache=CACHE))
            best = best_rate(found)
            for one in found:
                print(_row(one, name, best=one.quality == TELEPHONE and one.rate is best), flush=True)
    return 0


def _profiles() -> Iterator[ModelProfile]:
    for name in ("small-en-us", "small-ko"):
        yield from _fetched(name)
    for whisper in _fetched("whisper-base"):
        for language, prompt in LANGUAGES.items():
            yield replace(whisper, language=language, prompt=prompt)
    for named in filter(None, os.environ.get(VARIABLE, "").split(",")):
        yield _named(named)


def _fetched(name: str) -> Iterator[ModelProfile]:
    try:
        yield fetched(name)
    except CtiError as error:
        said.step(f"{name} is not measured: {error}")


def _named(text: str) -> ModelProfile:
    parts = text.split(":", 3)
    if len(parts) != 4 or parts[1] not in list(EngineName):
        raise BadInput(f"{VARIABLE}: {text!r} is not NAME:ENGINE:LANGUAGE:FOLDER")
    name, engine, language, folder = parts
    lines = ("--allow-upsample=true", "--dither=0") if engine == EngineName.VOSK else ()
    return ModelProfile(
        name=name,
        language=language,
        engine=EngineName(engine),
        path=Path(folder),
        rate=RateHandling.NATIVE if engine == EngineName.VOSK else RateHandling.SOXR16K,
        mfcc_conf=lines,
        prompt=LANGUAGES.get(language, "") if engine == EngineName.WHISPER else "",
    )


def _speech(language: str) -> Iterator[tuple[str, list[Spoken]]]:
    folder = speech_folder()
    files = [one for one in labelled(folder) if one.language == language] if folder else []
    if files:
        yield "speech files", spoken(files)
    if language == "en":
        try:
            yield "prompts", _prompts()
        except NotPrepared as error:
            said.step(str(error))


def _prompts() -> list[Spoken]:
    least, most = PROMPT_SECONDS
    chosen = [one for one in prompts(16000) if least <= one.seconds <= most]
    step = max(1, len(chosen) // PROMPTS)
    return [Spoken(samples=one.samples, rate=one.rate, text=one.text) for one in chosen[::step][:PROMPTS]]


def _row(one: Measured, speech: str, *, best: bool) -> str:
    unit = "characters" if by_character(one.language) else "words"
    error = one.problem or f"{one.score.rate:.1%} of {one.score.units} {unit}"
    rate = "" if one.quality != TELEPHONE else f"{one.rate}, best" if best else f"{one.rate}"
    cells = (
        *(one.model, one.language, f"{speech}, {one.seconds:.0f} s", one.quality),
        *(rate, error, f"{one.cpu_seconds:.3f}"),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
