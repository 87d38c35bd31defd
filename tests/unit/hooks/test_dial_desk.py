"""Click to dial from a CRM's record: whom it means, and links that work once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from cti.errors import BadInput, Conflict, NodeDown, NodeSilent, NotFound
from cti.hooks.dial_desk import DialDesk, Several, Wanted
from cti.hooks.links import LinkRefused
from cti.model.contacts import NewContact, NewNumber
from tests.builders import NOW, a_campaign, an_agent
from tests.fakes.clock import FakeClock
from tests.fakes.desks import FakeAgentDesk, FakeByHand
from tests.fakes.hooks import a_dial_desk
from tests.fakes.memory_store import MemoryStore

BERLIN = "+4930901820"


class Office:
    """Anna, two campaigns, and whoever is put into their lists."""

    def __init__(self) -> None:
        self.store, self.clock, self.by_hand = MemoryStore(), FakeClock(), FakeByHand()
        self.agents = FakeAgentDesk(an_agent(campaign_ids=(1, 2)))

    async def open(self) -> DialDesk:
        self.first = (await self.store.campaigns.add_campaign(a_campaign())).id
        self.second = (await self.store.campaigns.add_campaign(a_campaign(name="winter"))).id
        self.agents = FakeAgentDesk(an_agent(campaign_ids=(self.first, self.second)))
        return a_dial_desk(self.store, self.agents, self.by_hand, self.clock)

    async def contact(self, number: str = BERLIN, *, campaign: int | None = None, **given: Any) -> int:
        new = NewContact(name="C", numbers=(NewNumber(e164=number, raw=number),), **given)
        await self.store.campaigns.add_list(
            campaign_id=campaign or self.first,
            name=f"list {len(self.store.tables.lists)}",
            source="",
            contacts=[new],
            at=NOW,
        )
        return max(self.store.tables.contacts)


@pytest.fixture
async def office() -> tuple[Office, DialDesk]:
    office = Office()
    return office, await office.open()


Given = tuple[Office, DialDesk]


async def test_a_contact_is_called_and_the_log_lands_on_the_record_it_was_called_from(office: Given) -> None:
    place, desk = office
    one = await place.contact(crm_ref="lead/1")
    await desk.dial(Wanted(agent="anna", contact_id=one, crm_ref="deal/9"))
    [call] = place.by_hand.calls
    assert (call.contact_id, call.campaign_id, call.crm_ref) == (one, place.first, "deal/9")


@pytest.mark.parametrize("number", [BERLIN, "030 901820", "tel:+49-30-901820;ext=12", "tel:%2B4930901820"])
async def test_a_number_finds_its_contact_however_it_is_written(office: Given, number: str) -> None:
    place, desk = office
    one = await place.contact()
    await desk.dial(Wanted(agent="anna", number=number))
    assert place.by_hand.calls[0].contact_id == one


async def test_a_record_alone_finds_its_contact(office: Given) -> None:
    place, desk = office
    one = await place.contact(crm_ref="lead/1")
    await place.contact("+4930111111", crm_ref="lead/2")
    await desk.dial(Wanted(agent="anna", crm_ref="lead/1"))
    assert place.by_hand.calls[0].contact_id == one


async def test_of_several_none_is_guessed_and_the_record_may_say_which(office: Given) -> None:
    place, desk = office
    one, two = await place.contact(crm_ref="lead/1"), await place.contact(crm_ref="lead/2")
    with pytest.raises(Several, match="2 contacts have the number") as several:
        await desk.dial(Wanted(agent="anna", number=BERLIN))
    assert [card.contact_id for card in several.value.cards] == [one, two]
    with pytest.raises(Several):
        await desk.dial(Wanted(agent="anna", number=BERLIN, crm_ref="deal/of-nobody"))
    assert place.by_hand.calls == []
    await desk.dial(Wanted(agent="anna", number=BERLIN, crm_ref="lead/2"))
    assert place.by_hand.calls[0].contact_id == two


async def test_who_is_in_several_campaigns_needs_one_named(office: Given) -> None:
    place, desk = office
    one = await place.contact(campaign=place.second)
    await desk.dial(Wanted(agent="anna", contact_id=one))
    assert place.by_hand.calls[0].campaign_id == place.second
    await desk.dial(Wanted(agent="anna", contact_id=one, campaign="autumn"))
    assert place.by_hand.calls[1].campaign_id == place.first
    for entry in list(place.store.tables.entries.values()):
        entry.campaign_id = place.first
    with pytest.raises(NotFound, match="winter2"):
        await desk.dial(Wanted(agent="anna", contact_id=one, campaign="winter2"))


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (Wanted(agent="anna"), BadInput, "nobody is named"),
        (Wanted(agent="anna", contact_id=999), NotFound, "no contact 999"),
        (Wanted(agent="anna", number=BERLIN), NotFound, r"no contact has the number \+4930901820"),
        (Wanted(agent="anna", number="12"), BadInput, "number"),
        (Wanted(agent="anna", crm_ref="x"), NotFound, "no contact has the record x"),
    ],
)
async def test_what_cannot_be_done_is_said(office: Given, wanted: Wanted, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        await office[1].dial(wanted)


def token(url: str) -> str:
    return url.rpartition("/")[2]


async def test_a_link_calls_once_also_when_two_click_at_once(office: Given) -> None:
    place, desk = office
    one = await place.contact()
    url, link = desk.link(Wanted(agent="anna", contact_id=one, crm_ref="lead/1"))
    assert desk.read(token(url)) == desk.read(token(url))
    assert link.expires_at == NOW + timedelta(seconds=300)
    results = await asyncio.gather(*(desk.follow(token(url)) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Call", "LinkRefused", "LinkRefused"]
    assert [call.crm_ref for call in place.by_hand.calls] == ["lead/1"]


@pytest.mark.parametrize("refusal", [Conflict("not now"), NodeDown("away")])
async def test_a_link_that_could_call_nobody_may_be_used_again(office: Given, refusal: Exception) -> None:
    place, desk = office
    one = await place.contact()
    url, _ = desk.link(Wanted(agent="anna", contact_id=one))
    place.by_hand.fails = refusal  # type: ignore[assignment]
    with pytest.raises(type(refusal)):
        await desk.follow(token(url))
    place.by_hand.fails = None
    assert (await desk.follow(token(url))).contact_id == one


async def test_when_nobody_knows_whether_it_called_the_link_is_used(office: Given) -> None:
    place, desk = office
    one = await place.contact()
    url, _ = desk.link(Wanted(agent="anna", contact_id=one))
    place.by_hand.fails = NodeSilent("no answer")
    with pytest.raises(NodeSilent):
        await desk.follow(token(url))
    place.by_hand.fails = None
    with pytest.raises(LinkRefused, match="used already"):
        await desk.follow(token(url))


async def test_an_expired_link_is_refused_and_so_is_one_that_nobody_may_make(office: Given) -> None:
    place, desk = office
    url, _ = desk.link(Wanted(agent="anna", crm_ref="x"), seconds=20)
    place.clock.advance(20)
    with pytest.raises(LinkRefused, match="expired"):
        desk.read(token(url))
    with pytest.raises(BadInput, match="at most 300"):
        desk.link(Wanted(agent="anna", crm_ref="x"), seconds=301)
    with pytest.raises(NotFound, match="bob"):
        desk.link(Wanted(agent="bob", crm_ref="x"))
    without = a_dial_desk(place.store, place.agents, place.by_hand, place.clock, keys=())
    with pytest.raises(Conflict, match=r"dial_links\.keys"):
        without.link(Wanted(agent="anna", crm_ref="x"))
    with pytest.raises(LinkRefused):
        without.read(token(url))
