"""Deliveries to webhooks: tried, tried again, given up; and what that says of the webhook."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from cti.bus import EventBus
from cti.errors import NotYet
from cti.hooks.book import HookBook
from cti.hooks.deliverer import FEWEST_FAILURES, Deliverer
from cti.hooks.log import DeliveryLog
from cti.hooks.pace import Pace
from cti.hooks.signing import new_secret
from cti.hooks.verdicts import Answer
from cti.model.calls import CallState
from cti.model.events import CallMoved, Event
from cti.model.webhooks import DELIVER, Delivery, DeliveryState, Webhook, WebhookState
from cti.model.work import Work
from tests.builders import NOW, a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.hooks import FakePost
from tests.fakes.memory_store import MemoryStore

FAILED = Answer(status=500, text="oops")


def ringing() -> CallMoved:
    return CallMoved(before=CallState.DIALING, call=a_call(state=CallState.RINGING, campaign_id=1), at=NOW)


@dataclass
class Desk:
    """A deliverer over a store in memory, with one webhook."""

    chance: Callable[[], float] = lambda: 0.5
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FakeClock = field(default_factory=FakeClock)
    post: FakePost = field(default_factory=FakePost)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        bus = EventBus()
        bus.tap(self.told.append)
        self.book = HookBook(store=self.store.hooks, bus=bus, clock=self.clock)
        self.log = DeliveryLog(store=self.store.hooks, links=self.store.links, clock=self.clock)
        self.deliverer = Deliverer(
            book=self.book,
            post=self.post,
            log=self.log,
            pace=Pace(at_once=2),
            clock=self.clock,
            chance=self.chance,
        )

    async def hook(self, **given: Any) -> Webhook:
        values: dict[str, Any] = {
            "id": 0,
            "name": "crm",
            "url": "https://crm.example/hook",
            "events": ("call.*",),
            "secret": new_secret(),
            "state_at": NOW,
            "created_at": NOW,
        }
        return await self.book.add(Webhook(**values | given))

    def works(self, event: Event | None = None) -> list[Work]:
        """Return the work of an event as leased."""
        return [
            Work(
                id=1,
                kind=wish.kind,
                key=wish.key,
                version=1,
                payload=json.loads(json.dumps(wish.payload)),
                attempts=1,
                lease="x",
                leased_until=later(60),
            )
            for wish in self.book.tell(event or ringing())
        ]

    async def tries(self, work: Work, *answers: Answer) -> float | None:
        """Deliver once; return after how many seconds again, None when it is over."""
        self.post.answers += answers
        try:
            await self.deliverer.deliver(work)
        except NotYet as again:
            return again.seconds
        finally:
            await self.log.flush()
        return None

    def logged(self) -> list[Delivery]:
        return list(self.store.tables.deliveries.values())

    def now(self, hook: Webhook) -> Webhook:
        return next(one for one in self.book.all() if one.id == hook.id)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_event_is_delivered_signed_with_its_id_and_logged(desk: Desk) -> None:
    hook = await desk.hook()
    desk.clock = FakeClock()
    [work] = desk.works()
    assert (work.kind, work.key.split("/")[0]) == (DELIVER, str(hook.id))
    assert await desk.tries(work) is None
    [(url, headers, body)] = desk.post.sent
    assert url == hook.url
    sent = json.loads(body)
    assert sent["type"] == sent["data"]["type"] == "call.ringing"
    assert sent["timestamp"] == "2026-11-23T09:00:00.000000Z"
    assert headers["webhook-id"] == sent["data"]["id"] == work.key.split("/")[1]
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    [one] = desk.logged()
    assert (one.state, one.attempts, one.status, one.error) == (DeliveryState.DELIVERED, 1, 204, None)
    assert one.body == body.decode()


async def test_what_fails_is_tried_again_with_the_same_id_and_a_later_moment(desk: Desk) -> None:
    await desk.hook()
    [work] = desk.works()
    assert await desk.tries(work, FAILED) == 5.0
    [one] = desk.logged()
    assert (one.state, one.status, one.error) == (DeliveryState.WAITING, 500, "answered 500: oops")
    desk.clock.advance(60)
    assert await desk.tries(work) is None
    first, second = (headers for _, headers, _ in desk.post.sent)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
    [one] = desk.logged()
    assert (one.state, one.attempts, one.error) == (DeliveryState.DELIVERED, 2, None)


async def test_a_webhook_that_recovers_has_no_failures(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    await desk.tries(work, FAILED)
    assert (desk.now(hook).failures, desk.now(hook).failing_since) == (1, NOW)
    desk.clock.advance(60)
    await desk.tries(work)
    assert (desk.now(hook).failures, desk.now(hook).failing_since) == (0, None)
    assert await desk.store.hooks.webhooks() == [desk.now(hook)]


async def test_retry_after_is_waited_for_by_all_its_deliveries_and_by_no_other_webhooks(desk: Desk) -> None:
    await desk.hook()
    await desk.hook(name="other", url="https://other.example")
    one, other = desk.works()
    assert await desk.tries(one, Answer(status=429, retry_after="120")) == 120.0
    [second, _] = desk.works()
    desk.clock.advance(100)
    assert (await desk.tries(second) or 0) >= 20.0
    assert len(desk.post.sent) == 1
    assert await desk.tries(other) is None
    desk.clock.advance(21)
    assert await desk.tries(second) is None


async def test_gone_switches_the_webhook_off_at_once_and_tells_it(desk: Desk) -> None:
    hook = await desk.hook()
    [work], [next_] = desk.works(), desk.works()
    assert await desk.tries(work, Answer(status=410)) is None
    now = desk.now(hook)
    assert (now.state, now.state_reason) == (WebhookState.OFF, "the receiver answered 410: gone")
    assert [one.state for one in desk.logged()] == [DeliveryState.FAILED]
    assert [type(event).__name__ for event in desk.told] == ["WebhookMoved"]
    assert await desk.tries(next_) is None
    assert len(desk.post.sent) == 1
    assert desk.works() == []


async def test_steady_failure_suspends_it_and_events_are_held_until_it_is_on(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    for _ in range(FEWEST_FAILURES - 1):
        await desk.tries(work, FAILED)
        desk.clock.advance(8 * 3600)
    assert desk.now(hook).state is WebhookState.ON
    await desk.tries(work, FAILED)
    now = desk.now(hook)
    assert now.state is WebhookState.SUSPENDED
    assert "nothing was accepted since 2026-11-23 09:00" in now.state_reason
    assert [type(event).__name__ for event in desk.told] == ["WebhookMoved"]
    sent = len(desk.post.sent)
    [held] = desk.works(CallMoved(before=CallState.DIALING, call=a_call(state=CallState.ENDED), at=NOW))
    assert await desk.tries(held) is None
    assert len(desk.post.sent) == sent
    assert DeliveryState.HELD in {one.state for one in desk.logged()}


async def test_many_failures_in_a_short_time_suspend_nobody(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    for _ in range(3 * FEWEST_FAILURES):
        await desk.tries(work, FAILED)
        desk.clock.advance(600)
    assert desk.now(hook).state is WebhookState.ON


async def test_a_delivery_is_given_up_after_three_days(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    desk.clock.advance(71 * 3600)
    assert await desk.tries(work, FAILED) is not None
    desk.clock.advance(3600)
    assert await desk.tries(work, FAILED) is None
    assert [one.state for one in desk.logged()] == [DeliveryState.FAILED]
    assert desk.now(hook).state is WebhookState.ON


async def test_while_it_fails_one_looks_whether_it_is_back_and_the_longer_the_rarer(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    await desk.tries(work, FAILED)
    [second] = desk.works()
    early = await desk.tries(second)
    assert early is not None
    assert early < 10
    desk.clock.advance(4 * 3600)
    await desk.tries(work, FAILED)
    late = await desk.tries(second)
    assert late is not None
    assert late >= 300.0
    assert desk.now(hook).failures == 2
    assert len(desk.post.sent) == 2


async def test_a_webhook_that_was_removed_hears_nothing(desk: Desk) -> None:
    hook = await desk.hook()
    [work] = desk.works()
    await desk.book.remove(hook.id)
    assert await desk.tries(work) is None
    assert desk.post.sent == []


async def test_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone(desk: Desk) -> None:
    desk = Desk(clock=FakeClock(datetime.now(UTC)))
    old, new = new_secret(), new_secret()
    until = desk.clock.now() + timedelta(hours=1)
    await desk.hook(secret=new, old_secret=old, old_secret_until=until)
    [work] = desk.works()
    await desk.tries(work)
    _, headers, body = desk.post.sent[-1]
    assert Verifier(new).verify(body, headers) == Verifier(old).verify(body, headers)
    desk.clock.advance(3600)
    await desk.tries(work)
    assert len(desk.post.sent[-1][1]["webhook-signature"].split()) == 1
