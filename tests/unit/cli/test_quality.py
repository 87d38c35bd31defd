"""`cti quality`."""

import csv
import io
import json
from pathlib import Path

from cti.web.deps import DEPS
from tests.builders import a_call
from tests.said import Line, a_transcript
from tests.unit.cli.conftest import Terminal

RULES = """
[[rules]]
code = "hello"
kind = "must_say"
phrases = ["good morning"]
first_seconds = 10
severity = "note"

[[rules]]
code = "promise"
title = "违禁词"
kind = "must_not_say"
phrases = ["guaranteed", "保证收益"]
severity = "alert"
campaigns = ["autumn"]
"""
CARDS = """
[[cards]]
code = "sales"
title = "Sales"

[[cards.sections]]
title = "Opening"
questions = [
    { code = "greeting", text = "Greeted?", auto = { rule = "hello" } },
    { code = "ratio", text = "Listened?", auto = { figure = "talk_ratio", at_most = 0.6 } },
]
"""


def judged(terminal: Terminal, *lines: Line) -> str:
    """Judge a call with these lines."""

    async def judge() -> str:
        site = terminal.site
        call = a_call(campaign_id=1, agent_id=site.anna)
        await site.store.calls.place([(call, None)])
        await site.store.transcripts.save(a_transcript(*lines, call_id=call.id))
        app = site.client.app
        assert app is not None
        await app[DEPS].quality.rescans._judge.judge(call.id, alert=True)
        return call.id

    call_id: str = terminal.meanwhile(judge())
    return call_id


def imported(terminal: Terminal, folder: Path) -> str:
    file = folder / "rules.toml"
    file.write_text(RULES, encoding="utf-8")
    return terminal.said("quality", "rules", "import", str(file))


def test_rules_come_from_a_file_and_only_changed_ones_make_versions(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert imported(terminal, tmp_path).startswith("2 rules, 2 of them new or changed")
    assert imported(terminal, tmp_path).startswith("2 rules, 0 of them new or changed")
    rows = json.loads(terminal.said("quality", "rules", "show", "--json"))
    assert [(row["code"], row["version"], row["campaigns"]) for row in rows] == [
        ("hello", 1, []),
        ("promise", 1, [1]),
    ]
    assert terminal.said("quality", "rules", "retire", "hello") == "rule hello is out of use\n"
    history = json.loads(terminal.said("quality", "rules", "show", "hello", "--json"))
    assert [(row["version"], row["active"]) for row in history] == [(2, False), (1, True)]


def test_a_file_that_means_nothing_is_refused_by_its_name(terminal: Terminal, tmp_path: Path) -> None:
    for name, text, problem in (
        ("a.toml", "[[rules]\n", "a.toml: "),
        ("b.json", "[1]", "b.json: holds no rules; write [[rules]] tables"),
        (
            "c.toml",
            '[[rules]]\ncode = "x"\nkind = "must_say"\nphrases = ["!"]\n',
            "rules.0.phrases.0: '!' holds",
        ),
    ):
        file = tmp_path / name
        file.write_text(text)
        assert problem in terminal.said("quality", "rules", "import", str(file), code=1)


def test_a_large_file_goes_in_pieces(terminal: Terminal, tmp_path: Path) -> None:
    phrases = [f"phrase number {n}" for n in range(150)]
    rules = [{"code": f"r{n}", "kind": "must_not_say", "phrases": phrases} for n in range(60)]
    file = tmp_path / "large.json"
    file.write_text(json.dumps({"rules": rules}))
    assert file.stat().st_size > 150_000
    assert terminal.said("quality", "rules", "import", str(file)).startswith("60 rules, 60 of them new")


def test_figures_and_flags_of_a_call_are_shown(terminal: Terminal, tmp_path: Path) -> None:
    imported(terminal, tmp_path)
    call_id = judged(terminal, ("agent", 1, "it is guaranteed"))
    shown = terminal.said("quality", "figures", call_id).splitlines()
    assert ["agent_talk_seconds", "1.2"] in [line.split() for line in shown]
    assert ["promise", "alert", "1.8", "agent", "guaranteed"] in [line.split() for line in shown]
    [row] = csv.DictReader(io.StringIO(terminal.said("quality", "figures", call_id, "--csv")))
    assert row["agent_turns"] == "1"
    flags = json.loads(terminal.said("quality", "flags", "--json"))
    assert [(one["agent"], one["rule"], one["second"], one["words"]) for one in flags] == [
        ("anna", "hello", None, None),
        ("anna", "promise", 1.8, "guaranteed"),
    ]
    assert "has not been judged" in terminal.said("quality", "figures", "0" * 32, code=1)


def test_rules_are_tried_out_against_calls(terminal: Terminal, tmp_path: Path) -> None:
    call_id = judged(terminal, ("agent", 1, "it is guaranteed"))
    file = tmp_path / "rules.toml"
    file.write_text(RULES, encoding="utf-8")
    rows = json.loads(terminal.said("quality", "rules", "try", str(file), call_id, "--json"))
    assert [(row["rule"], row["broken"], row["hits"]) for row in rows] == [
        ("hello", True, []),
        ("promise", True, ["guaranteed (1.8 s)"]),
    ]


def test_cards_the_queue_reviews_and_results_are_shown(terminal: Terminal, tmp_path: Path) -> None:
    imported(terminal, tmp_path)
    file = tmp_path / "cards.toml"
    file.write_text(CARDS, encoding="utf-8")
    assert terminal.said("quality", "cards", "import", str(file)) == "card sales: version 1\n"
    questions = json.loads(terminal.said("quality", "cards", "show", "sales", "--json"))
    assert [(one["section"], one["code"], one["auto"]) for one in questions] == [
        ("Opening", "greeting", "rule hello"),
        ("Opening", "ratio", "talk_ratio  to 0.6"),
    ]
    assert json.loads(terminal.said("quality", "cards", "show", "--json"))[0]["questions"] == 2

    flagged = judged(terminal, ("agent", 1, "it is guaranteed"))
    asked_for = judged(terminal, ("agent", 1, "good morning"))
    terminal.said("quality", "put", asked_for, "--reason", "a complaint")
    queue = json.loads(terminal.said("quality", "queue", "--json"))
    assert [(one["call_id"], one["agent"], one["reason"]) for one in queue] == [
        (asked_for, "anna", "a complaint"),
        (flagged, "anna", "promise"),
    ]
    assert terminal.said("quality", "reviews", "--json") == "[]\n"
    span = ("--since", "2026-11-23T00:00:00+00:00", "--until", "2026-11-24T00:00:00+00:00")
    [row] = json.loads(terminal.said("quality", "results", "agents", *span, "--json"))
    assert (row["agent"], row["calls"], row["flagged"], row["reviews"]) == ("anna", 2, 1, 0)
    drawn = terminal.said("quality", "sample", "3")
    assert drawn == "2026-W47: 0 of 0 calls are drawn with the seed 'waihu', 0 of them new in the queue\n"
    assert terminal.said("quality", "cards", "retire", "sales") == "card sales is out of use\n"


def test_a_rescan_is_begun_and_shown(terminal: Terminal) -> None:
    judged(terminal, ("agent", 1, "hello"))
    assert ": 1 calls; look with" in terminal.said("quality", "rescan", "--campaign", "autumn")
    [row] = json.loads(terminal.said("quality", "rescan", "--show", "--json"))
    assert (row["state"], row["matched"], row["by"]) == ("running", 1, "lead")
    stopped = terminal.said("quality", "rescan", "--stop", str(row["id"]))
    assert stopped == f"rescan {row['id']} is stopped: 0 calls were judged\n"
