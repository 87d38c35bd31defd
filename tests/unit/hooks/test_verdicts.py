"""What answers mean."""

from datetime import timedelta

import pytest

from cti.hooks.verdicts import LONGEST_ASKED, Answer, asked_seconds, pause_seconds
from tests.builders import NOW


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_yes(status: int) -> None:
    assert Answer(status=status).accepted
    assert Answer(status=status).problem is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(status=302), "answered 302: redirects are not followed"),
        (Answer(status=500, text="oops"), "answered 500: oops"),
        (Answer(status=None, error="no answer within 15 s"), "no answer within 15 s"),
        (Answer(status=None), "no answer"),
    ],
)
def test_all_else_is_told_in_words(answer: Answer, told: str) -> None:
    assert not answer.accepted
    assert answer.problem == told


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "30", 30.0),
        (503, " 7 ", 7.0),
        (429, "Mon, 23 Nov 2026 09:02:00 GMT", 120.0),
        (429, "Mon, 23 Nov 2026 08:00:00 GMT", 0.0),
        (429, "99999999999999", LONGEST_ASKED),
        (429, "soon", 0.0),
        (429, "-5", 0.0),
        (429, "", 0.0),
        (429, None, 0.0),
        (500, "30", 0.0),
    ],
)
def test_retry_after_is_read_in_both_forms(status: int, header: str | None, seconds: float) -> None:
    assert asked_seconds(Answer(status=status, retry_after=header), now=NOW) == seconds


def pause(answer: Answer, age: float, chance: float) -> float:
    return pause_seconds(answer, age=timedelta(seconds=age), now=NOW, chance=chance)


def test_pauses_are_random_below_a_bound_that_grows_and_never_shorter_than_asked() -> None:
    failed = Answer(status=500)
    assert [pause(failed, age, 1.0) for age in (0, 10, 60, 90_000)] == [10.0, 10.0, 60.0, 3600.0]
    assert pause(failed, 60, 0.5) == 30.0
    assert pause(failed, 60, 0.0) == 1.0
    asked = Answer(status=429, retry_after="60")
    assert pause(asked, 10, 0.5) == 60.0
