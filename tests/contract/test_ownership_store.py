"""The contract of `OwnershipStore`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.errors import NotFound
from cti.model.calls import CallState, EndReason, Outcome
from cti.model.contacts import NewContact, NewNumber
from cti.model.ownership import (
    Claim,
    MoveKind,
    NotMoved,
    OwnerMove,
    PoolCount,
    Rota,
    Selection,
    Terms,
    Untouched,
    Wish,
)
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.contract.conftest import Store
from tests.contract.people import a_stored_agent, a_stored_campaign, placed_calls

CLAIM = Terms(kind=MoveKind.CLAIMED, by="anna", at=NOW)
ASSIGN = Terms(kind=MoveKind.ASSIGNED, by="lead", at=NOW)
BACK = Terms(kind=MoveKind.RETURNED, by="anna", at=later(60), reason="wrong industry")


async def contact_ids(store: Any, campaign_id: int) -> list[int]:
    found = await store.ownership.ownable(Selection(campaign_id=campaign_id), limit=1000)
    return [one.contact_id for one in found]


async def owners(store: Any, campaign_id: int) -> dict[int, int | None]:
    found = await store.ownership.ownable(Selection(campaign_id=campaign_id), limit=1000)
    return {one.contact_id: one.owner_id for one in found}


async def claimed(store: Any, agent_id: int, campaign_id: int, count: int, **terms: Any) -> list[int]:
    claim = Claim(agent_id=agent_id, count=count, campaign_ids=[campaign_id])
    moved = await store.ownership.claim(claim, terms=replace(CLAIM, **terms))
    return [move.contact_id for move in moved.moves]


def wishes(contacts: list[int], before: int | None, after: int | None) -> list[Wish]:
    return [Wish(contact_id=one, before=before, after=after) for one in contacts]


async def test_a_claim_gives_the_next_of_the_pool_and_no_more_than_asked_for(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=5), await a_stored_agent(store)
    everyone = await contact_ids(store, campaign_id)

    assert await claimed(store, anna, campaign_id, 2) == everyone[:2]
    assert await claimed(store, anna, campaign_id, 2) == everyone[2:4]
    assert await claimed(store, anna, campaign_id, 2) == everyone[4:]
    assert await claimed(store, anna, campaign_id, 2) == []
    assert await store.ownership.owned() == {anna: 5}


async def test_a_claimed_contact_is_dialed_as_the_agent_s(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=2), await a_stored_agent(store)

    [mine] = await claimed(store, anna, campaign_id, 1)

    candidates = await store.campaigns.next_candidates(campaign_id, limit=9)
    assert {one.contact_id: one.owner_agent_id for one in candidates}[mine] == anna
    assert await store.ownership.pool_counts([campaign_id]) == [
        PoolCount(campaign_id=campaign_id, fresh=1, returned=0)
    ]


async def test_a_claim_stops_at_the_cap(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=5), await a_stored_agent(store)

    assert len(await claimed(store, anna, campaign_id, 4, caps={anna: 3})) == 3
    assert await claimed(store, anna, campaign_id, 4, caps={anna: 3}) == []


async def test_a_claim_of_a_list_leaves_the_other_lists_alone(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=2), await a_stored_agent(store)
    second = await store.campaigns.add_list(
        campaign_id=campaign_id, name="second", source="s.csv", contacts=some_contacts(12)[10:], at=NOW
    )

    claim = Claim(agent_id=anna, count=9, campaign_ids=[campaign_id], list_id=second.list_id)
    moved = await store.ownership.claim(claim, terms=CLAIM)

    assert [move.contact_id for move in moved.moves] == (await contact_ids(store, campaign_id))[2:]


async def test_somebody_who_left_or_is_not_there_gets_nothing(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store), await a_stored_agent(store)
    await store.agents.save_settings(anna, left_at=NOW)

    assert await claimed(store, anna, campaign_id, 2) == []
    [first, *_] = await contact_ids(store, campaign_id)
    moved = await store.ownership.move(wishes([first], None, anna), terms=ASSIGN)
    assert moved.refused == {first: NotMoved.LEFT}


async def test_every_move_stands_in_the_history(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    [one] = await claimed(store, anna, campaign_id, 1)

    await store.ownership.move(wishes([one], anna, None), terms=BACK)
    await store.ownership.move(wishes([one], None, bert), terms=replace(ASSIGN, at=later(90)))

    facts = [
        (NOW, None, anna, MoveKind.CLAIMED, "", "anna"),
        (later(60), anna, None, MoveKind.RETURNED, "wrong industry", "anna"),
        (later(90), None, bert, MoveKind.ASSIGNED, "", "lead"),
    ]
    assert await store.ownership.moves(one) == [
        OwnerMove(contact_id=one, at=at, before=before, after=after, kind=kind, reason=reason, by=by)
        for at, before, after, kind, reason, by in facts
    ]
    assert await owners(store, campaign_id) == {one: bert}


async def test_the_history_of_nobody_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="contact 77"):
        await store.ownership.moves(77)


async def test_what_belongs_to_somebody_else_is_not_moved(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    one, other = await contact_ids(store, campaign_id)
    await store.ownership.move(wishes([one], None, anna), terms=ASSIGN)

    taken = await store.ownership.move(wishes([one, other], None, bert), terms=ASSIGN)
    returned = await store.ownership.move(wishes([one], bert, None), terms=BACK)
    unknown = await store.ownership.move(wishes([7777], None, bert), terms=ASSIGN)

    assert ([move.contact_id for move in taken.moves], taken.refused) == ([other], {one: NotMoved.OWNED})
    assert returned.refused == {one: NotMoved.NOT_THEIRS}
    assert unknown.refused == {7777: NotMoved.UNKNOWN}


async def test_who_gave_a_contact_back_does_not_claim_him_while_he_is_protected(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    [one] = await claimed(store, anna, campaign_id, 1)
    await store.ownership.move(wishes([one], anna, None), terms=BACK)

    assert await claimed(store, anna, campaign_id, 1, protected_since=NOW) == []
    assert await claimed(store, bert, campaign_id, 1, protected_since=NOW) == [one]
    await store.ownership.move(wishes([one], bert, None), terms=replace(BACK, at=later(70)))
    assert await claimed(store, anna, campaign_id, 1, protected_since=NOW) == [], (
        "another owner does not end it"
    )
    assert await claimed(store, anna, campaign_id, 1, protected_since=later(65)) == [one]


async def test_a_contact_given_back_is_claimed_again_also_when_his_entry_is_done(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    [one] = await claimed(store, anna, campaign_id, 1)
    [call] = await placed_calls(store, campaign_id, 1)
    await store.calls.save([ended(call, Outcome.BUSY)])
    assert await claimed(store, bert, campaign_id, 1) == []

    await store.ownership.move(wishes([one], anna, None), terms=BACK)

    assert [each.contact_id for each in await store.ownership.pool(campaign_id, limit=5)] == [one]
    assert (await store.ownership.pool_counts([campaign_id]))[0].returned == 1
    assert await claimed(store, bert, campaign_id, 1) == [one]


async def test_who_is_being_called_is_nobody_s_to_claim(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=2), await a_stored_agent(store)
    one, other = await contact_ids(store, campaign_id)
    await placed_calls(store, campaign_id, 1)

    assert await claimed(store, anna, campaign_id, 2) == [other]
    moved = await store.ownership.move(wishes([one], None, anna), terms=ASSIGN)
    assert moved.refused == {one: NotMoved.DIALING}
    won = await store.ownership.move(wishes([one], None, anna), terms=replace(ASSIGN, dialing_too=True))
    assert [move.contact_id for move in won.moves] == [one]


async def sharing_contacts(store: Any) -> tuple[int, list[int]]:
    """Store three contacts; the first two share a number."""
    campaign = await store.campaigns.add_campaign(a_campaign())
    mine, shared, other = (NewNumber(e164=f"+4930{n}", raw=str(n)) for n in (1111, 2222, 3333))
    contacts = [
        NewContact(name="Li", numbers=(mine, shared)),
        NewContact(name="Li (company)", numbers=(shared,)),
        NewContact(name="Wang", numbers=(other,)),
    ]
    await store.campaigns.add_list(
        campaign_id=campaign.id, name="first", source="x", contacts=contacts, at=NOW
    )
    return campaign.id, await contact_ids(store, campaign.id)


async def test_two_agents_never_hold_contacts_that_share_a_number(store: Store) -> None:
    campaign_id, [li, company, wang] = await sharing_contacts(store)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    assert await claimed(store, anna, campaign_id, 1) == [li]

    assert await claimed(store, bert, campaign_id, 3) == [wang]
    moved = await store.ownership.move(wishes([company], None, bert), terms=ASSIGN)
    assert moved.refused == {company: NotMoved.SHARED_NUMBER}
    assert await claimed(store, anna, campaign_id, 1) == [company]
    found = await store.ownership.ownable(Selection(contact_ids=[li, wang]), limit=9)
    assert [one.partners for one in found] == [{company: anna}, {}]


async def test_a_customer_with_two_contacts_moves_whole_or_not_at_all(store: Store) -> None:
    campaign_id, [li, company, _] = await sharing_contacts(store)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    await claimed(store, anna, campaign_id, 2)
    over = Terms(kind=MoveKind.TRANSFERRED, by="lead", at=later(9))
    mine = [one for one, owner in (await owners(store, campaign_id)).items() if owner == anna]
    assert mine == [li, company]

    full = await store.ownership.move(wishes([li, company], anna, bert), terms=replace(over, caps={bert: 1}))
    alone = await store.ownership.move(wishes([li], anna, bert), terms=over)
    whole = await store.ownership.move(wishes([li, company], anna, bert), terms=over)

    assert (full.moves, set(full.refused)) == ((), {li, company})
    assert alone.refused == {li: NotMoved.SHARED_NUMBER}
    assert [move.contact_id for move in whole.moves] == [li, company]


async def test_selections_narrow_and_are_read_page_by_page(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=4), await a_stored_agent(store)
    elsewhere = await a_stored_campaign(store, contacts=1, name="winter")
    everyone = await contact_ids(store, campaign_id)
    await claimed(store, anna, campaign_id, 1)

    async def selected(**narrow: Any) -> list[int]:
        found = await store.ownership.ownable(Selection(**narrow), limit=9)
        return [one.contact_id for one in found]

    page = await store.ownership.ownable(Selection(campaign_id=campaign_id), after=everyone[0], limit=2)
    assert [one.contact_id for one in page] == everyone[1:3]
    assert await selected(owner_id=anna) == everyone[:1]
    assert await selected(campaign_id=campaign_id, unowned=True) == everyone[1:]
    assert await selected(contact_ids=everyone[2:]) == everyone[2:]
    assert await selected() == everyone + await contact_ids(store, elsewhere)


async def test_a_rota_goes_on_where_it_stood(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    one, other, third = await contact_ids(store, campaign_id)
    rota = Rota(name="all", weights={anna: 1.0, bert: 2.0})
    assert await store.ownership.turns("all") == {}

    await store.ownership.move(wishes([one], None, anna), terms=replace(ASSIGN, rota=rota))
    assert await store.ownership.turns("all") == {anna: 1.0, bert: 0.0}
    await store.ownership.move(wishes([other, third], None, bert), terms=replace(ASSIGN, rota=rota))
    await store.ownership.move(wishes([third], None, bert), terms=replace(ASSIGN, rota=rota))
    assert await store.ownership.turns("all") == {anna: 0.0, bert: 0.0}


def ended(call: Any, outcome: Outcome, **facts: Any) -> Any:
    return replace(
        call,
        state=CallState.ENDED,
        outcome=outcome,
        end_reason=EndReason.HUNG_UP,
        **{"ended_at": later(30), **facts},
    )


async def test_failures_in_a_row_are_counted_once_and_a_conversation_ends_the_row(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=3), await a_stored_agent(store)
    await claimed(store, anna, campaign_id, 3)
    busy, talked, technical = await placed_calls(store, campaign_id, 3)
    await store.calls.save([ended(busy, Outcome.BUSY), ended(technical, Outcome.FAILED, cause=38)])
    await store.calls.save([ended(busy, Outcome.BUSY)])
    await store.calls.save([ended(talked, Outcome.CONNECTED, ended_at=later(3600))])

    once, twice = Untouched(failures=1), Untouched(failures=2)
    assert await store.ownership.due(campaign_id, anna, once, limit=9) == [busy.contact_id]
    assert await store.ownership.due(campaign_id, anna, twice, limit=9) == []
    silent = Untouched(no_talk_since=later(1800))
    due = await store.ownership.due(campaign_id, anna, silent, limit=9)
    assert sorted(due) == [busy.contact_id, technical.contact_id]  # in no order
    assert await store.ownership.due(campaign_id, anna, Untouched(no_talk_since=NOW), limit=9) == []
    assert (
        len(await store.ownership.due(campaign_id, anna, Untouched(no_talk_since=later(3601)), limit=9)) == 3
    )
    assert (
        len(await store.ownership.due(campaign_id, anna, Untouched(no_talk_since=later(3601)), limit=1)) == 1
    )


async def test_a_contact_of_another_campaign_or_agent_is_not_due(store: Store) -> None:
    campaign_id, winter = await a_stored_campaign(store), await a_stored_campaign(store, name="winter")
    anna, bert = await a_stored_agent(store), await a_stored_agent(store, login="bert")
    await claimed(store, anna, campaign_id, 1)

    overdue = Untouched(no_talk_since=later(1))
    assert len(await store.ownership.due(campaign_id, anna, overdue, limit=9)) == 1
    assert await store.ownership.due(winter, anna, overdue, limit=9) == []
    assert await store.ownership.due(campaign_id, bert, overdue, limit=9) == []


async def test_who_was_talked_with_in_the_meantime_does_not_go_back(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=1), await a_stored_agent(store)
    [one] = await claimed(store, anna, campaign_id, 1)
    overdue = Untouched(no_talk_since=later(600))
    assert await store.ownership.due(campaign_id, anna, overdue, limit=9) == [one]
    [call] = await placed_calls(store, campaign_id, 1)
    await store.calls.save([ended(call, Outcome.CONNECTED, ended_at=later(700))])

    terms = Terms(kind=MoveKind.EXPIRED, by="rule", at=later(800), untouched=overdue)
    moved = await store.ownership.move(wishes([one], anna, None), terms=terms)

    assert moved.refused == {one: NotMoved.NOT_THEIRS}


async def test_a_success_with_nobody_s_contact_is_found_until_he_has_an_owner(store: Store) -> None:
    campaign_id, anna = await a_stored_campaign(store, contacts=2), await a_stored_agent(store)
    sold, lost = await placed_calls(store, campaign_id, 2)
    for call, code in ((sold, "sold"), (lost, "no")):
        await store.calls.save([ended(call, Outcome.CONNECTED)])
        await store.calls.set_disposition(call.id, agent_id=anna, disposition=code, note="", at=later(40))
    since = NOW - timedelta(days=1)

    [found] = await store.ownership.successes({"sold"}, since=since)
    assert (found.call_id, found.contact_id, found.agent_id, found.campaign_id, found.disposition) == (
        sold.id,
        sold.contact_id,
        anna,
        campaign_id,
        "sold",
    )
    assert await store.ownership.successes({"sold"}, since=since, call_id=lost.id) == []
    assert await store.ownership.successes({"sold"}, since=later(1)) == []
    await store.ownership.move(
        wishes([found.contact_id], None, anna), terms=replace(ASSIGN, kind=MoveKind.WON, at=later(50))
    )
    assert await store.ownership.successes({"sold"}, since=since) == []
    await store.ownership.move(wishes([found.contact_id], anna, None), terms=BACK)
    assert await store.ownership.successes({"sold"}, since=since) == [], "given back after the success"
