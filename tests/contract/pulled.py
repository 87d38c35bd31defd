"""A pull of a campaign's list, and records as a CRM gives them."""

from typing import Any

from cti.model.contact_rows import ContactQuery, ContactRow, EntryRow, Sort
from cti.model.contacts import Campaign
from cti.model.crm_pulls import CrmRecord, PullAnswer, PullRules, PullStep
from tests.builders import NOW, a_campaign
from tests.contract.conftest import Store

RULES = PullRules(
    name="odoo-leads", target="odoo", source="leads", campaign="autumn", region="DE", priority=7
)
PAGE = PullStep.PAGE


def a_record(number: int = 1, **given: Any) -> CrmRecord:
    values: dict[str, Any] = {
        "ref": f"odoo/crm.lead:{number}",
        "name": f"Lead {number}",
        "numbers": (f"030 90182{number:02}",),
        "changed_at": NOW,
    }
    return CrmRecord(**values | given)


def a_page(*records: CrmRecord, before: str = "", cursor: str = "1", **given: Any) -> PullAnswer:
    return PullAnswer(**{"step": PAGE, "records": records, "before": before, "cursor": cursor} | given)


def read(*records: CrmRecord, gone: tuple[str, ...] = ()) -> PullAnswer:
    return PullAnswer(step=PullStep.RECORDS, records=records, gone=gone)


async def a_campaign_in(store: Store) -> Campaign:
    return await store.campaigns.add_campaign(a_campaign(id=0))


async def contacts(store: Store) -> list[ContactRow]:
    return await store.finding.contacts(ContactQuery(sort=Sort.OLDEST))


async def the_contact(store: Store) -> ContactRow:
    (one,) = await contacts(store)
    return one


async def the_entry(store: Store) -> EntryRow:
    (one,) = await store.finding.entries((await the_contact(store)).id)
    return one
