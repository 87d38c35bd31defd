"""How many calls to place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.pacing.floor import Floor
from cti.pacing.progressive import progressive
from cti.pacing.throttle import Throttle

BASE = {"now": 0.0, "idle_agents": 3, "waiting": 0, "open_calls": 0, "free_lines": 10, "placed": 0}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, 3, id="one for each free agent"),
        pytest.param({"waiting": 2}, 1, id="a waiting person owns an agent"),
        pytest.param({"waiting": 5}, 0, id="never below nothing"),
        pytest.param({"free_lines": 2}, 2, id="never more than the lines"),
        pytest.param({"idle_agents": 0}, 0, id="nobody is free"),
    ],
)
def test_progressive_offers_one_call_for_each_free_agent(change: dict[str, int], expected: int) -> None:
    decision = progressive(Floor(**(BASE | change)))  # type: ignore[arg-type]
    assert decision.calls == expected
    assert decision.why


@given(idle=st.integers(0, 400), waiting=st.integers(0, 400), lines=st.integers(0, 400))
def test_progressive_keeps_its_limits(idle: int, waiting: int, lines: int) -> None:
    floor = Floor(now=0.0, idle_agents=idle, waiting=waiting, open_calls=0, free_lines=lines, placed=0)
    assert 0 <= progressive(floor).calls <= min(idle, lines)


@given(
    rate=st.floats(1, 500),
    looks=st.lists(st.tuples(st.floats(0.001, 2.0), st.integers(0, 1000)), min_size=1, max_size=50),
)
def test_the_throttle_never_lets_more_through_than_its_rate(
    rate: float, looks: list[tuple[float, int]]
) -> None:
    throttle, now, sent = Throttle(rate), 0.0, 0
    throttle.allowed(now)
    for pause, wanted in looks:
        now += pause
        taken = min(wanted, throttle.allowed(now))
        throttle.spend(taken)
        sent += taken
    assert sent <= rate * now + max(1.0, rate) + 1e-6
