"""What people do with webhooks: make and change them, look at deliveries, replay them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import Conflict
from cti.hooks.addresses import check_url
from cti.hooks.book import HookBook
from cti.hooks.ports import HookStore, Post
from cti.hooks.signing import check_secret, headers, new_secret
from cti.hooks.subscriptions import check_patterns, work_again
from cti.hooks.verdicts import Answer
from cti.model.call_record import moment
from cti.model.ids import new_call_id
from cti.model.webhooks import Delivery, DeliveryFilter, DeliveryState, Webhook, WebhookState
from cti.model.work import NewWork

REPLAYED_AT_ONCE: Final = 500
"""Deliveries per transaction."""
MOST_REPLAYED: Final = 50_000
"""In one order; what is beyond it is asked for again."""
REPLAYABLE: Final = (DeliveryState.FAILED, DeliveryState.HELD)
"""Replayed where no state is asked for."""


class HookDesk:
    """Webhooks as people see them."""

    def __init__(
        self,
        *,
        book: HookBook,
        store: HookStore,
        post: Post,
        clock: Clock,
        old_secret_for: timedelta = timedelta(hours=24),
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._book = book
        self._store = store
        self._post = post
        self._clock = clock
        self._old_secret_for = old_secret_for
        self._on_work = on_work

    def webhooks(self) -> list[Webhook]:
        """List all, the oldest first."""
        return self._book.all()

    def named(self, name: str) -> Webhook:
        """Return the webhook of this name or id. Raises NotFound."""
        return self._book.named(name)

    async def count(self, webhook: Webhook) -> dict[DeliveryState, int]:
        """Count its deliveries by state."""
        return await self._store.count(webhook.id)

    async def add(
        self,
        *,
        name: str,
        url: str,
        events: Sequence[str],
        campaign_ids: Sequence[int] = (),
        secret: str | None = None,
        by: str,
    ) -> Webhook:
        """Make a webhook; without a secret it gets a new one. Raises BadInput, Conflict (name)."""
        now = self._clock.now()
        return await self._book.add(
            Webhook(
                id=0,
                name=name,
                url=check_url(url),
                events=check_patterns(events),
                campaign_ids=tuple(sorted(set(campaign_ids))),
                secret=check_secret(secret) if secret is not None else new_secret(),
                state_at=now,
                created_at=now,
                created_by=by,
            )
        )

    async def change(
        self,
        name: str,
        *,
        new_name: str | None = None,
        url: str | None = None,
        events: Sequence[str] | None = None,
        campaign_ids: Sequence[int] | None = None,
        on: bool | None = None,
    ) -> Webhook:
        """Change what is given. Raises NotFound, BadInput, Conflict.

        Switched on, its failures are forgotten; what was held for it meanwhile stays until it is replayed.
        """
        changes: dict[str, object] = {
            **({} if new_name is None else {"name": new_name}),
            **({} if url is None else {"url": check_url(url)}),
            **({} if events is None else {"events": check_patterns(events)}),
            **({} if campaign_ids is None else {"campaign_ids": tuple(sorted(set(campaign_ids)))}),
        }
        if on is not None:
            state = WebhookState.ON if on else WebhookState.OFF
            changes |= {"state": state, "state_reason": "", "failing_since": None, "failures": 0}
        return await self._book.change(self._book.named(name).id, **changes)

    async def rotate(self, name: str, *, secret: str | None = None) -> Webhook:
        """Give it a new secret; the old one signs, too, for a while. Raises NotFound, BadInput."""
        hook = self._book.named(name)
        return await self._book.change(
            hook.id,
            secret=check_secret(secret) if secret is not None else new_secret(),
            old_secret=hook.secret,
            old_secret_until=self._clock.now() + self._old_secret_for,
        )

    async def remove(self, name: str) -> None:
        """Remove it with its deliveries. Raises NotFound."""
        await self._book.remove(self._book.named(name).id)

    async def test(self, name: str) -> Answer:
        """Send it one event `webhook.test` now, and return what came of it; it is not logged. Raises NotFound."""
        hook, now = self._book.named(name), self._clock.now()
        event_id = new_call_id(now)
        data = {"v": 1, "id": event_id, "type": "webhook.test", "at": moment(now), "webhook": hook.name}
        sent = {"type": "webhook.test", "timestamp": moment(now), "data": data}
        body = json.dumps(sent, ensure_ascii=False).encode()
        signed = headers(event_id=event_id, at=now, body=body, secrets=hook.secrets(now))
        return await self._post(hook.url, headers=signed, body=body)

    async def deliveries(self, name: str, wanted: DeliveryFilter) -> list[Delivery]:
        """List its deliveries, the newest event first. `wanted.webhook_id` is set here. Raises NotFound."""
        return await self._store.deliveries(replace(wanted, webhook_id=self._book.named(name).id))

    async def replay_one(self, name: str, event_id: str) -> bool:
        """Send one event again; False when the log does not know it, or it waits already. Raises NotFound, Conflict."""
        hook = self._open(name)
        wanted = DeliveryFilter(webhook_id=hook.id, limit=1)
        return await self._replay(wanted, [event_id]) == 1

    async def replay(self, name: str, wanted: DeliveryFilter) -> int:
        """Send a span of events again, the oldest first; return how many. Raises NotFound, Conflict.

        Without a state those that failed or were held.
        """
        hook, sent = self._open(name), 0
        for state in REPLAYABLE if wanted.state is None else (wanted.state,):
            span = replace(wanted, webhook_id=hook.id, state=state, limit=REPLAYED_AT_ONCE)
            count = REPLAYED_AT_ONCE
            while count == REPLAYED_AT_ONCE and sent < MOST_REPLAYED:
                count = await self._replay(span, None)
                sent += count
        return sent

    async def _replay(self, wanted: DeliveryFilter, event_ids: Sequence[str] | None) -> int:
        now = self._clock.now()

        def work_of(one: Delivery) -> NewWork:
            return work_again(one, now=now)

        count = await self._store.replay(wanted, event_ids=event_ids, work_of=work_of, now=now)
        if count:
            self._on_work()
        return count

    def _open(self, name: str) -> Webhook:
        hook = self._book.named(name)
        if hook.state is not WebhookState.ON:
            raise Conflict(f"the webhook {hook.name} is {hook.state}; switch it on first")
        return hook
