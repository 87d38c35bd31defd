"""Profile -> engine: the folder is looked at, the model loaded and proved with a second of sound."""

import hashlib
import importlib.metadata
from pathlib import Path
from typing import Final

import numpy as np

from cti.asr.engine import Engine, Stretch
from cti.asr.model_folder import checked_folder, overlaid
from cti.asr.pipeline import VERSION
from cti.asr.profile import EngineName, ModelProfile
from cti.asr.rates import NARROW, WIDE
from cti.errors import EngineError

LIBRARIES: Final = {EngineName.VOSK: "vosk", EngineName.WHISPER: "faster-whisper"}


def open_engine(profile: ModelProfile, *, cache: Path, threads: int = 1) -> Engine:
    """Load a model once for this process and prove that it hears sound of 8 and of 16 kHz.

    `cache`: where copies of models with other settings are made. Blocks for a second or two. Raises EngineError:
    what is wrong, with which model, in which folder.
    """
    digest = checked_folder(profile)
    engine = _opened(profile, digest, cache, threads)
    prove(engine)
    return engine


def fingerprint_of(profile: ModelProfile, digest: str) -> str:
    """Return what changes whenever the same sound might give another text. Raises EngineError without the library."""
    parts = (
        VERSION,
        profile.engine,
        _version(profile),
        digest,
        profile.language,
        profile.rate,
        profile.mfcc_conf,
        profile.model_conf,
        profile.prompt,
        profile.beam,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def prove(engine: Engine) -> None:
    """Have a second of noise heard at both rates. Raises EngineError.

    Vosk takes a model without `--allow-upsample=true` gladly and fails at the first sound of 8 kHz.
    """
    listener = engine.listener()
    rates = (
        (NARROW, WIDE) if engine.profile.engine is EngineName.VOSK else (NARROW,)
    )  # Whisper hears only 16 kHz
    for rate in rates:
        noise = np.random.default_rng(rate).normal(0.0, 300.0, rate).astype(np.int16)
        try:
            listener.hear([Stretch(start=0.0, rate=rate, samples=noise)])
        except EngineError as error:
            hint = ""
            if engine.profile.engine is EngineName.VOSK and rate == NARROW:
                hint = '; mfcc_conf = ["--allow-upsample=true"] or another rate lets it hear 8 kHz'
            raise EngineError(f"{error}{hint}") from error


def _opened(profile: ModelProfile, digest: str, cache: Path, threads: int) -> Engine:
    fingerprint = fingerprint_of(profile, digest)
    try:  # each library is loaded only where it is used: they are large, and Whisper's is an extra
        if profile.engine is EngineName.VOSK:
            from cti.asr.vosk_engine import VoskEngine

            return VoskEngine.open(overlaid(profile, digest, cache), profile, fingerprint)
        from cti.asr.whisper_engine import WhisperEngine

        return WhisperEngine.open(profile.path, profile, fingerprint, threads=threads)
    except (ImportError, OSError) as error:
        raise EngineError(
            f"model {profile.name}: {LIBRARIES[profile.engine]} cannot be loaded: {error}"
        ) from error


def _version(profile: ModelProfile) -> str:
    library = LIBRARIES[profile.engine]
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        extra = "; install waihu[whisper]" if profile.engine is EngineName.WHISPER else ""
        raise EngineError(f"model {profile.name}: {library} is not installed{extra}") from None
