"""Reminds of callbacks, makes them due, and gives those of agents who are away to the team. A service."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.callback_ports import CallbackStore
from cti.model.callbacks import Callback, CallbackState
from cti.model.events import CallbackMoved
from cti.model.telling import Tell, tell_nobody
from cti.model.work import NewWork
from cti.service import Absence, every

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 1.0
BITE: Final = 200
"""Callbacks per transaction; what is beyond it follows a second later."""


class CallbackClock:
    """Sees to the times of callbacks."""

    name = "callback-clock"

    def __init__(
        self,
        *,
        store: CallbackStore,
        bus: EventBus,
        clock: Clock,
        is_away: Callable[[int], bool],
        remind_minutes: float = 10.0,
        release_minutes: float = 15.0,
        tell: Tell = tell_nobody,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """`is_away` says whether an agent is not logged in, `tell` who outside is to hear of a callback.

        A reminder is told so many minutes before the time; so many after it a callback whose agent is away becomes
        anybody's.
        """
        self._store = store
        self._bus = bus
        self._clock = clock
        self._is_away = is_away
        self._work_of = tell
        self._on_work = on_work
        self._remind_before = timedelta(minutes=remind_minutes)
        self._release_after = timedelta(minutes=release_minutes)
        self._absence = Absence(log, "no callback becomes due while the database is away")

    async def run(self) -> None:
        """Look for ever."""
        await every(STEP_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Do what is to be done now."""
        now = self._clock.now()
        with self._absence.borne():
            self._tell("reminder", await self._remind(now), now)
            moved = await self._store.fall_due(
                now, limit=BITE, works=lambda one: self._works(one.state.value, one, now)
            )
            self._tell("due", (one for one in moved if one.state is CallbackState.DUE), now)
            self._tell("missed", (one for one in moved if one.state is CallbackState.MISSED), now)
            self._tell("released", await self._release(now), now)

    async def _remind(self, now: datetime) -> list[Callback]:
        return await self._store.remind(
            now + self._remind_before,
            at=now,
            limit=BITE,
            works=lambda one: self._works("reminder", one, now),
        )

    async def _release(self, now: datetime) -> list[Callback]:
        late = await self._store.unreleased(now - self._release_after, limit=BITE)
        away = [one.id for one in late if one.agent_id is not None and self._is_away(one.agent_id)]
        if not away:
            return []
        return await self._store.release(away, at=now, works=lambda one: self._works("released", one, now))

    def _works(self, what: str, one: Callback, now: datetime) -> Sequence[NewWork]:
        return self._work_of(CallbackMoved(what=what, callback=one, at=now))

    def _tell(self, what: str, callbacks: Iterable[Callback], now: datetime) -> None:
        told = list(callbacks)
        if told:
            self._on_work()
        for one in told:
            self._bus.publish(CallbackMoved(what=what, callback=one, at=now))
