"""Hands out what is to be written to a CRM as follow-ups, and writes down what became of it: callbacks, and the next
follow-ups of contacts.

Their work is written in the transaction that makes, moves or settles a callback by hand, or changes the contact;
whatever else changes one (a call that reached him, another owner) is found by looking for those that stand there
otherwise than here.
"""

import logging
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cti.clock import Clock
from cti.crm import valve
from cti.crm.feed import ERROR_LENGTH, LEASE, PLAN
from cti.crm.follow_up_ports import FollowUpStore
from cti.crm.ports import CrmStore
from cti.crm.targets import unknown
from cti.errors import BadInput
from cti.model.callbacks import Callback
from cti.model.crm import BLAMELESS, Answer, Rate, TargetStanding, record_ref
from cti.model.follow_ups import (
    CRM_FOLLOW_UP,
    FollowLink,
    FollowOrder,
    FollowOrders,
    FollowSettlement,
    FollowUp,
    contact_of,
    key_of,
    print_of,
    with_time,
)
from cti.model.work import NewWork, Work
from cti.work.backoff import retry_seconds
from cti.work.ports import WorkStore

log = logging.getLogger(__name__)

PRIORITY: Final = -99
"""Before all calls of CRMs, for a follow-up that comes late is worth nothing; behind all other work."""
LOOK_EVERY: Final = timedelta(seconds=30)
MOST_FOUND: Final = 200
TELLING: Final = frozenset({"next_follow_up_at", "crm_ref"})
"""Columns of a contact with which his own follow-up changes."""


def follow_kind(target: str) -> str:
    """Return the kind of work of a target's follow-ups."""
    return CRM_FOLLOW_UP + target


class CallbackFollowers:
    """The work that callbacks leave behind, for all targets."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = tuple(targets)

    def moved(self, one: Callback) -> Sequence[NewWork]:
        """Return it for a callback that was made, moved or settled by hand."""
        return works_of([key_of(callback_id=one.id, contact_id=one.contact_id)], self._targets)


class ContactFollowers:
    """The work that changes of contacts leave behind, for all targets."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = tuple(targets)

    def changed(self, contact_id: int, columns: Collection[str]) -> Sequence[NewWork]:
        """Return it for a contact of whom somebody changed these columns."""
        if TELLING.isdisjoint(columns):
            return ()
        return works_of([key_of(callback_id=None, contact_id=contact_id)], self._targets)


def works_of(keys: Sequence[str], targets: Sequence[str]) -> list[NewWork]:
    """Return the work that writes these follow-ups."""
    return [
        NewWork(kind=follow_kind(target), key=key, payload=_payload(key), priority=PRIORITY)
        for target in targets
        for key in keys
    ]


def _payload(key: str) -> dict[str, int]:
    contact_id = contact_of(key)
    return {"callback_id": int(key)} if contact_id is None else {"contact_id": contact_id}


