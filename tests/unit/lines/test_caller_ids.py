"""Which number is shown."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cti.lines.caller_ids import CallerChoice, choose_caller, room
from cti.model.lines import CallerId, CallerPool, CallerUse
from tests.builders import NOW, later

BERLIN, BERLIN_TOO, MUNICH = "+4930901820", "+4930123456", "+498912345678"
CALLEE = "+4930555555"


def a_pool(*numbers: CallerId, **given: Any) -> CallerPool:
    return CallerPool(id=1, name="main", numbers=numbers, **given)


def chosen(pool: CallerPool, use: Mapping[str, CallerUse] | None = None) -> CallerChoice:
    used = use or {}
    return choose_caller(pool, use=lambda n: used.get(n, CallerUse()), callee=CALLEE, now=NOW)


def test_the_nearest_number_is_shown() -> None:
    choice = chosen(a_pool(CallerId(number=MUNICH, weight=9), CallerId(number=BERLIN)))
    assert choice.number == BERLIN
    assert choice.why == f"shows {BERLIN} of main (same area, 0 calls this hour)"


def test_among_equally_near_ones_the_least_used_for_its_weight() -> None:
    pool = a_pool(CallerId(number=BERLIN, weight=3), CallerId(number=BERLIN_TOO))
    shown: Counter[str] = Counter()
    for _ in range(40):
        use = {number: CallerUse(hour=calls) for number, calls in shown.items()}
        shown[chosen(pool, use).number or ""] += 1
    assert shown == {BERLIN: 30, BERLIN_TOO: 10}


def test_a_number_without_weight_is_the_last_resort() -> None:
    pool = a_pool(CallerId(number=BERLIN, weight=0), CallerId(number=BERLIN_TOO, per_hour=1))
    assert chosen(pool).number == BERLIN_TOO
    assert chosen(pool, {BERLIN_TOO: CallerUse(hour=1)}).number == BERLIN


def test_a_number_at_its_cap_gives_way_to_a_farther_one() -> None:
    pool = a_pool(CallerId(number=BERLIN), CallerId(number=MUNICH, per_hour=100), per_hour=5)
    assert chosen(pool, {BERLIN: CallerUse(hour=4)}).number == BERLIN
    assert chosen(pool, {BERLIN: CallerUse(hour=5), MUNICH: CallerUse(hour=5)}).number == MUNICH


def test_caps_of_the_day_hold_too() -> None:
    choice = chosen(a_pool(CallerId(number=BERLIN, per_day=50)), {BERLIN: CallerUse(hour=1, day=50)})
    assert (choice.number, choice.why, choice.until) == (None, "main: 1 have reached their cap", None)


def test_resting_and_retired_numbers_are_not_shown() -> None:
    pool = a_pool(
        CallerId(number=BERLIN, rests_until=later(60)),
        CallerId(number=BERLIN_TOO, rests_until=later(30)),
        CallerId(number=MUNICH, retired=True),
    )
    choice = chosen(pool)
    assert (choice.number, choice.why, choice.until) == (None, "main: 2 rest", later(30))
    assert chosen(a_pool(CallerId(number=BERLIN, rests_until=NOW))).number == BERLIN


def test_a_pool_of_retired_numbers_says_that_it_has_none() -> None:
    assert chosen(a_pool(CallerId(number=MUNICH, retired=True))).why == "main: it has none"


numbers = st.builds(
    CallerId,
    number=st.sampled_from([BERLIN, BERLIN_TOO, MUNICH, "+12125550123", "+8613800138000"]),
    weight=st.floats(min_value=0, max_value=10),
    per_hour=st.none() | st.integers(min_value=0, max_value=5),
    per_day=st.none() | st.integers(min_value=0, max_value=9),
    retired=st.booleans(),
    rests_until=st.none() | st.just(later(9)) | st.just(later(-9)),
)


@given(
    st.lists(numbers, unique_by=lambda one: one.number, max_size=5),
    st.dictionaries(st.sampled_from([BERLIN, BERLIN_TOO, MUNICH]), st.integers(min_value=0, max_value=9)),
)
def test_no_number_is_ever_shown_that_may_not_be(pooled: list[CallerId], used: dict[str, int]) -> None:
    pool = a_pool(*pooled, per_hour=4)
    use = {number: CallerUse(hour=calls, day=calls) for number, calls in used.items()}
    choice = chosen(pool, use)
    may = [
        one
        for one in pooled
        if not one.retired and not one.rests(NOW) and room(pool, one, use.get(one.number, CallerUse())) != 0
    ]
    assert choice.number in {one.number for one in may} if may else choice.number is None
    assert choice == chosen(pool, use)
