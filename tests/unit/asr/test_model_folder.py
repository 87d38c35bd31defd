"""Models' folders: kinds, digests, copies with other settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from cti.asr.model_folder import checked_folder, folder_digest, kind_of, overlaid, with_lines
from cti.asr.profile import EngineName, ModelProfile
from cti.errors import EngineError, SettingsError

MFCC = "--use-energy=false\n--allow-downsample=true\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, text in (
        ("am/final.mdl", "weights"),
        ("conf/mfcc.conf", MFCC),
        ("conf/model.conf", "--beam=10.0\n"),
        ("graph/Gr.fst", "graph"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def profile(path: Path, **given: object) -> ModelProfile:
    return replace(ModelProfile(name="m", language="en", engine=EngineName.VOSK, path=path), **given)  # type: ignore[arg-type]


def test_lines_replace_those_of_the_same_key_and_new_ones_come_last() -> None:
    assert with_lines(MFCC, ["--allow-downsample=false", "--dither=0"]) == (
        "--use-energy=false\n--allow-downsample=false\n--dither=0\n"
    )
    assert with_lines("--beam=10.0", ["--beam=9"]) == "--beam=9\n"


def test_a_copy_has_the_lines_and_the_original_keeps_its_own(model: Path, tmp_path: Path) -> None:
    asked = profile(model, mfcc_conf=("--allow-upsample=true",), model_conf=("--beam=9",))
    made = overlaid(asked, folder_digest(model), tmp_path / "cache")
    assert (made / "conf/mfcc.conf").read_text() == MFCC + "--allow-upsample=true\n"
    assert (made / "conf/model.conf").read_text() == "--beam=9\n"
    assert (model / "conf/mfcc.conf").read_text() == MFCC
    assert (made / "graph/Gr.fst").stat().st_ino == (model / "graph/Gr.fst").stat().st_ino
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [made.name]


def test_a_copy_is_made_once_and_anew_for_other_lines_or_another_model(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    asked = profile(model, mfcc_conf=("--dither=0",))
    made = overlaid(asked, folder_digest(model), cache)
    assert overlaid(asked, folder_digest(model), cache) == made
    assert overlaid(profile(model, mfcc_conf=("--dither=1",)), folder_digest(model), cache) != made
    (model / "am/final.mdl").write_text("other")
    assert overlaid(asked, folder_digest(model), cache) != made


def test_without_lines_there_is_no_copy(model: Path, tmp_path: Path) -> None:
    assert overlaid(profile(model), "", tmp_path / "cache") == model


def test_where_links_are_not_allowed_files_are_linked_by_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("another owner's")

    monkeypatch.setattr("os.link", refuse)
    made = overlaid(profile(model, mfcc_conf=("--dither=0",)), "", tmp_path / "cache")
    assert (made / "graph/Gr.fst").is_symlink()
    assert (made / "graph/Gr.fst").read_text() == "graph"
    assert (model / "conf/mfcc.conf").read_text() == MFCC


def test_a_file_that_is_to_be_changed_and_is_not_there_is_named(model: Path, tmp_path: Path) -> None:
    (model / "conf/mfcc.conf").unlink()
    with pytest.raises(EngineError, match=r"has no mfcc\.conf to lay --dither=0 over"):
        overlaid(profile(model, mfcc_conf=("--dither=0",)), "", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_kinds_are_told_by_files(model: Path, tmp_path: Path) -> None:
    assert kind_of(model) is EngineName.VOSK
    assert kind_of(tmp_path) is None
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_text("")
    assert kind_of(tmp_path) is EngineName.WHISPER


def test_the_digest_is_of_names_and_contents(model: Path) -> None:
    before = folder_digest(model)
    (model / "am/final.mdl").rename(model / "am/last.mdl")
    renamed = folder_digest(model)
    (model / "am/last.mdl").write_text("other")
    assert len({before, renamed, folder_digest(model)}) == 3


def test_a_good_folder_passes_with_its_checksum(model: Path) -> None:
    digest = folder_digest(model)
    assert checked_folder(profile(model, checksum=digest.upper())) == digest


def test_a_wrong_checksum_is_told_with_the_right_one(model: Path) -> None:
    with pytest.raises(EngineError, match=f"is {folder_digest(model)}, and the settings say 00"):
        checked_folder(profile(model, checksum="00" * 32))


def test_a_wrong_path_or_kind_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        EngineError, match=r"model m: the folder .*/none does not exist; `cti models fetch m`"
    ):
        checked_folder(profile(tmp_path / "none"))
    with pytest.raises(EngineError, match=r"final\.mdl is a file"):
        checked_folder(profile(model / "am/final.mdl"))
    with pytest.raises(EngineError, match="holds no model that is known"):
        checked_folder(profile(tmp_path))
    with pytest.raises(EngineError, match="holds a model of vosk, and whisper is to hear with it"):
        checked_folder(profile(model, engine=EngineName.WHISPER))


@pytest.mark.parametrize(
    "line", ["dither=0", "--dither", "--dither=0 --beam=3", "--dither=0\n--beam=3", "--Beam=3"]
)
def test_a_line_that_is_no_option_is_refused(line: str) -> None:
    with pytest.raises(SettingsError, match="is no option; write --key=value"):
        profile(Path("m"), mfcc_conf=(line,))
