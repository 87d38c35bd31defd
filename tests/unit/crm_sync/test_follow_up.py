"""Callbacks to the CRM and its follow-ups to us, both ways at once, without an echo."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_sync.follow_up import FollowUpWriter
from crm_sync.mapping import mapping_of
from crm_sync.port import CrmError, PulledRecord
from crm_sync.pull import PullReader, PullWords
from crm_sync.tab import noted, settled
from cti.contacts.changes import Change, Subject
from cti.crm.follow_ups import CallbackFollowers, ContactFollowers
from cti.crm.promises import is_ours
from cti.model.callbacks import Callback, CallbackChange, CallbackFilter, CallbackState, NewCallback
from cti.model.crm import Answer, Rate, RecordRef
from tests.builders import NOW, a_campaign, later
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import an_intake, some_follow_ups
from tests.fakes.memory_looks import contact_row, set_columns
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strict_crm import StrictClient, StrictCrm

REF = RecordRef("crm.lead", "1")
FOLLOW = CallbackFollowers(["odoo"]).moved
FOLLOW_CONTACT = ContactFollowers(["odoo"]).changed
ALL = frozenset(CallbackState)


def a_lead(**given: Any) -> PulledRecord:
    values: dict[str, Any] = {"ref": REF, "name": "Lead", "numbers": ("030 901820",), "changed_at": NOW}
    return PulledRecord(**values | given)


class House:
    """A CRM with one lead that was pulled, and everything that goes between it and us."""

    def __init__(self, **more: Any) -> None:
        self.clock = FakeClock(NOW)
        self.store = MemoryStore()
        self.crm = StrictCrm(records=[a_lead()])
        client = StrictClient(self.crm, **more)
        self.reader = PullReader(
            pull="odoo-leads",
            source="leads",
            crm=client,
            words=PullWords(target="odoo", logins={}, fields={}, stages={}),
            intake=an_intake(self.store, self.clock),
            rate=Rate(),
        )
        mapping = mapping_of({"users": {"map": {"anna": "17"}}}, target="odoo", where="odoo.toml")
        self.writer = FollowUpWriter(
            target="odoo",
            crm=client,
            mapping=mapping,
            feed=some_follow_ups(self.store, self.clock),
            rate=Rate(),
        )

    async def open(self) -> "House":
        self.campaign = await self.store.campaigns.add_campaign(a_campaign(id=0))
        self.anna = await self.store.agents.add_agent(
            login="anna", name="Anna", endpoint="a", node="pbx", campaign_ids=(self.campaign.id,)
        )
        await self.reader.drain()
        (self.contact_id,) = self.store.tables.contacts
        return self

    async def make(self, due_at: datetime) -> Callback:
        new = NewCallback(
            contact_id=self.contact_id,
            campaign_id=self.campaign.id,
            due_at=due_at,
            zone="Europe/Berlin",
            by="anna",
            agent_id=self.anna.id,
            note="wants the offer",
        )
        return await self.store.callbacks.add(new, raised=0, at=self.clock.now(), works=FOLLOW)

    async def change(self, one: Callback, change: CallbackChange) -> None:
        await self.store.callbacks.change(
            one.id, change, by="anna", raised=0, at=self.clock.now(), works=FOLLOW
        )

    async def wants_back(self, at: datetime | None) -> None:
        """Set the contact's own next follow-up, as an edit does."""

        def plan(subject: Subject) -> Change:
            return Change(contact={"next_follow_up_at": (subject.facts["next_follow_up_at"], at)})

        now = self.clock.now()
        await self.store.finding.change(
            self.contact_id, plan, kind="edit", by="anna", at=now, works=FOLLOW_CONTACT
        )

    @property
    def own(self) -> str:
        return f"contact-{self.contact_id}"

    def next_follow_up(self) -> datetime | None:
        return contact_row(self.store.tables, self.contact_id).next_follow_up_at

    async def minutes(self, count: int) -> None:
        """Let time pass, writer and reader at work."""
        for _ in range(count):
            self.clock.advance(60)
            await self.writer.step()
            await self.reader.drain()

    async def callbacks(self) -> list[Callback]:
        return await self.store.callbacks.find(CallbackFilter(states=ALL))


