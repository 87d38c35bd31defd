"""The page that a campaign opens for a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.model.pop_urls import filled, template_problem

TEMPLATE = "https://crm.example/mail/view?model=crm.lead&res_id={crm_ref}&tel={number}"


def test_fields_are_filled_in_percent_encoded() -> None:
    values = {"crm_ref": "a/b?c=d&e#f", "number": "+4930901820"}
    assert filled(TEMPLATE, values) == (
        "https://crm.example/mail/view?model=crm.lead&res_id=a%2Fb%3Fc%3Dd%26e%23f&tel=%2B4930901820"
    )
    assert filled("https://crm.example/{name}", {"name": "王 小明"}) == (
        "https://crm.example/%E7%8E%8B%20%E5%B0%8F%E6%98%8E"
    )


@given(st.text(min_size=1))
def test_no_value_leads_to_another_site_or_adds_a_parameter(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    url = filled(TEMPLATE, {"crm_ref": value, "number": "1"})
    assert url is not None
    assert url.startswith("https://crm.example/mail/view?model=crm.lead&res_id=")
    assert url.count("&") == 2
    assert "#" not in url


@pytest.mark.parametrize("missing", [None, ""])
def test_a_field_without_a_value_makes_no_page(missing: str | None) -> None:
    assert filled(TEMPLATE, {"crm_ref": missing, "number": "1"}) is None
    assert filled("", {}) is None


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("https://{crm_ref}/", "no field in the host"),
        ("https://a.example:{number}/", "no field in the host"),
        ("https://{name}@a.example/", "no field in the host"),
        ("javascript:alert({crm_ref})", "must begin with https"),
        ("{crm_ref}", "must begin with https"),
        ("https:///x/{crm_ref}", "must begin with https"),
        ("https://a.example/{secret}", "there is no field {secret}"),
        ("https://a.example/{crm_ref", "a brace"),
        ("https://a.example/{{crm_ref}}", "a brace"),
        ("https://a.example/{crm_ref.__class__}", "there is no field"),
        ("https://a.example/ {crm_ref}", "no space"),
        ("https://a.example/" + "x" * 2000, "longer than"),
    ],
)
def test_a_template_that_is_wrong_is_refused_in_words(template: str, told: str) -> None:
    assert told in (template_problem(template) or "")


def test_a_good_template_is_taken() -> None:
    assert template_problem(TEMPLATE) is None
