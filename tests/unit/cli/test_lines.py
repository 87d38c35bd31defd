"""`cti callerid` and `cti trunks`."""

import json

from tests.unit.cli.conftest import Terminal

BERLIN, MUNICH = "+4930901820", "+498912345678"


def numbers(terminal: Terminal) -> dict[str, dict[str, object]]:
    rows = json.loads(terminal.said("callerid", "list", "main", "--json"))
    return {row["number"]: row for row in rows}


def test_a_pool_is_made_changed_and_listed(terminal: Terminal) -> None:
    said = terminal.said("callerid", "add", "main", BERLIN, MUNICH, "--per-hour", "20", "--failures", "3")
    assert said == "pool main is made, with 2 numbers\n"
    set_ = ("callerid", "set", "main", BERLIN, "--area", "+4930", "--area", "+4933", "--weight", "2")
    assert terminal.said(*set_) == f"{BERLIN} of main is set\n"
    assert terminal.said("callerid", "set", "main", MUNICH, "--retired") == f"{MUNICH} of main is set\n"
    listed = numbers(terminal)
    assert (listed[BERLIN]["areas"], listed[BERLIN]["weight"]) == (["+4930", "+4933"], 2.0)
    assert listed[MUNICH]["retired"] is True
    assert terminal.said("callerid", "list").splitlines()[0].split()[:2] == ["pool", "number"]


def test_a_number_rests_and_is_woken(terminal: Terminal) -> None:
    terminal.said("callerid", "add", "main", BERLIN)
    terminal.said("callerid", "rest", "main", BERLIN, "--reason", "marked as spam")
    resting = numbers(terminal)[BERLIN]
    assert resting["rest_reason"] == "marked as spam"
    assert str(resting["rests_until"]).startswith("9999-12-31")
    terminal.said("callerid", "rest", "main", BERLIN, "--until", "2026-11-24T09:00+00:00")
    assert numbers(terminal)[BERLIN]["rests_until"] == "2026-11-24T09:00:00.000000Z"
    terminal.said("callerid", "wake", "main", BERLIN)
    assert numbers(terminal)[BERLIN]["rests_until"] is None


def test_what_is_wrong_with_a_number_is_one_line(terminal: Terminal) -> None:
    assert "numbers.0.number" in terminal.said("callerid", "add", "main", "030123", code=1)
    assert "there is no pool 'none'" in terminal.said("callerid", "wake", "none", BERLIN, code=1)


def test_trunks_are_shown(terminal: Terminal) -> None:
    lines = terminal.said("trunks").splitlines()
    assert lines[0].split()[:4] == ["node", "endpoint", "in_use", "channels"]
    assert [line.split()[1] for line in lines[1:]] == ["cheap", "dear"]
