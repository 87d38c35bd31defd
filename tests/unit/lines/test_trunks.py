"""In which order trunks are tried."""

from typing import Any

from cti.lines.trunks import NO_LIMIT, TrunkNow, choose_trunk, order_of
from cti.model.campaign_rules import CampaignRules, LineRules
from cti.model.lines import BreakerState, Trunk
from tests.builders import a_campaign

NODE_TRUNKS = [
    Trunk(node="pbx", endpoint="dear", priority=5),
    Trunk(node="pbx", endpoint="cheap", priority=1),
    Trunk(node="other", endpoint="far"),
]


def a_trunk(endpoint: str, *, in_use: int = 0, **given: Any) -> TrunkNow:
    limits = {key: given.pop(key) for key in ("channels", "calls_per_second") if key in given}
    trunk = Trunk(node="pbx", endpoint=endpoint, **limits)
    return TrunkNow(trunk=trunk, in_use=in_use, **{"breaker": BreakerState.CLOSED, **given})


def ordered(*names: str) -> tuple[str, ...]:
    rules = CampaignRules(lines=LineRules(trunks=names))
    return order_of(a_campaign(trunk="own", rules=rules), NODE_TRUNKS)


def test_without_an_order_the_campaign_has_its_own_trunk_alone() -> None:
    assert ordered() == ("own",)


def test_the_campaign_s_order_counts_and_names_each_once() -> None:
    assert ordered("dear", "cheap", "dear") == ("dear", "cheap")


def test_a_star_stands_for_the_rest_of_the_node_by_priority() -> None:
    assert ordered("*") == ("cheap", "dear")
    assert ordered("own", "dear", "*") == ("own", "dear", "cheap")


def test_the_first_free_trunk_is_taken_and_the_next_is_named() -> None:
    full = a_trunk("a", in_use=2, channels=2)
    chosen = choose_trunk([full, a_trunk("b"), a_trunk("c")])
    assert chosen is not None
    assert (chosen[0].trunk.endpoint, chosen[1]) == ("b", "c")


def test_a_single_trunk_names_no_next() -> None:
    chosen = choose_trunk([a_trunk("a")])
    assert chosen is not None
    assert chosen[1] is None


def test_a_broken_trunk_is_no_next_one() -> None:
    chosen = choose_trunk([a_trunk("a"), a_trunk("b", breaker=BreakerState.OPEN)])
    assert chosen is not None
    assert chosen[1] is None


def test_the_second_try_leaves_the_failed_trunk_out_and_is_the_last() -> None:
    chosen = choose_trunk([a_trunk("a"), a_trunk("b"), a_trunk("c")], failed="a")
    assert chosen is not None
    assert (chosen[0].trunk.endpoint, chosen[1]) == ("b", None)
    assert choose_trunk([a_trunk("a")], failed="a") is None


def test_free_lines_by_channels_rate_and_breaker() -> None:
    assert a_trunk("a").free == NO_LIMIT
    assert a_trunk("a", channels=5, in_use=2).free == 3
    assert a_trunk("a", channels=5, in_use=9).free == 0
    assert a_trunk("a", channels=5, per_second_left=1).free == 1
    assert a_trunk("a", breaker=BreakerState.OPEN).free == 0
    assert a_trunk("a", breaker=BreakerState.HALF_OPEN, in_use=7).free == 1
    assert a_trunk("a", breaker=BreakerState.HALF_OPEN, probing=True).free == 0


def test_why_nothing_may_leave_is_told() -> None:
    assert a_trunk("a", breaker=BreakerState.HALF_OPEN).why_not == "a: its breaker is half open"
    assert a_trunk("a", channels=2, in_use=2).why_not == "a: 2 of 2 channels are in use"
    assert a_trunk("a", calls_per_second=2.5).why_not == "a: 2.5 calls per second are reached"
