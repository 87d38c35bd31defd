"""A reader of a list with a CRM and a service in memory."""

from typing import Any

from crm_sync.port import PulledRecord
from crm_sync.pull import PullReader, PullWords
from cti.model.contact_rows import ContactQuery, ContactRow, Sort
from cti.model.crm import Rate, RecordRef
from cti.model.crm_pulls import PullRules
from tests.builders import NOW, a_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import PULLS, an_intake
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strict_crm import StrictClient, StrictCrm

(RULES,) = PULLS
WORDS = PullWords(target="odoo", logins={"17": "anna"}, fields={}, stages={})


def a_lead(number: int = 1, **given: Any) -> PulledRecord:
    values: dict[str, Any] = {
        "ref": RecordRef("crm.lead", str(number)),
        "name": f"Lead {number}",
        "numbers": (f"030 901{number:05}",),
        "changed_at": NOW,
    }
    return PulledRecord(**values | given)


class House:
    """A CRM, a reader, a service, a clock."""

    def __init__(self, *, pulls: tuple[PullRules, ...] = PULLS, **more: Any) -> None:
        self.clock = FakeClock(NOW)
        self.store = MemoryStore()
        self.crm = StrictCrm(**more)
        self.intake = an_intake(self.store, self.clock, pulls=pulls)
        self.reader = self.a_reader()

    def a_reader(self, client: StrictClient | None = None) -> PullReader:
        return PullReader(
            pull="odoo-leads",
            source="leads",
            crm=client or StrictClient(self.crm),
            words=WORDS,
            intake=self.intake,
            rate=Rate(),
        )

    async def open(self) -> "House":
        await self.store.campaigns.add_campaign(a_campaign(id=0))
        return self

    async def contacts(self) -> list[ContactRow]:
        return await self.store.finding.contacts(ContactQuery(sort=Sort.OLDEST, limit=1000))

    async def counts(self) -> dict[str, int]:
        return dict((await self.store.pulls.standing("odoo-leads")).counts)

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.reader.drain()
