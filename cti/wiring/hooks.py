"""Puts webhooks, screen pop and links that dial together. Starts nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from cti.bus import EventBus
from cti.clock import Clock
from cti.contacts.phone import number_of
from cti.dialer.agent_desk import AgentDesk
from cti.dialer.by_hand import ClickToCall
from cti.dialer.campaign_desk import CampaignDesk
from cti.hooks.addresses import Reach
from cti.hooks.book import HookBook
from cti.hooks.deliverer import Deliverer
from cti.hooks.desk import HookDesk
from cti.hooks.dial_desk import DialDesk
from cti.hooks.log import DeliveryLog
from cti.hooks.outbox import HookOutbox
from cti.hooks.pace import Pace
from cti.hooks.pop_sender import PopSender
from cti.hooks.popper import ScreenPopper
from cti.hooks.ports import LookUps, Post
from cti.hooks.sender import Sender, open_sender
from cti.hooks.tel import number_in
from cti.model.webhooks import DELIVER
from cti.service import Service
from cti.settings import Settings
from cti.storage.database import Database
from cti.wiring.dialing import Listener
from cti.work.runner import WorkRunner


@asynccontextmanager
async def sender_of(settings: Settings) -> AsyncIterator[Sender]:
    """Open what sends webhooks."""
    hooks = settings.webhooks
    reach = Reach(hooks.allow, plain_http=hooks.plain_http)
    async with open_sender(reach=reach, seconds=hooks.seconds) as sender:
        yield sender


class Hooks:
    """Webhooks and screen pop."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        bus: EventBus,
        clock: Clock,
        post: Post,
        campaigns: CampaignDesk,
        agents: AgentDesk,
        look_ups: LookUps,
    ) -> None:
        given = settings.webhooks
        self.book = HookBook(store=database.hooks, bus=bus, clock=clock)
        self.log = DeliveryLog(
            store=database.hooks, links=database.links, clock=clock, kept=timedelta(days=given.kept_days)
        )
        self.deliverer = Deliverer(
            book=self.book,
            post=post,
            log=self.log,
            pace=Pace(at_once=given.at_once_each),
            clock=clock,
            give_up_after=timedelta(hours=given.give_up_hours),
            suspend_after=timedelta(hours=given.suspend_hours),
        )
        # A runner of its own: however slow receivers are, recordings and the rest do not wait for them.
        self.work = WorkRunner(
            store=database.work,
            handlers={DELIVER: self.deliverer.deliver},
            clock=clock,
            at_once=given.at_once,
            # what was delivered stands in the log; in the table of work it would stand a second time, body and all
            keep_done=timedelta(hours=1),
            forgets_only=[DELIVER],
        )
        self.outbox = HookOutbox(tell=self.book.tell, work=database.work, clock=clock, on_work=self.work.wake)
        self.desk = HookDesk(
            book=self.book,
            store=database.hooks,
            post=post,
            clock=clock,
            old_secret_for=timedelta(hours=given.old_secret_hours),
            on_work=self.work.wake,
        )
        self.popper = ScreenPopper(
            cards=database.cards,
            bus=bus,
            clock=clock,
            campaign=campaigns.get,
            agent=agents.get,
            look_ups=look_ups,
        )
        self.pops = PopSender(book=self.book, post=post, clock=clock)
        self.listeners: tuple[Listener, ...] = (self.popper, self.pops, self.outbox)
        self.services: tuple[Service, ...] = (
            self.log,
            self.work,
            self.outbox,
            self.pops,
            self.popper,
        )
        """Ended last first: what the rest tells last is still written."""


def dial_desk(
    *,
    settings: Settings,
    database: Database,
    clock: Clock,
    by_hand: ClickToCall,
    campaigns: CampaignDesk,
    agents: AgentDesk,
) -> DialDesk:
    """Put the desk together that calls for a CRM's pages."""
    links = settings.dial_links

    async def has(campaign_id: int, contact_id: int) -> bool:
        return await database.campaigns.candidate(campaign_id, contact_id) is not None

    return DialDesk(
        cards=database.cards,
        links=database.links,
        dial=by_hand,
        agent=agents.named,
        campaigns=campaigns.all,
        has=has,
        number_of=e164_in(settings.dialer.region),
        clock=clock,
        keys=[key.get_secret_value() for key in links.keys],
        address=links.address,
        longest=timedelta(seconds=links.seconds),
    )


def e164_in(region: str) -> Callable[[str], str]:
    """Return how numbers are read that are written without a country: those of this one."""
    return lambda text: number_of(number_in(text), "number", region=region or None).e164


def waking(*runners: WorkRunner) -> Callable[[], None]:
    """Return what wakes all of them."""

    def wake() -> None:
        for one in runners:
            one.wake()

    return wake
