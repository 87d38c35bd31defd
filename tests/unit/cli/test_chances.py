"""`cti chances`."""

import json
from pathlib import Path

from tests.unit.cli.conftest import Terminal
from tests.unit.web.test_chances import FIT


def stored(terminal: Terminal) -> None:
    terminal.meanwhile(terminal.site.store.chances.save_fit(FIT))


def test_before_the_first_fit_the_command_says_how_to_make_one(terminal: Terminal) -> None:
    said = terminal.said("chances", "show", "--campaign", "autumn", code=1)
    assert "`cti chances fit --campaign autumn`" in said


def test_a_fit_is_shown_with_its_measures_and_its_reliability(terminal: Terminal) -> None:
    stored(terminal)
    lines = terminal.said("chances", "show", "--campaign", "autumn").splitlines()
    assert lines[0].startswith("in use, fitted 2026-11-23T09:00:00")
    assert lines[1] == "5000 attempts, 1400 answered; judged on the newest 1000"
    assert [line.split() for line in lines[2:4]] == [
        ["by", "log_loss", "brier", "calibration_error"],
        ["learned", "0.6", "0.2", "0.01"],
    ]
    assert lines[-1].split() == ["100", "10.0", "12.0"]


def test_the_reliability_can_be_drawn(terminal: Terminal, tmp_path: Path) -> None:
    stored(terminal)
    terminal.said("chances", "show", "--campaign", "autumn", "--plot", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_json_has_the_weights(terminal: Terminal) -> None:
    stored(terminal)
    told = json.loads(terminal.said("chances", "show", "--campaign", "1", "--json"))
    assert told["weights"] == {"tries": -0.5}


def test_a_fit_is_ordered(terminal: Terminal) -> None:
    said = terminal.said("chances", "fit", "--campaign", "autumn")
    assert said == "a fit for campaign autumn is ordered\n"
    assert terminal.site.chances.ordered == [1]


def test_a_picture_that_cannot_be_drawn_is_refused_by_name(terminal: Terminal) -> None:
    said = terminal.said("chances", "show", "--campaign", "autumn", "--plot", "a.gif", code=1)
    assert "must end with .png or .svg" in said
