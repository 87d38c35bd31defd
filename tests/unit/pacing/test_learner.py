"""What the predictive pacer has learned of a floor."""

from dataclasses import replace

import numpy as np
import pytest

from cti.pacing.floor import Floor
from cti.pacing.learner import ATTEMPTS, FEWEST, FRESH_SECONDS, Learned, Learner
from cti.pacing.signals import AttemptEnded, PersonAnswered, Result, WrapUpEnded
from tests.unit.pacing.floors import NOW, busy, in_flight, signals_of_a_morning

FLOOR = Floor(now=NOW, idle_agents=2, ring_timeout=28.0)


def after(*told: AttemptEnded, floor: Floor = FLOOR) -> Learned:
    learner = Learner()
    for signal in sorted(told, key=lambda one: one.at):
        learner.learn(signal)
    return learner.learned(floor)


def ended(
    result: Result, count: int, *, first: float = 0.0, chance: float | None = None
) -> list[AttemptEnded]:
    """Return attempts placed a second after each other from `first` on, all ended after 12 s."""
    return [
        AttemptEnded(at=first + n + 12, placed_at=first + n, result=result, answer_chance=chance)
        for n in range(count)
    ]


def mixed(count: int, *, answers: int, first: float = 0.0) -> list[AttemptEnded]:
    """Return attempts of which `answers` of ten are answered."""
    return [
        AttemptEnded(
            at=first + n + 12,
            placed_at=first + n,
            result=Result.LIVE if n % 10 < answers else Result.NO_ANSWER,
        )
        for n in range(count)
    ]


def test_a_failing_trunk_changes_nothing() -> None:
    sound = mixed(400, answers=3)
    failing = ended(Result.FAILED, 400, first=400.0)
    assert after(*sound, *failing).ring.rate == after(*sound).ring.rate


def test_only_failures_are_no_knowledge() -> None:
    assert not after(*ended(Result.FAILED, 400)).enough


def test_enough_is_known_after_some_attempts() -> None:
    assert not after(*mixed(FEWEST - 1, answers=3)).enough
    assert after(*mixed(FEWEST, answers=3)).enough


def test_machines_do_not_answer() -> None:
    assert after(*ended(Result.MACHINE, 600)).ring.rate < 0.02


def test_a_change_of_the_answer_rate_is_seen_within_a_hundred_attempts() -> None:
    before = mixed(ATTEMPTS, answers=2)
    jumped = mixed(100, answers=6, first=float(ATTEMPTS))
    assert after(*before, *jumped).ring.rate == pytest.approx(0.6, abs=0.1)


def test_chance_is_no_change() -> None:
    """All of the last 600 are still believed after a somewhat better stretch."""
    before = mixed(ATTEMPTS, answers=3)
    better = mixed(100, answers=4, first=float(ATTEMPTS))
    assert after(*before, *better).ring.attempts == ATTEMPTS


def test_old_attempts_are_forgotten() -> None:
    assert after(*mixed(5 * ATTEMPTS, answers=3)).ring.attempts == ATTEMPTS


@pytest.mark.parametrize(
    ("answers", "multiplied"),
    [
        pytest.param(5, 1.0, id="as told"),
        pytest.param(2, 0.4, id="too high"),
        pytest.param(9, 1.8, id="too low"),
    ],
)
def test_told_chances_are_held_against_what_is_observed(answers: int, multiplied: float) -> None:
    told = [replace(one, answer_chance=0.5) for one in mixed(600, answers=answers)]
    assert after(*told).calibration == pytest.approx(multiplied, rel=0.05)


def test_persons_among_the_answered_are_learned_under_detection() -> None:
    learner = Learner()
    for n in range(500):
        learner.learn(AttemptEnded(at=n + 12.0, placed_at=float(n), result=Result.LIVE))
        if n % 5 < 2:
            learner.learn(PersonAnswered(at=n + 14.5))
    floor = replace(FLOOR, detection=2.5, screening=(NOW - 1,))
    assert learner.learned(floor).live_share == pytest.approx(0.4, abs=0.03)
    assert Learner().learned(FLOOR).live_share == 1.0


def test_agents_who_leave_without_a_word_are_expected_to() -> None:
    loyal, fickle, polite = Learner(), Learner(), Learner()
    for n in range(300):
        loyal.learn(WrapUpEnded(at=float(n), seconds=20))
        fickle.learn(WrapUpEnded(at=float(n), seconds=20, free=n % 4 > 0))
        polite.learn(WrapUpEnded(at=float(n), seconds=20, free=n % 4 > 0, announced=n % 4 == 0))
    stays = [one.learned(FLOOR).stays for one in (loyal, fickle, polite)]
    assert stays[0] == stays[2] == 1.0
    assert stays[1] == pytest.approx(0.8, abs=0.1)


def test_the_pace_of_answers_is_that_of_the_last_forty_minutes() -> None:
    learner = Learner()
    for n in range(4000):
        learner.learn(PersonAnswered(at=10.0 * n))
    assert learner.per_second(40_000.0) == pytest.approx(0.1, rel=0.01)
    assert learner.per_second(41_200.0) == pytest.approx(0.05, rel=0.05)


def test_estimates_are_kept_for_a_while_and_made_anew_when_the_clock_jumps_back() -> None:
    learner = Learner()
    for signal in signals_of_a_morning():
        learner.learn(signal)
    first = learner.learned(FLOOR)
    assert learner.learned(replace(FLOOR, now=NOW + FRESH_SECONDS / 2)) is first
    assert learner.learned(replace(FLOOR, now=NOW + FRESH_SECONDS)) is not first
    assert learner.learned(replace(FLOOR, now=NOW - 3600)) is not first


def test_calls_in_flight_and_running_conversations_are_looked_at() -> None:
    def learned(floor: Floor) -> Learned:
        learner = Learner()
        for signal in signals_of_a_morning():
            learner.learn(signal)
        return learner.learned(floor)

    quiet, long = learned(FLOOR), learned(replace(FLOOR, talking=busy(*[900.0] * 200)))
    assert (long.release.talking[:, 500] < quiet.release.talking[:, 500]).all()
    ringing = learned(replace(FLOOR, in_flight=in_flight(*[25.0] * 100)))
    assert ringing.ring.rate < quiet.ring.rate
    assert np.isfinite(ringing.coming).all()
