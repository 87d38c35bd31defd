"""A contact's record over the API."""

from dataclasses import replace

from cti.model.calls import CallState, Outcome
from tests.builders import NOW, a_call, later, some_contacts
from tests.fakes.site import Site


async def a_contact(site: Site) -> int:
    await site.store.campaigns.add_list(
        campaign_id=1, name="l", source="t", contacts=some_contacts(1), at=NOW
    )
    (row,) = (await site.told("GET", "contacts"))["contacts"]
    number: int = row["id"]
    return number


async def test_calls_notes_callbacks_and_changes_stand_in_one_row(site: Site) -> None:
    contact = await a_contact(site)
    call = a_call(contact_id=contact, agent_id=site.anna, placed_at=later(-300))
    await site.store.calls.place([(call, None)])
    ended = replace(call, state=CallState.ENDED, outcome=Outcome.CONNECTED, ended_at=later(-200))
    await site.store.calls.save([ended])
    await site.store.calls.set_disposition(
        call.id, agent_id=site.anna, disposition="offer", note="send 王's offer", at=NOW
    )
    await site.told("POST", f"contacts/{contact}/notes", json={"text": "prefers\nmornings"}, status=201)
    await site.told("PATCH", f"contacts/{contact}", json={"stage": "warm", "tags": ["vip"]})

    record = await site.told("GET", f"contacts/{contact}/record")

    assert record["tags"] == ["vip"]
    told = [(one["kind"], one["by"], one["text"]) for one in record["timeline"]]
    assert ("note", "lead", "prefers\nmornings") in told
    assert ("change", "lead", "stage: - -> warm, +vip") in told
    assert told[-1] == ("call", "anna", "connected, offer: send 王's offer")
    assert record["timeline"][-1]["details"]["id"] == call.id


async def test_a_note_is_one_of_the_caller_s_contacts_or_nobody_s(site: Site) -> None:
    contact = await a_contact(site)
    await site.told("POST", f"contacts/{contact}/notes", json={"text": "x"}, status=201, as_="anna")
    await site.told("POST", "contacts/assign", json={"to": ["bob"], "contacts": [contact]})

    await site.refused("POST", f"contacts/{contact}/notes", json={"text": "y"}, status=404, as_="anna")
    await site.refused("GET", f"contacts/{contact}/record", status=404, as_="anna")


async def test_what_is_no_note_is_refused(site: Site) -> None:
    contact = await a_contact(site)
    for text in ("", "a\u0000b", "x" * 10_001):
        await site.refused("POST", f"contacts/{contact}/notes", json={"text": text}, status=422)
    await site.refused("POST", "contacts/4711/notes", json={"text": "x"}, status=404)
