"""The webhooks there are, in memory: events are matched with them on the way of each call, where nobody can wait."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import NotFound
from cti.hooks.ports import HookStore
from cti.hooks.subscriptions import works_of
from cti.model.events import Event, WebhookMoved
from cti.model.webhooks import Webhook, WebhookState
from cti.model.work import NewWork

log = logging.getLogger(__name__)


class HookBook:
    """Knows all webhooks, and is the only one who changes them."""

    def __init__(self, *, store: HookStore, bus: EventBus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._hooks: dict[int, Webhook] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read them. Raises StorageError."""
        self._hooks = {one.id: one for one in await self._store.webhooks()}

    def all(self) -> list[Webhook]:
        """List them, the oldest first."""
        return list(self._hooks.values())

    def get(self, webhook_id: int) -> Webhook | None:
        """Return one, None when there is none of that id."""
        return self._hooks.get(webhook_id)

    def named(self, name: str) -> Webhook:
        """Return the webhook of this name or id. Raises NotFound."""
        for one in self._hooks.values():
            if name in (one.name, str(one.id)):
                return one
        raise NotFound(f"there is no webhook {name!r}")

    def tell(self, event: Event) -> Sequence[NewWork]:
        """Return the work that an event leaves behind: a `cti.model.telling.Tell`.

        Never raises: it is asked where calls are written, and a webhook must not cost a call.
        """
        try:
            return works_of(event, tuple(self._hooks.values()), now=self._clock.now())
        except Exception:
            log.exception("webhooks do not hear of %s", type(event).__name__)
            return ()

    async def add(self, webhook: Webhook) -> Webhook:
        """Store a new one. Raises Conflict."""
        async with self._changing:
            made = await self._store.add(webhook)
            self._hooks[made.id] = made
        return made

    async def change(self, webhook_id: int, **changes: object) -> Webhook:
        """Store a change; tell it when its state changes. Raises NotFound, Conflict."""
        async with self._changing:
            before = self._hooks.get(webhook_id)
            if before is None:
                raise NotFound(f"there is no webhook {webhook_id}")
            after = replace(before, **changes)  # type: ignore[arg-type]
            if after.state is not before.state:
                after = replace(after, state_at=self._clock.now())
            await self._store.save(after)
            self._hooks[webhook_id] = after
        if after.state is not before.state:
            self._tell_state(after)
        return after

    async def remove(self, webhook_id: int) -> None:
        """Remove one. Raises NotFound."""
        async with self._changing:
            await self._store.remove(webhook_id)
            self._hooks.pop(webhook_id, None)

    def _tell_state(self, one: Webhook) -> None:
        level = logging.INFO if one.state is WebhookState.ON else logging.ERROR
        log.log(level, "the webhook %s is %s: %s", one.name, one.state, one.state_reason or "by hand")
        moved = WebhookMoved(
            webhook_id=one.id, name=one.name, state=one.state, reason=one.state_reason, at=one.state_at
        )
        self._bus.publish(moved)
