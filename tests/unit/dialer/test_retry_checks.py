"""A rule that can never follow is named."""

from dataclasses import replace
from typing import Any

import pytest

from cti.bus import EventBus
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.retry_checks import check_codes, check_retry, impossible, wants_other_numbers
from cti.errors import BadInput
from cti.model.campaign_rules import CampaignRules, RetryRule, RetryRules
from tests.builders import a_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


def outcome_rule(code: str = "busy", **given: Any) -> RetryRules:
    return RetryRules(by_outcome={code: RetryRule(**given)}, max_attempts=3)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (outcome_rule("bussy"), "by_outcome.bussy: there is no outcome 'bussy'; did you mean 'busy'?"),
        (outcome_rule("x"), "by_outcome.x: there is no outcome 'x'; there are: answered"),
        (outcome_rule(times=-1), "by_outcome.busy.times: -1 is less than 0"),
        (outcome_rule(times=0, priority=5), "by_outcome.busy.priority: never counts, because times is 0"),
        (
            outcome_rule(times=0, next_number=True),
            "by_outcome.busy.next_number: never counts, because times is 0",
        ),
        (outcome_rule(after_seconds=-1), "by_outcome.busy.after_seconds: -1 is not within 0 and 31622400"),
        (outcome_rule(after_seconds=float("nan")), "by_outcome.busy.after_seconds: nan is not within"),
        (outcome_rule(growth=0.5), "by_outcome.busy.growth: 0.5 is not within 1 and 100"),
        (RetryRules(max_attempts=0), "max_attempts: 0 would dial nobody"),
        (
            RetryRules(by_outcome={"busy": RetryRule()}),
            "by_outcome.busy: can never follow, because max_attempts is 1",
        ),
        (
            RetryRules(by_disposition={"latr": RetryRule()}, max_attempts=2),
            "by_disposition.latr: there is no disposition 'latr'; did you mean 'later'?",
        ),
        (RetryRules(callback=RetryRule(times=-2)), "callback.times: -2 is less than 0"),
    ],
)
def test_what_cannot_be_is_told_by_its_key(rules: RetryRules, problem: str) -> None:
    told = list(impossible(rules, dispositions={"later", "sold"}))

    assert len(told) == 1
    assert told[0].startswith(problem.replace("there are: answered", "there are: busy"))


def test_all_that_is_wrong_is_refused_at_once() -> None:
    rules = RetryRules(by_outcome={"x": RetryRule(times=-1)}, max_attempts=3)

    with pytest.raises(
        BadInput, match=r"rules\.retry\.by_outcome\.x: .*; rules\.retry\.by_outcome\.x\.times"
    ):
        check_retry(rules)


@pytest.mark.parametrize(
    "rules",
    [
        RetryRules(),
        outcome_rule(),
        outcome_rule(times=0),
        RetryRules(by_disposition={"no": RetryRule(times=0)}),
        RetryRules(by_disposition={"of a dictionary nobody knows": RetryRule()}, max_attempts=2),
    ],
)
def test_what_can_be_is_taken(rules: RetryRules) -> None:
    check_retry(rules)


def test_rules_that_need_another_number_are_named() -> None:
    rules = RetryRules(
        by_outcome={"busy": RetryRule(next_number=True), "failed": RetryRule()},
        by_disposition={"wrong": RetryRule(next_number=True)},
        callback=RetryRule(next_number=True),
    )

    assert wants_other_numbers(rules) == ["by_outcome.busy", "by_disposition.wrong", "callback"]


def test_a_rule_for_a_disposition_that_is_not_there_is_refused_when_it_is_set() -> None:
    rules = RetryRules(by_disposition={"calback": RetryRule(), "sale": RetryRule(times=0)})

    with pytest.raises(BadInput, match=r"rules.retry.by_disposition.calback: .* did you mean 'callback'"):
        check_codes(rules, ["callback", "sale"])
    check_codes(rules, [])


async def test_a_campaign_takes_no_rule_for_an_unknown_disposition_and_keeps_those_it_has() -> None:
    known = ["calback"]
    desk = CampaignDesk(
        store=MemoryStore().campaigns,
        bus=EventBus(),
        clock=FakeClock(),
        nodes=["pbx"],
        dispositions=lambda _: known,
    )
    rules = CampaignRules(retry=RetryRules(by_disposition={"calback": RetryRule()}, max_attempts=2))
    made = await desk.add(replace(a_campaign(), rules=rules))
    known[:] = ["callback"]

    renamed = await desk.change(replace(made, name="winter"))
    more = replace(rules, retry=replace(rules.retry, max_attempts=3))
    with pytest.raises(BadInput, match="calback"):
        await desk.change(replace(renamed, rules=more))

    assert desk.get(made.id).name == "winter"
    assert desk.get(made.id).rules == rules
