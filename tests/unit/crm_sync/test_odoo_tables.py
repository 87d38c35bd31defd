"""The table `[odoo]` is read as a whole, and domains cannot be anything but conditions."""

from typing import Any

import pytest

from crm_sync.odoo.tables import both, odoo_table, whole
from cti.errors import SettingsError

A, B, C = ["phone", "!=", False], ["type", "=", "lead"], ["stage_id.name", "ilike", "new"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([A], [A], id="one"),
        pytest.param([A, B, C], ["&", "&", A, B, C], id="terms beside each other are joined by and"),
        pytest.param(["|", A, B], ["|", A, B], id="or"),
        pytest.param(["|", A, B, C], ["&", "|", A, B, C], id="or beside a term"),
        pytest.param(["!", "|", A, B, "!", C], ["&", "!", "|", A, B, "!", C], id="not"),
    ],
)
def test_a_domain_becomes_one_expression(given: list[Any], expected: list[Any]) -> None:
    assert whole(given) == expected


def test_two_domains_are_joined_as_wholes() -> None:
    assert both(whole(["|", A, B]), whole([C])) == ["&", "|", A, B, C]
    assert both([], whole([C])) == [C]
    assert both(whole([A, B]), []) == ["&", A, B]


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (["|", A], "1 more terms"),
        (["or", A, B], "'or' is none of"),
        ([["phone", "="]], "expected is [field, operator, value]"),
        ([["phone; drop", "=", 1]], "no name of a field"),
        ([["phone", "==", 1]], "no operator '=='"),
        ([["id", "in", 3]], "takes a list"),
        ([["id", "=", [3]]], "takes one value"),
        ([["phone", "=", {"a": 1}]], "a value is a text"),
        ([["id", "in", [[1]]]], "a value is a text"),
        ([A] * 101, "more than 100"),
    ],
)
def test_what_is_no_condition_is_told_with_its_place(domain: list[Any], said: str) -> None:
    tree = {"database": "d", "sources": {"leads": {"domain": domain}}}

    with pytest.raises(SettingsError) as told:
        odoo_table(tree, where="odoo.toml")

    assert "odoo.toml: odoo.sources.leads.domain" in str(told.value)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "odoo.database: missing"),
        ({"database": "d", "transport": "rpc"}, "user: missing"),
        ({"database": "d", "log": "voip"}, "odoo.log"),
        ({"database": "d", "batches": 3}, "odoo.batches: there is no such key"),
        ({"database": "d", "sources": {"x": {"model": "res.users"}}}, "odoo.sources.x.model"),
        ({"database": "d", "sources": {"x": {"fields": ["a.b"]}}}, "no name of a field"),
    ],
)
def test_a_wrong_key_is_told_by_name(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        odoo_table(tree, where="odoo.toml")
