"""Whatever people and rules do, in whatever order: one owner at most, caps kept, no customer with two agents."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.bus import EventBus
from cti.errors import BadInput, Conflict
from cti.model.campaign_rules import CampaignRules, OwnershipRules
from cti.model.contacts import NewContact, NewNumber
from cti.model.events import ContactMoved, DispositionSet
from cti.model.ownership import Selection
from cti.ownership.desk import OwnershipDesk
from cti.ownership.distributor import Distributor
from cti.ownership.keeper import STEP_SECONDS, OwnershipKeeper
from cti.ownership.sharing import Method
from tests.builders import a_call, a_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.desks import FakeAgentDesk, house_over
from tests.fakes.memory_store import MemoryStore

LOGINS = ("anna", "bert", "cid")
CONTACTS = 9
CAP = 4

AGENT, CONTACT = st.sampled_from(LOGINS), st.integers(0, CONTACTS - 1)
STEPS = st.one_of(
    st.tuples(st.just("claim"), AGENT, st.integers(1, 6)),
    st.tuples(st.just("pick"), AGENT, st.lists(CONTACT, min_size=1, max_size=4)),
    st.tuples(st.just("give_back"), AGENT, CONTACT),
    st.tuples(st.just("transfer"), AGENT, CONTACT),
    st.tuples(st.just("assign"), st.sampled_from(Method), st.booleans()),
    st.tuples(st.just("leave"), AGENT, st.lists(AGENT, max_size=2)),
    st.tuples(st.just("come_back"), AGENT, st.none()),
    st.tuples(st.just("days"), st.integers(1, 40), st.none()),
)


class World:
    """A house with three agents and contacts of whom some share numbers."""

    def __init__(self) -> None:
        self.store, self.bus, self.clock = MemoryStore(), EventBus(), FakeClock()
        self.told: list[ContactMoved] = []
        self.bus.tap(lambda event: self.told.append(event) if isinstance(event, ContactMoved) else None)

    async def fill(self) -> None:
        rules = OwnershipRules(max_owned=CAP, return_after_days=30, protect_days=5)
        campaign = await self.store.campaigns.add_campaign(a_campaign(rules=CampaignRules(ownership=rules)))
        for login in LOGINS:
            await self.store.agents.add_agent(
                login=login, name=login, endpoint=login, node="pbx", campaign_ids=[campaign.id]
            )
        contacts = [
            NewContact(
                name=str(n),
                numbers=(
                    NewNumber(e164=f"+4930111{n}", raw=""),
                    NewNumber(e164=f"+4930222{n // 2}" if n < 6 else f"+4930333{n}", raw=""),
                ),
            )
            for n in range(CONTACTS)
        ]
        await self.store.campaigns.add_list(
            campaign_id=campaign.id, name="list", source="x", contacts=contacts, at=self.clock.now()
        )
        self.agents = FakeAgentDesk(*await self.store.agents.agents(), store=self.store)
        house = house_over(self.store, self.agents, self.bus, self.clock)
        self.desk, self.distributor = OwnershipDesk(house), Distributor(house)
        self.keeper = OwnershipKeeper(house=house, success_codes=lambda campaign_id: ())
        self.campaign_id, self.contacts = campaign.id, sorted(self.store.tables.contacts)

    async def do(self, what: str, first: Any, second: Any) -> None:
        self.clock.advance(1)
        match what:
            case "claim":
                await self.desk.claim(first, second, by=first, lead=False)
            case "pick":
                chosen = list(dict.fromkeys(self.contacts[n] for n in second))
                await self.desk.claim_these(first, chosen, by=first, lead=False)
            case "give_back":
                await self.desk.give_back(self.contacts[second], login=first, reason="x", by=first)
            case "transfer":
                await self.desk.transfer(self.contacts[second], to=first, reason="x", by="lead")
            case "assign":
                selection = Selection(campaign_id=self.campaign_id)
                await self.distributor.assign(
                    selection, to=(), method=first, take_over=second, by="lead", dry_run=False
                )
            case "leave":
                self.distributor.receivers(first, second)
                await self.agents.leave(first)
                await self.distributor.hand_over(first, to=second, by="lead")
            case "come_back":
                await self.agents.come_back(first)
            case "days":
                self.clock.advance(86_400 * first + STEP_SECONDS)
                await self.keeper.step()

    def check(self) -> None:
        tables = self.store.tables
        owners = {one: tables.ownerships[one].owner for one in self.contacts}
        moves = {
            one: [move for move in tables.owner_moves if move.contact_id == one] for one in self.contacts
        }
        for one, history in moves.items():
            ends = [None, *(move.after for move in history)]
            assert [move.before for move in history] == ends[:-1]
            assert ends[-1] == owners[one]
        assert len(self.told) == len(tables.owner_moves)
        assert all(count <= CAP for count in Counter(filter(None, owners.values())).values())
        for entry in tables.entries.values():
            assert entry.owner_key == (owners[entry.contact_id] or 0)
        by_number: dict[str, set[int]] = {}
        for one, owner in owners.items():
            for number in tables.contacts[one].numbers:
                by_number.setdefault(number.e164, set()).update({owner} - {None})
        assert all(len(holders) <= 1 for holders in by_number.values())
        gone = {agent.id for agent in tables.agents.values() if agent.left_at is not None}
        assert not gone & set(owners.values())


@settings(deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=14))
def test_any_sequence_of_claims_returns_transfers_and_leaves_keeps_the_rules(
    steps: list[tuple[str, Any, Any]],
) -> None:
    async def live() -> None:
        world = World()
        await world.fill()
        for what, first, second in steps:
            with suppress(Conflict, BadInput):
                await world.do(what, first, second)
            world.check()

    asyncio.run(live())


async def test_contacts_without_a_conversation_go_back_and_those_with_one_stay() -> None:
    world = World()
    await world.fill()
    await world.desk.claim("anna", 3, by="anna", lead=False)
    talked, failed, silent = (move.contact_id for move in world.store.tables.owner_moves)
    world.clock.advance(86_400 * 20)
    world.store.tables.ownerships[talked].last_talk_at = world.clock.now()
    world.clock.advance(86_400 * 11)

    await world.keeper.step()

    owned = {one for one in world.contacts if world.store.tables.ownerships[one].owner is not None}
    assert owned == {talked}
    expired = [event for event in world.told if event.kind == "expired"]
    assert {event.contact_id for event in expired} == {failed, silent}
    assert {(event.by, event.reason) for event in expired} == {
        ("rule", "30 days without a conversation (autumn)")
    }


async def test_the_keeper_looks_for_returns_only_now_and_then() -> None:
    world = World()
    await world.fill()
    await world.desk.claim("anna", 1, by="anna", lead=False)
    await world.keeper.step()
    one = world.store.tables.owner_moves[0].contact_id
    world.store.tables.ownerships[one] = replace(
        world.store.tables.ownerships[one], since=world.clock.now().replace(year=2020)
    )
    await world.keeper.step()
    assert len(world.told) == 1
    world.clock.advance(STEP_SECONDS)
    await world.keeper.step()
    assert [event.kind for event in world.told] == ["claimed", "expired"]


async def a_success(world: World, *, code: str = "sold") -> int:
    """Let anna talk with a contact of nobody's and say how it went; return the contact."""
    anna = world.agents.agents()[0]
    [candidate] = await world.store.campaigns.next_candidates(world.campaign_id, limit=1)
    call = a_call(
        campaign_id=world.campaign_id,
        contact_id=candidate.contact_id,
        agent_id=anna.id,
        placed_at=world.clock.now(),
    )
    await world.store.calls.place([(call, candidate)])
    await world.store.calls.set_disposition(
        call.id, agent_id=anna.id, disposition=code, note="", at=world.clock.now()
    )
    world.keeper.tap(
        DispositionSet(call_id=call.id, agent_id=anna.id, disposition=code, note="", at=world.clock.now())
    )
    return candidate.contact_id


