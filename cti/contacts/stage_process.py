"""Reads a list's file in a process of its own, so that a million numbers never hold up a call.

`staged` is the service's side, `main` the process's. They talk in JSON lines on standard input and output. Small text
files are read in the service itself, some rows at a time: a process takes longer to begin than they to be read.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cti.contacts.checkers import BATCH, check_in_processes
from cti.contacts.reader import HowToRead, format_of
from cti.contacts.staging import how_of, how_record, stage
from cti.errors import BadInput, CtiError
from cti.model.imports import FileFormat, HowFar, ReadFile

SMALL: Final = 65_536
"""Bytes up to which a text file is read in the service: about a thousand rows."""
NICENESS: Final = 5
"""The reading gives way to everything that has to do with calls."""
TOLD_SECONDS: Final = 0.25


async def staged(source: Path, target: Path, how: HowToRead) -> AsyncIterator[HowFar | ReadFile]:
    """Read `source` into `target`; gives how far it has come, and last what the file is. Raises BadInput.

    When the caller goes away the process is ended.
    """
    if source.stat().st_size <= SMALL and format_of(source, how.format) is FileFormat.CSV:  # noqa: ASYNC240 (local)
        for step in stage(source, target, how):
            yield step
            await asyncio.sleep(0)
        return
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "cti.contacts.stage_process",
            str(target),
        ),  # the last for whoever looks at `ps`
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
    )
    try:
        async for step in _steps(process, {"source": str(source), "target": str(target), **how_record(how)}):
            yield step
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _steps(
    process: asyncio.subprocess.Process, job: dict[str, Any]
) -> AsyncIterator[HowFar | ReadFile]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was begun with pipes")
    process.stdin.write(json.dumps(job).encode())
    process.stdin.close()
    last: HowFar | ReadFile | None = None
    while line := await process.stdout.readline():
        said = json.loads(line)
        if "error" in said:
            raise BadInput(said["error"])
        last = ReadFile(**said["read"]) if "read" in said else HowFar(**said)
        yield last
    if not isinstance(last, ReadFile):
        raise CtiError("the process that read the file ended before its time; was there too little memory?")


def main() -> None:
    """Read what standard input names."""
    os.nice(NICENESS)
    job = json.loads(sys.stdin.read())
    told = 0.0
    try:
        how = how_of(job)
        for step in stage(
            Path(job["source"]), Path(job["target"]), how, check=check_in_processes, batch=BATCH
        ):
            if isinstance(step, ReadFile):
                _say(
                    {
                        "read": {
                            name: getattr(step, name) for name in ("encoding", "columns", "rows", "refused")
                        }
                    }
                )
            elif time.monotonic() - told >= TOLD_SECONDS:
                told = time.monotonic()
                _say({"bytes": step.bytes, "rows": step.rows})
    except BadInput as error:
        _say({"error": str(error)})
    except MemoryError:
        _say({"error": "the file needs more memory than there is"})


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
