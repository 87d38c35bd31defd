"""Makes callbacks of the follow-ups that a CRM names, and moves and cancels them with it.

A follow-up that we wrote there ourselves comes back with the record: it is known by its time, and nothing is done.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

from cti.clock import Clock
from cti.crm.pull_ports import PullStore
from cti.errors import Conflict, NotFound
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackState,
    NewCallback,
    Whereabouts,
)
from cti.model.contacts import Campaign
from cti.model.crm_pulls import PullRules, Wanted

log = logging.getLogger(__name__)

BITE: Final = 100
SAME: Final = timedelta(seconds=60)
"""CRMs keep whole seconds or whole minutes."""


class Callbacks(Protocol):
    """What of the store of callbacks is used; see `cti.dialer.callback_ports.CallbackStore`."""

    async def whereabouts(self, contact_id: int) -> Whereabouts: ...
    async def find(self, wanted: CallbackFilter) -> Sequence[Callback]: ...
    async def add(self, new: NewCallback, *, raised: int, at: datetime) -> Callback: ...
    async def change(
        self, callback_id: int, change: CallbackChange, *, by: str, raised: int, at: datetime
    ) -> Callback: ...


class MovedThere(Protocol):
    """See `cti.crm.follow_up_ports.FollowUpStore.moved_there`."""

    async def __call__(
        self, target: str, contact_id: int, *, at: datetime, by: str, now: datetime
    ) -> bool: ...


class PromiseKeeper:
    """Sees to the follow-ups of pulled records."""

    def __init__(
        self,
        *,
        store: PullStore,
        callbacks: Callbacks,
        campaigns: Callable[[], Awaitable[Sequence[Campaign]]],
        written: Callable[[str, int], Awaitable[Sequence[datetime]]],
        moved_there: MovedThere,
        clock: Clock,
        raise_by: int = 0,
        zone: str = "UTC",
    ) -> None:
        """`written`: which times we wrote into a CRM for a contact ourselves; `moved_there` moves his own follow-up.

        `raise_by`: how much a callback raises a contact in a campaign that dials them first. `zone`: of contacts of
        whom none is known.
        """
        self._store = store
        self._callbacks = callbacks
        self._campaigns = campaigns
        self._written = written
        self._moved_there = moved_there
        self._clock = clock
        self._raise_by = raise_by
        self._zone = zone

    async def settle(self, rules: PullRules) -> None:
        """Deal with what waits. What cannot be done is told and not tried again."""
        waiting = await self._store.follow_ups(rules.name, limit=BITE)
        if not waiting:
            return
        campaign = next((one for one in await self._campaigns() if one.name == rules.campaign), None)
        for one in waiting:
            try:
                if campaign is not None:
                    await self._see_to(rules, campaign, one)
            except (Conflict, NotFound) as error:
                log.warning("%s: no callback is made of the follow-up of %s: %s", rules.name, one.ref, error)
            await self._store.followed_up(rules.name, one.ref, one.at)

    async def _see_to(self, rules: PullRules, campaign: Campaign, wanted: Wanted) -> None:
        by, now = f"crm {rules.target}", self._clock.now()
        if wanted.at is not None:
            written = await self._written(rules.target, wanted.contact_id)
            if is_ours(wanted.at, written, day=wanted.day):
                return
        mine = CallbackFilter(contact_id=wanted.contact_id, campaign_id=campaign.id, limit=1)
        standing = next(iter(await self._callbacks.find(mine)), None)
        raised = self._raise_by if campaign.rules.order.callbacks_first else 0
        if wanted.at is None:
            if standing is not None and standing.created_by == by:
                taken_back = CallbackChange(state=CallbackState.CANCELLED)
                await self._callbacks.change(standing.id, taken_back, by=by, raised=raised, at=now)
        elif standing is not None:
            if wanted.at > now and abs(standing.due_at - wanted.at) >= SAME:
                moved = CallbackChange(due_at=wanted.at)
                await self._callbacks.change(standing.id, moved, by=by, raised=raised, at=now)
        elif wanted.at > now and not await self._moved_there(
            rules.target, wanted.contact_id, at=wanted.at, by=by, now=now
        ):
            where = await self._callbacks.whereabouts(wanted.contact_id)
            new = NewCallback(
                contact_id=wanted.contact_id,
                campaign_id=campaign.id,
                due_at=wanted.at,
                zone=where.zone or self._zone,
                by=by,
                agent_id=where.owner_agent_id,
                note=f"follow-up in {rules.target}",
            )
            await self._callbacks.add(new, raised=raised, at=now)


def is_ours(at: datetime, written: Sequence[datetime], *, day: date | None = None) -> bool:
    """Return whether a follow-up is one that we wrote: the same moment, or its date where the CRM keeps only that.

    `day`: that date, where the CRM says that it keeps no time. Midnight is taken for such a date, too.
    """
    if any(abs(at - one) < SAME for one in written):
        return True
    if day is None and at.time() == time(0):
        day = at.date()
    return day is not None and any(day in _dates(one) for one in written)


def _dates(at: datetime) -> set[date]:
    """Return the dates that a moment has wherever people sell by telephone: who cut the time off did so in his zone."""
    return {(at + timedelta(hours=hours)).date() for hours in (-10, 0, 12)}
