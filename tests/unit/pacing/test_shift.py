"""The predictive pacer over simulated shifts."""

from cti.pacing.floor import Pacer
from cti.pacing.predictive import Predictive
from cti.pacing.progressive import Progressive
from tests.unit.pacing.small_shift import Shift, always


class OneEach(Progressive):
    """Progressive without reserving: what is in flight already has its agent."""

    def decide(self, floor):  # type: ignore[no-untyped-def]
        decision = super().decide(floor)
        owed = floor.idle_agents - floor.waiting - len(floor.in_flight) - len(floor.screening)
        return type(decision)(calls=max(0, owed), why=decision.why)


def test_a_shift_holds_the_drop_target_and_its_agents_wait_much_less() -> None:
    pacer: Pacer = Predictive()
    shift, plain = Shift(pacer).run(), Shift(OneEach()).run()
    assert shift.live > 300
    assert shift.drop_rate <= 0.03
    assert plain.dropped == 0
    assert shift.utilisation > plain.utilisation + 0.08


def test_the_drop_target_holds_when_the_answer_rate_doubles_in_the_middle() -> None:
    shift = Shift(Predictive(), answer_rate=lambda now: 0.2 if now < 3600 else 0.45, seed=2).run()
    assert shift.drop_rate <= 0.03
    assert shift.utilisation > 0.72


def test_a_failing_trunk_is_no_list_that_does_not_answer() -> None:
    """Were failures taken for no answers, half the floor would be dialed a dozen times over when it is back."""
    shift = Shift(Predictive(), broken=lambda now: 3600 < now < 4200, seed=3).run()
    assert shift.drop_rate <= 0.03
    assert shift.worst_waiting <= 3


def test_the_drop_target_holds_under_machine_detection() -> None:
    shift = Shift(Predictive(), detection=2.5, seed=4).run()
    assert shift.drop_rate <= 0.03
    assert shift.utilisation > 0.74


def test_knowing_each_contacts_chance_is_worth_more_than_knowing_the_mean() -> None:
    chances = (0.02,) * 6 + (0.75,) * 4
    told = [Shift(Predictive(), chances=chances, seed=seed).run() for seed in (5, 6)]
    mean = sum(chances) / len(chances)
    untold = [Shift(Predictive(), answer_rate=always(mean), seed=seed).run() for seed in (5, 6)]
    assert max(shift.drop_rate for shift in told) <= 0.03
    assert sum(s.utilisation for s in told) > sum(s.utilisation for s in untold)


def test_the_same_seed_gives_the_same_shift() -> None:
    first, second = (Shift(Predictive(), hours=0.5, seed=7).run() for _ in range(2))
    assert (first.placed, first.live, first.dropped, first.busy_seconds) == (
        second.placed,
        second.live,
        second.dropped,
        second.busy_seconds,
    )
