"""Writes down what the trackers learn. A service; knows nothing of Asterisk.

Taps the bus, keeps only the newest snapshot of each call that is not yet written, and commits all of them in one
transaction: at 200 calls a second a commit for each change would cost more than the calls. When the database is away
everything waits here and is written when it is back; the memory that takes is one snapshot per call.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from cti.dialer.agent_ports import AgentStore
from cti.dialer.call_ports import CallStore
from cti.dialer.retry import done_after_one
from cti.errors import StorageError
from cti.model.agents import Agent, AgentChange
from cti.model.calls import ANSWERED_OUTCOMES, Call, CallState
from cti.model.events import AgentMoved, CallMoved, Event
from cti.model.standing import Plan
from cti.model.telling import Tell, tell_nobody
from cti.model.work import COLLECT_RECORDING, NewWork

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""Changes of this span share a commit; a reader of the database is never further behind than this and a commit."""
BATCH = 500
"""Calls per transaction: keeps a backlog after an outage from locking the database for seconds."""
RETRY_SECONDS = 1.0


def works_of(call: Call) -> tuple[NewWork, ...]:
    """Return the work that an ended call leaves behind."""
    if not call.ended or call.outcome not in ANSWERED_OUTCOMES or call.recording is None:
        return ()
    started, ended = call.answered_at or call.placed_at, call.ended_at or call.placed_at
    payload = {
        "call_id": call.id,
        "node": call.node,
        "name": call.recording,
        "answered_at": started.isoformat(),
        "ended_at": ended.isoformat(),
    }
    return (NewWork(kind=COLLECT_RECORDING, key=call.id, payload=payload),)


class Journal:
    """The only writer of calls' progress and agents' changes."""

    name = "journal"

    def __init__(
        self,
        *,
        calls: CallStore,
        agents: AgentStore,
        on_work: Callable[[], None] = lambda: None,
        plan: Plan = done_after_one,
        follow: Callable[[Call], Sequence[NewWork]] = lambda _call: (),
        tell: Tell = tell_nobody,
    ) -> None:
        """`plan` says how the entries of ended calls stand, `tell` who outside is to hear of a change,
        `follow` which more work ended calls leave behind."""
        self._follow = follow
        self._calls = calls
        self._plan = plan
        self._agents = agents
        self._on_work = on_work
        self._tell = tell
        self._dirty: dict[str, Call] = {}
        self._told: dict[str, list[NewWork]] = {}
        """By call: work of moves that are not written yet. Of snapshots the newest is enough, of these each counts."""
        self._changes: list[tuple[AgentChange, Agent]] = []
        self._changes_told: list[Sequence[NewWork]] = []
        """Of each change."""
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self.troubled = False
        """Whether the last write failed and is being retried."""

    def tap(self, event: Event) -> None:
        """Take note of an event of the bus. A call that is being placed was committed by the engine already."""
        match event:
            case CallMoved(call=call) if call.state is not CallState.PLACING:
                self._dirty[call.id] = call
                if told := self._tell(event):
                    self._told.setdefault(call.id, []).extend(told)
            case AgentMoved(change=change, agent=agent):
                self._changes.append((change, agent))
                self._changes_told.append(self._tell(event))
            case _:
                return
        self._wake.set()

    @property
    def unwritten(self) -> int:
        """How many calls and changes wait to be written."""
        return len(self._dirty) + len(self._changes)

    async def run(self) -> None:
        """Write for ever; what is left is written when the service ends."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(GATHER_SECONDS)
                if not await self._try():
                    await asyncio.sleep(RETRY_SECONDS)
                    self._wake.set()
        finally:
            with suppress(StorageError):
                await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write all that is known by now; raises StorageError."""
        async with self._writing:
            # As many batches as there are now: under load new moves come with every commit, and an end would never be.
            for _ in range(0, len(self._dirty), BATCH):
                await self._write_calls()
            for _ in range(0, len(self._changes), BATCH):
                await self._write_changes()

    async def _try(self) -> bool:
        try:
            # Cancelled in the middle of a write, the last flush waits for it; else a change would be written twice.
            await asyncio.shield(self.flush())
        except StorageError as error:
            if not self.troubled:
                log.error("calls wait to be written (%d): %s", self.unwritten, error)
            self.troubled = True
            return False
        if self.troubled:
            log.warning("the database takes writes again")
        self.troubled = False
        return True

    async def _write_calls(self) -> None:
        batch = [self._dirty.pop(key) for key in list(self._dirty)[:BATCH]]
        try:
            await self._save_or_sort_out(batch)
        except BaseException:
            self._put_back(batch)
            raise

    async def _save_or_sort_out(self, batch: Sequence[Call]) -> None:
        """Save them; when the database will never take one of them, the others must not wait for it for ever."""
        try:
            await self._save(batch)
        except StorageError:
            raise
        except Exception:
            if len(batch) == 1:
                log.exception("a call cannot be written and is left out: %r", batch[0])
                self._told.pop(batch[0].id, None)
                return
            for call in batch:
                await self._save_or_sort_out([call])

    async def _save(self, batch: Sequence[Call]) -> None:
        told = {call.id: tuple(self._told.get(call.id, ())) for call in batch}
        works = [work for call in batch for work in (*works_of(call), *told[call.id], *self._follow(call))]
        await self._calls.save(batch, works=works, plan=self._plan)
        for call_id, written in told.items():
            self._told_of(call_id, len(written))
        if works:
            self._on_work()

    def _told_of(self, call_id: str, count: int) -> None:
        """Forget the work that is written; what came meanwhile stays."""
        left = self._told.pop(call_id, [])[count:]
        if left:
            self._told[call_id] = left

    def _put_back(self, batch: Sequence[Call]) -> None:
        for call in batch:
            self._dirty.setdefault(call.id, call)

    async def _write_changes(self) -> None:
        batch = self._changes[:BATCH]
        works = [work for told in self._changes_told[:BATCH] for work in told]
        await self._agents.save_changes(batch, works=works)
        del self._changes[: len(batch)]
        del self._changes_told[: len(batch)]
        if works:
            self._on_work()
