"""What kept recordings are called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import BadInput
from cti.model.recordings import (
    DEFAULT_TEMPLATE,
    RecordedCall,
    SoundFormat,
    all_keys,
    file_key,
    kept_name,
    name_of_key,
    template_problem,
)
from cti.rules import rules_of
from tests.builders import NOW

CALL = "0123456789abcdef0123456789abcdef"


def a_recorded_call(**given: Any) -> RecordedCall:
    return RecordedCall(**{"call_id": CALL, "placed_at": NOW} | given)


def test_the_default_is_the_date_and_the_call() -> None:
    assert kept_name(DEFAULT_TEMPLATE, a_recorded_call()) == f"2026/11/23/{CALL}"


def test_fields_take_their_values() -> None:
    call = a_recorded_call(
        campaign="春季 Sale/2", campaign_id=7, agent="anna.b", number="+49301", node="pbx", list_id=3
    )
    template = (
        "{date}/{campaign}-{campaign_id}/{agent}_{number}_{node}_{list_id}_{contact_id}_{time}-{call_id}"
    )
    assert kept_name(template, call) == f"2026-11-23/春季_Sale_2-7/anna_b_49301_pbx_3_none_090000-{CALL}"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{date}", "the last part must hold {call_id}"),
        ("{call_id}/{date}", "the last part must hold {call_id}"),
        ("/{call_id}", "may be empty"),
        ("a//{call_id}", "may be empty"),
        ("../{call_id}", "begin with a dot"),
        (".a/{call_id}", "begin with a dot"),
        ("{call_id}/", "may be empty"),
        ("{secret}{call_id}", "there is no field {secret}"),
        ("{call_id.__class__}", "there is no field"),
        ("{0}{call_id}", "there is no field"),
        ("{call_id!r}", "a name alone"),
        ("{call_id:>99999999}", "a name alone"),
        ("{call_id", "is no template"),
        ("a b{call_id}", "may not stand in a name"),
        ("a\x00{call_id}", "may not stand in a name"),
        ("x" * 300 + "{call_id}", "longer than"),
    ],
)
def test_a_template_that_makes_no_safe_name_is_refused(template: str, problem: str) -> None:
    assert problem in str(template_problem(template))
    with pytest.raises(BadInput):
        kept_name(template, a_recorded_call())
    with pytest.raises(BadInput, match=r"rules\.recording\.template"):
        rules_of({"recording": {"template": template}}, where="rules")


@given(campaign=st.text(), agent=st.text(), number=st.text())
def test_whatever_a_campaign_is_called_its_files_stay_below_the_folder(
    campaign: str, agent: str, number: str
) -> None:
    call = a_recorded_call(campaign=campaign, agent=agent, number=number)
    parts = kept_name("{campaign}/{agent}.{number}/{call_id}", call).split("/")
    assert len(parts) == 3
    assert parts[2] == CALL
    for part in parts:
        assert part
        assert not part.startswith(".")
        assert len(part.encode()) <= 200
        assert all(one.isalnum() or one in "._-" for one in part)


@pytest.mark.parametrize("form", list(SoundFormat))
@pytest.mark.parametrize("sealed", [False, True])
def test_a_key_tells_its_name(form: SoundFormat, sealed: bool) -> None:
    key = file_key("a.b/c", form, sealed=sealed)
    assert name_of_key(key) == "a.b/c"
    assert key in all_keys("a.b/c")
    assert len(set(all_keys("a.b/c"))) == 6
