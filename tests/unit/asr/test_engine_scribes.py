"""Which model an order gets, and that each is loaded once."""

import threading
from pathlib import Path

import pytest

from cti.asr.engine_scribes import EngineScribes, chosen
from cti.asr.profile import EngineName, ModelProfile
from cti.errors import EngineError, GiveUp


def profile(name: str, language: str) -> ModelProfile:
    return ModelProfile(name=name, language=language, engine=EngineName.VOSK, path=Path("/models") / name)


PROFILES = [
    profile("small-en", "en"),
    profile("small-pt", "pt-BR"),
    profile("zh", "zh"),
    profile("en-2", "en"),
]


@pytest.mark.parametrize(
    ("model", "language", "name"),
    [
        ("", "", "small-en"),
        ("zh", "", "zh"),
        ("en-2", "zh", "en-2"),
        ("", "zh", "zh"),
        ("", "zh-TW", "zh"),
        ("", "PT-br", "small-pt"),
        ("", "pt", "small-pt"),
        ("", "en-GB", "small-en"),
    ],
)
def test_the_name_goes_before_the_language_and_the_first_takes_the_rest(
    model: str, language: str, name: str
) -> None:
    assert chosen(PROFILES, model=model, language=language).name == name


@pytest.mark.parametrize(
    ("profiles", "model", "language", "told"),
    [
        ([], "", "", "the settings name no speech model"),
        (PROFILES, "large", "", "there is no model 'large'; the settings have: small-en (en), small-pt"),
        (PROFILES, "", "ko", "there is no model for the language 'ko'"),
    ],
)
def test_what_is_not_there_is_given_up_with_what_there_is(
    profiles: list[ModelProfile], model: str, language: str, told: str
) -> None:
    with pytest.raises(GiveUp) as given_up:
        chosen(profiles, model=model, language=language)
    assert str(given_up.value).startswith(told)


def test_threads_that_want_one_model_load_it_once() -> None:
    opened: list[str] = []
    together = threading.Barrier(4)

    def open_engine(one: ModelProfile) -> object:
        opened.append(one.name)
        return object()

    scribes = EngineScribes(profiles=PROFILES, open_engine=open_engine)  # type: ignore[arg-type]
    got: list[object] = []

    def want() -> None:
        together.wait(30)
        got.append(scribes.scribe(model="zh", language=""))

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["zh"]
    assert len(set(map(id, got))) == 1


def test_a_model_that_could_not_be_loaded_is_tried_again() -> None:
    opened = 0

    def open_engine(one: ModelProfile) -> object:
        nonlocal opened
        opened += 1
        if opened == 1:
            raise EngineError("the disk is away")
        return object()

    scribes = EngineScribes(profiles=PROFILES, open_engine=open_engine)  # type: ignore[arg-type]
    with pytest.raises(EngineError):
        scribes.scribe(model="", language="")
    scribes.scribe(model="", language="")
    assert opened == 2