async def test_a_callback_is_written_moved_and_ended_there() -> None:
    house = await House().open()
    one = await house.make(later(7200))
    key = f"callback-{one.id}"

    await house.minutes(1)
    assert house.crm.tasks == {key: (REF, later(7200), "17")}
    await house.change(one, CallbackChange(due_at=later(9000)))
    await house.minutes(1)
    assert house.crm.tasks == {key: (REF, later(9000), "17")}
    await house.change(one, CallbackChange(state=CallbackState.CANCELLED))
    await house.minutes(1)
    assert (house.crm.tasks, house.crm.ended) == ({}, [(key, False)])
    assert (house.writer.written, [each.state for each in await house.callbacks()]) == (3, ["cancelled"])
    assert house.crm.standing == [False, True]


async def test_what_we_wrote_comes_back_and_nothing_is_done() -> None:
    """No echo: for an hour both look at each other, and each writes once."""
    house = await House().open()
    await house.make(later(7200))

    await house.minutes(60)

    (one,) = await house.callbacks()
    assert (one.due_at, one.created_by, house.writer.written) == (later(7200), "anna", 1)


async def test_the_crm_s_follow_up_becomes_a_callback_that_is_not_written_back() -> None:
    house = await House().open()
    house.crm.touch(a_lead(next_follow_up_at=later(7200), changed_at=later(1)))

    await house.minutes(30)

    (one,) = await house.callbacks()
    assert (one.due_at, one.created_by, one.state) == (later(7200), "crm odoo", "planned")
    assert (house.crm.tasks, house.writer.written) == ({}, 0)
    entry = house.store.tables.entries[one.entry_id]
    assert (entry.state, entry.reason) == ("waiting", "callback_later")

    house.crm.touch(a_lead(next_follow_up_at=later(9000), changed_at=later(2)))
    await house.minutes(2)
    (one,) = await house.callbacks()
    assert one.due_at == later(9000)

    house.crm.touch(a_lead(changed_at=later(3)))
    await house.minutes(2)
    (one,) = await house.callbacks()
    assert one.state == "cancelled"


async def test_a_callback_of_ours_is_moved_by_the_crm_and_stays_where_it_put_it() -> None:
    house = await House().open()
    await house.make(later(7200))
    await house.minutes(2)

    house.crm.touch(a_lead(next_follow_up_at=later(10_800), changed_at=later(200)))
    await house.minutes(30)

    (one,) = await house.callbacks()
    assert one.due_at == later(10_800)
    assert house.crm.tasks[f"callback-{one.id}"][1] == later(10_800)
    assert house.writer.written == 2


async def test_a_callback_of_ours_comes_back_as_a_day_and_keeps_its_time() -> None:
    house = await House().open()
    await house.make(later(7200))
    await house.minutes(2)

    day = NOW.date()
    begins = NOW - timedelta(hours=1)
    house.crm.touch(a_lead(next_follow_up_at=begins, next_follow_up_on=day, changed_at=later(200)))
    await house.minutes(30)

    (one,) = await house.callbacks()
    assert one.due_at == later(7200)
    assert house.writer.written == 1


async def test_a_follow_up_that_is_past_makes_no_callback() -> None:
    house = await House().open()
    house.crm.touch(a_lead(next_follow_up_at=later(-7200), changed_at=later(1)))

    await house.minutes(2)

    assert await house.callbacks() == []
    assert await house.store.pulls.follow_ups("odoo-leads", limit=9) == []


async def test_a_callback_that_was_settled_by_a_call_is_found_and_ended() -> None:
    """Nothing told of it: the call's own transaction settled it."""
    house = await House().open()
    one = await house.make(later(7200))
    await house.minutes(1)
    done = CallbackChange(state=CallbackState.DONE)
    await house.store.callbacks.change(one.id, done, by="dialer", raised=0, at=later(61))

    await house.minutes(1)

    assert house.crm.ended == [(f"callback-{one.id}", True)]


async def test_another_note_is_written_again() -> None:
    house = await House().open()
    one = await house.make(later(7200))
    await house.minutes(1)
    await house.change(one, CallbackChange(note="wants the offer in writing"))

    await house.minutes(30)

    assert house.crm.texts == ["wants the offer", "wants the offer in writing"]


