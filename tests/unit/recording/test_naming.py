"""Names of recordings."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cti.errors import BadInput
from cti.model.ids import new_call_id
from cti.recording.naming import checked_name, recording_name

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001 - made aware by `timezones`


@given(MOMENTS)
def test_a_name_is_made_of_date_and_call_and_is_taken_back(moment: datetime) -> None:
    call_id = new_call_id(moment)
    name = recording_name(call_id, moment)
    assert checked_name(name) == f"{moment:%Y}/{moment:%m}/{moment:%d}/{call_id}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "../../../etc/passwd",
        "2026/11/23/../../x",
        "/2026/11/23/" + "0" * 32,
        "2026/11/23/" + "0" * 31,
    ]
    + ["2026/11/23/" + "0" * 32 + suffix for suffix in ("\n", "\0", "/", ".wav", "/../x", "A")]
    + ["\u0662026/11/23/" + "0" * 32],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="not the name of a recording"):
        checked_name(name)


@given(st.text())
@example("2026/11/23/" + "\u0660" * 32)
def test_a_name_that_is_taken_never_leaves_its_folder(text: str) -> None:
    try:
        name = checked_name(text)
    except BadInput:
        return
    assert set(name) <= set("0123456789abcdef/")


def test_a_call_id_from_elsewhere_makes_no_name() -> None:
    with pytest.raises(BadInput):
        recording_name("../../x", datetime(2026, 11, 23, tzinfo=UTC))
