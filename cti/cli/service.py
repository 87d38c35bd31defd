"""`cti run` and `cti check`: the service itself."""

import asyncio
import gc
import logging
import sys
from pathlib import Path
from typing import Final

import click

from cti.cli.frame import REFUSED, config_option, one_line_errors
from cti.cli.shown import form_options, show
from cti.model.findings import Finding
from cti.settings import load

WORDS: Final = {True: "ok", False: "WRONG", None: "unknown"}


@click.command()
@config_option
@one_line_errors
def run(config: Path | None) -> None:
    """Run the service until it is told to end."""
    settings = load(config)
    _log_to_stderr(settings.logging.level)
    from cti.app import run as run_service  # the whole service; the other commands do without it

    spare_the_collector()
    asyncio.run(run_service(settings, config))


@click.command()
@config_option
@form_options
@one_line_errors
def check(config: Path | None, form: str | None) -> None:
    """Look at settings, database and nodes, and say what is missing and the mend; ends with 0 when all is well."""
    settings = load(config)
    _log_to_stderr("CRITICAL")  # what the log would say stands in the findings
    from cti.wiring.checks import check as check_service

    findings = asyncio.run(check_service(settings))
    show([_row(finding) for finding in findings], ("node", "subject", "result", "message", "mend"), form)
    if not all(finding.ok for finding in findings):
        sys.exit(REFUSED)


def spare_the_collector() -> None:
    """Take what was imported out of the garbage collector's sight.

    It stays until the end, and each full collection would look at all of it again: some ten milliseconds in which no
    call moves.
    """
    gc.collect()
    gc.freeze()


def _row(finding: Finding) -> dict[str, object]:
    return {
        "node": finding.node or None,
        "subject": finding.subject,
        "result": WORDS[finding.ok],
        "message": finding.message,
        "mend": finding.mend or None,
    }


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    if level != "DEBUG":
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it names every plugin it loads