async def test_a_contact_s_own_follow_up_is_written_moved_and_ended_there() -> None:
    house = await House().open()
    set_columns(house.store.tables, house.contact_id, {"owner_agent_id": house.anna.id})
    await house.wants_back(later(7200))

    await house.minutes(1)
    assert house.crm.tasks == {house.own: (REF, later(7200), "17")}
    await house.wants_back(later(9000))
    await house.minutes(1)
    assert house.crm.tasks == {house.own: (REF, later(9000), "17")}
    await house.wants_back(None)
    await house.minutes(1)
    assert (house.crm.tasks, house.crm.ended) == ({}, [(house.own, False)])
    await house.wants_back(later(10_800))
    await house.minutes(1)
    assert house.crm.tasks == {house.own: (REF, later(10_800), "17")}


async def test_a_contact_s_own_follow_up_comes_back_and_makes_no_callback() -> None:
    """No echo, also with a callback beside it."""
    house = await House().open()
    await house.wants_back(later(7200))
    await house.minutes(30)
    assert (await house.callbacks(), house.writer.written) == ([], 1)

    await house.make(later(9000))
    await house.minutes(30)
    (one,) = await house.callbacks()
    assert (one.due_at, house.next_follow_up(), house.writer.written) == (later(9000), later(7200), 2)


async def test_a_contact_s_own_follow_up_is_moved_by_the_crm_and_stays_where_it_put_it() -> None:
    house = await House().open()
    await house.wants_back(later(7200))
    await house.minutes(2)

    house.crm.touch(a_lead(next_follow_up_at=later(10_800), changed_at=later(200)))
    await house.minutes(30)

    assert (house.next_follow_up(), await house.callbacks()) == (later(10_800), [])
    assert house.writer.written == 1, "it stands there already"
    await house.wants_back(later(14_400))
    await house.minutes(1)
    assert house.crm.tasks[house.own][1] == later(14_400)


async def test_another_owner_s_contact_has_his_follow_up_written_for_him() -> None:
    """Nothing told of it: ownership moves in other transactions."""
    house = await House().open()
    await house.wants_back(later(7200))
    await house.minutes(1)
    assert house.crm.tasks[house.own][2] is None
    set_columns(house.store.tables, house.contact_id, {"owner_agent_id": house.anna.id})

    await house.minutes(1)

    assert house.crm.tasks[house.own][2] == "17"


async def test_a_contact_s_own_follow_up_that_is_refused_becomes_a_dead_letter() -> None:
    house = await House().open()
    house.crm.records.clear()
    await house.wants_back(later(7200))

    await house.writer.step()

    (dead,) = await house.store.work.dead(kind="crm.follow_up.odoo")
    assert (dead.key, dead.error) == (house.own, "there is no record crm.lead:1")


async def test_where_follow_ups_cannot_be_taken_back_they_are_left_there() -> None:
    house = await House(ends_follow_ups=False).open()
    one = await house.make(later(7200))
    await house.minutes(1)
    await house.change(one, CallbackChange(state=CallbackState.CANCELLED))

    await house.minutes(3)

    assert list(house.crm.tasks) == [f"callback-{one.id}"]
    assert [row.standing for row in house.store.tables.works.values()] == ["done", "done"]


async def test_while_the_crm_is_away_nothing_is_lost() -> None:
    house = await House().open()
    house.crm.away = True
    await house.make(later(7200))
    await house.minutes(3)
    assert house.crm.tasks == {}
    assert all(row.attempts <= 1 for row in house.store.tables.works.values()), "away is nobody's fault"

    house.crm.away = False
    await house.minutes(3)
    assert len(house.crm.tasks) == 1


