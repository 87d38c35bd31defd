"""Speech engines as a worker's scribes: a model is loaded once in a process, when first wanted; threads share it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cti.asr.engine import Engine
from cti.asr.pipeline import transcribe
from cti.asr.profile import ModelProfile
from cti.asr.sound import open_sound
from cti.asr.worker_ports import Ear, Heard
from cti.errors import GiveUp

OpenEngine = Callable[[ModelProfile], Engine]


class EngineScribe:
    """One loaded model with the pipeline around it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> str:
        return self._engine.profile.engine.value

    @property
    def model(self) -> str:
        return self._engine.profile.name

    @property
    def language(self) -> str:
        return self._engine.profile.language

    @property
    def fingerprint(self) -> str:
        return self._engine.fingerprint

    def ear(self) -> Ear:
        """See the port: one listener for the calling thread."""
        listener = self._engine.listener()

        def listen(path: Path, still: Callable[[float], Callable[[], None]]) -> Heard:
            with open_sound(path, "the recording") as sound:
                return transcribe(
                    sound, engine=self._engine, listener=listener, still=still(sound.frames / sound.rate)
                )

        return listen


class EngineScribes:
    """The models of the settings. Safe for threads; one of them loads, the others wait for it."""

    def __init__(self, *, profiles: Sequence[ModelProfile], open_engine: OpenEngine) -> None:
        self._profiles = list(profiles)
        self._open_engine = open_engine
        self._loading = threading.Lock()
        self._loaded: dict[str, EngineScribe] = {}

    def scribe(self, *, model: str, language: str) -> EngineScribe:
        """See the port."""
        profile = chosen(self._profiles, model=model, language=language)
        with self._loading:
            if profile.name not in self._loaded:
                self._loaded[profile.name] = EngineScribe(self._open_engine(profile))
            return self._loaded[profile.name]


def chosen(profiles: Sequence[ModelProfile], *, model: str, language: str) -> ModelProfile:
    """Return the profile of that name, else the first of that language, else the first. Raises GiveUp.

    A language is matched whole (`pt-BR`), else by its first part (`pt`).
    """
    if not profiles:
        raise GiveUp("the settings name no speech model: [[asr.models]]; `cti models fetch` brings one")
    if model:
        found = [one for one in profiles if one.name == model]
        wanted = f"model {model!r}"
    elif language:
        asked = language.casefold()
        found = [one for one in profiles if one.language.casefold() == asked]
        found += [one for one in profiles if _first(one.language) == _first(language)]
        wanted = f"model for the language {language!r}"
    else:
        return profiles[0]
    if not found:
        there = ", ".join(f"{one.name} ({one.language})" for one in profiles)
        raise GiveUp(f"there is no {wanted}; the settings have: {there}")
    return found[0]


def _first(language: str) -> str:
    return language.casefold().partition("-")[0]
