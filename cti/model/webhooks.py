"""Webhooks: other programs that are told events, and what became of each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

DELIVER: Final = "webhook.deliver"
"""Kind of the work that tells one event to one webhook; its key is `WEBHOOK/EVENT`."""


class WebhookState(StrEnum):
    """Whether a webhook is told anything."""

    ON = "on"
    OFF = "off"
    """By hand, or because its receiver answered 410: nothing is sent and nothing kept for it."""
    SUSPENDED = "suspended"
    """It failed for too long: nothing is sent, but events are kept, to be replayed when it is on again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver, and what it wants to hear."""

    id: int
    name: str
    """Unique."""
    url: str
    events: tuple[str, ...]
    """Names of events, or patterns such as `call.*`."""
    campaign_ids: tuple[int, ...] = ()
    """Only events of these campaigns, and those that belong to none; empty: of all."""
    secret: str
    """`whsec_` and base64 of 24 to 64 bytes."""
    old_secret: str | None = None
    old_secret_until: datetime | None = None
    """Until then the old secret signs, too."""
    state: WebhookState = WebhookState.ON
    state_reason: str = ""
    state_at: datetime
    """Since when it is in this state."""
    failing_since: datetime | None = None
    """Its first failure after the last success."""
    failures: int = 0
    """Failures in a row."""
    created_at: datetime
    created_by: str = ""

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """Return what signs now, the new one first."""
        if self.old_secret is None or self.old_secret_until is None or now >= self.old_secret_until:
            return (self.secret,)
        return (self.secret, self.old_secret)


class DeliveryState(StrEnum):
    """What became of one event for one webhook."""

    WAITING = "waiting"
    """Not accepted yet; it is tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up, or refused for good."""
    HELD = "held"
    """Never sent: the webhook was suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook, as it stands."""

    webhook_id: int
    event_id: str
    """Also its `webhook-id`: the same in every attempt and replay."""
    type: str
    at: datetime
    """When the event happened."""
    body: str
    """What is sent, as text."""
    state: DeliveryState
    attempts: int = 0
    status: int | None = None
    """HTTP status of the last answer; None: there was none."""
    error: str | None = None
    """What was wrong with the last attempt."""
    milliseconds: int | None = None
    """How long the last attempt took."""
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; what is None is not asked."""

    webhook_id: int
    state: DeliveryState | None = None
    type: str | None = None
    since: datetime | None = None
    """Events from then on."""
    until: datetime | None = None
    """Events before then."""
    limit: int = 100
