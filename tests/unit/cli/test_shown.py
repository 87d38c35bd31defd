"""How rows look."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from cti.cli.frame import moment_of
from cti.cli.shown import plain_lines, rich_table

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_plain_columns_stand_under_each_other_also_in_chinese() -> None:
    rows = [{"name": "王芳", "state": "ready"}, {"name": "Anna-Lena", "state": None}]
    assert plain_lines(rows, ("name", "state")) == ["name       state", "王芳       ready", "Anna-Lena  -"]


def test_markup_in_a_name_is_shown_and_not_obeyed() -> None:
    console = Console(width=60, force_terminal=False)
    with console.capture() as shown:
        console.print(rich_table([{"name": "[red]x[/red] [/]"}], ("name",)))
    assert "[red]x[/red] [/]" in shown.get()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", "2026-11-23T07:30:00+00:00"),
        ("30m", "2026-11-23T09:00:00+00:00"),
        ("7d", "2026-11-16T09:30:00+00:00"),
        ("2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00+00:00"),
        ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00+00:00"),
    ],
)
def test_moments_may_be_written_in_several_ways(text: str, moment: str) -> None:
    assert moment_of(text, NOW).astimezone(UTC).isoformat() == moment


def test_a_moment_without_a_zone_is_local_time() -> None:
    assert moment_of("2026-11-23T10:00", NOW) == datetime(2026, 11, 23, 10).astimezone()
