"""The contract of `PullStore` where something else goes on beside: dialing, and changes of owners."""

import asyncio
from dataclasses import replace

from cti.model.ownership import MoveKind, Terms, Wish
from tests.builders import NOW, a_call, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import call_for
from tests.contract.pulled import RULES, a_campaign_in, a_page, a_record, contacts, read, the_entry


async def test_an_attempt_after_he_left_is_not_made(store: Store) -> None:
    """Between the choice and the commit of the attempt the record was lost."""
    campaign = await a_campaign_in(store)
    await store.pulls.take(RULES, a_page(a_record()), at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)

    await store.pulls.take(RULES, read(gone=("odoo/crm.lead:1",)), at=later(1))

    assert await store.calls.place([(a_call(number=candidate.number), candidate)]) == []
    entry = await the_entry(store)
    assert (entry.reason, entry.reason_detail) == ("crm_over", "deleted in odoo")


async def test_a_record_that_is_lost_while_it_is_dialed_is_called_or_left_and_never_both(
    open_store: OpenStore,
) -> None:
    """The attempts and the records come at one time, from two processes."""
    store, other = await open_store(), await open_store()
    campaign = await a_campaign_in(store)
    records = [a_record(n) for n in range(10, 50)]
    await store.pulls.take(RULES, a_page(*records), at=NOW)
    chosen = await store.campaigns.next_candidates(campaign.id, limit=99)
    calls = [a_call(number=one.number, contact_id=one.contact_id) for one in chosen]
    lost = [replace(one, over="lost", changed_at=later(1)) for one in records]

    placed, *_ = await asyncio.gather(
        store.calls.place(list(zip(calls, chosen, strict=True))),
        *(other.pulls.take(RULES, read(one), at=later(1)) for one in lost),
    )

    called = {call.contact_id for call in calls if call.id in placed}
    for one in await contacts(store):
        (entry,) = await store.finding.entries(one.id)
        if one.id in called:
            assert entry.state == "dialing"
        else:
            assert (entry.state, entry.reason) == ("done", "crm_over")


async def test_owners_that_change_here_and_there_at_once_stop_nobody(open_store: OpenStore) -> None:
    """Whoever gives out contacts locks agents first: so does a pull, else the two would wait for each other."""
    stores = [await open_store() for _ in range(3)]
    campaign = await a_campaign_in(stores[0])
    agents = [
        (
            await stores[0].agents.add_agent(
                login=login, name=login, endpoint=login, node="pbx", campaign_ids=(campaign.id,)
            )
        ).id
        for login in ("anna", "ben")
    ]
    records = [a_record(number, owner="anna") for number in range(10, 50)]
    await stores[0].pulls.take(RULES, a_page(*records), at=NOW)
    ids = [one.id for one in await contacts(stores[0])]

    async def pull() -> None:
        for turn in range(20):
            owner = ("ben", "anna")[turn % 2]
            moved = [replace(one, owner=owner, changed_at=later(turn)) for one in records]
            await stores[1].pulls.take(RULES, read(*moved), at=later(turn))

    async def give_out() -> None:
        for turn in range(40):
            before, after = agents[turn % 2], agents[1 - turn % 2]
            wishes = [Wish(contact_id=one, before=before, after=after) for one in ids]
            terms = Terms(kind=MoveKind.ASSIGNED, by="lead", at=later(turn))
            await stores[2].ownership.move(wishes, terms=terms)

    await asyncio.gather(pull(), give_out())

    owned = await stores[0].ownership.owned()
    assert sum(owned.values()) == len(ids)


async def test_dialing_goes_on_while_records_are_taken(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    campaign = await a_campaign_in(stores[0])
    records = [a_record(number) for number in range(10, 90)]
    await stores[0].pulls.take(RULES, a_page(*records), at=NOW)

    async def pull() -> None:
        for turn in range(30):
            said = [replace(one, name=f"Lead {turn}", changed_at=later(turn)) for one in records]
            await stores[1].pulls.take(RULES, read(*said), at=later(turn))

    async def dial() -> int:
        placed = 0
        while candidates := await stores[2].campaigns.next_candidates(campaign.id, limit=2):
            placed += len(await stores[2].calls.place([(call_for(one), one) for one in candidates]))
            await asyncio.sleep(0)
        return placed

    _, placed = await asyncio.gather(pull(), dial())

    assert placed == len(records)
