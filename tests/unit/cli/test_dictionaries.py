"""`cti dictionary`."""

import json

from tests.unit.cli.conftest import Terminal


def test_a_dictionary_is_kept(terminal: Terminal) -> None:
    kind = "dispositions"
    assert (
        terminal.said(
            "dictionary", "add", kind, "fax", "--label", "en=Fax", "--label", "zh=传真", "--means", "final"
        )
        == "dispositions: fax is added\n"
    )
    terminal.said("dictionary", "change", kind, "fax", "--position", "3", "--no-meaning")
    terminal.said("dictionary", "retire", kind, "fax")
    (entry,) = json.loads(terminal.said("dictionary", "show", kind, "--json"))
    assert (entry["labels"], entry["meanings"], entry["position"]) == ({"en": "Fax", "zh": "传真"}, [], 3)
    assert entry["retired_at"]
    assert terminal.said("dictionary", "retire", kind, "fax", "--back") == "dispositions: fax is in use\n"


def test_a_label_without_a_language_is_refused(terminal: Terminal) -> None:
    assert "is not LANGUAGE=TEXT" in terminal.said("dictionary", "add", "stages", "x", "--label", "X", code=2)
