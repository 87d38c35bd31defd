"""Rules that have the right types and could never become an order."""

from typing import Any

import pytest

from cti.errors import BadInput
from cti.rules import rules_of, rules_record


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"lines": {"trunks": ["good", "a;b"]}},
            "rules.lines.trunks.1: 'a;b' is no name of a PJSIP endpoint",
        ),
        ({"machines": {"voicemail": "../x"}}, "rules.machines.voicemail: '../x' is no name"),
        (
            {"machines": {"detect": True, "action": "voicemail"}},
            "rules.machines.voicemail: is missing; the action voicemail plays it",
        ),
        ({"machines": {"parameters": {"greeting": 0}}}, "rules.machines.parameters.greeting: must be more"),
        ({"machines": {"parameters": {"loudness": 5}}}, "rules.machines.parameters.loudness"),
        ({"machines": {"action": "shout"}}, "rules.machines.action"),
        ({"pop": {"url": "https://{name}/"}}, "rules.pop.url: must hold no field in the host"),
        ({"pop": {"url": "https://a.example/{id}"}}, "rules.pop.url: there is no field {id}"),
        (
            {"material": {"by_disposition": {"sold": {"template": "a b"}}}},
            "rules.material.by_disposition.sold.template: 'a b' must be letters",
        ),
        ({"material": {"by_disposition": {"sold": {}}}}, "rules.material.by_disposition.sold.template"),
    ],
)
def test_a_rule_of_lines_or_machines_that_does_not_fit_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as refused:
        rules_of(given, where="rules")
    assert told in str(refused.value)


def test_rules_of_lines_and_machines_are_told_and_read_back() -> None:
    given = {
        "lines": {"trunks": ["cheap", "*"], "caller_pool": "main"},
        "machines": {
            "detect": True,
            "action": "voicemail",
            "voicemail": "own/hello",
            "fax": False,
            "parameters": {"greeting": 1200, "total_analysis_time": 4000},
        },
    }
    rules = rules_of(given, where="rules")
    assert rules.machines.wanted == "voicemail"
    assert rules_of(rules_record(rules), where="rules") == rules
