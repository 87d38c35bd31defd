"""How long a test waits for what must come: so long that only what hangs is cut off, on the slowest machine as well.

Patience costs nothing where all is well, and a wait that is too short fails on a busy machine alone.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 150.0
"""Well within the limit of pyproject.toml for a whole test, so that it is the wait that says what did not come."""
LOOK_SECONDS: Final = 0.01


def patience() -> asyncio.Timeout:
    """Return a block's limit of time, for what is waited for without looking again."""
    return asyncio.timeout(PATIENCE_SECONDS)


async def until(true: Callable[[], object], *, every: float = LOOK_SECONDS) -> None:
    """Look again and again until it is true; raises TimeoutError."""
    async with patience():
        while not true():
            await asyncio.sleep(every)


def until_in_a_thread(true: Callable[[], object], *, every: float = LOOK_SECONDS) -> None:
    """The same for who has no event loop; raises TimeoutError."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        time.sleep(every)
