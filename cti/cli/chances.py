"""`cti chances`: what was learned of who answers."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import can_be_drawn, talks
from cti.cli.shown import show
from cti.errors import NotFound

WAIT_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 1.0
MEASURES: Final = ("by", "log_loss", "brier", "calibration_error")
BINS: Final = ("attempts", "foretold %", "observed %")


@click.group()
def chances() -> None:
    """How likely people answer, as learned from a campaign's attempts."""


@chances.command("show")
@click.option("--campaign", required=True, help="Its name or id.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw foretold against observed."
)
@click.option("--json", "as_json", is_flag=True, help="Show JSON, the weights too.")
@talks
async def show_chances(api: ApiClient, campaign: str, plot: Path | None, as_json: bool) -> None:
    """Show the newest fit: whether it is in use, and how it held on attempts it had not seen."""
    can_be_drawn(plot)
    fit = (await api.get(_path(campaign)))["fit"]
    if fit is None:
        raise NotFound(
            f"nothing was learned for {campaign} yet; `cti chances fit --campaign {campaign}` does it"
        )
    if as_json:
        click.echo(json.dumps(fit, ensure_ascii=False))
    else:
        _tell(fit)
    if plot is not None and fit["bins"]:
        from cti.cli.plots import reliability_plot  # matplotlib takes a second to load

        reliability_plot(fit["bins"], title=f"{campaign}, fitted {fit['fitted_at'][:16]}", file=plot)


@chances.command("fit")
@click.option("--campaign", required=True, help="Its name or id.")
@click.option("--wait", is_flag=True, help="Wait for the end and show it.")
@talks
async def fit_chances(api: ApiClient, campaign: str, wait: bool) -> None:
    """Have the chances fitted anew; the service does it daily by itself."""
    ordered = await api.post(_path(campaign))
    click.echo(f"a fit for campaign {ordered['campaign']} is ordered")
    until = time.monotonic() + WAIT_SECONDS
    while wait and time.monotonic() < until:
        fit = (await api.get(_path(campaign)))["fit"]
        if fit is not None and fit["id"] != ordered["newest"]:
            _tell(fit)
            return
        await asyncio.sleep(LOOK_SECONDS)
    if wait:
        raise NotFound(f"there was no fit after {WAIT_SECONDS:g} s; the service's log says why")


def _tell(fit: dict[str, Any]) -> None:
    click.echo(f"{'in use' if fit['in_use'] else 'not in use'}, fitted {fit['fitted_at']}: {fit['why']}")
    click.echo(
        f"{fit['attempts']} attempts, {fit['answered']} answered; judged on the newest {fit['held_out']}"
    )
    if not fit["measures"]:
        return
    show([{"by": name} | measured for name, measured in fit["measures"].items()], MEASURES, None)
    show([_bin(one) for one in fit["bins"]], BINS, None)


def _bin(one: dict[str, Any]) -> dict[str, Any]:
    percent = {f"{name} %": f"{100 * one[name]:.1f}" for name in ("foretold", "observed")}
    return {"attempts": one["attempts"]} | percent


def _path(campaign: str) -> str:
    return f"campaigns/{quote(campaign, safe='')}/chances"
