"""`cti simulate`: no service runs here."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cti.cli.main import cti

SHORT = ("--hours", "0.2", "--seeds", "1", "--processes", "1", "--mode", "progressive")


def typed(*words: str) -> Result:
    return CliRunner().invoke(cti, ["simulate", *SHORT, *words])


def test_every_combination_has_a_line() -> None:
    result = typed("--reps", "2,5", "--talk", "30,60")
    assert result.exit_code == 0, result.output
    head, *lines = result.output.splitlines()
    assert head.split()[:3] == ["reps", "talk", "mode"]
    assert [line.split()[:3] for line in lines] == [
        ["2", "30", "progressive"],
        ["2", "60", "progressive"],
        ["5", "30", "progressive"],
        ["5", "60", "progressive"],
    ]


def test_json_has_what_was_asked_and_what_was_found_as_numbers() -> None:
    (row,) = json.loads(typed("--answer-rate", "25%", "--json").output)
    assert row["answer_rate"] == 0.25
    assert row["lines"] is None
    assert 0.0 < row["utilisation"] < 1.0
    assert row["dropped"] == 0


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--answer-rate", "1.4"), 1, "answer_rate is 1.4, it must be from 0 to 1"),
        (("--reps", "3,x"), 2, "'3,x' is not one or several whole numbers"),
        (("--reps", "2.5"), 2, "'2.5' is not one or several whole numbers"),
        (("--talk", "nan"), 1, "talk is nan"),
        (("--mode", "manual"), 1, "--mode manual: there are progressive"),
        (("--plot", "shift.jpg"), 1, "must end with .png or .svg"),
        (("--plot", "/no/such/folder/shift.png"), 1, "there is no folder /no/such/folder"),
        (("--reps", ",".join(map(str, range(1, 1001))), "--seeds", "1,2,3"), 1, "these are 3000 shifts"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(words: tuple[str, ...], code: int, named: str) -> None:
    result = typed(*words)
    assert result.exit_code == code
    assert named in result.output


def test_a_plot_is_a_picture_and_the_same_figures_give_the_same_one(tmp_path: Path) -> None:
    for name in ("a.png", "a.svg", "b.svg"):
        result = typed("--reps", "2,20", "--plot", str(tmp_path / name))
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
