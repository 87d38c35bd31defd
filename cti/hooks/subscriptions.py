"""Who hears of what: events to the work that tells them. Pure.

Whoever asks for events of some campaigns hears of those, and of events that belong to no campaign (an owner's change, a
node); of an agent when one of his campaigns is among them.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from cti.errors import BadInput
from cti.model.events import AgentMoved, CallbackMoved, CallMoved, Event, WebhookMoved
from cti.model.vocabulary import EventType, Told, told
from cti.model.webhooks import DELIVER, Delivery, DeliveryState, Webhook, WebhookState
from cti.model.work import NewWork, Work

MOST_PATTERNS: Final = 50


def check_patterns(events: Sequence[str]) -> tuple[str, ...]:
    """Return names of events and patterns such as `call.*`. Raises BadInput for one that no event has."""
    if not 1 <= len(events) <= MOST_PATTERNS:
        raise BadInput(f"events: must be 1 to {MOST_PATTERNS} names of events, or patterns such as call.*")
    for pattern in events:
        if not any(fnmatchcase(kind, pattern) for kind in EventType):
            raise BadInput(f"events: there is no event {pattern!r}; there are: {', '.join(EventType)}")
    return tuple(dict.fromkeys(events))


def wants(webhook: Webhook, event: Event, kind: EventType) -> bool:
    """Return whether a webhook is to hear of an event of this kind."""
    if isinstance(event, WebhookMoved) and event.webhook_id == webhook.id:
        return False  # whoever cannot be reached cannot be told so
    if not any(fnmatchcase(kind, pattern) for pattern in webhook.events):
        return False
    campaigns = campaigns_of(event)
    return not webhook.campaign_ids or not campaigns or not campaigns.isdisjoint(webhook.campaign_ids)


def campaigns_of(event: Event) -> frozenset[int]:
    """Return the campaigns that an event belongs to; none: it belongs to no campaign, or does not say."""
    match event:
        case CallMoved(call=call):
            found: Iterable[int | None] = [call.campaign_id]
        case AgentMoved(agent=agent):
            found = agent.campaign_ids
        case CallbackMoved(callback=one):
            found = [one.campaign_id]
        case _:
            found = [getattr(event, "campaign_id", None)]
    return frozenset(one for one in found if one is not None)


def works_of(event: Event, webhooks: Sequence[Webhook], *, now: datetime) -> tuple[NewWork, ...]:
    """Return one piece of work for each webhook that is to hear of the event."""
    known = told(event) if webhooks else None
    if known is None or known.type is EventType.CALL_SCREEN_POP:
        return ()  # a pop is told at once or not at all
    hearing = [one for one in webhooks if one.state is not WebhookState.OFF and wants(one, event, known.type)]
    if not hearing:
        return ()
    body = body_of(known)
    return tuple(_work(one.id, known.id, known.type, known.at, body, now) for one in hearing)


def body_of(known: Told) -> str:
    """Return what is sent: `{"type", "timestamp", "data"}`, the envelope of live events as `data`.

    (Standard Webhooks, "Payload structure".)
    """
    envelope = known.envelope()
    sent = {"type": known.type.value, "timestamp": envelope["at"], "data": envelope}
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":"))


def work_again(one: Delivery, *, now: datetime) -> NewWork:
    """Return the work that tells a delivery's event once more."""
    return _work(one.webhook_id, one.event_id, one.type, one.at, one.body, now)


def delivery_of(work: Work) -> tuple[Delivery, datetime]:
    """Return what a piece of work is to deliver, not tried yet, and since when it is asked for."""
    payload = work.payload
    one = Delivery(
        webhook_id=payload["webhook_id"],
        event_id=payload["event_id"],
        type=payload["type"],
        at=datetime.fromisoformat(payload["at"]),
        body=payload["body"],
        state=DeliveryState.WAITING,
    )
    return one, datetime.fromisoformat(payload["asked_at"])


def _work(webhook_id: int, event_id: str, kind: str, at: datetime, body: str, now: datetime) -> NewWork:
    payload: dict[str, Any] = {
        "webhook_id": webhook_id,
        "event_id": event_id,
        "type": str(kind),
        "at": at.isoformat(),
        "asked_at": now.isoformat(),
        # as text: a database may order a JSON object's keys anew, and the signature is over bytes
        "body": body,
    }
    return NewWork(kind=DELIVER, key=f"{webhook_id}/{event_id}", payload=payload)
