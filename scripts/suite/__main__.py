"""`make test`: the tests on the lab, and beside them all others at the lowest priority.

    python -m scripts.suite [OPTIONS OF PYTEST]

With options there is one process, as pytest itself would run.
Ends with the worst status of the two. Ctrl-C ends both as it would end one: fixtures take down what they started.
"""

import asyncio
import codecs
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

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
    summary,
)
from scripts.suite.parts import status as worst

QUIET_SECONDS: Final = 60.0
"""A part that has shown nothing for so long says in which file it is."""
ENDING_SECONDS: Final = 90.0
"""So long a part may take to take down what it started; then it is killed."""
LAST_WORDS_SECONDS: Final = 5.0
"""So long its output is awaited after its end: something it left behind may hold it open for ever."""


class Runner:
    """A part's process."""

    def __init__(self, part: Part, folder: Path) -> None:
        self.part = part
        self._tally = folder / f"{part.name}.json"
        self._telling = Telling()
        self._shown_at = time.monotonic()
        self._process: asyncio.subprocess.Process | None = None
        self._asked = False

    async def run(self) -> Ended:
        """Run to the end; show progress meanwhile and the rest then."""
        begun = time.monotonic()
        # A group of its own: Ctrl-C in a terminal reaches us alone, and each part is told once. Not a session: the
        # kernel shares the processors out by session first (sched_autogroup), and priorities would mean nothing.
        process = await asyncio.create_subprocess_exec(
            *command(self.part, self._tally),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,
            preexec_fn=partial(_prepare, patient=self.part.patient),
        )
        self._process = process
        if self._asked:
            self.interrupt()
        hearing = asyncio.create_task(self._hear(process.stdout), name=f"hear {self.part.name}")
        returncode = await process.wait()
        await asyncio.wait({hearing}, timeout=LAST_WORDS_SECONDS)
        hearing.cancel()
        say(heading(self.part.name), *self._telling.rest())
        return Ended(
            part=self.part,
            status=shell_status(returncode),
            seconds=time.monotonic() - begun,
            tally=self._read_tally(),
        )

    def interrupt(self) -> None:
        """Ask it to end as Ctrl-C would."""
        self._asked = True
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it, and what it started in its group, at once."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def show_life(self) -> None:
        """Say where it is when it has said nothing for long."""
        if self._process and time.monotonic() - self._shown_at >= QUIET_SECONDS and self._telling.begun:
            self._show(f"{self._telling.begun} ...")

    async def _hear(self, stream: asyncio.StreamReader | None) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while stream and (chunk := await stream.read(65536)):
            for line in self._telling.hear(decoder.decode(chunk)):
                self._show(line)

    def _show(self, line: str) -> None:
        self._shown_at = time.monotonic()
        say(f"{self.part.name:4} | {line}")

    def _read_tally(self) -> Tally | None:
        try:
            return Tally.read(json.loads(self._tally.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None


async def run_all(parts: Sequence[Part]) -> int:
    """Run the parts side by side and return the worst status."""
    with tempfile.TemporaryDirectory(prefix="waihu-suite-") as folder:
        runners = [Runner(part, Path(folder)) for part in parts]
        ending = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` wishes
                asyncio.get_running_loop().add_signal_handler(number, ending.set)
        tasks = [asyncio.create_task(runner.run(), name=runner.part.name) for runner in runners]
        watch = asyncio.create_task(_watch(runners), name="watch")
        end = asyncio.create_task(_end(runners, ending), name="end")
        ended = await asyncio.gather(*tasks)
        watch.cancel()
        end.cancel()
    say(*summary(ended))
    return worst(ended)


async def _watch(runners: Sequence[Runner]) -> None:
    while True:
        await asyncio.sleep(QUIET_SECONDS / 4)
        for runner in runners:
            runner.show_life()


async def _end(runners: Sequence[Runner], ending: asyncio.Event) -> None:
    await ending.wait()
    ending.clear()
    say(f"ending; what was started is taken down (at most {ENDING_SECONDS:g} s; again: at once)")
    for runner in runners:
        runner.interrupt()
    with suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), ENDING_SECONDS)
    for runner in runners:
        runner.kill()


def _prepare(*, patient: bool) -> None:
    """Set the process up, before it becomes pytest."""
    # A shell without jobs begins what runs in its background deaf to Ctrl-C; pytest must hear ours.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if patient:  # it runs only when no other wants to: a late packet of voice is a failed test elsewhere
        os.nice(19)
        with suppress(OSError):  # some containers forbid it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def say(*lines: str) -> None:
    """Show lines at once. When nobody reads any more, end as after Ctrl-C."""
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Run the suite; with options of the caller's in one process, whose output is pytest's own."""
    if arguments or os.environ.get("PYTEST_ADDOPTS"):
        os.execv(sys.executable, alone(arguments))  # noqa: S606 (no shell, on purpose)
    return asyncio.run(run_all(PARTS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
