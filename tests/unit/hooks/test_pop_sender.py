"""Screen pops to webhooks: once, at once, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cti.bus import EventBus
from cti.hooks.book import HookBook
from cti.hooks.pop_sender import AT_ONCE, PopSender
from cti.hooks.signing import new_secret
from cti.hooks.verdicts import Answer
from cti.model.events import ScreenPop
from cti.model.pops import PopMoment
from cti.model.webhooks import Webhook, WebhookState
from cti.service import running
from tests.builders import NOW, later
from tests.fakes.clock import FakeClock
from tests.fakes.hooks import FakePost
from tests.fakes.memory_store import MemoryStore


def a_pop(**given: Any) -> ScreenPop:
    values: dict[str, Any] = {
        "call_id": "1",
        "agent_id": 1,
        "campaign_id": 1,
        "moment": PopMoment.RING,
        "number": "+4930901820",
        "crm_ref": None,
        "contact": None,
        "matches": (),
        "more_matches": False,
        "url": None,
        "until": later(10),
        "at": NOW,
    }
    return ScreenPop(**values | given)


class Stage:
    def __init__(self) -> None:
        self.store, self.bus, self.clock, self.post = MemoryStore(), EventBus(), FakeClock(), FakePost()
        self.book = HookBook(store=self.store.hooks, bus=self.bus, clock=self.clock)
        self.sender = PopSender(book=self.book, post=self.post, clock=self.clock)
        self.bus.tap(self.sender.tap)

    async def hook(self, **given: Any) -> Webhook:
        values: dict[str, Any] = {
            "id": 0,
            "name": f"hook {len(self.book.all())}",
            "url": "https://crm.example/pop",
            "events": ("call.screen_pop",),
            "secret": new_secret(),
            "state_at": NOW,
            "created_at": NOW,
        }
        return await self.book.add(Webhook(**values | given))


@asynccontextmanager
async def a_stage() -> AsyncIterator[Stage]:
    stage = Stage()
    async with running(stage.sender):
        await asyncio.sleep(0)
        yield stage


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_pop_is_posted_at_once_and_nothing_of_it_is_written() -> None:
    async with a_stage() as stage:
        await stage.hook()
        await stage.hook(events=("call.ended",))
        await stage.hook(campaign_ids=(2,))
        await stage.hook(state=WebhookState.OFF)
        stage.bus.publish(a_pop())
        await settled()
        assert len(stage.post.sent) == 1
        assert stage.store.tables.works == {}
        assert stage.book.tell(a_pop()) == ()


async def test_one_that_is_refused_is_counted_and_never_tried_again() -> None:
    async with a_stage() as stage:
        hook = await stage.hook()
        stage.post.answers = [Answer(status=500)]
        stage.bus.publish(a_pop())
        await settled()
        assert (len(stage.post.sent), stage.sender.lost[hook.id]) == (1, 1)
        assert stage.store.tables.works == {}


async def test_one_that_is_too_late_is_not_sent() -> None:
    async with a_stage() as stage:
        hook = await stage.hook()
        stage.clock.advance(10)
        stage.bus.publish(a_pop())
        await settled()
        assert (stage.post.sent, stage.sender.lost[hook.id]) == ([], 1)


async def test_a_receiver_that_is_too_slow_loses_the_newest_and_holds_up_nobody() -> None:
    async with a_stage() as stage:
        hook = await stage.hook()
        gate, sent = asyncio.Event(), stage.post.__call__

        async def slow(url: str, **more: Any) -> Answer:
            await gate.wait()
            return await sent(url, **more)

        stage.sender._post = slow
        for _ in range(AT_ONCE + 3):
            stage.bus.publish(a_pop())
        gate.set()
        await settled()
        assert (len(stage.post.sent), stage.sender.lost[hook.id]) == (AT_ONCE, 3)
