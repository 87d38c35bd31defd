"""Webhooks and links that dial over the stores in memory; nothing leaves the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import NotFound
from cti.hooks.book import HookBook
from cti.hooks.desk import HookDesk
from cti.hooks.dial_desk import DialDesk
from cti.hooks.ports import Dial
from cti.hooks.verdicts import Answer
from cti.model.agents import Agent
from cti.wiring.hooks import e164_in
from tests.fakes.desks import FakeAgentDesk
from tests.fakes.memory_store import MemoryStore

LINK_KEYS = ("a key of the links that is long enough", "another key that is believed as well")


@dataclass
class FakePost:
    """A port `Post` that answers as it is told, and notes what it was given."""

    answers: list[Answer] = field(default_factory=list)
    """In turn; after the last one all is accepted."""
    sent: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(
        self, url: str, *, headers: dict[str, str], body: bytes, within: float | None = None
    ) -> Answer:
        self.sent.append((url, headers, body))
        return self.answers.pop(0) if self.answers else Answer(status=204)


def a_hook_desk(store: MemoryStore, bus: EventBus, clock: Clock, post: FakePost | None = None) -> HookDesk:
    """Return the desk of webhooks over a store in memory."""
    book = HookBook(store=store.hooks, bus=bus, clock=clock)
    return HookDesk(book=book, store=store.hooks, post=post or FakePost(), clock=clock)


def a_dial_desk(
    store: MemoryStore,
    agents: FakeAgentDesk,
    dial: Dial,
    clock: Clock,
    *,
    keys: Sequence[str] = LINK_KEYS,
) -> DialDesk:
    """Return the desk that calls for a CRM's pages, over a store in memory; numbers without a country are German."""

    def agent(login: str) -> Agent:
        for one in agents.agents():
            if one.login == login:
                return one
        raise NotFound(f"there is no agent {login!r}")

    async def has(campaign_id: int, contact_id: int) -> bool:
        return await store.campaigns.candidate(campaign_id, contact_id) is not None

    return DialDesk(
        cards=store.cards,
        links=store.links,
        dial=dial,
        agent=agent,
        campaigns=lambda: list(store.tables.campaigns.values()),
        has=has,
        number_of=e164_in("DE"),
        clock=clock,
        keys=keys,
    )
