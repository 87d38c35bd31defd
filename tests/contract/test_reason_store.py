"""The contract of `ReasonStore`."""

from cti.model.contacts import EntryState
from cti.model.standing import NOBODY, Parked, ReasonKind
from cti.model.verdicts import SkipReason
from cti.model.whys import LaneCount, ReasonCount
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.entries import arrange
from tests.contract.people import a_stored_campaign, call_for


async def test_a_number_s_and_a_contact_s_entries_are_told_as_they_stand(store: Store) -> None:
    one_campaign = await a_stored_campaign(store, name="one", contacts=2)
    other_campaign = await a_stored_campaign(store, name="two", contacts=1)
    first, _ = await store.campaigns.next_candidates(one_campaign, limit=2)
    (again,) = await store.campaigns.next_candidates(other_campaign, limit=1)
    await store.queue.park(
        [Parked(candidate=first, reason=SkipReason.HOLIDAY, detail="New Year", until=later(60))], at=NOW
    )

    by_number = await store.reasons.standings(number=first.number)
    by_contact = await store.reasons.standings(contact_id=first.contact_id)

    assert [(one.candidate.entry_id, one.state) for one in by_number] == [
        (first.entry_id, EntryState.WAITING),
        (again.entry_id, EntryState.PENDING),
    ]
    (standing,) = by_contact
    assert standing == by_number[0]
    assert (standing.candidate, standing.owner_id, standing.call_id) == (first, NOBODY, None)
    assert (standing.due_at, standing.reason, standing.detail, standing.reason_at) == (
        later(60),
        "holiday",
        "New Year",
        NOW,
    )
    assert await store.reasons.standings(number="+4900000") == []


async def test_the_history_comes_newest_first_by_number_or_contact(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=2)
    one, other = await store.campaigns.next_candidates(campaign_id, limit=2)
    await store.queue.park([Parked(candidate=one, reason=SkipReason.HOLIDAY, until=later(5))], at=NOW)
    await store.queue.park([Parked(candidate=other, reason=SkipReason.STOPPED)], at=NOW)
    await store.queue.wake(later(5), limit=9)
    call = call_for(one, placed_at=later(6), why="an agent is free")
    await store.calls.place([(call, one)])

    told = await store.reasons.history(number=one.number, limit=9)

    assert [(row.kind, row.reason, row.detail, row.at, row.call_id) for row in told] == [
        (ReasonKind.DIALED, "", "an agent is free", later(6), call.id),
        (ReasonKind.SKIPPED, "holiday", "", NOW, None),
    ]
    assert await store.reasons.history(contact_id=one.contact_id, limit=1) == told[:1]


async def test_those_not_dialed_are_counted_by_reason_with_the_first_moment(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=6)
    people = await store.campaigns.next_candidates(campaign_id, limit=6)
    parked = [
        Parked(candidate=people[0], reason=SkipReason.HOLIDAY, until=later(50)),
        Parked(candidate=people[1], reason=SkipReason.HOLIDAY, until=later(40)),
        Parked(candidate=people[2], reason=SkipReason.DO_NOT_CALL),
    ]
    await store.queue.park(parked, at=NOW)
    await store.calls.place([(call_for(people[3]), people[3])])
    await arrange(store, people[4].entry_id, state="done")

    counts = await store.reasons.reason_counts(campaign_id)

    assert sorted(counts, key=lambda count: (count.state, count.reason or "")) == [
        ReasonCount(state=EntryState.DONE, reason=None, entries=1),
        ReasonCount(state=EntryState.DONE, reason="do_not_call", entries=1),
        ReasonCount(state=EntryState.WAITING, reason="holiday", entries=2, next_at=later(40)),
    ]


async def test_the_pending_are_counted_by_lane(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=4)
    people = await store.campaigns.next_candidates(campaign_id, limit=4)
    await arrange(store, people[0].entry_id, zone="a", owner_key=3)
    await arrange(store, people[1].entry_id, zone="a")
    await arrange(store, people[2].entry_id, state="done")

    assert await store.reasons.lane_counts(campaign_id) == [
        LaneCount(owner_id=NOBODY, zone="", entries=1),
        LaneCount(owner_id=NOBODY, zone="a", entries=1),
        LaneCount(owner_id=3, zone="a", entries=1),
    ]


async def test_samples_are_the_first_of_a_lane_or_the_soonest_of_a_reason(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=4)
    people = await store.campaigns.next_candidates(campaign_id, limit=4)
    await arrange(store, people[1].entry_id, priority=4)
    parked = [
        Parked(candidate=people[n], reason=SkipReason.HOLIDAY, until=later(seconds))
        for n, seconds in ((2, 50), (3, 40))
    ]
    await store.queue.park(parked, at=NOW)

    lane = await store.reasons.samples(campaign_id, EntryState.PENDING, owner_id=NOBODY, zone="", limit=1)
    reason = await store.reasons.samples(campaign_id, EntryState.WAITING, reason="holiday", limit=9)

    assert [one.candidate.entry_id for one in lane] == [people[1].entry_id]
    assert [one.candidate.entry_id for one in reason] == [people[3].entry_id, people[2].entry_id]
    assert await store.reasons.samples(campaign_id, EntryState.DONE, reason=None, limit=9) == []


async def test_those_before_one_are_counted_as_far_as_asked(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=4)
    people = await store.campaigns.next_candidates(campaign_id, limit=4)
    await arrange(store, people[3].entry_id, priority=1)
    await arrange(store, people[0].entry_id, zone="elsewhere")

    assert await store.reasons.before(people[2], owner_id=NOBODY, limit=9) == 2
    assert await store.reasons.before(people[2], owner_id=NOBODY, limit=1) == 1
    assert await store.reasons.before(people[1], owner_id=NOBODY, limit=9) == 1


async def test_old_reasons_are_forgotten_in_bites_and_younger_ones_kept(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=3)
    people = await store.campaigns.next_candidates(campaign_id, limit=3)
    for seconds, one in zip((0, 10, 20), people, strict=True):
        await store.queue.park([Parked(candidate=one, reason=SkipReason.STOPPED)], at=later(seconds))

    assert await store.reasons.forget(later(20), limit=1) == 1
    assert await store.reasons.forget(later(20), limit=9) == 1
    assert await store.reasons.forget(later(20), limit=9) == 0

    assert await store.reasons.history(contact_id=people[0].contact_id, limit=9) == []
    assert len(await store.reasons.history(contact_id=people[2].contact_id, limit=9)) == 1
