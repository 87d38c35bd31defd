"""Keeps the learned chances fresh: reads a campaign's attempts in bites, fits in a process of its own, stores.

A fit is a piece of durable work, one for each campaign; a service orders it daily, a lead whenever he likes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.chances.facts import Attempts, attempts_of, joined
from cti.chances.fitting import Fitted
from cti.chances.learned import HISTORY, LearnedChances
from cti.chances.ports import ChanceStore
from cti.chances.process import in_a_process
from cti.clock import Clock
from cti.errors import GiveUp, NotFound, StorageError
from cti.model.answer_chances import LEARNED_FROM, ChanceFit
from cti.model.calls import Outcome
from cti.model.contacts import Campaign, CampaignState
from cti.model.work import FIT_CHANCES, NewWork, Work
from cti.service import every
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

DAILY: Final = timedelta(hours=24)
LOOK_SECONDS: Final = 900.0
BITE: Final = 1000
"""Attempts read at once: some 5 ms of the event loop."""
PAUSE_SECONDS: Final = 0.05
"""Between two bites: calls go first."""
MOST_OF_ONE_OUTCOME: Final = 100_000
"""Newest first. More teach little and cost memory."""

Fitting = Callable[[Attempts], Awaitable[Fitted]]


class ChanceLearner:
    """The handler of `chances.fit`, and the service that orders it daily for running campaigns."""

    name = "answer-chances"

    def __init__(
        self,
        *,
        store: ChanceStore,
        work: WorkStore,
        learned: LearnedChances,
        campaigns: Callable[[], Awaitable[Sequence[Campaign]]],
        clock: Clock,
        fitting: Fitting = in_a_process,
        wake: Callable[[], None] = lambda: None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """`wake`: called when work was written."""
        self._store = store
        self._work = work
        self._learned = learned
        self._campaigns = campaigns
        self._clock = clock
        self._fitting = fitting
        self._wake = wake
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Look for campaigns whose fit is a day old, for ever."""
        await every(LOOK_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Order a fit for each running campaign that has none of the last day."""
        try:
            for campaign in await self._campaigns():
                if campaign.state is CampaignState.RUNNING and await self._is_due(campaign.id):
                    await self.order(campaign.id)
        except StorageError as error:
            log.warning("no fit of answer chances is ordered while the database is away: %s", error)

    async def order(self, campaign_id: int) -> None:
        """Have the campaign's chances fitted soon. Asked twice before it is done, it is done once."""
        wish = NewWork(kind=FIT_CHANCES, key=str(campaign_id), payload={"campaign_id": campaign_id})
        await self._work.add([wish], now=self._clock.now())
        self._wake()

    async def newest(self, campaign_id: int) -> ChanceFit | None:
        """Return the campaign's newest fit, used or not; None: there was none."""
        return await self._store.newest_fit(campaign_id)

    async def handle(self, work: Work) -> None:
        """Fit, store, use. Run twice it makes two fits, of which the newer counts."""
        campaign_id, now = int(work.payload["campaign_id"]), self._clock.now()
        attempts = await self.read(campaign_id, since=now - HISTORY)
        found = await self._fitting(attempts)
        made = ChanceFit(
            campaign_id=campaign_id,
            fitted_at=now,
            used=found.used,
            why=found.why,
            attempts=found.attempts,
            answered=found.answered,
            held_out=found.held_out,
            measures=found.measures,
            bins=found.bins,
            model=found.model.record() if found.model else None,
        )
        try:
            await self._store.save_fit(made)
        except NotFound as error:
            raise GiveUp(str(error)) from error
        self._learned.take(made)
        log.info("answer chances of campaign %d: %s", campaign_id, found.why)

    async def read(self, campaign_id: int, *, since: datetime) -> Attempts:
        """Read the campaign's ended attempts, outcome by outcome along its index, newest first."""
        parts, begin = [], since.timestamp()
        for outcome in sorted(LEARNED_FROM):
            read = await self._of_outcome(campaign_id, outcome, since)
            parts += read
            if sum(map(len, read)) >= MOST_OF_ONE_OUTCOME:
                # Of the others no older ones either: else the oldest part would seem to have one outcome less.
                begin = max(begin, min(float(part.at.min()) for part in read))
        whole = joined(parts) if parts else attempts_of([])
        return whole.since(begin)

    async def _of_outcome(self, campaign_id: int, outcome: Outcome, since: datetime) -> list[Attempts]:
        parts: list[Attempts] = []
        before, count = None, 0
        while count < MOST_OF_ONE_OUTCOME:
            page = await self._store.ended_attempts(
                campaign_id, outcome=outcome, since=since, before=before, limit=BITE
            )
            if page:
                parts.append(attempts_of(page))
                before = (page[-1].ended_at, page[-1].call_id)
                count += len(page)
            if len(page) < BITE:
                break
            await asyncio.sleep(self._pause_seconds)
        return parts

    async def _is_due(self, campaign_id: int) -> bool:
        newest = await self._store.newest_fit(campaign_id)
        return newest is None or self._clock.now() - newest.fitted_at >= DAILY
