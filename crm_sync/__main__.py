"""`python -m crm_sync`: the process that writes calls to CRMs."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

import click

from crm_sync.composition import check, work
from cti.errors import CtiError, SettingsError
from cti.settings import load

WRONG_SETTINGS_STATUS: Final = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file; else WAIHU_CONFIG, else config/cti.toml.",
)
@click.option("--check", "only_check", is_flag=True, help="Ask each CRM who we are there, and end.")
@click.option("--target", help="With --check: this CRM alone.")
@click.option("--child", is_flag=True, help="End when standard input closes (used by `cti run`).")
def main(config: Path | None, only_check: bool, target: str | None, child: bool) -> None:
    """Write calls to CRMs until told to end. With SQLite the service is asked: WAIHU_URL, WAIHU_TOKEN name it."""
    try:
        settings = load(config)
        logging.basicConfig(
            level=settings.logging.level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        if only_check:
            findings = asyncio.run(check(settings, only=target))
            for one in findings:
                found = one.checked
                click.echo(
                    f"{one.target}: {f'ok, as {found.who} {found.version}' if found else one.problem}".strip()
                )
                for warning in found.warnings if found else ():
                    click.echo(f"{one.target}: {warning}")
            sys.exit(any(one.checked is None for one in findings))
        asyncio.run(work(settings, config=config, ends_with_stdin=child))
    except SettingsError as error:
        click.echo(f"crm_sync: {error}", err=True)
        sys.exit(WRONG_SETTINGS_STATUS)
    except CtiError as error:
        click.echo(f"crm_sync: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m crm_sync")
