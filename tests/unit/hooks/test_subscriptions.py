"""Who hears of what."""

from typing import Any

import pytest

from cti.errors import BadInput
from cti.hooks.subscriptions import check_patterns, delivery_of, work_again, works_of
from cti.model.agents import AgentChange, AgentState
from cti.model.calls import CallState
from cti.model.events import (
    AgentMoved,
    CallMoved,
    ContactMoved,
    Event,
    NodeLost,
    RecordingMissing,
    RecordingReady,
    TranscriptReady,
    WebhookMoved,
)
from cti.model.webhooks import Webhook, WebhookState
from cti.model.work import Work
from tests.builders import NOW, a_call, an_agent, later


def hook(**given: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": 1,
        "name": "crm",
        "url": "https://crm.example",
        "events": ("*",),
        "secret": "whsec_x",
        "state_at": NOW,
        "created_at": NOW,
    }
    return Webhook(**values | given)


def call(campaign_id: int | None = 1, state: CallState = CallState.ENDED) -> CallMoved:
    moved = a_call(state=state, campaign_id=campaign_id)
    return CallMoved(before=CallState.DIALING, call=moved, at=NOW)


def agent(*campaign_ids: int) -> AgentMoved:
    change = AgentChange(agent_id=1, at=NOW, before=AgentState.READY, after=AgentState.PAUSED)
    return AgentMoved(change=change, agent=an_agent(campaign_ids=campaign_ids))


OWNER = ContactMoved(contact_id=1, before=None, after=1, kind="claimed", reason="", by="anna", at=NOW)
READY = RecordingReady(call_id="1", path="a.wav", seconds=1.0, size_bytes=1, at=NOW, campaign_id=1)
MISSING = RecordingMissing(call_id="1", reason="empty", at=NOW, campaign_id=1)
WRITTEN = TranscriptReady(call_id="1", version=1, model="m", language="en", at=NOW, campaign_id=1)
LOST = NodeLost(node="pbx", reason="gone", at=NOW)
OFF = WebhookMoved(webhook_id=1, name="crm", state="off", reason="", at=NOW)


@pytest.mark.parametrize(
    ("given", "event", "heard"),
    [
        ({}, call(), True),
        ({}, call(state=CallState.PLACING), False),
        ({"events": ("call.ended",)}, call(), True),
        ({"events": ("call.*", "x")}, call(), True),
        ({"events": ("recording.*",)}, call(), False),
        ({"campaign_ids": (1, 2)}, call(1), True),
        ({"campaign_ids": (2,)}, call(1), False),
        ({"campaign_ids": (2,)}, call(None), True),
        ({"campaign_ids": (2,)}, agent(1, 2), True),
        ({"campaign_ids": (2,)}, agent(1), False),
        ({"campaign_ids": (1,)}, READY, True),
        ({"campaign_ids": (2,)}, READY, False),
        ({"campaign_ids": (2,)}, MISSING, False),
        ({"campaign_ids": (2,)}, WRITTEN, False),
        ({"campaign_ids": (2,)}, OWNER, True),
        ({"campaign_ids": (2,)}, LOST, True),
        ({"state": WebhookState.OFF}, call(), False),
        ({"state": WebhookState.SUSPENDED}, call(), True),
        ({}, OFF, False),
        ({"id": 2}, OFF, True),
    ],
)
def test_a_webhook_hears_what_it_asked_for(given: dict[str, Any], event: Event, heard: bool) -> None:
    assert bool(works_of(event, [hook(**given)], now=NOW)) is heard


def test_one_event_is_one_piece_of_work_for_each_and_the_same_whenever_it_is_told() -> None:
    hooks = [hook(), hook(id=2, events=("call.ended",)), hook(id=3, events=("agent.*",))]
    event = call()
    works = works_of(event, hooks, now=NOW)
    assert [work.key.split("/")[0] for work in works] == ["1", "2"]
    assert [one.key for one in works_of(event, hooks, now=later(9))] == [one.key for one in works]


def test_what_is_to_be_delivered_is_read_from_the_work_as_it_was_written() -> None:
    [wish] = works_of(call(), [hook()], now=later(5))
    work = Work(
        id=1,
        kind=wish.kind,
        key=wish.key,
        version=1,
        payload=wish.payload,
        attempts=1,
        lease="",
        leased_until=NOW,
    )
    one, asked_at = delivery_of(work)
    assert (one.webhook_id, one.type, one.at, asked_at) == (1, "call.ended", NOW, later(5))
    again = work_again(one, now=later(60))
    assert (again.key, again.payload["body"]) == (wish.key, wish.payload["body"])
    assert again.payload["asked_at"] == later(60).isoformat()


@pytest.mark.parametrize("events", [[], ["call.*", "cal.ended"], ["x"] * 51, [""]])
def test_patterns_that_no_event_has_are_refused(events: list[str]) -> None:
    with pytest.raises(BadInput, match="events"):
        check_patterns(events)


def test_patterns_are_kept_once_each() -> None:
    assert check_patterns(["call.*", "recording.ready", "call.*"]) == ("call.*", "recording.ready")
