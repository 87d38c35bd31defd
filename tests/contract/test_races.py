"""Two engines on one database: each entry is dialed by one of them, once."""

import asyncio
from dataclasses import replace
from typing import Any

from cti.model.calls import CallState, EndReason, Outcome
from tests.builders import a_call, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign, call_for

ENTRIES = 120


async def test_engines_that_race_for_the_same_entries_never_both_get_one(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    campaign_id = await a_stored_campaign(stores[0], contacts=ENTRIES)
    dialed: list[str] = []

    async def dial_all(store: Store, *, backwards: bool) -> None:
        while candidates := await store.campaigns.next_candidates(campaign_id, limit=10):
            ordered = candidates[::-1] if backwards else candidates
            pairs = [(call_for(candidate), candidate) for candidate in ordered]
            contacts = {call.id: str(call.contact_id) for call, _ in pairs}
            dialed.extend(contacts[call_id] for call_id in await store.calls.place(pairs))

    await asyncio.gather(*(dial_all(store, backwards=n % 2 == 1) for n, store in enumerate(stores)))

    assert len(dialed) == len(set(dialed)) == ENTRIES
    assert (await stores[0].campaigns.progress(campaign_id)).dialing == ENTRIES
    assert len(await stores[0].calls.open_calls()) == ENTRIES


async def test_engines_place_and_save_beside_each_other_without_losing_a_call(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(2)]
    campaign_id = await a_stored_campaign(stores[0], contacts=ENTRIES)
    outcome: dict[str, Any] = {
        "state": CallState.ENDED,
        "outcome": Outcome.BUSY,
        "end_reason": EndReason.HUNG_UP,
    }

    async def dial_and_end(store: Store) -> None:
        while candidates := await store.campaigns.next_candidates(campaign_id, limit=10):
            pairs = [(call_for(candidate), candidate) for candidate in candidates]
            placed = set(await store.calls.place(pairs))
            ended = [replace(call, ended_at=later(3), **outcome) for call, _ in pairs if call.id in placed]
            await store.calls.save(ended)

    await asyncio.gather(*(dial_and_end(store) for store in stores))

    progress = await stores[0].campaigns.progress(campaign_id)
    assert (progress.done, progress.outcomes) == (ENTRIES, {"busy": ENTRIES})
    assert await stores[0].calls.open_calls() == []


async def test_saves_asked_for_one_after_the_other_are_written_in_that_order(open_store: OpenStore) -> None:
    store = await open_store()
    call = a_call()
    await store.calls.place([(call, None)])

    await asyncio.gather(*(store.calls.save([replace(call, cause_text=str(n))]) for n in range(50)))

    found = await store.calls.get(call.id)
    assert found is not None
    assert found.cause_text == "49"
