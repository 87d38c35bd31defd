"""A model is used only where it foretells better than an hour's rate."""

import numpy as np
import pytest

from cti.chances.baselines import campaign_rate, hour_rate
from cti.chances.facts import facts_of_attempts
from cti.chances.fitting import Fitted, fit, verdict
from cti.chances.measures import gain, measures, reliability
from cti.chances.model import LEAST, MOST, ChanceModel, model_of
from cti.chances.process import fitted_of, fitted_record, in_a_process, packed, unpacked
from cti.errors import BadInput
from tests.unit.chances.people import some_attempts


@pytest.fixture(scope="module")
def learned() -> Fitted:
    return fit(some_attempts(12_000))


def test_a_habit_is_found_and_used(learned: Fitted) -> None:
    assert learned.used, learned.why
    assert learned.measures["learned"].log_loss < learned.measures["hour"].log_loss
    assert learned.measures["hour"].log_loss < learned.measures["campaign"].log_loss
    assert learned.measures["learned"].calibration_error < 0.05
    assert learned.held_out == 2400


def test_chances_are_what_they_should_be(learned: Fitted) -> None:
    assert learned.model is not None
    facts = facts_of_attempts(some_attempts(seed=2))
    chances = learned.model.chances(facts)
    evening = (facts.kind == 1) & (facts.hour >= 18)
    assert float(chances[evening].mean()) == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.06)
    assert float(chances[facts.hour < 16].mean()) == pytest.approx(1 / (1 + np.exp(1.0)), abs=0.05)


def test_where_there_is_nothing_to_learn_the_model_is_not_used() -> None:
    nothing = fit(some_attempts(evening=0.0))
    assert not nothing.used
    assert "not 2 standard errors" in nothing.why
    assert nothing.measures


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"count": 0}, "0 attempts have ended, 2000 are needed"),
        ({"count": 1999}, "1999 attempts have ended, 2000 are needed"),
        ({"count": 2100, "days": 1.0}, "the attempts span 0.5 days, 2 are needed"),
    ],
)
def test_too_little_is_told_and_not_used(given: dict[str, float], reason: str) -> None:
    told = fit(some_attempts(**given))  # type: ignore[arg-type]
    assert not told.used
    assert reason in told.why
    assert told.model is None


def test_a_list_that_hardly_anybody_answers_is_too_little() -> None:
    attempts = some_attempts(2500)
    attempts.outcome[100:] = 1
    assert "200 of each are needed" in fit(attempts).why


def test_the_newest_attempts_are_never_learned_from() -> None:
    """A list that turns at the end is judged by its end."""
    attempts = some_attempts(4000)
    newest = attempts.at >= np.quantile(attempts.at, 0.8)
    attempts.outcome[newest] = np.random.default_rng(3).integers(0, 2, int(newest.sum())) * 3 + 1
    assert not fit(attempts).used


def test_a_gain_within_the_noise_does_not_count() -> None:
    random = np.random.default_rng(4)
    happened, contact = random.random(500) < 0.3, np.arange(500)
    guesses = 0.3 + 0.05 * random.standard_normal(500)
    told = {"learned": guesses, "campaign": np.full(500, 0.3), "hour": np.full(500, 0.32)}
    assert not verdict(told, happened, contact)[0]
    told["learned"] = np.where(happened, 0.8, 0.1)
    assert verdict(told, happened, contact)[0]


def test_attempts_at_one_contact_count_as_one_witness() -> None:
    better, worse = np.zeros(100), np.random.default_rng(5).random(100)
    alone, error = gain(better, worse, np.arange(100))
    repeated = gain(np.repeat(better, 9), np.repeat(worse, 9), np.repeat(np.arange(100), 9))
    assert repeated == pytest.approx((alone, error))


def test_measures_are_those_of_the_books() -> None:
    told = measures(np.array([0.8, 0.2]), np.array([True, False]))
    assert (told.brier, told.log_loss) == (pytest.approx(0.04), pytest.approx(-np.log(0.8)))
    assert measures(np.full(1000, 0.25), np.arange(1000) % 4 == 0).calibration_error < 0.01
    assert measures(np.full(1000, 0.50), np.arange(1000) % 4 == 0).calibration_error == pytest.approx(0.25)


def test_reliability_holds_every_attempt_once_in_order_of_chance() -> None:
    chances = np.random.default_rng(6).random(1003)
    bins = reliability(chances, chances > 0.5)
    assert sum(one.attempts for one in bins) == 1003
    assert [one.foretold for one in bins] == sorted(one.foretold for one in bins)
    assert (bins[0].observed, bins[-1].observed) == (0.0, 1.0)


def test_baselines_know_the_rate_and_the_hour() -> None:
    facts = facts_of_attempts(some_attempts())
    happened = facts.hour >= 17
    assert campaign_rate(happened, 3).tolist() == pytest.approx([happened.mean()] * 3)
    rates = hour_rate(facts, happened, facts)
    assert float(rates[happened].min()) > 0.7
    assert float(rates[~happened].max()) < 0.2


def test_a_model_is_read_as_it_was_written(learned: Fitted) -> None:
    assert learned.model is not None
    assert model_of(learned.model.record()) == learned.model


def test_no_chance_is_certain() -> None:
    facts = facts_of_attempts(some_attempts(100))
    for intercept, chance in ((-900.0, LEAST), (900.0, MOST)):
        assert set(ChanceModel(intercept=intercept, weights={"tries": 0.0}).chances(facts)) == {chance}


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ({"format": 7, "intercept": 0.0, "weights": {}}, "format 7"),
        ({}, "format None"),
        ({"format": 1, "intercept": 0.0, "weights": {"shoe size": 1.0}}, "'shoe size'"),
    ],
)
def test_a_model_of_another_version_is_refused(record: dict[str, object], named: str) -> None:
    with pytest.raises(BadInput, match=named):
        model_of(record)


def test_what_goes_to_another_process_comes_back_the_same(learned: Fitted) -> None:
    attempts = some_attempts(50)
    again = unpacked(packed(attempts))
    assert all((getattr(again, name) == getattr(attempts, name)).all() for name in attempts.__slots__)
    assert fitted_of(fitted_record(learned)) == learned


async def test_another_process_finds_what_this_one_finds() -> None:
    attempts = some_attempts(2200)
    assert await in_a_process(attempts) == fit(attempts)
