"""The parts of the service that webhooks need, over a real database and real sockets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cti.asr.announcer import Announcer
from cti.bus import EventBus
from cti.clock import SystemClock
from cti.dialer.journal import Journal
from cti.hooks.addresses import Reach
from cti.hooks.book import HookBook
from cti.hooks.deliverer import Deliverer
from cti.hooks.desk import HookDesk
from cti.hooks.log import DeliveryLog
from cti.hooks.outbox import HookOutbox
from cti.hooks.pace import Pace
from cti.hooks.ports import HookStore
from cti.hooks.sender import Sender, open_sender
from cti.model.calls import Call, CallState, Outcome
from cti.model.events import CallMoved
from cti.model.ids import new_call_id
from cti.model.webhooks import DELIVER, Delivery, DeliveryFilter
from cti.model.work import TELL_TRANSCRIPT
from cti.service import running
from cti.storage.database import Database, open_database
from cti.work.runner import WorkRunner
from tests.builders import a_call

LOOPBACK: Final = Reach(["127.0.0.1"])


class House:
    """The parts of the service that webhooks need, over a real database; may be killed."""

    def __init__(self, database: Database, sender: Sender, lease_seconds: float) -> None:
        clock = SystemClock()
        self.database, self.bus = database, EventBus()
        store: HookStore = database.hooks
        self.book = HookBook(store=store, bus=self.bus, clock=clock)
        self.log = DeliveryLog(store=store, links=database.links, clock=clock)
        self.deliverer = Deliverer(
            book=self.book,
            post=sender,
            log=self.log,
            pace=Pace(at_once=8),
            clock=clock,
            chance=lambda: 0.0,
        )

        async def campaign_of(call_id: str) -> int | None:
            call = await database.calls.get(call_id)
            return call.campaign_id if call else None

        announcer = Announcer(
            store=database.transcripts,
            works=database.work,
            bus=self.bus,
            clock=clock,
            campaign_of=campaign_of,
            tell=self.book.tell,
            on_work=lambda: self.work.wake(),
        )
        self.work = WorkRunner(
            store=database.work,
            handlers={DELIVER: self.deliverer.deliver, TELL_TRANSCRIPT: announcer.tell},
            clock=clock,
            poll_seconds=0.1,
            lease_for=timedelta(seconds=lease_seconds),
        )
        self.journal = Journal(
            calls=database.calls, agents=database.agents, on_work=self.work.wake, tell=self.book.tell
        )
        self.outbox = HookOutbox(tell=self.book.tell, work=database.work, clock=clock, on_work=self.work.wake)
        self.desk = HookDesk(book=self.book, store=store, post=sender, clock=clock, on_work=self.work.wake)
        for part in (self.journal, self.outbox):
            self.bus.tap(part.tap)

    async def deliveries(self, **asked: Any) -> list[Delivery]:
        return await self.database.hooks.deliveries(
            DeliveryFilter(webhook_id=self.book.all()[0].id, limit=1000, **asked)
        )


@asynccontextmanager
async def a_house(folder: Path, *, seconds: float = 15.0, lease_seconds: float = 1.5) -> AsyncIterator[House]:
    """Run it. What is left undone when the block ends stays in the database."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(f"sqlite:///{folder / 'waihu.db'}", survive_power_loss=False)
        )
        sender = await stack.enter_async_context(open_sender(reach=LOOPBACK, seconds=seconds))
        house = House(database, sender, lease_seconds)
        await house.book.load()
        await stack.enter_async_context(running(house.log, house.work, house.journal, house.outbox))
        yield house


def story(number: int | None = None) -> list[CallMoved]:
    """Return the events of one call."""
    now = SystemClock().now()
    call = a_call(id=new_call_id(now) if number is None else f"{number:032x}", placed_at=now)
    states = (CallState.DIALING, CallState.RINGING, CallState.ENDED)
    moves, before = [], call
    for state in states:
        over: dict[str, Any] = {"outcome": Outcome.BUSY, "ended_at": now} if state is CallState.ENDED else {}
        after: Call = replace(before, state=state, **over)
        moves.append(CallMoved(before=before.state, call=after, at=now))
        before = after
    return moves
