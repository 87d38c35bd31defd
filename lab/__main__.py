"""`python -m lab up | down | status | shell | stand-in`: a lab to try things on by hand. No logic here."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab import background
from lab.errors import LabError
from lab.settings import HOST, LabSettings
from lab.softphone import Behaviour, Softphone

FOLDER: Final = Path("var/lab")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except LabError as error:
        sys.stderr.write(f"lab: {error}\n")
        return 1
    except BrokenPipeError:  # `| head` has seen enough
        return 0
    except KeyboardInterrupt:
        return 130


def overview(folder: Path, running: background.Running) -> str:
    """Return what a person needs to use a running lab."""
    settings = running.settings(folder)
    pbx, carrier = folder / "pbx", folder / "carrier"
    lines = [
        f"PBX       AMI {HOST}:{settings.pbx_ami_port}   SIP udp {HOST}:{settings.pbx_sip_port}   {pbx}",
        f"carrier   AMI {HOST}:{settings.carrier_ami_port}   SIP udp {HOST}:{settings.carrier_sip_port}   {carrier}",
        "agents    " + "  ".join(f"{user}/{password}" for user, password in settings.agents()[:6]),
    ]
    if settings.phones > 6:
        lines.append(f"          and so on to a{settings.phones:03d}")
    if running.answering:
        lines.append(f"          the first {running.answering} are registered and answer by themselves")
    return "\n".join([*lines, "", "For the service's settings:", "", snippet(folder, settings)])


def snippet(folder: Path, settings: LabSettings) -> str:
    """Return the table of the service's settings file that uses this PBX."""
    return "\n".join(
        [
            "[[nodes]]",
            'name = "lab"',
            f'host = "{HOST}"',
            f"port = {settings.pbx_ami_port}",
            'user = "cti"',
            f'secret = "{settings.secret}"',
            f'recordings = "{folder / "pbx" / "spool" / "monitor" / "cti"}"',
            f'cel = "{folder / "pbx" / "log" / "cel-custom"}"',
            'trunk = "carrier"',
        ]
    )


def _up(chosen: argparse.Namespace) -> int:
    folder = chosen.folder.resolve()
    sizes = {"rtp_ports": chosen.rtp_ports, "phones": max(chosen.phones, chosen.answering)}
    settings = (
        LabSettings(folder=folder, base_port=chosen.base_port, **sizes)
        if chosen.base_port
        else LabSettings.free(folder, **sizes)
    )
    running = background.up(settings, answering=chosen.answering, report=_print)
    _print("")
    _print(overview(folder, running))
    return 0


def _down(chosen: argparse.Namespace) -> int:
    folder = chosen.folder.resolve()
    _print("the lab is down" if background.down(folder) else f"no lab runs in {folder}")
    return 0


def _status(chosen: argparse.Namespace) -> int:
    folder = chosen.folder.resolve()
    running = background.find(folder)
    _print(overview(folder, running) if running else f"no lab runs in {folder}")
    return 0 if running else 1


def _shell(chosen: argparse.Namespace) -> int:
    folder = chosen.folder.resolve()
    running = background.find(folder)
    if running is None:
        raise LabError(f"no lab runs in {folder}")
    command = running.command[chosen.node]
    if chosen.line:
        command = [*command[:-1], "-rx", " ".join(chosen.line)]
    os.execv(command[0], command)  # noqa: S606 -- the console takes over this terminal


def _stand_in(chosen: argparse.Namespace) -> int:
    behaviour = Behaviour(answer_after=chosen.after, refuse=chosen.refuse)
    with suppress(KeyboardInterrupt):
        asyncio.run(_answer(chosen.port, behaviour))
    return 0


async def _answer(port: int, behaviour: Behaviour) -> None:
    async with Softphone.open(port=port, stranger=behaviour):
        _print(background.READY)
        await asyncio.Event().wait()


def _own(chosen: argparse.Namespace) -> int:
    settings = LabSettings(
        folder=chosen.folder, base_port=chosen.base_port, rtp_ports=chosen.rtp_ports, phones=chosen.phones
    )
    asyncio.run(background.own(settings, answering=chosen.answering))
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="An exchange to try things on.")
    commands = parser.add_subparsers(required=True, metavar="up | down | status | shell | stand-in")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the lab lives (default: %(default)s)"
    )
    sizes = argparse.ArgumentParser(add_help=False, parents=[where])
    sizes.add_argument(
        "--base-port", type=int, default=0, help="first port, a multiple of 1000 (default: a free one)"
    )
    sizes.add_argument("--rtp-ports", type=int, default=2000, help="ports for voice of each Asterisk")
    sizes.add_argument("--phones", type=int, default=20, help="agents' endpoints")
    sizes.add_argument("--answering", type=int, default=0, help="so many agents' phones answer by themselves")
    commands.add_parser("up", parents=[sizes], help="start it in the background").set_defaults(run=_up)
    commands.add_parser("down", parents=[where], help="end it").set_defaults(run=_down)
    commands.add_parser("status", parents=[where], help="tell whether it runs, and where").set_defaults(
        run=_status
    )
    stand_in = commands.add_parser(
        "stand-in", help="take every call on a port, as a network without Asterisk"
    )
    stand_in.add_argument(
        "--port", type=int, required=True, help="UDP; the PBX's trunk `lab` leads to base port + 5"
    )
    stand_in.add_argument("--after", type=float, default=0.0, help="seconds of ringing")
    stand_in.add_argument("--refuse", type=int, help="SIP code to refuse with; else it answers and is silent")
    stand_in.set_defaults(run=_stand_in)
    commands.add_parser("own", parents=[sizes]).set_defaults(run=_own)
    shell = commands.add_parser(
        "shell", parents=[where], help="open an Asterisk console, or run one command of it"
    )
    shell.add_argument("node", nargs="?", choices=("pbx", "carrier"), default="pbx")
    shell.add_argument("line", nargs="*", help="a command, for example: core show channels")
    shell.set_defaults(run=_shell)
    return parser


if __name__ == "__main__":
    sys.exit(main())
