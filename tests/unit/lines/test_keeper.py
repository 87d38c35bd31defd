"""The keeper of lines: what is in use, what is chosen, what is learned."""

from dataclasses import replace
from typing import Any

import pytest

from cti.errors import StorageError
from cti.lines.keeper import LineKeeper
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.campaign_rules import CampaignRules, LineRules
from cti.model.contacts import Campaign, Candidate
from cti.model.events import CallMoved
from cti.model.ids import new_call_id
from cti.model.lines import BreakerState, CallerId, CallerPool, LineChoice, Trunk, fails_over
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import a_call, a_campaign, later
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

TRUNKS = (
    Trunk(node="pbx", endpoint="cheap", channels=2, priority=1),
    Trunk(node="pbx", endpoint="dear", channels=3, priority=2),
)
SHOWN = ("+4930901820", "+498912345678")


class Desk:
    """A keeper with its surroundings, and the dialer's part of the talk."""

    def __init__(self, *trunks: Trunk, pool: CallerPool | None = None) -> None:
        self.clock, self.store = FakeClock(), MemoryStore()
        self.keeper = LineKeeper(trunks=trunks or TRUNKS, store=self.store.callers, clock=self.clock)
        self._pool, self._entries = pool, 0

    async def load(self) -> "Desk":
        if self._pool is not None:
            await self.store.callers.add_pool(self._pool)
        await self.keeper.load()
        return self

    def choose(
        self, campaign: Campaign, number_id: int = 1, number: str | None = None
    ) -> LineChoice | Verdict:
        candidate = Candidate(
            entry_id=1,
            list_id=1,
            campaign_id=campaign.id,
            contact_id=1,
            number_id=number_id,
            number=number or f"+4930555{number_id:03d}",
            name="",
        )
        return self.keeper.choose_line(campaign, candidate, self.clock.now())

    def place(self, campaign: Campaign, number_id: int = 1) -> Call:
        choice = self.choose(campaign, number_id)
        assert isinstance(choice, LineChoice), choice
        call = a_call(
            id=new_call_id(self.clock.now()),
            placed_at=self.clock.now(),
            campaign_id=campaign.id,
            number_id=number_id,
            number=f"+4930555{number_id:03d}",
            trunk=choice.trunk,
            caller_id=choice.caller_id,
            next_trunk=choice.next_trunk,
        )
        self.keeper.take(call)
        self.move(call)
        return call

    def move(self, call: Call, **facts: Any) -> Call:
        moved = replace(call, **facts)
        self.keeper.tap(CallMoved(before=call.state, call=moved, at=self.clock.now()))
        return moved

    def end(self, call: Call, outcome: Outcome, **facts: Any) -> Call:
        facts = {"end_reason": EndReason.HUNG_UP, **facts}
        return self.move(call, state=CallState.ENDED, ended_at=self.clock.now(), outcome=outcome, **facts)

    def fail(self, call: Call) -> Call:
        return self.end(call, Outcome.FAILED, sip_code=503, cause=34)


def a_campaign_over(*trunks: str, pool: str = "") -> Campaign:
    return a_campaign(rules=CampaignRules(lines=LineRules(trunks=trunks, caller_pool=pool)))


BOTH = a_campaign_over("cheap", "dear")
POOLED = a_campaign_over("cheap", "dear", pool="main")
POOL = CallerPool(id=0, name="main", numbers=tuple(CallerId(number=number) for number in SHOWN))


def trunk_of(choice: LineChoice | Verdict) -> str:
    assert isinstance(choice, LineChoice), choice
    return choice.trunk


async def test_calls_go_over_to_the_next_trunk_when_channels_are_used_up() -> None:
    desk = await Desk().load()
    used = [desk.place(BOTH, number_id=n).trunk for n in range(5)]
    assert used == ["cheap", "cheap", "dear", "dear", "dear"]
    refusal = desk.choose(BOTH, 9)
    assert isinstance(refusal, Verdict)
    assert (refusal.allowed, refusal.reason) == (False, SkipReason.NO_TRUNK)
    assert refusal.detail == "cheap: 2 of 2 channels are in use; dear: 3 of 3 channels are in use"
    assert desk.keeper.free(BOTH, desk.clock.now()) == 0


