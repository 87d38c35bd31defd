"""The small language of texts in mappings."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.template import render, template_of
from cti.errors import BadInput

AT = datetime(2026, 11, 23, 9, 5, 7, 250_000, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "contact": "Li Wei",
    "note": None,
    "blank": "",
    "seconds": 125.4,
    "whole": 60.0,
    "at": AT,
    "number": "+86 138-0013-8000",
    "html": "<b>&\n王",
    "braces": "{contact}[[x]]",
    "tries": 3,
}
NAMES = frozenset(VALUES)


def shown(text: str) -> str:
    return render(template_of(text, names=NAMES, where="f"), VALUES, where="f")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call to {contact}", "Call to Li Wei"),
        ("{note}", ""),
        ("{note|default:nobody}", "nobody"),
        ("{blank|upper|default:none}", "none"),
        ("{contact|default:nobody|upper}", "LI WEI"),
        ("a[[: {note}]]b", "ab"),
        ("a[[: {contact}, {note}]]b", "ab"),
        ("a[[: {contact}]]b", "a: Li Weib"),
        ("{{{contact}}}", "{Li Wei}"),
        ("{at}", "2026-11-23T09:05:07Z"),
        ("{at|datetime}", "2026-11-23 09:05:07"),
        ("{at|date}", "2026-11-23"),
        ("{at|in_zone:Asia/Shanghai}", "2026-11-23 17:05:07"),
        ("{at|unix}", str(int(AT.timestamp()))),
        ("{at|unix_ms}", str(int(AT.timestamp()) * 1000 + 250)),
        ("{seconds|seconds}", "125"),
        ("{seconds|ms}", "125400"),
        ("{seconds|minutes}", "2.09"),
        ("{seconds|mmss}", "02:05"),
        ("{seconds|whole_minutes}:{seconds|hours}", "2:0"),
        ("{whole}", "60"),
        ("{tries}", "3"),
        ("{number|digits}", "8613800138000"),
        ("{number|url}", "%2B86%20138-0013-8000"),
        ("{html|html}", "&lt;b&gt;&amp;<br>王"),
        ("{contact|cut:2}", "Li"),
        ("{braces}", "{contact}[[x]]"),
        ("", ""),
    ],
)
def test_a_text_is_filled(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{nobody}", "there is no value 'nobody'; there are: at, blank"),
        ("{contact|shout}", "there is no filter 'shout'"),
        ("{contact", "a lone {"),
        ("contact}", "a lone }"),
        ("[[a", "[[ is not closed"),
        ("a]]", "]] has no [["),
        ("[[a[[b]]]]", "[[ stands within [["),
        ("{contact.__class__}", "is no value"),
        ("{contact|cut:long}", "cut takes a number"),
        ("{at|in_zone:Mars/Base}", "is no IANA time zone"),
        ("{ }", "is no value"),
        ("x" * 20_001, "longer than 20000"),
    ],
)
def test_a_text_that_means_nothing_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        template_of(text, names=NAMES, where="odoo.toml: fields.name")
    assert str(refused.value).startswith("odoo.toml: fields.name: ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"), [("{contact|minutes}", "is no number"), ("{tries|date}", "is no time")]
)
def test_a_filter_that_does_not_fit_the_value_is_told(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        shown(text)


@given(st.text())
def test_any_text_is_read_or_refused_and_never_runs(text: str) -> None:
    try:
        shown(text)
    except BadInput:
        return


@given(st.text(), st.text())
def test_a_value_stays_what_it_is(before: str, value: str) -> None:
    safe = before.replace("{", "").replace("}", "").replace("[", "").replace("]", "")
    template = template_of(safe + "{v}", names=frozenset({"v"}), where="f")
    assert render(template, {"v": value}) == safe + value
