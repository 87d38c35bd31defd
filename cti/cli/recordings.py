"""`cti recordings`, and `cti calls recording`: recordings are paused, held, checked, encrypted anew."""

import asyncio
import base64
import secrets
import sys
from typing import Any, Final
from urllib.parse import quote

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti.cli.client import ApiClient
from cti.cli.frame import REFUSED, talks
from cti.cli.shown import form_options, show
from cti.recording.keys import KEY_BYTES

LOOK_SECONDS: Final = 1.0
PAGE: Final = 20


@click.group("recording")
def call_recording() -> None:
    """The recording of one call."""


@call_recording.command("pause")
@click.argument("call")
@talks
async def pause(api: ApiClient, call: str) -> None:
    """From now on the recording of CALL (its id) holds silence."""
    told = await api.post(_of(call, "pause"))
    click.echo(f"call {call}: the recording holds silence{'' if told['changed'] else ' already'}")


@call_recording.command("resume")
@click.argument("call")
@talks
async def resume(api: ApiClient, call: str) -> None:
    """The recording of CALL (its id) holds sound again."""
    told = await api.post(_of(call, "resume"))
    click.echo(f"call {call}: the recording holds sound{'' if told['changed'] else ' already'}")


@click.group()
def recordings() -> None:
    """Recordings: holds, checksums, keys, retention."""


@recordings.command("hold")
@click.argument("call")
@click.option("--reason", default="", help="Why; kept in the history.")
@talks
async def hold(api: ApiClient, call: str, reason: str) -> None:
    """Put the recording of CALL (its id) under legal hold: it is not deleted."""
    await api.put(_of(call, "hold"), {"held": True, "reason": reason})
    click.echo(f"call {call}: held")


@recordings.command("release")
@click.argument("call")
@click.option("--reason", default="", help="Why; kept in the history.")
@talks
async def release(api: ApiClient, call: str, reason: str) -> None:
    """Clear the legal hold of the recording of CALL (its id)."""
    await api.put(_of(call, "hold"), {"held": False, "reason": reason})
    click.echo(f"call {call}: no longer held")


@recordings.command("show")
@click.argument("call")
@form_options
@talks
async def show_one(api: ApiClient, call: str, form: str | None) -> None:
    """Show all that is known of the recording of CALL (its id)."""
    told = await api.get(_of(call, "facts"))
    if form is not None:
        show([told], list(told), form)
    else:
        show([{"what": name, "value": value} for name, value in told.items()], ("what", "value"), None)


@recordings.command("retention")
@form_options
@talks
async def retention(api: ApiClient, form: str | None) -> None:
    """Count recordings by retention class; a class without days is kept for ever."""
    told = await api.get("recordings")
    show(told["classes"], ("class", "days", "recordings", "held"), form)


@recordings.command("verify")
@form_options
@talks
async def verify(api: ApiClient, form: str | None) -> None:
    """Read every recording through and compare its checksum; ends with 0 only when all agree."""
    total = (await api.get("recordings"))["recordings"]
    bad: list[dict[str, Any]] = []
    checked, after = 0, ""
    with _bar() as bar:
        task = bar.add_task("verify", total=total)
        while True:
            told = await api.post("recordings/verify", {"after": after, "limit": PAGE})
            checked, bad = checked + told["checked"], bad + told["bad"]
            bar.advance(task, told["checked"])
            if told["next"] is None:
                break
            after = told["next"]
    if bad or form is not None:
        show(bad, ("call_id", "path", "problem"), form)
    if form is None:
        click.echo(f"{checked} recordings checked, {len(bad)} are not as they were kept")
    if bad:
        sys.exit(REFUSED)


@recordings.command("rotate")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until all is done.")
@talks
async def rotate(api: ApiClient, wait: bool) -> None:
    """Encrypt all recordings with the current key, those that were not encrypted too."""
    ordered = (await api.post("recordings/rotate"))["ordered"]
    if not wait:
        click.echo(f"{ordered} recordings will be encrypted with the current key")
        return
    with _bar() as bar:
        task = bar.add_task("rotate", total=ordered)
        while left := (await api.get("recordings/rotation"))["left"]:
            bar.update(task, completed=max(ordered - left, 0))
            await asyncio.sleep(LOOK_SECONDS)
    click.echo(f"{ordered} recordings are encrypted with the current key")


@recordings.command("key")
@click.argument("name")
def key(name: str) -> None:
    """Make a new key called NAME and print it as WAIHU_RECORDING_KEY wants it. It is kept nowhere else."""
    click.echo(f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}")


def _of(call: str, what: str) -> str:
    return f"calls/{quote(call, safe='')}/recording/{what}"


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