async def test_a_line_is_free_again_when_its_call_ends_or_was_never_made() -> None:
    desk = await Desk().load()
    first, second = desk.place(BOTH), desk.place(BOTH, 2)
    assert desk.keeper.free(BOTH, desk.clock.now()) == 3
    desk.end(first, Outcome.NO_ANSWER, cause=19)
    desk.keeper.give_back(second)
    desk.keeper.give_back(second)
    assert desk.keeper.free(BOTH, desk.clock.now()) == 5


async def test_a_campaign_without_an_order_uses_its_own_trunk_without_limit_of_its_own() -> None:
    desk = await Desk().load()
    campaign = a_campaign(caller_id="+49301")
    choice = desk.choose(campaign)
    assert choice == LineChoice(trunk="carrier", caller_id="+49301", why="by carrier")
    assert desk.keeper.free(campaign, desk.clock.now()) == 1_000_000


async def test_calls_per_second_hold_for_each_trunk() -> None:
    desk = await Desk(Trunk(node="pbx", endpoint="slow", calls_per_second=2)).load()
    slow = a_campaign_over("slow")
    desk.place(slow), desk.place(slow, 2)
    refusal = desk.choose(slow, 3)
    assert isinstance(refusal, Verdict)
    assert refusal.detail == "slow: 2 calls per second are reached"
    desk.clock.advance(0.5)
    assert desk.keeper.free(slow, desk.clock.now()) == 1
    assert trunk_of(desk.choose(slow, 3)) == "slow"


async def test_a_contact_whose_trunk_failed_goes_by_the_next_one_once() -> None:
    desk = await Desk().load()
    first = desk.fail(desk.place(BOTH))
    assert fails_over(first)
    second = desk.place(BOTH)
    assert (second.trunk, second.next_trunk) == ("dear", None)
    assert not fails_over(desk.fail(second))
    assert desk.place(BOTH).trunk == "cheap"


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"ringing_at": later(1), "sip_code": 503, "cause": 34}, id="it rang before it failed"),
        pytest.param({"sip_code": 404, "cause": 1}, id="the number is wrong"),
        pytest.param({"sip_code": 403, "cause": 21}, id="this call is not wanted"),
        pytest.param({"end_reason": EndReason.NODE_LOST}, id="Asterisk died"),
        pytest.param({"end_reason": EndReason.NO_TRACE}, id="nobody knows"),
    ],
)
async def test_what_may_have_rung_or_is_not_the_trunk_s_fault_is_not_tried_again(
    facts: dict[str, Any],
) -> None:
    desk = await Desk().load()
    assert not fails_over(desk.end(desk.place(BOTH), Outcome.FAILED, **facts))
    assert desk.place(BOTH).trunk == "cheap"


async def test_a_silent_ring_timeout_may_have_rung() -> None:
    desk = await Desk().load()
    call = desk.end(desk.place(BOTH), Outcome.NO_ANSWER, end_reason=EndReason.RING_TIMEOUT, cause=19)
    assert not fails_over(call)
    assert [one.judged for one in desk.keeper.trunks.standing(desk.clock.now())] == [0, 0]


async def test_a_trunk_that_fails_often_is_left_out_until_it_has_rested() -> None:
    desk = await Desk().load()
    alone = a_campaign_over("cheap")
    for number_id in range(8):
        desk.fail(desk.place(alone, number_id))
    cheap, _ = desk.keeper.trunks.standing(desk.clock.now())
    assert (cheap.breaker, cheap.failed, cheap.judged) == (BreakerState.OPEN, 8, 8)
    assert desk.keeper.free(alone, desk.clock.now()) == 0
    assert trunk_of(desk.choose(BOTH, 99)) == "dear"
    desk.clock.advance(30)
    assert desk.keeper.free(alone, desk.clock.now()) == 1
    probe = desk.place(alone, 99)
    assert desk.keeper.free(alone, desk.clock.now()) == 0
    desk.move(probe, state=CallState.RINGING, ringing_at=desk.clock.now())
    assert desk.keeper.trunks.standing(desk.clock.now())[0].breaker is BreakerState.CLOSED


