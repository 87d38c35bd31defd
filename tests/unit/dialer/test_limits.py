"""Limits: the tightest of all holds, and calls per second are shared by the campaigns of a node."""

from dataclasses import replace
from typing import Any

import pytest

from cti.dialer.limits import CallLimits
from cti.model.campaign_rules import CampaignRules, PacingRules
from cti.model.contacts import Campaign
from tests.unit.dialer.floor import Floor


def limits(floor: Floor, *, node_lines: int = 100, calls_per_second: float = 50.0) -> CallLimits:
    return CallLimits(
        campaigns=floor.campaigns,
        board=floor.board,
        keeper=floor.keeper,
        clock=floor.clock,
        calls_per_second=lambda node: calls_per_second,
        node_lines=lambda node: node_lines,
    )


async def a_campaign(floor: Floor, *, max_lines: int = 100, **pacing: Any) -> Campaign:
    return await floor.campaign(0, max_lines=max_lines, rules=CampaignRules(pacing=PacingRules(**pacing)))


@pytest.mark.parametrize(
    ("campaign", "node", "free"),
    [
        pytest.param({"max_lines": 7}, {}, 4, id="the campaign's own lines"),
        pytest.param({}, {"node_lines": 8}, 5, id="the node's lines"),
        pytest.param({"max_lines_per_agent": 2.5}, {}, 2, id="lines for each agent"),
        pytest.param({"calls_per_second": 4.0}, {}, 4, id="the campaign's calls per second"),
        pytest.param({}, {"calls_per_second": 6.0}, 6, id="the node's calls per second"),
        pytest.param({"max_lines": 2}, {}, 0, id="never fewer than none"),
    ],
)
async def test_the_tightest_limit_holds(
    floor: Floor, campaign: dict[str, Any], node: dict[str, Any], free: int
) -> None:
    made = await a_campaign(floor, **campaign)
    for call_id in ("a", "b", "c"):
        floor.board.hold(made.id, call_id, reserved=False)
    assert limits(floor, **node).free(made, agents=2) == free


async def test_lines_of_a_node_are_shared_by_its_campaigns(floor: Floor) -> None:
    first, second = await a_campaign(floor), await floor.campaign(0, name="winter")
    floor.board.hold(second.id, "a", reserved=False)
    assert limits(floor, node_lines=10).free(first, agents=1) == 9


async def test_what_one_campaign_spends_of_a_second_its_neighbour_lacks(floor: Floor) -> None:
    first, second = await a_campaign(floor), await floor.campaign(0, name="winter")
    shared = limits(floor, calls_per_second=5.0)
    assert shared.free(second, agents=1) == 5
    shared.spend(first, 3)
    assert shared.free(second, agents=1) == 2
    floor.clock.advance(1)
    assert shared.free(second, agents=1) == 5


async def test_a_changed_rule_holds_at_once(floor: Floor) -> None:
    campaign = await a_campaign(floor, calls_per_second=2.0)
    shared = limits(floor)
    assert shared.free(campaign, agents=1) == 2
    faster = replace(campaign, rules=CampaignRules(pacing=PacingRules(calls_per_second=9.0)))
    assert shared.free(faster, agents=1) == 9
