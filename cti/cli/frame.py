"""What all commands share: how they find the service, how errors end them, how moments are written."""

import asyncio
import functools
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cti.cli.client import Unreachable, connected
from cti.errors import BadInput, CtiError, SettingsError
from cti.settings.client import access

REFUSED: Final = 1
"""Exit code: the service refused, or found something wrong."""
WRONG_SETTINGS: Final = 3
UNREACHABLE: Final = 4
INTERRUPTED: Final = 130
"""As a shell says it of a program that SIGINT ended."""

Answer = TypeVar("Answer")

PLOTS: Final = (".png", ".svg")


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """End with one line and an exit code instead of a traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            _end(error, WRONG_SETTINGS)
        except Unreachable as error:
            _end(error, UNREACHABLE)
        except CtiError as error:
            _end(error, REFUSED)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    return guarded


def _end(error: CtiError, code: int) -> None:
    click.echo(f"cti: {error}", err=True)
    sys.exit(code)


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --config to a command."""
    added: Callable[..., Any] = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file; else WAIHU_CONFIG, else config/cti.toml.",
    )(command)
    return added


def talks(command: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Make an async command of the API: it gets an `ApiClient` first; --url, --token and --config are added."""

    @config_option
    @click.option("--token", help="Token; else WAIHU_TOKEN, else the settings' first admin token.")
    @click.option("--url", help="Address of the service; else WAIHU_URL, else from the settings.")
    @functools.wraps(command)
    @one_line_errors
    def run(*args: Any, url: str | None, token: str | None, config: Path | None, **kwargs: Any) -> Any:
        found = access(url=url, token=token, config=config)

        async def talk() -> Any:
            async with connected(found) as api:
                return await command(api, *args, **kwargs)

        return asyncio.run(talk())

    return run


def can_be_drawn(plot: Path | None) -> None:
    """Raises BadInput for a picture that could not be written, before minutes of work were done for it."""
    if plot is None:
        return
    if plot.suffix.lower() not in PLOTS:
        raise BadInput(f"--plot {plot}: the name must end with {' or '.join(PLOTS)}")
    if not plot.parent.is_dir():
        raise BadInput(f"--plot {plot}: there is no folder {plot.parent}")


_AGO: Final = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment_of(text: str, now: datetime) -> datetime:
    """Read `2026-11-23`, `2026-11-23T10:00` (local time), with a zone, `today`, or `2h` ago. Raises ValueError."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago["unit"]]: int(ago["count"])})
    if text == "today":
        return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return datetime.fromisoformat(text).astimezone()


class Moment(click.ParamType[str]):
    """A point in time, handed on as ISO 8601 in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            at = moment_of(str(value), datetime.now(UTC))
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time; write 2026-11-23, 2026-11-23T10:00, today, or 2h (ago)", param, ctx
            )
        return at.astimezone(UTC).isoformat()


def span_options(command: Any) -> Any:
    """Add --since and --until."""
    for name, meaning in (
        ("until", "Before this time."),
        ("since", "From this time on (2026-11-23, today, 2h)."),
    ):
        command = click.option(f"--{name}", type=Moment(), help=meaning)(command)
    return command
