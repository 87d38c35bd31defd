"""The feed of calls for CRMs on every store: what an answer means for the work and for what is remembered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti.crm.feed import LEASE, PLAN, TableFeed
from cti.crm.targets import CallFollowers, Target
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Answer, PushOrder, Rate, RecordRef, Settlement
from tests.builders import NOW, a_call, later
from tests.contract.conftest import Store
from tests.fakes.clock import FakeClock

TARGET = Target(name="odoo", settle=timedelta(0), recording_url="https://x/{call_id}", transcript=True)
FREE = Rate()
THERE = RecordRef("call", "17")


class Desk:
    """A feed with its clock, and one call after the other."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(later(60))
        self.follow = CallFollowers([TARGET])

        async def texts(call_ids: Any) -> dict[str, str]:
            return {call_ids[0]: "customer: 你好"}

        self.feed = TableFeed(
            works=store.work,
            store=store.crm,
            targets=[TARGET],
            clock=self.clock,
            texts=texts,
            chance=lambda: 1.0,
        )

    async def a_call(self, outcome: Outcome = Outcome.CONNECTED) -> Call:
        call = a_call()
        await self.store.calls.place([(call, None)])
        ended = replace(call, state=CallState.ENDED, ended_at=later(60), outcome=outcome)
        await self.store.calls.save([ended], works=self.follow.ended(ended))
        return ended

    async def take(self, *, limit: int = 10, rate: Rate = FREE, batch: int = 1) -> list[PushOrder]:
        return list((await self.feed.take("odoo", limit=limit, rate=rate, batch=batch)).orders)

    async def one(self) -> PushOrder:
        (order,) = await self.take()
        return order

    async def settle(self, order: PushOrder, answer: Answer, **given: Any) -> None:
        if answer is Answer.OK:
            given = {"remote": THERE, "fingerprint": "f", **given}
        settlement = Settlement(work=order.work, link=order.link, answer=answer, **given)
        await self.feed.settle("odoo", [settlement], rate=FREE)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_an_ended_call_is_handed_out_once_with_its_facts(desk: Desk) -> None:
    call = await desk.a_call()

    order = await desk.one()

    assert (order.log.call_id, order.log.outcome, order.log.transcript) == (
        call.id,
        "connected",
        "customer: 你好",
    )
    assert (order.link.remote, order.link.version) == (None, 0)
    assert await desk.take() == []


async def test_a_write_that_went_well_is_remembered_and_the_work_is_over(desk: Desk) -> None:
    call = await desk.a_call()
    order = await desk.one()
    assert await desk.feed.begin("odoo", [order.work]) == set()
    assert (await desk.store.crm.links("odoo", [call.id]))[call.id].unsure

    await desk.settle(order, Answer.OK)

    link = (await desk.store.crm.links("odoo", [call.id]))[call.id]
    assert (link.remote, link.version, link.fingerprint, link.unsure) == (THERE, 1, "f", False)
    desk.clock.advance(1e6)
    assert await desk.take() == []


async def test_a_change_meanwhile_is_a_second_write_in_order(desk: Desk) -> None:
    call = await desk.a_call()
    first = await desk.one()
    await desk.store.calls.set_disposition(
        call.id,
        agent_id=None,
        disposition="sold",
        note="",
        at=later(61),
        works=lambda before: desk.follow.disposed(call, later(61)),
    )
    assert await desk.take() == [], "one in flight for each call"

    await desk.settle(first, Answer.OK)

    desk.clock.advance(1)
    second = await desk.one()
    assert (second.log.disposition, second.link.remote) == ("sold", THERE)


async def test_one_that_is_killed_in_between_leaves_a_mark(desk: Desk) -> None:
    await desk.a_call()
    order = await desk.one()
    await desk.feed.begin("odoo", [order.work])

    desk.clock.advance(LEASE.total_seconds())

    again = await desk.one()
    assert again.link.unsure
    await desk.settle(order, Answer.OK, remote=RecordRef("call", "late"))
    stored = (await desk.store.crm.links("odoo", [order.work.key]))[order.work.key]
    assert stored.remote is None, "who lost the lease writes nothing down"
    assert await desk.feed.begin("odoo", [order.work]) == {order.work.id}
    assert await desk.feed.keep([order.work]) == {order.work.id}
    assert await desk.feed.keep([again.work]) == set()


@pytest.mark.parametrize("answer", [Answer.AWAY, Answer.THROTTLE, Answer.AUTH])
async def test_what_is_no_fault_of_the_call_counts_no_run_and_holds_back_all(
    desk: Desk, answer: Answer
) -> None:
    await desk.a_call()
    await desk.a_call()
    first, other = await desk.take()
    await desk.feed.begin("odoo", [first.work])

    await desk.settle(first, answer, message="no")
    await desk.feed.give_back([other.work])

    taken = await desk.feed.take("odoo", limit=10, rate=FREE)
    assert taken.orders == ()
    assert taken.wait_seconds > 0
    await desk.feed.checked("odoo", Answer.OK, "")
    again = await desk.take()
    assert [order.work.attempts for order in again] == [1, 1]
    assert not any(order.link.unsure for order in again)


