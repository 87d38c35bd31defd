"""Counting calls of the last hour and day."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cti.lines.counter import DAY, HOUR, STEP, Counter
from tests.builders import NOW, later


def test_what_is_older_than_the_span_is_not_counted() -> None:
    counter = Counter()
    for hours in (30, 20, 2, 0.5, 0):
        counter.add(NOW - timedelta(hours=hours))
    assert (counter.within(HOUR, NOW), counter.within(DAY, NOW)) == (2, 4)


def test_a_call_taken_back_is_not_counted() -> None:
    counter = Counter()
    counter.add(NOW, 3)
    counter.add(NOW, -1)
    assert counter.within(HOUR, NOW) == 2
    Counter().add(NOW, -1)


def test_a_clock_that_goes_back_loses_no_call() -> None:
    counter = Counter()
    counter.add(later(600))
    counter.add(NOW)
    assert counter.within(HOUR, later(600)) == 2


@given(st.lists(st.floats(min_value=0, max_value=90_000), max_size=60))
def test_never_fewer_than_there_were_and_none_older_than_a_step_more(ages: list[float]) -> None:
    counter = Counter()
    for age in sorted(ages, reverse=True):
        counter.add(NOW - timedelta(seconds=age))
    for span in (HOUR, DAY):
        exact = sum(age <= span.total_seconds() for age in ages)
        with_a_step = sum(age <= (span + STEP).total_seconds() for age in ages)
        assert exact <= counter.within(span, NOW) <= with_a_step
