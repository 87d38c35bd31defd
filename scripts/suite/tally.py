"""A plugin of pytest: leaves in the file of `--tally` how the tests ended, for who runs several of it side by side."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from scripts.suite.parts import COUNTED, Tally


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tally", type=Path, help="write how the tests ended into this file")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    stats = terminalreporter.stats
    bad = [(report.nodeid, _why(report)) for kind in ("failed", "error") for report in stats.get(kind, ())]
    tally = Tally(
        counts={kind: len(stats.get(kind, ())) for kind in COUNTED},
        bad=bad,
        skips=Counter(_reason(report) for report in stats.get("skipped", ())),
        processor_seconds=sum(os.times()[:4]),
    )
    file: Path = config.getoption("--tally")
    file.write_text(json.dumps(tally.told()), encoding="utf-8")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr or "")
    return next((line for line in text.splitlines() if line.strip()), "")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")