async def test_after_a_pause_one_goes_ahead(desk: Desk) -> None:
    for _ in range(3):
        await desk.a_call()
    first, *rest = await desk.take()
    await desk.settle(first, Answer.AWAY)
    await desk.feed.give_back([order.work for order in rest])

    desk.clock.advance(2)
    scouts = await desk.take()
    assert len(scouts) == 1
    await desk.settle(scouts[0], Answer.OK)

    assert len(await desk.take()) == 2


async def test_an_unknown_end_is_looked_at_later_and_stays_unsure_until_it_is_known(desk: Desk) -> None:
    await desk.a_call()
    order = await desk.one()
    await desk.feed.begin("odoo", [order.work])

    await desk.settle(order, Answer.UNKNOWN, unsure_seconds=30.0)

    desk.clock.advance(29)
    assert await desk.take() == []
    desk.clock.advance(1)
    again = await desk.one()
    assert (again.link.unsure, again.work.attempts) == (True, 2)
    await desk.settle(again, Answer.AWAY)
    desk.clock.advance(60)
    assert (await desk.one()).link.unsure, "that the CRM was away meanwhile tells nothing"


async def test_a_refusal_for_now_is_tried_again_with_growing_pauses(desk: Desk) -> None:
    await desk.a_call()
    for run, pause in ((1, 5), (2, 10), (3, 20)):
        order = await desk.one()
        assert order.work.attempts == run
        await desk.settle(order, Answer.RETRY, message="locked")
        desk.clock.advance(pause - 1)
        assert await desk.take() == []
        desk.clock.advance(1)


async def test_what_fails_for_days_becomes_a_dead_letter(desk: Desk) -> None:
    await desk.a_call()
    began = desk.clock.now()
    for _ in range(PLAN.attempts):
        await desk.settle(await desk.one(), Answer.RETRY, message="locked")
        desk.clock.advance(PLAN.ceiling_seconds)

    (letter,) = await desk.store.work.dead(kind="crm.push.odoo")
    assert letter.error == "locked"
    assert desk.clock.now() - began > timedelta(days=3)


async def test_what_is_refused_for_good_is_a_dead_letter_at_once(desk: Desk) -> None:
    await desk.a_call()

    await desk.settle(await desk.one(), Answer.PERMANENT, message="there is no field 'x'")

    (letter,) = await desk.store.work.dead(kind="crm.push.odoo")
    assert letter.error == "there is no field 'x'"
    assert (await desk.store.crm.standing("odoo")).state == "ok"


async def test_what_a_user_deleted_is_never_written_again(desk: Desk) -> None:
    call = await desk.a_call()
    await desk.settle(await desk.one(), Answer.OK)
    await desk.store.work.add(desk.follow.changed(call.id, later(70)), now=later(70))
    desk.clock.advance(60)

    await desk.settle(await desk.one(), Answer.DELETED)

    await desk.store.work.add(desk.follow.changed(call.id, later(130)), now=later(130))
    desk.clock.advance(60)
    assert await desk.take() == []
    (counts,) = await desk.store.work.counts()
    assert (counts.waiting, counts.leased, counts.dead) == (0, 0, 0)


async def test_work_of_calls_that_are_gone_or_not_wanted_is_ended(desk: Desk) -> None:
    await desk.store.work.add(desk.follow.changed("f" * 32, NOW), now=NOW)

    assert await desk.take() == []

    (counts,) = await desk.store.work.counts()
    assert (counts.waiting, counts.leased) == (0, 0)


async def test_rate_and_budget_are_the_account_s(desk: Desk) -> None:
    for _ in range(8):
        await desk.a_call()
    rate = Rate(per_second=1.0, burst=2, per_day=3)

    assert len(await desk.take(rate=rate)) == 2
    assert await desk.take(rate=rate) == []
    desk.clock.advance(5)
    assert len(await desk.take(rate=rate, batch=4)) == 4, "a batch is one request"
    taken = await desk.feed.take("odoo", limit=10, rate=rate, batch=4)
    assert taken.orders == ()
    assert taken.wait_seconds > 3600


async def test_looks_beside_the_writes_are_reckoned_too(desk: Desk) -> None:
    await desk.a_call()
    order = await desk.one()
    settlement = Settlement(work=order.work, link=order.link, answer=Answer.OK, remote=THERE)

    await desk.feed.settle("odoo", [settlement], rate=FREE, more_requests=2)

    assert (await desk.store.crm.standing("odoo")).spent == 3
    assert (await desk.store.crm.standing("odoo")).counts == {"ok": 1}
