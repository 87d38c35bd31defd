"""The suite in two parts: what of their output is shown when, and how it is summed up."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.suite.parts import (
    PARTS,
    Ended,
    Part,
    Tally,
    Telling,
    alone,
    command,
    heading,
    shell_status,
    status,
    summary,
)

LAB, REST = PARTS
WELL = Tally(counts={"passed": 3})
HEAD = "=== test session starts ===\ncollected 3 items\n"
END = "\n=== FAILURES ===\n___ test_x ___\nE  assert 0\n=== 1 failed in 2.00s ===\n"


def ended(part: Part = LAB, **given: object) -> Ended:
    return replace(Ended(part=LAB, status=0, seconds=61.0, tally=WELL), part=part, **given)


def test_progress_is_told_line_by_line_and_the_rest_at_the_end() -> None:
    telling = Telling()

    assert telling.hear(HEAD) == ["=== test session starts ===", "collected 3 items"]
    assert telling.hear("tests/test_a.py ..") == []
    assert telling.begun == "tests/test_a.py .."
    assert telling.hear("F  [100%]\n") == ["tests/test_a.py ..F  [100%]"]
    assert telling.hear(END) == []
    assert telling.rest() == END.strip("\n").split("\n")


def test_however_the_output_is_cut_nothing_is_lost_or_told_twice() -> None:
    text = HEAD + "tests/test_a.py ..F  [100%]\n" + END
    whole = [line for line in text.split("\n") if line]
    for size in range(1, 30):
        telling, now = Telling(), []
        for begin in range(0, len(text), size):
            now += telling.hear(text[begin : begin + size])
        assert now + telling.rest() == whole


def test_what_a_dying_process_said_last_is_shown_also_without_the_end_of_its_line() -> None:
    telling = Telling()
    telling.hear("tests/test_a.py ..\nFatal Python error: Segmentation fault")

    assert telling.rest() == ["Fatal Python error: Segmentation fault"]


def test_a_test_is_in_one_part_alone() -> None:
    assert {part.marks for part in PARTS} == {"lab and not soak", "not lab and not soak"}
    assert [part.patient for part in PARTS] == [False, True]


def test_options_of_the_caller_come_last_so_that_they_count() -> None:
    assert alone(["-m", "lab", "tests/x"])[1:] == ["-m", "pytest", "-m", "not soak", "-m", "lab", "tests/x"]
    assert command(REST, Path("/t.json"))[-1] == "--timeout=960"


@pytest.mark.parametrize(
    ("all_of_them", "expected"),
    [
        pytest.param([ended(), ended(REST)], 0, id="all is well"),
        pytest.param([ended(status=1), ended(REST)], 1, id="one has failures"),
        pytest.param([ended(status=1), ended(REST, status=2)], 2, id="the worst counts"),
        pytest.param([ended(), ended(REST, status=137, tally=None)], 137, id="one was killed"),
        pytest.param(
            [ended(), ended(REST, tally=None)], 3, id="one says that all is well and has no summary"
        ),
        pytest.param([ended(), ended(REST, status=5, tally=Tally(counts={}))], 5, id="no tests were found"),
    ],
)
def test_the_status_is_the_worst(all_of_them: list[Ended], expected: int) -> None:
    assert status(all_of_them) == expected


def test_a_signal_is_told_as_a_shell_tells_it() -> None:
    assert [shell_status(code) for code in (0, 1, -9)] == [0, 1, 137]


def test_the_sum_names_counts_skips_failures_and_how_to_run_those_again() -> None:
    lab = Tally(
        counts={"passed": 2, "failed": 1, "skipped": 2},
        bad=[("tests/t.py::test_x[a b]", "assert 0")],
        skips={"no redis": 2},
        processor_seconds=59.9,
    )
    rest = Tally(counts={"passed": 5, "error": 1, "skipped": 1}, bad=[("tests/u.py::test_y", "")])
    rest = replace(rest, skips={"no redis": 1})

    assert list(summary([ended(status=1, tally=lab), ended(REST, status=1, tally=rest, seconds=600.4)])) == [
        heading("both parts"),
        "lab   2 passed, 1 failed, 2 skipped (status 1) in 1:01, 0:59 of a processor",
        "rest  5 passed, 1 error, 1 skipped (status 1) in 10:00, 0:00 of a processor",
        "sum   7 passed, 1 failed, 1 error, 3 skipped",
        "skipped 3: no redis",
        "FAILED tests/t.py::test_x[a b]: assert 0",
        "FAILED tests/u.py::test_y",
        """again: make test ARGS=''"'"'tests/t.py::test_x[a b]'"'"' tests/u.py::test_y'""",
    ]


def test_a_part_that_died_is_no_part_that_is_well() -> None:
    lines = list(summary([ended(), ended(REST, status=139, tally=None)]))

    assert lines[2] == "rest  ended with status 139 and no summary in 1:01"


def test_a_tally_is_read_as_it_was_told() -> None:
    tally = Tally(counts={"passed": 1}, bad=[("a", "b")], skips={"why": 2}, processor_seconds=1.5)

    assert Tally.read(tally.told()) == tally