class TableFollowUps:
    """The feed of follow-ups on the database."""

    def __init__(
        self,
        *,
        works: WorkStore,
        store: FollowUpStore,
        targets: CrmStore,
        names: Sequence[str],
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`names`: the targets that there are."""
        self._works = works
        self._store = store
        self._targets = targets
        self._names = frozenset(names)
        self._clock = clock
        self._chance = chance
        self._looked: dict[str, datetime] = {}

    async def take(self, name: str, *, limit: int, rate: Rate) -> FollowOrders:
        """Lease follow-ups that are to be written now. Those that need no writing are ended here. Raises NotFound."""
        self._must_know(name)
        now = self._clock.now()
        await self._find(name, now)
        standing = await self._targets.standing(name)
        requests = valve.allowed(standing, rate, now=now)
        if requests <= 0:
            wait = max(valve.wait_seconds(standing, rate, now=now), 0.001)
            return FollowOrders(orders=(), wait_seconds=wait, state=standing.state)
        leased = await self._works.lease(
            kinds=(follow_kind(name),), limit=min(limit, requests), now=now, lease_for=LEASE
        )
        orders = await self._orders(name, leased, now)
        if orders:
            spend = partial(valve.spent, rate=rate, requests=len(orders), now=now)
            await self._targets.change_standing(name, spend)
        return FollowOrders(orders=tuple(orders), state=standing.state)

    async def _find(self, name: str, now: datetime) -> None:
        """Write work for what changed without leaving any. Dead letters are left to people."""
        if now - self._looked.get(name, now - LOOK_EVERY) < LOOK_EVERY:
            return
        self._looked[name] = now
        if behind := await self._store.behind(name, limit=MOST_FOUND):
            await self._works.add(works_of(behind, [name]), now=now)

    async def _orders(self, name: str, leased: Sequence[Work], now: datetime) -> list[FollowOrder]:
        if not leased:
            return []
        keys = [work.key for work in leased]
        facts, links = await self._store.facts(keys), await self._store.links(name, keys)
        orders, idle = [], []
        for work in leased:
            one, link = facts.get(work.key), links.get(work.key)
            if work.attempts > PLAN.attempts:
                await self._works.bury(work, error=work.error or "never came to an end", now=now)
            elif one is None or not is_to_be_written(one, link, target=name):
                idle.append(work)
                if one is not None and link is not None:
                    await self._store.put(replace(link, written_at=now, standing=one.open and link.standing))
            else:
                orders.append(FollowOrder(work=work, follow_up=one, link=link))
        if idle:
            await self._works.finish_all(idle, now=now)
        return orders

    async def settle(
        self, name: str, settlements: Sequence[FollowSettlement], *, rate: Rate, more_requests: int = 0
    ) -> TargetStanding:
        """Write down what became of orders. `more_requests`: beyond what `take` reckoned with. Raises NotFound."""
        self._must_know(name)
        now = self._clock.now()
        links = await self._store.links(name, [one.follow_up.key for one in settlements])
        for one in settlements:
            if one.answer in (Answer.OK, Answer.DELETED) and not one.nothing_sent:
                await self._store.put(link_after(links.get(one.follow_up.key), one, name, now=now))
            await self._end(one, now)
        more = more_requests - sum(one.nothing_sent for one in settlements)

        def change(standing: TargetStanding) -> TargetStanding:
            for one in settlements:
                if not one.nothing_sent and one.answer is not Answer.PERMANENT:
                    standing = valve.answered(
                        standing,
                        one.answer,
                        now=now,
                        chance=self._chance(),
                        message=one.message,
                        pause_seconds=one.pause_seconds,
                    )
            return valve.spent(standing, rate, more, now=now) if more else standing

        return await self._targets.change_standing(name, change)

    async def _end(self, one: FollowSettlement, now: datetime) -> None:
        work, error = one.work, (one.message or one.answer.value)[:ERROR_LENGTH]
        if one.answer in (Answer.OK, Answer.DELETED):
            await self._works.finish(work, now=now)
        elif one.answer in BLAMELESS:
            await self._works.give_back(work, due_at=now, now=now)
        elif one.answer is Answer.PERMANENT or work.attempts >= PLAN.attempts:
            log.error("follow-up %s is not written to %s: %s", work.key, work.kind, error)
            await self._works.bury(work, error=error, now=now)
        else:
            pause = retry_seconds(work.attempts, plan=PLAN, chance=self._chance())
            due_at = now + timedelta(seconds=max(pause, valve.bounded(one.pause_seconds)))
            await self._works.retry(work, error=error, due_at=due_at, now=now)

    def _must_know(self, name: str) -> None:
        if name not in self._names:
            raise unknown(name, sorted(self._names))


def is_to_be_written(one: FollowUp, link: FollowLink | None, *, target: str) -> bool:
    """Return whether a follow-up stands in the CRM otherwise than here. Pure.

    One that the CRM itself named is not written back, as long as it stands where the CRM put it: `link` is None then.
    """
    try:
        if record_ref(one.crm_ref, target=target) is None:
            return False
    except BadInput:  # a list brought words that name no record: one of them must not hold up the others
        return False
    if link is None:
        return one.open and one.created_by != f"crm {target}"
    if not one.open or not link.standing:
        return link.standing or one.open
    other_words = link.text_print is not None and link.text_print != print_of(one.text)
    return other_words or link.agent_id != one.agent_id or link.written[-1:] != (one.due_at,)


def link_after(before: FollowLink | None, one: FollowSettlement, target: str, *, now: datetime) -> FollowLink:
    """Return what is remembered once one was written. Pure."""
    follow_up = one.follow_up
    written, text_print = (before.written, before.text_print) if before else ((), None)
    if follow_up.open and follow_up.due_at is not None:
        written, text_print = with_time(written, follow_up.due_at), print_of(follow_up.text)
    return FollowLink(
        target=target,
        callback_id=follow_up.callback_id,
        contact_id=follow_up.contact_id,
        ref=one.ref or (before.ref if before else ""),
        remote=one.remote or (before.remote if before else None),
        written=written,
        text_print=text_print,
        agent_id=follow_up.agent_id,
        standing=follow_up.open and one.answer is Answer.OK,
        written_at=now,
    )
