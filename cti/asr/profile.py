"""A model profile: which model, and how it is to be used. Values only."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from cti.errors import SettingsError


class EngineName(StrEnum):
    """The speech engines there are."""

    VOSK = "vosk"
    WHISPER = "whisper"


class RateHandling(StrEnum):
    """What is done to 8 kHz sound before a model hears it. Which is best is measured for each model, never assumed."""

    NATIVE = "native"
    """Nothing: the engine is told the rate. For models that know telephone sound, and for those that cope."""
    LINEAR16K = "linear16k"
    """To 16 kHz by straight lines. The mirror images it leaves above 4 kHz stand in for the band that is missing."""
    SOXR16K = "soxr16k"
    """To 16 kHz by a good resampler, which leaves that band empty."""


OPTION: Final = r"^--[a-z0-9][a-z0-9.-]*=\S+$"
"""A line of a Kaldi configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """One model as it is used. Raises SettingsError for lines that are no Kaldi options."""

    name: str
    """Ours; stored with each transcript."""
    language: str
    """BCP 47, for example `en`, `zh`, `ko`."""
    engine: EngineName
    path: Path
    """The model's folder."""
    checksum: str | None = None
    """Digest of the folder as `cti models check` shows it; None: whatever is there."""
    rate: RateHandling = RateHandling.NATIVE
    mfcc_conf: tuple[str, ...] = ()
    """Lines laid over Vosk's `mfcc.conf`, for example `--allow-upsample=true`."""
    model_conf: tuple[str, ...] = ()
    """Lines laid over Vosk's `model.conf`."""
    prompt: str = ""
    """What Whisper is told was said before: sets the script and the punctuation."""
    beam: int = 1
    """Whisper's; Vosk's stands in `model_conf`."""

    def __post_init__(self) -> None:
        for line in (*self.mfcc_conf, *self.model_conf):
            if not re.fullmatch(OPTION, line):
                raise SettingsError(f"model {self.name}: {line!r} is no option; write --key=value")
