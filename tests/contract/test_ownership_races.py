"""Two agents never hold one customer, however many claims, moves and ends of calls there are at once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cti.model.calls import CallState, EndReason, Outcome
from cti.model.contacts import NewContact, NewNumber
from cti.model.ownership import Claim, MoveKind, Selection, Terms, Wish
from tests.builders import NOW, a_campaign, later
from tests.contract.conftest import OpenStore
from tests.contract.people import a_stored_agent, call_for

CONTACTS = 120
LOGINS = ("anna", "bert", "cid", "dora")
CAP = 25


def numbered(count: int, *, shared_by: int) -> list[NewContact]:
    """Build contacts of whom `shared_by` in a row have one number in common."""
    return [
        NewContact(
            name=f"Contact {n}",
            numbers=(
                NewNumber(e164=f"+4930{n:07d}", raw=""),
                NewNumber(e164=f"+4940{n // shared_by:07d}", raw=""),
            ),
        )
        for n in range(count)
    ]


async def a_pool(store: Any, *, shared_by: int) -> int:
    campaign = await store.campaigns.add_campaign(a_campaign())
    contacts = numbered(CONTACTS, shared_by=shared_by)
    await store.campaigns.add_list(
        campaign_id=campaign.id, name="first", source="x", contacts=contacts, at=NOW
    )
    return int(campaign.id)


async def claim_all(store: Any, agent_id: int, campaign_id: int, *, cap: int | None = None) -> list[int]:
    terms = Terms(
        kind=MoveKind.CLAIMED, by=str(agent_id), at=NOW, caps={} if cap is None else {agent_id: cap}
    )
    claim = Claim(agent_id=agent_id, count=7, campaign_ids=[campaign_id])
    mine: list[int] = []
    empty = 0
    while empty < 3:
        moved = (await store.ownership.claim(claim, terms=terms)).moves
        mine += [move.contact_id for move in moved]
        empty = 0 if moved else empty + 1
    return mine


async def history_adds_up(store: Any, contact_ids: Sequence[int]) -> None:
    """Check that each move begins where the one before ended, and that the last one tells the owner."""
    found = await store.ownership.ownable(Selection(), limit=1000)
    owners = {one.contact_id: one.owner_id for one in found}
    for contact_id in contact_ids:
        before = None
        for move in await store.ownership.moves(contact_id):
            assert move.before == before
            before = move.after
        assert owners[contact_id] == before


async def test_agents_who_claim_at_once_never_get_the_same_contact(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in LOGINS]
    campaign_id = await a_pool(stores[0], shared_by=1)
    agents = [await a_stored_agent(stores[0], login=login) for login in LOGINS]

    claims = await asyncio.gather(
        *(claim_all(store, agent, campaign_id) for store, agent in zip(stores, agents, strict=True))
    )

    everyone = [one for claim in claims for one in claim]
    assert len(everyone) == len(set(everyone)) == CONTACTS
    assert await stores[0].ownership.owned() == {
        agent: len(claim) for agent, claim in zip(agents, claims, strict=True) if claim
    }
    await history_adds_up(stores[0], everyone)


async def test_one_agent_who_claims_from_many_places_keeps_his_cap(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]
    campaign_id, anna = await a_pool(stores[0], shared_by=1), await a_stored_agent(stores[0])

    await asyncio.gather(*(claim_all(store, anna, campaign_id, cap=CAP) for store in stores))

    assert await stores[0].ownership.owned() == {anna: CAP}


async def test_agents_who_claim_at_once_never_share_a_number(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in LOGINS]
    campaign_id = await a_pool(stores[0], shared_by=3)
    agents = [await a_stored_agent(stores[0], login=login) for login in LOGINS]

    await asyncio.gather(
        *(claim_all(store, agent, campaign_id) for store, agent in zip(stores, agents, strict=True))
    )

    for one in await stores[0].ownership.ownable(Selection(), limit=1000):
        assert set(one.partners.values()) <= {None, one.owner_id} or one.owner_id is None


async def test_transfers_returns_claims_and_ends_of_calls_at_once_lose_nothing(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(4)]
    campaign_id = await a_pool(stores[0], shared_by=2)
    anna, bert = await a_stored_agent(stores[0]), await a_stored_agent(stores[0], login="bert")
    mine = await claim_all(stores[0], anna, campaign_id)

    async def transfer(store: Any) -> None:
        terms = Terms(kind=MoveKind.TRANSFERRED, by="lead", at=later(1))
        for start in range(0, CONTACTS, 10):
            wishes = [Wish(contact_id=one, before=anna, after=bert) for one in mine[start : start + 10]]
            await store.ownership.move(wishes, terms=terms)

    async def give_back(store: Any) -> None:
        terms = Terms(kind=MoveKind.RETURNED, by="anna", at=later(2))
        for start in range(CONTACTS, 0, -10):
            wishes = [Wish(contact_id=one, before=anna, after=None) for one in mine[start - 10 : start]]
            await store.ownership.move(wishes, terms=terms)

    async def dial(store: Any) -> None:
        while candidates := await store.campaigns.next_candidates(campaign_id, limit=10):
            pairs = [(call_for(one), one) for one in candidates]
            placed = set(await store.calls.place(pairs))
            over = {"state": CallState.ENDED, "outcome": Outcome.BUSY, "end_reason": EndReason.HUNG_UP}
            calls = [replace(call, ended_at=later(3), **over) for call, _ in pairs if call.id in placed]
            await store.calls.save(calls)

    await asyncio.gather(
        transfer(stores[0]), give_back(stores[1]), dial(stores[2]), claim_all(stores[3], bert, campaign_id)
    )

    assert (await stores[0].campaigns.progress(campaign_id)).outcomes == {"busy": CONTACTS}
    await history_adds_up(stores[0], mine)
    found = await stores[0].ownership.ownable(Selection(), limit=1000)
    assert Counter(one.owner_id for one in found if one.owner_id) == Counter(
        await stores[0].ownership.owned()
    )
    for one in found:
        assert one.owner_id is None or set(one.partners.values()) <= {None, one.owner_id}
