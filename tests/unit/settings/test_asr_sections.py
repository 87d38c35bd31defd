"""Models in the settings."""

from pathlib import Path

import pytest

from cti.asr.profile import EngineName, RateHandling
from cti.errors import SettingsError
from cti.settings import load


def test_of_a_known_model_the_name_is_enough(tmp_path: Path) -> None:
    asr = load(_file(tmp_path, '[asr]\nfolder = "m"\n[[asr.models]]\nname = "small-en-us"\n'), {}).asr
    (profile,) = asr.profiles()
    assert (profile.language, profile.engine, profile.rate) == ("en", EngineName.VOSK, RateHandling.NATIVE)
    assert profile.mfcc_conf == ("--allow-upsample=true", "--dither=0")
    assert profile.path == Path("m/small-en-us")


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = """
[[asr.models]]
name = "ours"
language = "zh-CN"
engine = "vosk"
path = "/models/cn"
rate = "soxr16k"
mfcc_conf = ["--allow-upsample=true"]
model_conf = ["--beam=11.0"]
"""
    (profile,) = load(_file(tmp_path, text), {}).asr.profiles()
    assert (profile.name, profile.language, profile.path) == ("ours", "zh-CN", Path("/models/cn"))
    assert (profile.rate, profile.model_conf) == (RateHandling.SOXR16K, ("--beam=11.0",))


def test_what_is_set_wins_over_what_is_known(tmp_path: Path) -> None:
    text = '[[asr.models]]\nname = "small-ko"\nrate = "native"\nmfcc_conf = []\n'
    (profile,) = load(_file(tmp_path, text), {}).asr.profiles()
    assert (profile.rate, profile.mfcc_conf, profile.language) == (RateHandling.NATIVE, (), "ko")


def test_without_models_those_that_lie_in_the_folder_are_used(tmp_path: Path) -> None:
    (tmp_path / "small-ko").mkdir()
    (tmp_path / "something").mkdir()
    asr = load(_file(tmp_path, f'[asr]\nfolder = "{tmp_path}"\n'), {}).asr
    assert [profile.name for profile in asr.profiles()] == ["small-ko"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[asr.models]]\nname = "x"\n',
            r"asr\.models\[0\]: 'x' is no model that is known: language and engine",
        ),
        ('[[asr.models]]\nname = "../x"\nlanguage = "en"\nengine = "vosk"\n', r"asr\.models\[0\]\.name"),
        ('[[asr.models]]\nname = "small-ko"\n' * 2, "the name 'small-ko' stands twice"),
        (
            '[[asr.models]]\nname = "small-ko"\nrate = "fast"\n',
            r"rate: Input should be 'native', 'linear16k'",
        ),
        ('[[asr.models]]\nname = "small-ko"\nmfcc_conf = ["dither=0"]\n', r"mfcc_conf\[0\]"),
        ('[[asr.models]]\nname = "small-ko"\nlanguage = "Korean!"\n', "language"),
        ('[[asr.models]]\nname = "small-ko"\nchecksum = "abc"\n', "checksum"),
        ("[asr]\nmodel = 1\n", r"asr\.model: there is no such key; did you mean models\?"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(_file(tmp_path, text), {})


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "cti.toml"
    file.write_text(text, encoding="utf-8")
    return file