async def test_a_probe_that_is_never_sent_lets_the_next_one_try() -> None:
    desk = await Desk().load()
    alone = a_campaign_over("cheap")
    for number_id in range(8):
        desk.fail(desk.place(alone, number_id))
    desk.clock.advance(30)
    desk.end(desk.place(alone, 99), Outcome.FAILED, end_reason=EndReason.NOT_SENT)
    assert desk.keeper.free(alone, desk.clock.now()) == 1


async def test_busy_and_unallocated_numbers_show_that_a_trunk_works() -> None:
    desk = await Desk().load()
    for number_id, (outcome, code, cause) in enumerate(
        [(Outcome.BUSY, 486, 17), (Outcome.FAILED, 404, 1), (Outcome.FAILED, None, 1)]
    ):
        desk.end(desk.place(BOTH, number_id), outcome, sip_code=code, cause=cause)
    cheap, _ = desk.keeper.trunks.standing(desk.clock.now())
    assert (cheap.judged, cheap.failed) == (3, 0)


async def test_a_call_s_trunk_is_judged_once() -> None:
    desk = await Desk().load()
    call = desk.move(desk.place(BOTH), state=CallState.RINGING, ringing_at=desk.clock.now())
    call = desk.move(call, state=CallState.ANSWERED, answered_at=desk.clock.now())
    desk.end(call, Outcome.DROPPED)
    assert desk.keeper.trunks.standing(desk.clock.now())[0].judged == 1


async def test_the_near_number_of_the_pool_is_shown() -> None:
    desk = await Desk(pool=POOL).load()
    choice = desk.choose(POOLED, number="+4989555555")
    assert isinstance(choice, LineChoice)
    assert choice.caller_id == "+498912345678"
    assert choice.why == "by cheap, shows +498912345678 of main (same area, 0 calls this hour)"


async def test_calls_count_at_once_and_not_when_they_were_never_made() -> None:
    desk = await Desk(pool=replace(POOL, per_hour=1)).load()
    first, second = desk.place(POOLED), desk.place(POOLED, 2)
    assert {first.caller_id, second.caller_id} == set(SHOWN)
    refusal = desk.choose(POOLED, 3)
    assert isinstance(refusal, Verdict)
    assert (refusal.reason, refusal.detail) == (SkipReason.NO_CALLER_ID, "main: 2 have reached their cap")
    desk.end(second, Outcome.FAILED, end_reason=EndReason.NOT_SENT)
    assert isinstance(desk.choose(POOLED, 3), LineChoice)


async def test_a_pool_that_is_not_there_is_named() -> None:
    desk = await Desk().load()
    refusal = desk.choose(POOLED)
    assert isinstance(refusal, Verdict)
    assert (refusal.reason, refusal.detail) == (
        SkipReason.NO_CALLER_ID,
        "there is no pool 'main' of numbers to show",
    )


async def test_use_is_counted_from_the_stored_calls_after_a_restart() -> None:
    desk = await Desk(pool=replace(POOL, per_hour=2)).load()
    made = [desk.place(POOLED, n) for n in range(3)]
    await desk.store.calls.save(made)
    restarted = LineKeeper(trunks=TRUNKS, store=desk.store.callers, clock=desk.clock)
    desk.clock.advance(1)
    await restarted.load()
    for call in made:  # as the tracker tells of calls that are still up
        restarted.tap(CallMoved(before=call.state, call=call, at=call.placed_at))
    desk.keeper = restarted
    assert sum(use.hour for use in restarted.numbers.standing(desk.clock.now())[0].use.values()) == 3
    assert restarted.free(POOLED, desk.clock.now()) == 2
    desk.place(POOLED, 9)
    assert isinstance(desk.choose(POOLED, 10), Verdict)