async def test_all_requests_of_a_follow_up_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many CRMs are asked for the follow-up first, and some once more for its id."""
    house = await House().open()
    before = (await house.store.crm.standing("odoo")).spent
    crm = house.writer._crm
    follow_up = crm.follow_up

    async def in_three(*given: Any, **more: Any) -> RecordRef:
        noted()
        await settled()
        noted()
        return await follow_up(*given, **more)

    monkeypatch.setattr(crm, "follow_up", in_three)
    await house.make(later(7200))
    await house.writer.step()

    assert (await house.store.crm.standing("odoo")).spent == before + 3


async def test_what_is_refused_for_good_becomes_a_dead_letter() -> None:
    house = await House().open()
    house.crm.records.clear()
    one = await house.make(later(7200))

    await house.writer.step()

    (dead,) = await house.store.work.dead(kind="crm.follow_up.odoo")
    assert (dead.key, dead.error) == (str(one.id), "there is no record crm.lead:1")


async def test_a_dead_letter_is_left_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it stands there otherwise than here is seen every half minute, and is no reason to try again."""
    house = await House().open()
    one = await house.make(later(7200))
    await house.minutes(1)

    async def refused(*_: Any, **__: Any) -> None:
        raise CrmError(Answer.PERMANENT, "this activity is archived")

    monkeypatch.setattr(StrictClient, "follow_up_over", refused)
    await house.change(one, CallbackChange(state=CallbackState.CANCELLED))
    await house.minutes(5)

    (dead,) = await house.store.work.dead(kind="crm.follow_up.odoo")
    assert (dead.attempts, dead.error) == (1, "this activity is archived")


async def test_what_is_tried_again_waits_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it stands there otherwise than here is seen every half minute, and makes nobody try sooner."""
    house = await House().open()
    one = await house.make(later(7200))
    await house.minutes(1)

    async def stumbles(*_: Any, **__: Any) -> None:
        raise CrmError(Answer.RETRY, "the record is locked")

    monkeypatch.setattr(StrictClient, "follow_up_over", stumbles)
    await house.change(one, CallbackChange(state=CallbackState.CANCELLED))
    for _ in range(60):
        await house.minutes(1)

    (row,) = [row for row in house.store.tables.works.values() if row.standing != "done"]
    assert (row.version, row.error) == (1, "the record is locked")
    assert 5 <= row.attempts <= 12


async def test_a_dead_letter_that_somebody_gave_up_stays_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await House().open()
    one = await house.make(later(7200))
    await house.minutes(1)

    async def refused(*_: Any, **__: Any) -> None:
        raise CrmError(Answer.PERMANENT, "this activity is archived")

    with monkeypatch.context() as patch:
        patch.setattr(StrictClient, "follow_up_over", refused)
        await house.change(one, CallbackChange(state=CallbackState.CANCELLED))
        await house.minutes(1)
    (dead,) = await house.store.work.dead(kind="crm.follow_up.odoo")
    await house.store.work.discard(dead.id, now=house.clock.now())
    await house.minutes(5)

    assert house.crm.ended == []
    assert await house.store.work.dead(kind="crm.follow_up.odoo") == []


@pytest.mark.parametrize("ref", ["other/lead:9", "see the offer of May", None])
async def test_a_contact_of_no_record_leaves_nothing_to_write(ref: str | None) -> None:
    house = await House().open()
    house.store.tables.contact_columns[house.contact_id]["crm_ref"] = ref
    await house.make(later(7200))

    await house.writer.step()

    assert house.crm.tasks == {}
    assert [row.standing for row in house.store.tables.works.values()] == ["done"]


@pytest.mark.parametrize(
    ("at", "ours"),
    [
        pytest.param(NOW, True, id="the very moment"),
        pytest.param(later(59), True, id="cut to the minute"),
        pytest.param(later(61), False, id="another moment"),
        pytest.param(NOW.replace(hour=0, minute=0, second=0), True, id="its date alone"),
        pytest.param(later(3 * 86_400).replace(hour=0, minute=0, second=0), False, id="another date"),
    ],
)
def test_a_follow_up_of_ours_is_known_by_its_time(at: datetime, ours: bool) -> None:
    assert is_ours(at, [later(-86_400), NOW]) is ours
    assert is_ours(at, []) is False


@pytest.mark.parametrize(("days", "ours"), [(0, True), (1, True), (2, False)])
def test_a_follow_up_of_ours_is_known_by_its_day_wherever_that_day_begins(days: int, ours: bool) -> None:
    """At 20:00 UTC it is the next day in Shanghai already, whose day began at 16:00 UTC."""
    written = NOW.replace(hour=20)
    day = written.date() + timedelta(days=days)
    begins = datetime.combine(day, time(), tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)

    assert is_ours(begins, [written], day=day) is ours
    assert is_ours(begins, [written]) is False, "only the CRM's word makes a day of it"
