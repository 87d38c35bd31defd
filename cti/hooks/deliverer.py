"""Delivers events to webhooks: the handler for work of kind `webhook.deliver`.

At least once: killed between the answer and the end of the work, it is delivered again, with the same `webhook-id`.
In no order: a delivery that failed comes after younger ones.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import NotFound, NotYet
from cti.hooks.book import HookBook
from cti.hooks.log import DeliveryLog
from cti.hooks.pace import Pace, spread_seconds
from cti.hooks.ports import Post
from cti.hooks.signing import headers
from cti.hooks.subscriptions import delivery_of
from cti.hooks.verdicts import Answer, asked_seconds, pause_seconds
from cti.model.webhooks import Delivery, DeliveryState, Webhook, WebhookState
from cti.model.work import Work

log = logging.getLogger(__name__)

FEWEST_FAILURES: Final = 10
"""Before a webhook is suspended, however long it fails: an event a day must not be enough."""


class Deliverer:
    """Tries deliveries, and judges webhooks by what comes of them."""

    def __init__(
        self,
        *,
        book: HookBook,
        post: Post,
        log: DeliveryLog,
        pace: Pace,
        clock: Clock,
        give_up_after: timedelta = timedelta(hours=72),
        suspend_after: timedelta = timedelta(hours=24),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._book = book
        self._post = post
        self._log = log
        self._pace = pace
        self._clock = clock
        self._give_up_after = give_up_after
        self._suspend_after = suspend_after
        self._chance = chance

    async def deliver(self, work: Work) -> None:
        """Do one piece of work. Raises NotYet to be run again, StorageError when the log cannot be written."""
        one, asked_at = delivery_of(work)
        hook = self._book.get(one.webhook_id)
        if hook is None or hook.state is WebhookState.OFF:
            return
        if hook.state is WebhookState.SUSPENDED:
            await self._log.write(replace(one, state=DeliveryState.HELD))
            return
        async with self._pace.place(hook.id):
            self._must_be_open(hook)
            async with self._pace.trying(hook.id):
                answer, tried = await self._try(hook, one)
        if answer.accepted:
            self._log.note(replace(tried, state=DeliveryState.DELIVERED))
            await self._went_well(hook.id)
        else:
            await self._went_wrong(hook, tried, answer, asked_at=asked_at)

    def _must_be_open(self, hook: Webhook) -> None:
        now = self._clock.now()
        if (wait := self._pace.wait_seconds(hook.id, now)) > 0:
            seconds = spread_seconds(wait, failing=_failing(hook, now), chance=self._chance())
            raise NotYet(f"{hook.name} is left alone", seconds=seconds)

    async def _try(self, hook: Webhook, one: Delivery) -> tuple[Answer, Delivery]:
        at, began, body = self._clock.now(), self._clock.monotonic(), one.body.encode()
        signed = headers(event_id=one.event_id, at=at, body=body, secrets=hook.secrets(at))
        answer = await self._post(hook.url, headers=signed, body=body)
        took = round(1000 * (self._clock.monotonic() - began))
        tried = replace(
            one, attempts=1, status=answer.status, error=answer.problem, milliseconds=took, tried_at=at
        )
        return answer, tried

    async def _went_well(self, webhook_id: int) -> None:
        self._pace.went_well(webhook_id)
        hook = self._book.get(webhook_id)
        if hook is not None and hook.failures:
            await self._book.change(webhook_id, failing_since=None, failures=0)

    async def _went_wrong(
        self, hook: Webhook, tried: Delivery, answer: Answer, *, asked_at: datetime
    ) -> None:
        now = self._clock.now()
        pause = pause_seconds(answer, age=now - asked_at, now=now, chance=self._chance())
        over = answer.gone or now + timedelta(seconds=pause) - asked_at > self._give_up_after
        await self._log.write(replace(tried, state=DeliveryState.FAILED if over else DeliveryState.WAITING))
        asked = asked_seconds(answer, now=now)
        self._pace.went_wrong(hook.id, now=now, asked=asked, failing=_failing(hook, now))
        await self._judge(hook.id, answer, now)
        if over:
            log.warning("%s: %s of %s is given up: %s", hook.name, tried.type, tried.at, answer.problem)
            return
        raise NotYet(f"{hook.name}: {answer.problem}", seconds=pause)

    async def _judge(self, webhook_id: int, answer: Answer, now: datetime) -> None:
        """Count the failure; switch the webhook off when it said that it is gone, or failed for too long."""
        hook = self._book.get(webhook_id)
        if hook is None or hook.state is not WebhookState.ON:
            return
        since = hook.failing_since or now
        changes: dict[str, object] = {"failures": hook.failures + 1, "failing_since": since}
        if answer.gone:
            changes |= {"state": WebhookState.OFF, "state_reason": "the receiver answered 410: gone"}
        elif hook.failures + 1 >= FEWEST_FAILURES and now - since >= self._suspend_after:
            why = f"nothing was accepted since {since:%Y-%m-%d %H:%M} UTC; last: {answer.problem}"
            changes |= {"state": WebhookState.SUSPENDED, "state_reason": why}
        try:
            await self._book.change(webhook_id, **changes)
        except NotFound:
            log.info("the webhook %s was removed meanwhile", hook.name)


def _failing(hook: Webhook, now: datetime) -> timedelta:
    """Return for how long it has been failing."""
    return now - hook.failing_since if hook.failing_since else timedelta()
