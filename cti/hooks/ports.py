"""What webhooks, screen pop and links that dial need."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cti.hooks.verdicts import Answer
from cti.model.calls import Call
from cti.model.look_ups import Found
from cti.model.pops import ContactCard
from cti.model.webhooks import Delivery, DeliveryFilter, DeliveryState, Webhook
from cti.model.work import NewWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a webhook stands after an attempt."""

    failing_since: datetime | None
    failures: int


class HookStore(Protocol):
    """Webhooks and their deliveries. Every method is one transaction; errors are `StorageError`."""

    async def webhooks(self) -> list[Webhook]:
        """List all webhooks, the oldest first."""
        ...

    async def add(self, webhook: Webhook) -> Webhook:
        """Store a webhook (its `id` is ignored) and return it with its id. Raises Conflict on a taken name."""
        ...

    async def save(self, webhook: Webhook) -> None:
        """Write all of a webhook. Raises NotFound, Conflict (name)."""
        ...

    async def remove(self, webhook_id: int) -> None:
        """Remove a webhook with its deliveries. Raises NotFound."""
        ...

    async def note(self, deliveries: Sequence[Delivery]) -> None:
        """Write how deliveries stand; `attempts` are added to those that were noted before.

        Of a webhook that is gone nothing is written.
        """
        ...

    async def deliveries(self, wanted: DeliveryFilter) -> list[Delivery]:
        """List deliveries, the newest event first."""
        ...

    async def replay(
        self,
        wanted: DeliveryFilter,
        *,
        event_ids: Collection[str] | None = None,
        work_of: Callable[[Delivery], NewWork],
        now: datetime,
    ) -> int:
        """Make deliveries waiting again, their attempts at 0, and write their work with the same commit.

        The oldest event first, at most `wanted.limit`; returns how many. Those that wait already are left alone.
        """
        ...

    async def count(self, webhook_id: int) -> dict[DeliveryState, int]:
        """Count a webhook's deliveries by state."""
        ...

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Delete deliveries of events before then that wait for nothing; return how many."""
        ...


class CardStore(Protocol):
    """Contacts in short. Every method is one transaction; errors are `StorageError`."""

    async def card(self, contact_id: int) -> ContactCard | None:
        """Return a contact."""
        ...

    async def with_number(self, number: str, *, limit: int) -> list[ContactCard]:
        """List contacts that have this number (E.164), by their ids."""
        ...

    async def with_record(self, crm_ref: str, *, limit: int) -> list[ContactCard]:
        """List contacts whose row names this record of the CRM, by their ids."""
        ...


class LookUps(Protocol):
    """CRMs, as far as they are asked who has a number."""

    @property
    def known_targets(self) -> Collection[str]:
        """The CRMs whose records a call may name."""
        ...

    async def find(self, number: str, *, crm_ref: str | None, within: float) -> Found | None:
        """Return the records with this number, after `within` seconds at most; None when nobody was asked or answered.

        A call that names its record (`crm_ref`) already is not asked about. Never raises for what others do.
        """
        ...


class NoLookUps:
    """Where there is no CRM."""

    known_targets: Collection[str] = ()

    async def find(self, number: str, *, crm_ref: str | None, within: float) -> Found | None:
        """Return None."""
        return None


class LinkStore(Protocol):
    """Which links were used. Every method is one transaction; errors are `StorageError`."""

    async def use(self, nonce: str, *, expires_at: datetime, at: datetime) -> bool:
        """Note that a link is used; False when it was before. Of two who ask at once one gets True."""
        ...

    async def unuse(self, nonce: str) -> None:
        """Take that back: nothing came of it."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Delete links that expired before then; return how many."""
        ...


class Post(Protocol):
    """What sends a delivery."""

    async def __call__(
        self, url: str, *, headers: dict[str, str], body: bytes, within: float | None = None
    ) -> Answer:
        """POST the body and return what came of it; never raises for what the other side does.

        `within`: seconds it may take, when less than usual.
        """
        ...


class Dial(Protocol):
    """Click to call."""

    async def call(
        self, login: str, *, campaign_id: int, contact_id: int, crm_ref: str | None = None
    ) -> Call:
        """Call a contact for this agent; see `cti.dialer.by_hand`."""
        ...
