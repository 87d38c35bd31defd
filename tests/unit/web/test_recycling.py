"""Lists are taken up again over the API and the command line's body."""

import pytest

from cti.model.contacts import EntryState
from tests.fakes.memory_tables import Entry
from tests.fakes.site import Site


async def a_list(site: Site, *outcomes: str) -> tuple[int, list[Entry]]:
    rows = "".join(f"N,+49302312{n:04d}\n" for n in range(len(outcomes)))
    told = await site.told(
        "POST", "campaigns/1/lists?name=l", data=f"name,number\n{rows}".encode(), status=201
    )
    entries = list(site.store.tables.entries.values())
    for entry, outcome in zip(entries, outcomes, strict=True):
        entry.state, entry.last_outcome, entry.tries = EntryState.DONE, outcome, 3
    return told["list_id"], entries


async def test_contacts_are_counted_first_and_put_back_then(site: Site) -> None:
    list_id, entries = await a_list(site, "busy", "busy", "connected")
    wanted = {"outcomes": ["busy", "no_answer"], "dry_run": True}

    dry = await site.told("POST", f"lists/{list_id}/recycle", json=wanted)
    assert dry == {"by_outcome": {"busy": 2}, "moved": 0}
    assert {entry.state for entry in entries} == {EntryState.DONE}
    done = await site.told("POST", f"lists/{list_id}/recycle", json=wanted | {"dry_run": False})

    assert done == {"by_outcome": {"busy": 2}, "moved": 2}
    assert [(entry.state, entry.tries) for entry in entries] == [
        (EntryState.PENDING, 0),
        (EntryState.PENDING, 0),
        (EntryState.DONE, 3),
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "at least one"),
        ({"outcomes": ["bussy"]}, "outcomes.0"),
        ({"outcomes": "busy"}, "outcomes"),
        ({"outcomes": ["busy"], "lists": [1]}, "lists: there is no such field"),
        ({"dispositions": ["a\nb"]}, "control character"),
    ],
)
async def test_a_wrong_wish_is_refused_and_nothing_moves(
    site: Site, wrong: dict[str, object], told: str
) -> None:
    list_id, entries = await a_list(site, "busy")

    error = await site.refused("POST", f"lists/{list_id}/recycle", json=wrong, status=422)

    assert told in error["message"]
    assert entries[0].state is EntryState.DONE


async def test_an_unknown_list_is_not_found_and_agents_may_not(site: Site) -> None:
    await site.refused("POST", "lists/99/recycle", json={"outcomes": ["busy"]}, status=404)
    await site.refused("POST", "lists/1/recycle", json={"outcomes": ["busy"]}, status=403, as_="anna")
