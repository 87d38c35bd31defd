from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from cti.errors import BadInput
from cti.model.judgements import JudgedCall
from cti.quality.sampling import draw, span_of_week, week_of
from tests.builders import NOW

CALLS = [
    JudgedCall(call_id=f"{number:032x}", placed_at=NOW, campaign_id=1, agent_id=number % 3 or None)
    for number in range(300)
]


def test_the_draw_is_the_same_in_any_order_and_other_with_another_seed_or_week() -> None:
    drawn = draw(CALLS, seed="s", week="2026-W48", quota=5)
    mixed = CALLS.copy()
    Random(1).shuffle(mixed)
    assert draw(mixed, seed="s", week="2026-W48", quota=5) == drawn
    assert draw(CALLS, seed="t", week="2026-W48", quota=5) != drawn
    assert draw(CALLS, seed="s", week="2026-W49", quota=5) != drawn


def test_each_agent_has_his_quota_or_all_that_he_has() -> None:
    drawn = draw(CALLS, seed="s", week="w", quota=5)
    assert [call.agent_id for call in drawn] == [1] * 5 + [2] * 5
    assert len(draw(CALLS, seed="s", week="w", quota=1000)) == 200


def test_a_larger_quota_only_adds() -> None:
    few, many = (set(draw(CALLS, seed="s", week="w", quota=quota)) for quota in (3, 8))
    assert few < many


def test_every_call_is_drawn_about_as_often() -> None:
    counted = [0] * 300
    for seed in range(400):
        for call in draw(CALLS, seed=str(seed), week="w", quota=10):
            counted[int(call.call_id, 16)] += 1
    often = [count for number, count in enumerate(counted) if number % 3]
    assert sum(often) == 400 * 20
    assert 15 < min(often) <= max(often) < 75  # 40 expected, deviation 6


def test_weeks_are_those_of_the_services_zone() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert week_of(datetime(2026, 11, 22, 15, 59, tzinfo=UTC), zone) == "2026-W47"
    assert week_of(datetime(2026, 11, 22, 16, 0, tzinfo=UTC), zone) == "2026-W48"
    begin, end = span_of_week("2026-W48", zone)
    assert begin == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert (end - begin).days == 7


@pytest.mark.parametrize("week", ["", "2026", "2026-W99", "2026-W-1", "x-W1", "99999-W01"])
def test_what_is_no_week_is_refused(week: str) -> None:
    with pytest.raises(BadInput, match="week"):
        span_of_week(week, ZoneInfo("UTC"))
