"""A file on its way to the service, with a bar on a terminal."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cti.cli.client import file_chunks


async def with_bar(file: Path, size: int) -> AsyncIterator[bytes]:
    """Give the file's bytes and show how far they are; `size` in bytes."""
    bar = Progress(
        TextColumn(file.name.replace("[", "\\[")),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task("import", total=size)
        async for chunk in file_chunks(file):
            yield chunk
            bar.advance(task, len(chunk))
