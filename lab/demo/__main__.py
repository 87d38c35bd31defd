"""`make demo`, `make demo ONCE=1`."""

import argparse
import asyncio
import json
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from lab.daemon import ADMIN_TOKEN, agent_token, daemon_beside
from lab.demo.contacts import WORST_MOMENT, people
from lab.demo.flow import Demo, is_well
from lab.demo.screen import say
from lab.demo.speech import Speech, models_for
from lab.errors import LabError
from lab.exchange import Lab
from lab.installation import find_installation
from lab.settings import LabSettings
from lab.softphone import Behaviour, read_wav

FOLDER: Final = Path("var/demo")
INTERRUPTED: Final = 130
"""Exit status when it was ended before the list was done."""


def main() -> int:
    """Run the demo; the exit status is 0 only when all is well."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end when the list is done; last line: the figures"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where all is kept (default: {FOLDER})")
    given = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=120)
    try:
        return asyncio.run(_run(console, given.folder.resolve(), once=given.once))
    except LabError as error:
        console.print(f"[red]{error}[/]", highlight=False)
        return 1
    except asyncio.CancelledError:
        return INTERRUPTED


async def _run(console: Console, folder: Path, *, once: bool) -> int:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    _end_on_signals()
    settings = LabSettings.free(folder / "lab", phones=3)
    models = await models_for(console, folder)
    async with (
        Lab.open(settings, report=lambda text: say(console, text)) as lab,
        lab.phones(3, Behaviour(voice=read_wav(find_installation().sounds / "said-rep.wav"))) as lines,
        daemon_beside(lab, folder, agents=3, models=models) as daemon,
        daemon.events("agent.*") as events,
        asyncio.TaskGroup() as tasks,
    ):
        say(console, f"the service runs: {daemon.url}, its log is {daemon.log}")
        speech = Speech(daemon, console, models=models)
        demo = Demo(lab=lab, daemon=daemon, lines=lines, console=console, speech=speech)
        work = tasks.create_task(demo.reps.work(events, tasks), name="reps")
        await demo.set_up()
        await demo.dial()
        await demo.worst_moment()
        result = await demo.result()
        await demo.show_reports()
        problems = is_well(result, len(people()) + len(WORST_MOMENT), heard=speech.is_on)
        for problem in problems:
            console.print(f"[red]{problem}[/]", highlight=False)
        if not once:
            _say_how_to_go_on(console, daemon.url, daemon.config)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
        work.cancel()
    print(json.dumps(result))
    return 1 if problems else 0


def _end_on_signals() -> None:
    """Ctrl-C ends the demo wherever it is, and everything that it started."""
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _say_how_to_go_on(console: Console, url: str, config: Path) -> None:
    say(console, f"the service goes on at {url} until Ctrl-C; try in another terminal:")
    lines = (
        f"    export WAIHU_CONFIG={config}",
        "    .venv/bin/cti calls; .venv/bin/cti agent list; .venv/bin/cti check",
        f"    curl -H 'Authorization: Bearer {ADMIN_TOKEN}' {url}/api/v1/floor",
        f"    token of an admin: {ADMIN_TOKEN}   of the rep a001: {agent_token(1)}",
    )
    for line in lines:
        console.print(line, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
