"""Files of numbers: forms, broken lines, any cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.compliance.listings import key_of, keys_of
from cti.compliance.register_file import LINE_BYTES, NumberReader, number_key
from cti.errors import BadInput
from cti.model.contacts import RowRefused


def read(text: str | bytes, region: str = "") -> list[str | RowRefused]:
    reader = NumberReader(region=region)
    raw = text.encode() if isinstance(text, str) else text
    return [*reader.feed(raw), *reader.finish()]


@pytest.mark.parametrize(
    ("line", "region", "key"),
    [
        pytest.param("+4930901820", "", "+4930901820", id="E.164"),
        pytest.param("+49 (30) 90-18.20", "", "+4930901820", id="with spaces"),
        pytest.param("+4930*", "", "+4930*", id="a beginning"),
        pytest.param("202,5551234", "US", "+12025551234", id="two columns of the American register"),
        pytest.param("2025551234", "US", "+12025551234", id="ten digits"),
        pytest.param("13912345678", "CN", "+8613912345678", id="a Chinese mobile"),
        pytest.param("021 6234 5678", "CN", "+862162345678", id="a Chinese line"),
        pytest.param("020 7946 0018", "GB", "+442079460018", id="an English number"),
        pytest.param('"+4930901820";"x"', "", "+4930901820", id="quoted"),
        pytest.param("＋4930901820", "", "+4930901820", id="full-width plus"),
    ],
)
def test_numbers_are_read_as_they_are_written(line: str, region: str, key: str) -> None:
    assert read(line, region) == [key]


@pytest.mark.parametrize(
    ("line", "region"),
    [
        ("030901820", ""),
        ("call me", "DE"),
        ("12", "DE"),
        ("+49", ""),
        ("+0123456789", ""),
        ("*", ""),
        ("+", ""),
        ("=1+1", "US"),
        ("+4930901820123456", ""),
        ("+493090182012345*", ""),
    ],
)
def test_what_is_no_number_is_refused_with_its_line(line: str, region: str) -> None:
    _, refused = read(f"+4930901820\n{line}", region)

    assert isinstance(refused, RowRefused)
    assert refused.line == 2


def test_a_header_remarks_and_empty_lines_are_passed_over() -> None:
    assert read("\ufeffphone\r\n\r\n# 2026\r\n+4930901820\r\n") == ["+4930901820"]


def test_a_broken_line_costs_one_line() -> None:
    found = read(b"+4930901820\n\xff\n" + b"9" * (LINE_BYTES + 1) + b"\n+4930901821")

    assert [one if isinstance(one, str) else one.line for one in found] == [
        "+4930901820",
        2,
        3,
        "+4930901821",
    ]


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 30))
def test_where_a_file_is_cut_makes_no_difference_and_nothing_raises(lines: list[bytes], size: int) -> None:
    raw = b"\n".join(lines)
    reader, found = NumberReader(region="US"), []
    for at in range(0, len(raw), size):
        found += reader.feed(raw[at : at + size])
    found += reader.finish()

    assert found == read(raw, "US")


@given(
    st.text(max_size=20) | st.text("+0123456789*,- ", max_size=18), st.sampled_from(["", "US", "CN", "DE"])
)
def test_a_key_is_a_number_or_a_beginning_or_it_is_refused(text: str, region: str) -> None:
    try:
        key = number_key(text, region=region)
    except BadInput:
        return
    assert key_of(key) == key


def test_a_number_has_itself_and_all_its_beginnings_as_keys() -> None:
    assert list(keys_of("+4930")) == ["+4930", "+4*", "+49*", "+493*", "+4930*"]