async def test_a_number_refused_too_often_in_a_row_rests_and_that_is_stored() -> None:
    desk = await Desk(pool=replace(POOL, failures=3, numbers=POOL.numbers[:1])).load()
    for number_id in range(3):
        desk.end(desk.place(POOLED, number_id), Outcome.FAILED, sip_code=608, cause=21)
    refusal = desk.choose(POOLED, 9)
    assert isinstance(refusal, Verdict)
    assert refusal.until == later(POOL.rest_seconds)
    await desk.keeper.step()
    [stored] = (await desk.store.callers.pools())[0].numbers
    assert (stored.rests_until, stored.rest_reason) == (
        later(POOL.rest_seconds),
        "3 calls in a row were refused",
    )


async def test_an_answer_between_refusals_ends_the_row() -> None:
    desk = await Desk(pool=replace(POOL, failures=2, numbers=POOL.numbers[:1])).load()
    for number_id, outcome in enumerate([Outcome.FAILED, Outcome.NO_ANSWER, Outcome.FAILED]):
        desk.end(desk.place(POOLED, number_id), outcome, sip_code=603, cause=21)
    assert isinstance(desk.choose(POOLED, 9), LineChoice)


async def answered_by_number(desk: Desk, rates: dict[str, int], rounds: int) -> None:
    """Each number has its answers out of each ten calls."""
    for number_id in range(rounds):
        call = desk.place(POOLED, number_id)
        answered = number_id // 2 % 10 < rates[call.caller_id or ""]
        desk.end(call, Outcome.CONNECTED if answered else Outcome.NO_ANSWER, cause=16)


async def test_a_number_that_is_answered_much_less_than_the_others_rests() -> None:
    pool = replace(POOL, numbers=tuple(replace(one, areas=("+49",)) for one in POOL.numbers))
    desk = await Desk(pool=pool).load()
    await answered_by_number(desk, dict(zip(SHOWN, (5, 0), strict=True)), 60)
    good, bad = desk.keeper.numbers.standing(desk.clock.now())[0].pool.numbers
    assert good.rests_until is None
    assert bad.rests_until is not None
    assert "calls answered, the others" in (bad.rest_reason or "")


async def test_the_last_number_that_is_awake_goes_on_however_bad_it_is() -> None:
    pool = replace(POOL, numbers=tuple(replace(one, areas=("+49",)) for one in POOL.numbers))
    desk = await Desk(pool=pool).load()
    await answered_by_number(desk, dict(zip(SHOWN, (5, 0), strict=True)), 200)
    assert (
        sum(
            one.rests(desk.clock.now())
            for one in desk.keeper.numbers.standing(desk.clock.now())[0].pool.numbers
        )
        == 1
    )


async def test_a_rest_that_could_not_be_stored_is_stored_later() -> None:
    desk = await Desk(pool=replace(POOL, failures=1, numbers=POOL.numbers[:1])).load()
    desk.end(desk.place(POOLED), Outcome.FAILED, sip_code=607, cause=21)
    save = desk.store.callers.save_rests

    async def away(numbers: object) -> None:
        raise StorageError("away", temporary=True)

    desk.store.callers.save_rests = away  # type: ignore[method-assign]
    await desk.keeper.step()
    desk.store.callers.save_rests = save  # type: ignore[method-assign]
    await desk.keeper.step()
    assert (await desk.store.callers.pools())[0].numbers[0].rest_reason == "1 calls in a row were refused"


async def test_an_end_corrected_afterwards_changes_nothing() -> None:
    desk = await Desk().load()
    ended = desk.fail(desk.place(BOTH))
    desk.keeper.tap(CallMoved(before=CallState.ENDED, call=ended, at=desk.clock.now()))
    assert desk.keeper.trunks.standing(desk.clock.now())[0].judged == 1
