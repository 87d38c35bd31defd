"""Checks rows in several processes: most of an import's work is libphonenumber's, and any core can do it.

Forked from the process that reads the file, which has no threads. What is on the way is bounded, so that memory stays
flat however fast the file is read.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from multiprocessing.pool import AsyncResult
from typing import Final

from cti.contacts.columns import Columns
from cti.contacts.reader import Batch, HowToRead, Rows, checked

MOST: Final = 4
"""Processes; more than these the one that reads the file cannot feed."""
AHEAD: Final = 3
"""Batches for each process that are on the way."""
BATCH: Final = 500
"""Rows that are sent at one time."""


def check_in_processes(batches: Iterator[Batch], columns: Columns, how: HowToRead) -> Iterator[Rows]:
    """Check batches side by side; give them in their order."""
    processes = max(1, min(MOST, os.cpu_count() or 1))
    waiting: deque[AsyncResult[Rows]] = deque()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for batch in batches:
            waiting.append(pool.apply_async(checked, (batch, columns, how)))
            if len(waiting) >= processes * AHEAD:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()
