"""Hands out what is to be asked of CRMs for pulled lists, and takes what they answer.

Who reads (`crm_sync`) knows neither lists nor contacts; who keeps them (here) knows no CRM.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cti.clock import Clock
from cti.crm import valve
from cti.crm.doubts import OF_CHECK, Doubts, checks_wait, doubt_of, is_of_check
from cti.crm.ports import CrmStore
from cti.crm.pull_ports import PullStore
from cti.errors import NotFound
from cti.model.crm import Answer, Rate, TargetStanding
from cti.model.crm_pulls import PullAnswer, PullOrder, PullRules, PullStanding, PullStep

log = logging.getLogger(__name__)

RECHECK_EVERY: Final = timedelta(seconds=10)
"""How often it is looked who is dialed next and was read long ago; some milliseconds."""
AHEAD: Final = 0.8
"""Records are read again when so much of the time is over after which they are held back."""
ERROR_LENGTH: Final = 500
ASK_AGAIN_SECONDS: Final = 2.0

Settle = Callable[[PullRules], Awaitable[None]]
"""Sees to follow-ups that the CRM named."""


async def settle_nothing(_rules: PullRules) -> None:
    """Make no callbacks."""


class TableIntake:
    """The intake on the database."""

    def __init__(
        self,
        *,
        pulls: Sequence[PullRules],
        store: PullStore,
        targets: CrmStore,
        clock: Clock,
        settle: Settle = settle_nothing,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`targets`: how the CRMs stand, shared with whoever writes to them."""
        self.pulls: Mapping[str, PullRules] = {one.name: one for one in pulls}
        self._store = store
        self._targets = targets
        self._clock = clock
        self._settle = settle
        self._chance = chance
        self._doubts = Doubts()

    async def order(
        self, name: str, *, rate: Rate, after: PullStep = PullStep.NOTHING, more_requests: int = 0
    ) -> PullOrder:
        """Return what is to be asked now, as far as the target's pauses, rate and budget allow. Raises NotFound.

        `after`: what was asked last: pages and rechecks take turns, so that neither waits for the other's end.
        `more_requests`: that it took beyond the one that was reckoned with.
        """
        rules, now = self.rules(name), self._clock.now()
        if more_requests:
            owed = partial(valve.spent, rate=rate, requests=more_requests, now=now)
            await self._targets.change_standing(rules.target, lambda one: owed(one))
        standing = await self._targets.standing(rules.target)
        if valve.allowed(standing, rate, now=now) <= 0:
            wait = max(valve.wait_seconds(standing, rate, now=now), 0.001)
            return PullOrder(step=PullStep.NOTHING, wait_seconds=wait, state=standing.state)
        order = await self._due(rules, now, after)
        if order.step is not PullStep.NOTHING:
            spend = partial(valve.spent, rate=rate, requests=1, now=now)
            await self._targets.change_standing(rules.target, spend)
        return replace(order, state=standing.state)

    async def _due(self, rules: PullRules, now: datetime, after: PullStep) -> PullOrder:
        known = await self._store.standing(rules.standing_name)
        page = PullOrder(step=PullStep.PAGE, cursor=known.cursor, limit=rules.page)
        if after is PullStep.RECORDS and _page_is_due(rules, known, now):
            return page
        waits = checks_wait(known, now, every=rules.every)
        if not waits and (records := await self._recheck(rules, known, now)):
            return records
        if _page_is_due(rules, known, now):
            return page
        if not waits and (deleted := await self._sweep(rules, known, now)):
            return deleted
        return PullOrder(step=PullStep.NOTHING, wait_seconds=_wait(rules, known, now))

    async def _recheck(self, rules: PullRules, known: PullStanding, now: datetime) -> PullOrder | None:
        if rules.recheck is None or rules.dry_run:
            return None
        if known.recheck_at is not None and now - known.recheck_at < RECHECK_EVERY:
            return None
        refs = await self._store.stale(rules, before=now - AHEAD * rules.recheck, limit=rules.page)
        if len(refs) < rules.page:  # else there are more: look again at once
            await self._store.change(rules.name, lambda one: replace(one, recheck_at=now))
        return PullOrder(step=PullStep.RECORDS, refs=tuple(refs)) if refs else None

    async def _sweep(self, rules: PullRules, known: PullStanding, now: datetime) -> PullOrder | None:
        """Go through the records that are still to be dialed, a few at a time, from one end to the other."""
        if rules.check_deleted is None or rules.dry_run or known.swept_at is None:
            return None
        if not known.sweep_after and now - known.swept_at < rules.check_deleted:
            return None
        refs = await self._store.open_refs(rules, after=known.sweep_after, limit=rules.page)
        if not refs:
            await self._store.change(rules.name, lambda one: replace(one, sweep_after="", swept_at=now))
            return None
        last = refs[-1] if len(refs) == rules.page else ""
        return PullOrder(step=PullStep.DELETED, refs=tuple(refs), cursor=last)

    async def take(self, name: str, answer: PullAnswer) -> PullStanding:
        """Take what a CRM answered. Raises NotFound, Conflict (somebody else has read on: ask for an order anew).

        When it leaves out more than can be believed, only what it gives is taken, and the rest is asked for again.
        """
        rules, now = self.rules(name), self._clock.now()
        if self._doubts.believes(rules, answer, now=now):
            after = await self._store.take(rules, answer, at=now)
        else:
            there = replace(answer, step=PullStep.RECORDS, gone=())
            await self._store.take(rules, there, at=now)
            log.warning("pull %s: %s", name, doubt_of(answer))
            after = await self._tell(rules, doubt_of(answer), now)
        await self._targets.change_standing(rules.target, lambda one: self._answered(one, Answer.OK, now))
        if rules.callbacks and not rules.dry_run:
            await self._settle(rules)
        return after

    async def failed(
        self,
        name: str,
        answer: Answer,
        message: str,
        *,
        pause_seconds: float | None = None,
        step: PullStep = PullStep.PAGE,
    ) -> PullStanding:
        """Write down that a request came to nothing: the target pauses or stops as it does for whoever writes.

        `step`: what was asked; known records that cannot be read hold up no page.
        """
        rules, now = self.rules(name), self._clock.now()
        if answer is not Answer.PERMANENT:  # a source that is wrong says nothing of the CRM
            await self._targets.change_standing(
                rules.target, lambda one: self._answered(one, answer, now, message, pause_seconds)
            )
        where = "" if step is PullStep.PAGE else OF_CHECK
        return await self._tell(rules, f"{where}{answer.value}: {message}"[:ERROR_LENGTH], now)

    async def _tell(self, rules: PullRules, error: str, now: datetime) -> PullStanding:
        return await self._store.change(
            rules.standing_name, lambda one: replace(one, error=error, error_at=now)
        )

    def _answered(
        self,
        standing: TargetStanding,
        answer: Answer,
        now: datetime,
        message: str = "",
        pause_seconds: float | None = None,
    ) -> TargetStanding:
        return valve.answered(
            standing,
            answer,
            now=now,
            chance=self._chance(),
            count=1,
            message=message,
            pause_seconds=pause_seconds,
        )

    async def ask(self, name: str) -> PullStanding:
        """Have a pull read now, out of turn. Raises NotFound."""
        rules, now = self.rules(name), self._clock.now()
        return await self._store.change(rules.standing_name, lambda one: replace(one, asked_at=now))

    def rules(self, name: str) -> PullRules:
        """Return a pull. Raises NotFound."""
        if name not in self.pulls:
            raise NotFound(f"there is no pull {name!r}; there are: {', '.join(sorted(self.pulls)) or 'none'}")
        return self.pulls[name]


def next_page_at(rules: PullRules, known: PullStanding) -> datetime | None:
    """Return when the next page is asked for; None: at once. Pure."""
    if known.page_at is None or known.more or known.asked_at is not None:
        return None
    return known.page_at + rules.every


def _page_is_due(rules: PullRules, known: PullStanding, now: datetime) -> bool:
    failed_at = None if is_of_check(known.error) else known.error_at
    if failed_at is not None and now - failed_at < min(rules.every, timedelta(minutes=1)):
        return False
    due_at = next_page_at(rules, known)
    return due_at is None or due_at <= now


def _wait(rules: PullRules, known: PullStanding, now: datetime) -> float:
    due_at = next_page_at(rules, known)
    if due_at is None:
        return ASK_AGAIN_SECONDS
    return min(max((due_at - now).total_seconds(), 0.05), ASK_AGAIN_SECONDS)
