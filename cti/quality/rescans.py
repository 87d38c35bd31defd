"""Judges many calls anew after rules have changed: bite by bite, newest first; after a crash on from there."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cti.clock import Clock
from cti.errors import GiveUp
from cti.model.judgements import Bite, Rescan, RescanState
from cti.model.work import Work
from cti.quality.judge import Judge
from cti.quality.ports import JudgementStore

BITE: Final = 50
"""Calls judged before the position is noted: after a crash so many are judged once more, which changes nothing."""
PAUSE_SECONDS: Final = 0.01
"""Between calls, so that others come to write."""


class Rescans:
    """Begins rescans and carries them out."""

    def __init__(
        self,
        *,
        store: JudgementStore,
        judge: Judge,
        revision: Callable[[], int],
        on_work: Callable[[], None],
        clock: Clock,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._store = store
        self._judge = judge
        self._revision = revision
        self._on_work = on_work
        self._clock = clock
        self._pause_seconds = pause_seconds

    async def begin(self, *, campaign_id: int | None, since: datetime | None, by: str) -> Rescan:
        """Begin one; it goes on by itself. Raises Conflict while another one runs."""
        rescan = await self._store.begin_rescan(
            campaign_id=campaign_id, since=since, revision=self._revision(), by=by, at=self._clock.now()
        )
        self._on_work()
        return rescan

    async def stop(self, rescan_id: int) -> Rescan:
        """Let one judge no more calls. Raises NotFound."""
        return await self._store.end_rescan(rescan_id, RescanState.STOPPED, at=self._clock.now())

    async def rescan(self, rescan_id: int) -> Rescan:
        """Return how far one has come. Raises NotFound."""
        return await self._store.rescan(rescan_id)

    async def rescans(self, *, limit: int = 50) -> Sequence[Rescan]:
        """List them, newest first."""
        return await self._store.rescans(limit=limit)

    async def carry_out(self, work: Work) -> None:
        """Go on with a rescan to its end: the handler of its work."""
        rescan = await self._store.rescan(int(work.payload["id"]))
        while rescan.state is RescanState.RUNNING:
            call_ids = await self._store.next_calls(rescan, limit=BITE)
            if call_ids:
                rescan = await self._store.bitten(rescan.id, await self._bite(call_ids))
            else:
                rescan = await self._store.end_rescan(rescan.id, RescanState.DONE, at=self._clock.now())

    async def _bite(self, call_ids: Sequence[str]) -> Bite:
        judged = changed = without = 0
        for call_id in call_ids:
            try:
                # old calls are not told of one by one: whoever changed a rule looks at the rescan
                found = await self._judge.judge(call_id, alert=False)
            except GiveUp:
                found = None
            if found is None:
                without += 1
            else:
                judged += 1
                changed += bool(found)
            await asyncio.sleep(self._pause_seconds)
        return Bite(position=call_ids[-1], judged=judged, changed=changed, without_transcript=without)
