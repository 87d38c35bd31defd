"""Hands out the calls that are to be written to a CRM, and writes down what became of them.

The one place that knows what an answer means for the work: whoever writes to CRMs only says how they answered.
A link is marked before a request leaves, so that after a kill the next one knows to look first.
"""

import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cti.clock import Clock
from cti.crm import valve
from cti.crm.ports import Change, CrmStore
from cti.crm.targets import Target, unknown
from cti.model.crm import (
    BLAMELESS,
    Answer,
    CallLog,
    Link,
    PushOrder,
    PushOrders,
    Rate,
    Settlement,
    TargetStanding,
)
from cti.model.work import Work
from cti.work.backoff import RetryPlan, retry_seconds
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
PLAN: Final = RetryPlan(first_seconds=5.0, ceiling_seconds=6 * 3600.0, attempts=36)
"""Full jitter from 5 s to 6 h: the thirty-sixth run comes after about three days (twelve doublings in some three hours,
then three hours at a time on average)."""
ERROR_LENGTH: Final = 2000
"""Characters of an error that a dead letter keeps."""

Texts = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""The transcripts of calls, those that have one."""


async def _no_texts(_call_ids: Sequence[str]) -> Mapping[str, str]:
    return {}


class TableFeed:
    """The feed on the database."""

    def __init__(
        self,
        *,
        works: WorkStore,
        store: CrmStore,
        targets: Sequence[Target],
        clock: Clock,
        texts: Texts = _no_texts,
        lease_for: timedelta = LEASE,
        plan: RetryPlan = PLAN,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._works = works
        self._store = store
        self._targets = {target.name: target for target in targets}
        self._clock = clock
        self._texts = texts
        self._lease_for = lease_for
        self._plan = plan
        self._chance = chance

    async def take(self, name: str, *, limit: int, rate: Rate, batch: int = 1) -> PushOrders:
        """Lease up to `limit` calls, `batch` of them to a request, as far as pauses, rate and budget allow.

        Work that needs no writing is ended here: of calls that are gone, not wanted, or were deleted there.
        """
        target, now = self._target(name), self._clock.now()
        standing = await self._store.standing(name)
        requests = valve.allowed(standing, rate, now=now)
        if requests <= 0:
            wait = valve.wait_seconds(standing, rate, now=now)
            return PushOrders(orders=(), wait_seconds=max(wait, 0.001), state=standing.state)
        leased = await self._works.lease(
            kinds=(target.kind,), limit=min(limit, requests * batch), now=now, lease_for=self._lease_for
        )
        if not leased:
            return PushOrders(orders=(), state=standing.state)
        orders = await self._orders(target, await self._not_hopeless(leased))
        if orders:
            spend = partial(valve.spent, rate=rate, requests=-(-len(orders) // batch), now=now)
            await self._store.change_standing(name, spend)
        return PushOrders(orders=tuple(orders), state=standing.state)

    async def _not_hopeless(self, leased: Sequence[Work]) -> list[Work]:
        """Bury what killed its process in every run, for nobody else is left to say so."""
        hopeful = []
        for work in leased:
            if work.attempts > self._plan.attempts:
                await self._bury(
                    work, f"never came to an end in {work.attempts - 1} runs: {work.error or ''}"
                )
            else:
                hopeful.append(work)
        return hopeful

    async def _orders(self, target: Target, leased: Sequence[Work]) -> list[PushOrder]:
        call_ids = [work.key for work in leased]
        logs = await self.shown(target.name, call_ids)
        links = await self._store.links(target.name, call_ids)
        orders, idle = [], []
        for work in leased:
            link = links.get(work.key, Link(target=target.name, call_id=work.key))
            facts = logs.get(work.key)
            if (
                facts is None
                or link.deleted_at is not None
                or not (link.version or target.wants(facts.outcome))
            ):
                idle.append(work)
            else:
                orders.append(PushOrder(work=work, log=facts, link=link))
        if idle:
            await self._works.finish_all(idle, now=self._clock.now())
        return orders

    async def shown(self, name: str, call_ids: Sequence[str]) -> Mapping[str, CallLog]:
        """Return the facts of those of the calls that have ended, as this target is shown them."""
        target = self._target(name)
        logs = await self._store.logs(call_ids)
        texts = await self._texts(call_ids) if target.transcript else {}
        return {call_id: _shown(target, facts, texts) for call_id, facts in logs.items()}

    async def keep(self, works: Sequence[Work]) -> set[int]:
        """Keep the leases; return the ids of works that are no longer ours."""
        kept: set[int] = set()
        now = self._clock.now()
        for together in _by_lease(works):
            kept |= await self._works.extend_all(together, now=now, lease_for=self._lease_for)
        return {work.id for work in works} - kept

    async def begin(self, name: str, works: Sequence[Work]) -> set[int]:
        """Write that requests about to leave are under way; return the ids of works that may not be sent."""
        return await self._store.begin_held(
            self._target(name).name, works, now=self._clock.now(), lease_for=self._lease_for
        )

    async def settle(
        self, name: str, settlements: Sequence[Settlement], *, rate: Rate, more_requests: int = 0
    ) -> None:
        """Write down what became of orders. `more_requests`: beyond those that `take` reckoned with.

        What is remembered, the ends of works and the target's standing are one transaction. What is tried again, or
        never, is written after it: a kill in between only has a write looked at again that was made.
        """
        now = self._clock.now()

        def change(lost: Collection[int]) -> Change:
            ours = [one for one in settlements if one.work.id not in lost]
            return lambda standing: self._standing_after(standing, ours, rate, more_requests, now)

        lost = await self._store.settle_held(
            name,
            [(one.work, _link_after(one, now=now)) for one in settlements],
            over={one.work.id for one in settlements if one.answer in (Answer.OK, Answer.DELETED)},
            change=change,
            now=now,
            lease_for=self._lease_for,
        )
        if lost:
            log.warning(
                "%s: %d calls were taken over while they were written; left to whoever did", name, len(lost)
            )
        for one in settlements:
            if one.work.id not in lost:
                await self._unless_over(one, now=now)

    async def unchanged(self, works: Sequence[Work]) -> None:
        """End works of which nothing was to be sent: what stands there is what is known."""
        for together in _by_lease(works):
            await self._works.finish_all(together, now=self._clock.now())

    async def give_back(self, works: Sequence[Work]) -> None:
        """Give works back as if they had never been taken: nothing was sent."""
        now = self._clock.now()
        for work in works:
            await self._works.give_back(work, due_at=now, now=now)

    async def checked(self, name: str, answer: Answer, message: str) -> TargetStanding:
        """Write down how a check went: a target that was stopped goes on when it went well."""
        self._target(name)
        now = self._clock.now()

        def change(standing: TargetStanding) -> TargetStanding:
            if answer is Answer.OK:
                return valve.resumed(standing, now=now)
            return valve.answered(standing, answer, now=now, chance=self._chance(), message=message, count=0)

        return await self._store.change_standing(name, change)

    async def _unless_over(self, one: Settlement, *, now: datetime) -> None:
        if one.answer in BLAMELESS:
            await self._works.give_back(one.work, due_at=now, now=now)
        elif one.answer is Answer.PERMANENT:
            await self._bury(one.work, one.message)
        elif one.answer in (Answer.RETRY, Answer.UNKNOWN):
            await self._again(one, now=now)

    async def _again(self, one: Settlement, *, now: datetime) -> None:
        if one.work.attempts >= self._plan.attempts:
            await self._bury(one.work, one.message)
            return
        pause = retry_seconds(one.work.attempts, plan=self._plan, chance=self._chance())
        pause = max(pause, valve.bounded(one.pause_seconds))
        if one.answer is Answer.UNKNOWN:
            pause = max(pause, one.unsure_seconds)
        due_at = now + timedelta(seconds=pause)
        await self._works.retry(one.work, error=_cut(one.message or one.answer), due_at=due_at, now=now)

    async def _bury(self, work: Work, error: str) -> None:
        log.error("call %s is not written to %s: %s", work.key, work.kind, error)
        await self._works.bury(work, error=_cut(error), now=self._clock.now())

    def _standing_after(
        self,
        standing: TargetStanding,
        settlements: Sequence[Settlement],
        rate: Rate,
        more_requests: int,
        now: datetime,
    ) -> TargetStanding:
        if more_requests:
            standing = valve.spent(standing, rate, more_requests, now=now)
        counted = Counter(one.answer for one in settlements)
        for answer in sorted(counted, key=_weight):
            first = next(one for one in settlements if one.answer is answer)
            standing = valve.answered(
                standing,
                answer,
                now=now,
                chance=self._chance(),
                count=counted[answer],
                message=first.message,
                pause_seconds=first.pause_seconds,
            )
        return standing

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            raise unknown(name, sorted(self._targets))
        return self._targets[name]


def _weight(answer: Answer) -> int:
    """Of answers in one go the heaviest has the last word on the target: what pauses it; and last, what stops it.

    That nobody knows how one ended weighs least: it pauses the target only when nothing went well beside it.
    """
    if answer is Answer.UNKNOWN:
        return 0
    return 1 + (answer in BLAMELESS) + (answer is Answer.AUTH)


def _shown(target: Target, facts: CallLog, texts: Mapping[str, str]) -> CallLog:
    return replace(facts, transcript=texts.get(facts.call_id), recording_url=target.recording_of(facts))


def _link_after(one: Settlement, *, now: datetime) -> Link:
    """Return what is remembered after this answer. Whoever was unsure before stays so until it is known."""
    match one.answer:
        case Answer.OK:
            return replace(
                one.link,
                remote=one.remote or one.link.remote,
                version=one.link.version + 1,
                fingerprint=one.fingerprint,
                sending_at=None,
                pushed_at=now,
            )
        case Answer.DELETED:
            return replace(one.link, sending_at=None, deleted_at=now)
        case Answer.UNKNOWN:
            return replace(one.link, sending_at=one.link.sending_at or now)
    return one.link


def _by_lease(works: Sequence[Work]) -> list[list[Work]]:
    together: dict[str, list[Work]] = {}
    for work in works:
        together.setdefault(work.lease, []).append(work)
    return list(together.values())


def _cut(text: str) -> str:
    return text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 1] + "…"
