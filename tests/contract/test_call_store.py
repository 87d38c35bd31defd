"""The contract of `CallStore`."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from cti.errors import NotFound
from cti.model.calls import Call, CallState, EndedBy, EndReason, Join, Outcome
from cti.model.queries import CallFilter
from cti.model.work import NewWork
from cti.storage.database import open_database
from tests.builders import NOW, a_call, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_agent, a_stored_campaign, call_for, placed_calls

MOMENT = timedelta(microseconds=123_457)


def ended(call: Call, **given: Any) -> Call:
    facts: dict[str, Any] = {
        "state": CallState.ENDED,
        "ended_at": later(9),
        "outcome": Outcome.BUSY,
        "end_reason": EndReason.HUNG_UP,
    }
    return replace(call, **facts | given)


def a_full_call(agent_id: int) -> Call:
    """A call of which everything is known, each field with a value of its own."""
    return a_call(
        agent_id=agent_id,
        owner_agent_id=agent_id,
        crm_ref="res.partner/7",
        try_number=2,
        ring_seconds=25.5,
        grace_seconds=1.5,
        state=CallState.ENDED,
        channel="PJSIP/carrier-0000002a",
        dialing_at=later(1) + MOMENT,
        ringing_at=later(2) + MOMENT,
        answered_at=later(3) + MOMENT,
        waiting_at=later(4) + MOMENT,
        connected_at=later(5) + MOMENT,
        dropped_at=later(6) + MOMENT,
        message_played_at=later(7) + MOMENT,
        ended_at=later(90) + MOMENT,
        joins=(
            Join(agent_id=agent_id, channel_id="waihu-a-1-0a", joined_at=later(5), left_at=later(20)),
            Join(agent_id=None, channel_id="somebody", joined_at=later(30), left_at=later(90) + MOMENT),
        ),
        outcome=Outcome.CONNECTED,
        end_reason=EndReason.HUNG_UP,
        ended_by=EndedBy.CUSTOMER,
        cause=16,
        cause_text="Normal Clearing",
        sip_code=200,
        recording="a-name",
    )


async def test_a_call_placed_is_read_back_by_another_process(open_store: OpenStore) -> None:
    store, other = await open_store(), await open_store()
    call = a_call()

    assert await store.calls.place([(call, None)]) == [call.id]

    assert await other.calls.get(call.id) == call
    assert await other.calls.open_calls() == [call]


async def test_a_call_nobody_placed_is_none(store: Store) -> None:
    assert await store.calls.get("0" * 32) is None
    assert await store.calls.open_calls() == []


async def test_nothing_placed_and_nothing_saved_is_no_error(store: Store) -> None:
    assert await store.calls.place([]) == []
    await store.calls.save([])


async def test_every_fact_of_a_call_survives(store: Store) -> None:
    call = a_full_call(await a_stored_agent(store))
    await store.calls.place([(replace(call, state=CallState.PLACING, joins=()), None)])

    await store.calls.save([call])

    assert await store.calls.get(call.id) == call


async def test_a_call_never_placed_here_is_saved_whole(store: Store) -> None:
    call = a_full_call(await a_stored_agent(store))

    await store.calls.save([call])

    assert await store.calls.get(call.id) == call


async def test_times_come_back_in_utc_whatever_zone_they_went_in_with(database_url: str) -> None:
    call = a_call(placed_at=NOW.astimezone(timezone(timedelta(hours=8))))
    async with open_database(database_url) as database:
        await database.calls.place([(call, None)])

        found = await database.calls.get(call.id)

    assert found is not None
    assert found.placed_at == NOW
    assert found.placed_at.utcoffset() == timedelta(0)


async def test_placing_takes_the_entry_from_the_list(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    first, *rest = await store.campaigns.next_candidates(campaign_id, limit=3)

    await store.calls.place([(call_for(first), first)])

    assert await store.campaigns.next_candidates(campaign_id, limit=3) == rest
    assert (await store.campaigns.progress(campaign_id)).dialing == 1


async def test_an_entry_that_is_taken_already_takes_its_call_out(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    first, second = await store.campaigns.next_candidates(campaign_id, limit=2)
    await store.calls.place([(call_for(first), first)])
    again, fresh = call_for(first), call_for(second)

    assert await store.calls.place([(again, first), (fresh, second)]) == [fresh.id]

    assert await store.calls.get(again.id) is None


async def test_one_entry_gets_one_call_of_a_batch(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (entry,) = await store.campaigns.next_candidates(campaign_id, limit=1)
    one, other = call_for(entry), call_for(entry)

    assert await store.calls.place([(one, entry), (other, entry)]) == [one.id]

    assert [call.id for call in await store.calls.open_calls()] == [one.id]


async def test_calls_with_and_without_an_entry_go_in_one_batch(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (entry,) = await store.campaigns.next_candidates(campaign_id, limit=1)
    listed, by_hand = call_for(entry), a_call()

    assert await store.calls.place([(listed, entry), (by_hand, None)]) == [listed.id, by_hand.id]


async def test_the_same_calls_may_be_placed_again_after_a_commit_in_doubt(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (entry,) = await store.campaigns.next_candidates(campaign_id, limit=1)
    pairs = [(call_for(entry), entry), (a_call(), None)]
    committed = await store.calls.place(pairs)

    assert await store.calls.place(pairs) == committed

    assert len(await store.calls.open_calls()) == 2


async def test_a_call_that_has_moved_on_is_not_placed_again(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])
    await store.calls.save([ended(call)])

    assert await store.calls.place([(call, None)]) == []

    found = await store.calls.get(call.id)
    assert found is not None
    assert found.ended


async def test_an_ended_call_finishes_its_entry(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    call, _ = await placed_calls(store, campaign_id, 2)

    await store.calls.save([ended(call)])

    progress = await store.campaigns.progress(campaign_id)
    assert (progress.total, progress.pending, progress.dialing, progress.done) == (2, 0, 1, 1)
    assert progress.outcomes == {"busy": 1}
    assert progress.updated_at == later(9)


async def test_a_call_that_was_not_sent_gives_its_entry_back_uncounted(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    before = await store.campaigns.next_candidates(campaign_id, limit=1)
    (call,) = await placed_calls(store, campaign_id, 1)
    unsent = ended(call, outcome=Outcome.FAILED, end_reason=EndReason.NOT_SENT)

    await store.calls.save([unsent])
    await store.calls.save([unsent])

    assert await store.campaigns.next_candidates(campaign_id, limit=1) == before


async def test_a_late_repetition_does_not_touch_the_entry_s_next_try(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (first,) = await placed_calls(store, campaign_id, 1)
    unsent = ended(first, outcome=Outcome.FAILED, end_reason=EndReason.NOT_SENT)
    await store.calls.save([unsent])
    await placed_calls(store, campaign_id, 1)

    await store.calls.save([unsent])

    progress = await store.campaigns.progress(campaign_id)
    assert (progress.pending, progress.dialing) == (0, 1)


async def test_an_older_snapshot_never_reopens_an_ended_call(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=1)
    (call,) = await placed_calls(store, campaign_id, 1)
    await store.calls.save([ended(call)])

    await store.calls.save([replace(call, state=CallState.RINGING, ringing_at=later(2))])

    assert await store.calls.get(call.id) == ended(call)
    assert await store.calls.open_calls() == []
    assert (await store.campaigns.progress(campaign_id)).done == 1


async def test_an_older_snapshot_later_in_one_batch_never_reopens_it_either(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])

    await store.calls.save([ended(call), replace(call, state=CallState.RINGING)])

    assert await store.calls.get(call.id) == ended(call)


async def test_the_last_snapshot_of_a_batch_counts(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])
    ringing = replace(call, state=CallState.RINGING, ringing_at=later(1))
    answered = replace(ringing, state=CallState.ANSWERED, answered_at=later(2))

    await store.calls.save([ringing, answered])

    assert await store.calls.get(call.id) == answered


async def test_an_ended_call_may_be_told_better(store: Store) -> None:
    call = a_call()
    await store.calls.place([(call, None)])
    await store.calls.save([ended(call, outcome=Outcome.LOST)])

    await store.calls.save([ended(call, outcome=Outcome.NO_ANSWER, cause=19)])

    found = await store.calls.get(call.id)
    assert found is not None
    assert (found.outcome, found.cause) == (Outcome.NO_ANSWER, 19)


async def test_a_stay_that_is_over_is_never_reopened(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    stay = Join(agent_id=agent_id, channel_id="waihu-a-1-0a", joined_at=later(1))
    over = replace(stay, left_at=later(8))
    call = a_call(state=CallState.CONNECTED, agent_id=agent_id)
    await store.calls.save([replace(call, joins=(stay,))])
    await store.calls.save([replace(call, joins=(over,))])

    await store.calls.save([replace(call, joins=(stay,))])

    found = await store.calls.get(call.id)
    assert found is not None
    assert found.joins == (over,)


async def test_open_calls_come_oldest_first_with_their_stays(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    stay = Join(agent_id=agent_id, channel_id="waihu-a-1-0a", joined_at=later(1))
    calls = [a_call(id=f"{n:032x}", placed_at=later(n)) for n in (1, 2, 3)]
    talking = replace(calls[1], state=CallState.CONNECTED, joins=(stay,), agent_id=agent_id)
    await store.calls.place([(call, None) for call in reversed(calls)])

    await store.calls.save([talking, ended(calls[2])])

    assert await store.calls.open_calls() == [calls[0], talking]


async def test_work_goes_in_with_the_calls_and_is_due_at_once(store: Store) -> None:
    call = a_call()
    work = NewWork(kind="recording.collect", key=call.id, payload={"name": "王伟"})

    await store.calls.save([ended(call)], works=[work])

    (leased,) = await store.work.lease(
        kinds=[work.kind], limit=9, now=later(9), lease_for=timedelta(minutes=1)
    )
    assert (leased.key, leased.payload, leased.version) == (call.id, {"name": "王伟"}, 1)


async def test_a_disposition_is_written_and_overwritten(store: Store) -> None:
    agent_id = await a_stored_agent(store)
    call = a_call()
    await store.calls.place([(call, None)])
    await store.calls.set_disposition(call.id, agent_id=agent_id, disposition="maybe", note="", at=later(5))

    await store.calls.set_disposition(
        call.id, agent_id=agent_id, disposition="sold", note="三个 ☎", at=later(6)
    )
    await store.calls.save([ended(call)])

    (row,) = await store.facts.call_rows(CallFilter())
    assert (row.disposition, row.note) == ("sold", "三个 ☎")


async def test_a_disposition_of_no_call_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.calls.set_disposition("0" * 32, agent_id=None, disposition="sold", note="", at=NOW)


async def test_a_chosen_record_stays_whatever_older_snapshots_say_and_leaves_its_work(store: Store) -> None:
    campaign_id = await a_stored_campaign(store)
    (call,) = await placed_calls(store, campaign_id, 1)

    def follow(one: Call) -> list[NewWork]:
        return [NewWork(kind="crm.push.odoo", key=one.id, payload={"ref": one.crm_ref, "ended": one.ended})]

    chosen = await store.calls.set_record(call.id, "odoo/crm.lead:7", at=NOW, works=follow)
    assert (chosen.id, chosen.crm_ref, chosen.ended) == (call.id, "odoo/crm.lead:7", False)
    await store.calls.save([replace(call, state=CallState.RINGING)])
    await store.calls.save([ended(call)])
    stored = await store.calls.get(call.id)
    assert stored is not None
    assert (stored.ended, stored.crm_ref) == (True, "odoo/crm.lead:7")

    await store.calls.set_record(call.id, "odoo/crm.lead:8", at=NOW, works=follow)
    (work,) = await store.work.lease(kinds=["crm.push.odoo"], limit=9, now=later(60), lease_for=MOMENT)
    assert work.payload == {"ref": "odoo/crm.lead:8", "ended": True}
    with pytest.raises(NotFound):
        await store.calls.set_record("0" * 32, "odoo/crm.lead:7", at=NOW, works=follow)


async def test_hundreds_of_calls_go_in_one_batch(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=300)

    calls = await placed_calls(store, campaign_id, 300)
    await store.calls.save([ended(call) for call in calls])

    progress = await store.campaigns.progress(campaign_id)
    assert (progress.done, progress.outcomes) == (300, {"busy": 300})
