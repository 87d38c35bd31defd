"""`cti models`, without any model at hand."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cti.cli.main import cti


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "cti.toml"
    file.write_text(f'[asr]\nfolder = "{tmp_path / "models"}"\nmirror = "{tmp_path / "mirror"}"\n')
    (tmp_path / "mirror").mkdir()
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cti, ["models", *arguments, "--config", str(config)])


def test_known_models_are_listed_and_those_that_are_set(config: Path) -> None:
    with config.open("a") as file:
        file.write('[[asr.models]]\nname = "ours"\nlanguage = "zh"\nengine = "vosk"\npath = "/none"\n')
    rows = {row["name"]: row for row in json.loads(run(config, "list", "--json").stdout)}
    assert rows["small-en-us"]["from"] == "maven, archive"
    assert not rows["small-en-us"]["used"]
    assert (rows["ours"]["used"], rows["ours"]["there"], rows["ours"]["note"]) == (True, False, "/none")


def test_a_model_comes_from_the_mirror_and_is_listed_as_there(config: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mirror" / "vosk-model-small-cn-0.22.zip", "w") as archive:
        archive.writestr("vosk-model-small-cn-0.22/am/final.mdl", "weights")
    done = run(config, "fetch", "small-cn-0.22")
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'models' / 'small-cn-0.22'}\n")
    rows = {row["name"]: row for row in json.loads(run(config, "list", "--json").stdout)}
    assert (rows["small-cn-0.22"]["there"], rows["small-cn-0.22"]["used"]) == (True, True)
    again = run(config, "fetch", "small-cn-0.22")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)


def test_a_name_that_nobody_knows_is_told_with_those_that_are(config: Path) -> None:
    done = run(config, "fetch", "../etc")
    assert done.exit_code == 1
    assert done.stderr.startswith("cti: there is no model '../etc'; there are: small-en-us, small-ko")


def test_a_model_that_is_not_there_fails_the_check_in_one_row(config: Path) -> None:
    with config.open("a") as file:
        file.write('[[asr.models]]\nname = "small-en-us"\n')
    done = run(config, "check", "--json")
    assert done.exit_code == 1
    (row,) = json.loads(done.stdout)
    assert row["result"] == "WRONG"
    assert "small-en-us does not exist; `cti models fetch small-en-us` brings" in row["message"]


def test_to_check_none_is_told(config: Path) -> None:
    assert "there is no model: none is set" in run(config, "check").stderr
    done = run(config, "check", "small-ko")
    assert (done.exit_code, "no model 'small-ko' is in use; there are: none" in done.stderr) == (1, True)
