"""The API of pulled lists: how they stand, what was not taken, and the way of the process that reads and writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from crm_sync.feeds import ApiFeed, api_feed
from crm_sync.follow_up import FollowUpWriter
from crm_sync.mapping import mapping_of
from crm_sync.port import PulledRecord
from crm_sync.pull import PullReader, words_of
from crm_sync.pull_feed import ApiFollowUps, ApiIntake
from crm_sync.tab import noted
from cti.crm.follow_ups import CallbackFollowers
from cti.errors import Conflict, CtiError
from cti.model.callbacks import NewCallback
from cti.model.crm import Rate, RecordRef
from cti.model.crm_pulls import PullAnswer, PullStep
from tests.builders import NOW, a_campaign, later
from tests.fakes.site import TOKENS, Site
from tests.fakes.strict_crm import StrictClient, StrictCrm

MAPPING = mapping_of({}, target="odoo", where="odoo.toml")


def a_lead(number: int, **given: Any) -> PulledRecord:
    values: dict[str, Any] = {
        "ref": RecordRef("crm.lead", str(number)),
        "name": f"Lead {number}",
        "numbers": (f"030 9018{number:03}",),
        "changed_at": NOW,
    }
    return PulledRecord(**values | given)


@dataclass
class Sync:
    """The process that reads and writes, over the API, beside a CRM."""

    feed: ApiFeed
    crm: StrictCrm
    reader: PullReader
    writer: FollowUpWriter
    campaign_id: int


@asynccontextmanager
async def sync(site: Site, *records: PulledRecord) -> AsyncIterator[Sync]:
    crm = StrictCrm(records=list(records))
    known = {one.name: one for one in await site.store.campaigns.campaigns()}
    campaign = known.get("autumn") or await site.store.campaigns.add_campaign(a_campaign(id=0))
    async with api_feed(str(site.client.make_url("/")), TOKENS["sync"]) as feed:
        client = StrictClient(crm)
        reader = PullReader(
            pull="odoo-leads",
            source="leads",
            crm=client,
            words=words_of(MAPPING),
            intake=ApiIntake(feed),
            rate=Rate(),
        )
        writer = FollowUpWriter(
            target="odoo", crm=client, mapping=MAPPING, feed=ApiFollowUps(feed), rate=Rate()
        )
        yield Sync(feed, crm, reader, writer, campaign.id)


async def test_a_list_is_read_over_the_api_and_its_standing_told(site: Site) -> None:
    async with sync(site, a_lead(1), a_lead(2, numbers=("none",)), a_lead(3)) as process:
        await process.reader.drain()

    (told,) = (await site.told("GET", "crm/pulls"))["pulls"]
    assert (told["pull"], told["records"], told["problems"], told["age_seconds"]) == (
        "odoo-leads",
        3,
        1,
        0.0,
    )
    assert told["counts"] == {"added": 2, "refused": 1}
    assert (told["more"], told["error"], told["campaign"]) == (False, None, "autumn")
    assert (await site.told("GET", "crm"))["pulls"] == [told]


async def test_what_was_not_taken_is_listed_by_pages(site: Site) -> None:
    async with sync(site, *(a_lead(n, numbers=("none",)) for n in (1, 2, 3))) as process:
        await process.reader.drain()

    page = await site.told("GET", "crm/pulls/odoo-leads/problems?limit=2")
    assert [one["ref"] for one in page["problems"]] == ["odoo/crm.lead:1", "odoo/crm.lead:2"]
    assert page["problems"][0]["refused"] is True
    assert "none" in page["problems"][0]["reason"]
    following = await site.told("GET", f"crm/pulls/odoo-leads/problems?limit=2&after={page['next']}")
    assert ([one["ref"][-1] for one in following["problems"]], following["next"]) == (["3"], None)
    await site.refused("GET", "crm/pulls/nowhere/problems", status=404)


async def test_a_list_is_read_out_of_turn_when_somebody_asks(site: Site) -> None:
    async with sync(site) as process:
        await process.reader.drain()
        process.crm.touch(a_lead(1))
        await process.reader.drain()
        assert process.reader.records == 0

        told = await site.told("POST", "crm/pulls/odoo-leads/now", status=202)
        assert told["pull"] == "odoo-leads"
        await process.reader.drain()
        assert process.reader.records == 1
    await site.refused("POST", "crm/pulls/nowhere/now", status=404)


async def test_failures_reach_the_standing(site: Site) -> None:
    async with sync(site) as process:
        process.crm.key_refused = True
        await process.reader.drain()

    (told,) = (await site.told("GET", "crm/pulls"))["pulls"]
    assert told["error"] == "auth: the key is not known"
    assert (await site.told("GET", "crm"))["targets"][0]["state"] == "stopped"


async def test_a_page_that_was_overtaken_is_a_conflict_and_nonsense_a_bad_request(site: Site) -> None:
    async with sync(site) as process:
        late = PullAnswer(step=PullStep.PAGE, before="9", cursor="10")
        with pytest.raises(Conflict, match="moved on"):
            await ApiIntake(process.feed).take("odoo-leads", late)
        with pytest.raises(CtiError, match="there is no pull"):
            await ApiIntake(process.feed).take("nowhere", late)
    error = await site.refused(
        "POST",
        "crm/work/pull-take",
        as_="sync",
        json={"pull": "odoo-leads", "answer": {"step": "guess"}},
        status=422,
    )
    assert "answer.step" in error["message"]


async def test_callbacks_are_written_over_the_api(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sync(site, a_lead(1)) as process:
        crm = process.writer._crm
        follow_up = crm.follow_up

        async def in_two(*given: Any, **more: Any) -> RecordRef:
            noted()
            return await follow_up(*given, **more)

        monkeypatch.setattr(crm, "follow_up", in_two)
        await process.reader.drain()
        (contact_id,) = [
            one for one, contact in site.store.tables.contacts.items() if contact.name == "Lead 1"
        ]
        new = NewCallback(
            contact_id=contact_id,
            campaign_id=process.campaign_id,
            due_at=later(7200),
            zone="UTC",
            by="anna",
        )
        follow = CallbackFollowers(["odoo"]).moved
        one = await site.store.callbacks.add(new, raised=0, at=NOW, works=follow)
        spent = (await site.store.crm.standing("odoo")).spent

        await process.writer.step()

        assert (await site.store.crm.standing("odoo")).spent == spent + 2
        assert list(process.crm.tasks) == [f"callback-{one.id}"]
        links = await site.store.follow_ups.links("odoo", [str(one.id)])
        assert links[str(one.id)].remote == f"task:callback-{one.id}"


async def test_a_contact_s_own_follow_up_is_written_ended_and_refused_over_the_api(site: Site) -> None:
    async with sync(site, a_lead(1)) as process:
        await process.reader.drain()
        (contact_id,) = [
            one for one, contact in site.store.tables.contacts.items() if contact.name == "Lead 1"
        ]
        path, key = f"contacts/{contact_id}", f"contact-{contact_id}"

        await site.told("PATCH", path, json={"next_follow_up_at": later(7200).isoformat()})
        await process.writer.step()
        assert process.crm.tasks[key][1] == later(7200)
        await site.told("PATCH", path, json={"next_follow_up_at": None})
        await process.writer.step()
        assert (process.crm.tasks, process.crm.ended) == ({}, [(key, False)])

        process.crm.records.clear()
        await site.told("PATCH", path, json={"next_follow_up_at": later(9000).isoformat()})
        await process.writer.step()
        (letter,) = (await site.told("GET", "crm/dead"))["dead"]
        assert (letter["what"], letter["callback_id"], letter["contact_id"]) == (
            "follow_up",
            None,
            contact_id,
        )


async def test_a_follow_up_that_is_refused_stands_among_the_dead_letters(site: Site) -> None:
    async with sync(site, a_lead(1)) as process:
        await process.reader.drain()
        process.crm.records.clear()
        (contact_id,) = [
            one for one, contact in site.store.tables.contacts.items() if contact.name == "Lead 1"
        ]
        new = NewCallback(
            contact_id=contact_id,
            campaign_id=process.campaign_id,
            due_at=later(7200),
            zone="UTC",
            by="anna",
        )
        follow = CallbackFollowers(["odoo"]).moved
        one = await site.store.callbacks.add(new, raised=0, at=NOW, works=follow)
        await process.writer.step()

        (letter,) = (await site.told("GET", "crm/dead"))["dead"]
        assert (letter["what"], letter["callback_id"], letter["call_id"]) == ("follow_up", one.id, None)
        await site.told("POST", f"crm/dead/{letter['id']}/replay")
        assert (await site.told("GET", "crm/dead"))["dead"] == []