async def a_world_that_rewards(*, own: bool = True) -> World:
    world = World()
    await world.fill()
    campaign = world.store.tables.campaigns[world.campaign_id]
    rules = CampaignRules(ownership=OwnershipRules(own_on_success=own))
    world.store.tables.campaigns[world.campaign_id] = replace(campaign, rules=rules)
    house = house_over(world.store, world.agents, world.bus, world.clock)
    world.keeper = OwnershipKeeper(house=house, success_codes=lambda campaign_id: {"sold"})
    return world


@pytest.mark.parametrize(
    ("own", "code", "owned"),
    [
        pytest.param(True, "sold", True, id="success makes an owner"),
        pytest.param(True, "no", False, id="another disposition makes none"),
        pytest.param(False, "sold", False, id="a campaign without the rule makes none"),
    ],
)
async def test_who_talks_with_nobody_s_contact_to_success_owns_him(own: bool, code: str, owned: bool) -> None:
    world = await a_world_that_rewards(own=own)
    contact_id = await a_success(world, code=code)
    await world.keeper.step()
    anna = world.agents.agents()[0].id
    assert world.store.tables.ownerships[contact_id].owner == (anna if owned else None)
    assert [(event.kind, event.reason) for event in world.told] == [("won", "sold in autumn")] * owned


async def test_a_success_that_the_service_did_not_live_to_see_to_is_seen_to_at_the_next_start() -> None:
    world = await a_world_that_rewards()
    contact_id = await a_success(world)
    house = house_over(world.store, world.agents, world.bus, world.clock)
    begun_again = OwnershipKeeper(house=house, success_codes=lambda campaign_id: {"sold"})
    await begun_again.step()
    assert world.store.tables.ownerships[contact_id].owner is not None
