"""`make bench`, `make bench ONLY=NAME`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from benchmarks import (
    answer_to_rep,
    answer_to_rep_backlog,
    answer_to_rep_crm_down,
    crm_push,
    event_lag,
    import_lists,
    index,
    keyword_rules,
    next_contacts,
    originate,
    outbox,
    pacing,
    said,
    screen_pop,
    search,
    storage,
    transcribe,
)
from benchmarks.child import ChildFailed
from cti.errors import CtiError
from lab.errors import LabError, NotPrepared

BENCHMARKS: Final[Mapping[str, Callable[[], Awaitable[None]]]] = {
    originate.NAME: originate.run,
    answer_to_rep.NAME: answer_to_rep.run,
    answer_to_rep_backlog.NAME: answer_to_rep_backlog.run,
    answer_to_rep_crm_down.NAME: answer_to_rep_crm_down.run,
    event_lag.NAME: event_lag.run,
    screen_pop.NAME: screen_pop.run,
    storage.NAME: storage.run,
    import_lists.NAME: import_lists.run,
    next_contacts.NAME: next_contacts.run,
    pacing.NAME: pacing.run,
    transcribe.NAME: transcribe.run,
    keyword_rules.NAME: keyword_rules.run,
    search.NAME: search.run,
    index.NAME: index.run,
    outbox.NAME: outbox.run,
    crm_push.NAME: crm_push.run,
}


def main() -> int:
    """Run one benchmark, or all; the exit status is 1 when one of them could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="only this one")
    given = parser.parse_args()
    failed = False
    for name in [given.name] if given.name else BENCHMARKS:
        said.step(f"{name} begins")
        try:
            asyncio.run(_awaited(BENCHMARKS[name]))
        except (LabError, ChildFailed, NotPrepared, CtiError, TimeoutError) as error:
            said.step(f"{name} could not be measured: {error!r}\n{error}")
            failed = True
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
    return 1 if failed else 0


async def _awaited(benchmark: Callable[[], Awaitable[None]]) -> None:
    """Run it; told to end, end it as Ctrl-C does, so that no part of the lab is left running."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await benchmark()


if __name__ == "__main__":
    sys.exit(main())
