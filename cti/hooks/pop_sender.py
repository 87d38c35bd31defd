"""Sends screen pops to webhooks: at once, once, and never after ten seconds. A service.

Past the work table on purpose: what is written down to be tried again is late by nature, and a commit alone would cost
more than the pop may take.
"""

import asyncio
import logging
from collections import Counter
from typing import Final

from cti.clock import Clock
from cti.hooks.book import HookBook
from cti.hooks.ports import Post
from cti.hooks.signing import headers
from cti.hooks.subscriptions import body_of, wants
from cti.model.events import Event, ScreenPop
from cti.model.vocabulary import EventType, told
from cti.model.webhooks import Webhook, WebhookState

log = logging.getLogger(__name__)

AT_ONCE: Final = 20
"""Pops to one webhook under way; of a receiver that is slower than that the newest are thrown away."""


class PopSender:
    """Pops for webhooks."""

    name = "screen pop webhooks"

    def __init__(self, *, book: HookBook, post: Post, clock: Clock) -> None:
        self._book = book
        self._post = post
        self._clock = clock
        self._running: Counter[int] = Counter()
        self._tasks: asyncio.TaskGroup | None = None
        self.lost: Counter[int] = Counter()
        """By webhook: pops that were not accepted in time."""

    async def run(self) -> None:
        """Give tasks a place for as long as the service runs."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await asyncio.Event().wait()
        finally:
            self._tasks = None

    def tap(self, event: Event) -> None:
        """Hear an event of the bus."""
        if not isinstance(event, ScreenPop) or self._tasks is None:
            return
        hearing = [
            one
            for one in self._book.all()
            if one.state is WebhookState.ON and wants(one, event, EventType.CALL_SCREEN_POP)
        ]
        known = told(event) if hearing else None
        if known is None:
            return
        body = body_of(known).encode()
        for hook in hearing:
            if self._running[hook.id] >= AT_ONCE:
                self.lost[hook.id] += 1
                continue
            self._running[hook.id] += 1
            sending = self._send(hook, known.id, body, event)
            self._tasks.create_task(sending, name=f"pop to {hook.name}")

    async def _send(self, hook: Webhook, event_id: str, body: bytes, pop: ScreenPop) -> None:
        try:
            now = self._clock.now()
            left = (pop.until - now).total_seconds()
            if left <= 0:
                self.lost[hook.id] += 1
                return
            signed = headers(event_id=event_id, at=now, body=body, secrets=hook.secrets(now))
            answer = await self._post(hook.url, headers=signed, body=body, within=left)
            if not answer.accepted:
                self.lost[hook.id] += 1
                log.info("%s did not take a screen pop: %s", hook.name, answer.problem)
        except Exception:
            log.exception("a screen pop to %s failed", hook.name)
        finally:
            self._running[hook.id] -= 1
