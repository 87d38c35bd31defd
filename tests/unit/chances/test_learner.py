"""Fits are ordered daily, read in bites, stored, and used when they may be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cti.chances import learned as learned_module
from cti.chances import learner as learner_module
from cti.chances.facts import Attempts
from cti.chances.fitting import Fitted
from cti.chances.learned import LearnedChances
from cti.chances.learner import ChanceLearner
from cti.chances.model import ChanceModel
from cti.errors import GiveUp
from cti.model.answer_chances import ChanceFit
from cti.model.calls import CallState, Outcome
from cti.model.contacts import CampaignState, Candidate
from cti.model.work import FIT_CHANCES, Work
from tests.builders import NOW, a_campaign, later, some_contacts
from tests.contract.people import call_for
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

MODEL = ChanceModel(intercept=0.0, weights={"tries": -1.0})


class Desk:
    """A store with a running campaign, and what learns on it; `read` are the attempts of each fit."""

    def __init__(self, *, used: bool = True) -> None:
        self.store, self.clock = MemoryStore(), FakeClock()
        self.read: list[Attempts] = []
        self.used = used
        self.learned = LearnedChances(store=self.store.chances)
        self.learner = ChanceLearner(
            store=self.store.chances,
            work=self.store.work,
            learned=self.learned,
            campaigns=self.store.campaigns.campaigns,
            clock=self.clock,
            fitting=self.fitting,
            pause_seconds=0.0,
        )

    async def fitting(self, attempts: Attempts) -> Fitted:
        self.read.append(attempts)
        return Fitted(used=self.used, why="as told", attempts=len(attempts), answered=0, model=MODEL)

    async def candidates(self, count: int = 6) -> list[Candidate]:
        """Store a running campaign with so many contacts."""
        campaign = await self.store.campaigns.add_campaign(a_campaign())
        await self.store.campaigns.add_list(
            campaign_id=campaign.id, name="a", source="a.csv", contacts=some_contacts(count), at=NOW
        )
        return await self.store.campaigns.next_candidates(campaign.id, limit=count)

    async def called(self, candidate: Candidate, number: int, outcome: Outcome) -> None:
        call = call_for(candidate, id=f"{number:032x}", placed_at=later(number - 3600))
        ended = replace(
            call,
            state=CallState.ENDED,
            outcome=outcome,
            ended_at=later(number - 3570),
            campaign_id=candidate.campaign_id,
        )
        await self.store.calls.place([(call, None)])
        await self.store.calls.save([ended])

    def works(self) -> list[str]:
        return [row.wish.key for row in self.store.tables.works.values() if row.wish.kind == FIT_CHANCES]


def work(campaign_id: int) -> Work:
    return Work(
        id=1,
        kind=FIT_CHANCES,
        key=str(campaign_id),
        version=1,
        payload={"campaign_id": campaign_id},
        attempts=1,
        lease="a",
        leased_until=later(60),
    )


async def test_a_running_campaign_is_fitted_once_a_day() -> None:
    desk = Desk()
    (first, *_) = await desk.candidates()
    await desk.learner.step()
    assert desk.works() == [str(first.campaign_id)]
    desk.store.tables.works.clear()

    await desk.learner.handle(work(first.campaign_id))
    await desk.learner.step()
    assert desk.works() == []

    desk.clock.advance(24 * 3600)
    await desk.learner.step()
    assert desk.works() == [str(first.campaign_id)]


async def test_a_campaign_that_rests_is_left_alone() -> None:
    desk = Desk()
    (first, *_) = await desk.candidates()
    await desk.store.campaigns.set_state(first.campaign_id, CampaignState.PAUSED)
    await desk.learner.step()
    assert desk.works() == []


async def test_all_attempts_are_read_bite_by_bite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner_module, "BITE", 2)
    desk = Desk()
    candidates = await desk.candidates()
    for number, candidate in enumerate(candidates * 2):
        await desk.called(candidate, number, (Outcome.BUSY, Outcome.CONNECTED, Outcome.FAILED)[number % 3])
    await desk.learner.handle(work(candidates[0].campaign_id))
    assert len(desk.read[0]) == 8
    assert (desk.read[0].at[1:] >= desk.read[0].at[:-1]).sum() >= 4


async def test_when_one_outcome_is_cut_short_the_others_are_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner_module, "BITE", 1)
    monkeypatch.setattr(learner_module, "MOST_OF_ONE_OUTCOME", 3)
    desk = Desk()
    (first, *_) = await desk.candidates()
    for number in range(8):
        await desk.called(first, number, Outcome.CONNECTED if number == 0 else Outcome.BUSY)
    await desk.learner.handle(work(first.campaign_id))
    assert desk.read[0].at.tolist() == [later(number - 3600).timestamp() for number in (5, 6, 7)]


async def test_candidates_have_chances_by_their_own_history() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    assert await desk.learned.chances(candidates, NOW) == [None] * 6
    await desk.called(candidates[2], 1, Outcome.BUSY)
    await desk.learner.handle(work(candidates[0].campaign_id))

    told = await desk.learned.chances(candidates, NOW)

    assert told[2] == pytest.approx(1 / 3)
    assert [told[0], *told[3:]] == pytest.approx([0.5] * 4)


async def test_a_fit_that_may_not_be_used_takes_the_old_one_s_place() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    await desk.learner.handle(work(candidates[0].campaign_id))
    desk.used = False
    await desk.learner.handle(work(candidates[0].campaign_id))
    assert await desk.learned.chances(candidates, NOW) == [None] * 6


async def test_after_a_restart_the_stored_fit_is_used() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    await desk.learner.handle(work(candidates[0].campaign_id))
    fresh = LearnedChances(store=desk.store.chances)
    assert await fresh.chances(candidates, NOW) == pytest.approx([0.5] * 6)


async def test_an_old_model_is_not_used() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    await desk.learner.handle(work(candidates[0].campaign_id))
    assert await desk.learned.chances(candidates, NOW + timedelta(days=8)) == [None] * 6


async def test_a_stored_model_that_this_code_cannot_read_is_not_used() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    wrong = ChanceFit(
        campaign_id=candidates[0].campaign_id,
        fitted_at=NOW,
        used=True,
        why="",
        attempts=1,
        answered=1,
        model={"format": 99},
    )
    await desk.store.chances.save_fit(wrong)
    assert await desk.learned.chances(candidates, NOW) == [None] * 6


async def test_a_campaign_that_is_gone_is_given_up() -> None:
    with pytest.raises(GiveUp):
        await Desk().learner.handle(work(77))


async def test_a_chance_is_told_again_without_asking_until_a_try_or_some_minutes_change_it() -> None:
    desk = Desk()
    candidates = await desk.candidates()
    await desk.learner.handle(work(candidates[0].campaign_id))
    first = await desk.learned.chances(candidates, NOW)
    await desk.called(candidates[2], 1, Outcome.BUSY)

    assert await desk.learned.chances(candidates, NOW + timedelta(minutes=4)) == first
    tried = replace(candidates[2], tries=1)
    assert await desk.learned.chances([tried], NOW) == pytest.approx([1 / 3])
    later_on = await desk.learned.chances(candidates, NOW + timedelta(minutes=6))
    assert later_on[2] == pytest.approx(1 / 3)


async def test_what_is_kept_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_module, "MOST_KEPT", 4)
    desk = Desk()
    candidates = await desk.candidates()
    await desk.learner.handle(work(candidates[0].campaign_id))
    for some in (candidates[:3], candidates[2:5], candidates[:2]):
        assert await desk.learned.chances(some, NOW) == pytest.approx([0.5] * len(some))
        assert len(desk.learned._told) <= 4
