"""Contact lists as people really send them: every row is taken whole, or refused with line and reason."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.contact_text import decoded
from cti.contacts.csv_records import LINE_BYTES, RECORD_LINES, Record, RecordReader
from cti.contacts.reader import HowToRead, ListReader
from cti.errors import BadInput
from cti.model.contacts import NewContact, RowRefused


@dataclass(frozen=True)
class Reading:
    """All that a file holds."""

    contacts: tuple[NewContact, ...]
    refused: tuple[RowRefused, ...]


def read(content: bytes, *, region: str = "DE", chunk: int = 1 << 20, **how: Any) -> Reading:
    reader = ListReader(HowToRead(region=region, **how))
    rows = list(reader.rows(records(content, chunk)))
    return Reading(
        contacts=tuple(decoded(json.loads(row[0].contact)) for row in rows if isinstance(row, tuple)),
        refused=tuple(row for row in rows if isinstance(row, RowRefused)),
    )


def records(content: bytes, chunk: int) -> Iterator[Record | RowRefused]:
    reader = RecordReader()
    for at in range(0, len(content), chunk):
        yield from reader.feed(content[at : at + chunk])
    yield from reader.finish()


def names(reading: Reading) -> list[str]:
    return [contact.name for contact in reading.contacts]


def refusals(reading: Reading) -> dict[int, str]:
    return {row.line: row.reason for row in reading.refused}


def test_a_row_becomes_a_contact_with_its_numbers_reference_zone_and_further_columns() -> None:
    reading = read(
        "name,number,number2,crm_ref,zone,City\n"
        "Ada,030 23125 001,+86 138 0013 8000,L-7,Europe/Berlin,Köln\n".encode()
    )
    (contact,) = reading.contacts
    assert contact.name == "Ada"
    assert [number.e164 for number in contact.numbers] == ["+493023125001", "+8613800138000"]
    assert [number.raw for number in contact.numbers] == ["030 23125 001", "+86 138 0013 8000"]
    assert [number.zone for number in contact.numbers] == ["Europe/Berlin", "Asia/Shanghai"]
    assert contact.zone == "Europe/Berlin"
    assert contact.crm_ref == "L-7"
    assert contact.fields == {"City": "Köln"}


@pytest.mark.parametrize(
    "header", ["number", "Phone", "TEL", "电话", "手机号", "phone_number", "Telephone ", "mobile 2"]
)
def test_the_number_column_is_known_by_its_usual_names(header: str) -> None:
    assert read(f"{header}\n+493023125001\n".encode()).contacts[0].numbers[0].e164 == "+493023125001"


def test_a_chinese_header_is_understood() -> None:
    (contact,) = read("姓名,电话,电话2,时区\n王芳,13800138000,010-66668888,\n".encode(), region="CN").contacts
    assert contact.name == "王芳"
    assert [number.e164 for number in contact.numbers] == ["+8613800138000", "+861066668888"]
    assert contact.numbers[0].zone == "Asia/Shanghai"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_the_header_uses(delimiter: str) -> None:
    text = delimiter.join(("name", "number")) + "\n" + delimiter.join(("Ada", "+493023125001"))
    assert names(read(text.encode())) == ["Ada"]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    assert names(read(b"\xef\xbb\xbfname,number\r\nAda,+493023125001\r\n")) == ["Ada"]


def test_blank_lines_and_lines_of_delimiters_are_passed_over() -> None:
    reading = read(b"\nname;number\n\n;;\nAda;+493023125001\n\n")
    assert names(reading) == ["Ada"]
    assert reading.refused == ()


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "Meyer, Anna",
        "$100",
        "x;y",
        "=1+1",
        "@cmd",
        "-5",
        "+49",
        'The "Boss"',
        "${EXTEN}",
        "O'Neil",
        "🙂",
    ],
)
def test_a_name_is_kept_as_it_stands(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert names(read(f"name,number\n{quoted},+493023125001\n".encode())) == [name]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(b'"A\nB",+493023125001', "control character (U+000A)", id="line feed in a name"),
        pytest.param(
            b'"A\rAction: Hangup",+493023125001', "control character (U+000D)", id="carriage return"
        ),
        pytest.param(b"A\x1b[2J,+493023125001", "control character (U+001B)", id="terminal escape"),
        pytest.param("A\u2028B,+493023125001".encode(), "control character (U+2028)", id="line separator"),
        pytest.param(b"A\x00B,+493023125001", "a NUL byte at position 2", id="NUL"),
        pytest.param(
            "Jürgen,+493023125001".encode("latin-1"), "not UTF-8: byte 0xfc at position 2", id="latin 1"
        ),
        pytest.param("王芳,+493023125001".encode("gbk"), "not UTF-8", id="gbk"),
        pytest.param(b"A,", "no number", id="no number"),
        pytest.param(b"A,hello", "number: not a phone number: 'hello'", id="words"),
        pytest.param(b"A,8.61381E+12", "not a phone number", id="a spreadsheet's rounded number"),
        pytest.param(b"A,493023125001.0", "not a phone number", id="a spreadsheet's decimal"),
        pytest.param(b"A,+1 21", "too short", id="too short"),
        pytest.param(b"A,+1 212 555 0123 4567", "too long", id="too long"),
        pytest.param(b"A,+999 1234567", "not a phone number", id="unknown country"),
        pytest.param(b"A,110", "the area code is missing", id="emergency"),
        pytest.param(b"A,+493023125001,extra", "3 columns where the header has 2", id="too many columns"),
        pytest.param(b'A "B" C,+493023125001', "broken quotes", id="quote inside"),
        pytest.param(b'"A"B,+493023125001', "broken quotes", id="text after a quote"),
        pytest.param(b'"A,+493023125001', "broken quotes", id="quote never closed"),
        pytest.param(b"A" * 201 + b",+493023125001", "name: longer than 200", id="long name"),
        pytest.param(b"A" * (LINE_BYTES + 1) + b",+493023125001", "longer than", id="long line"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_a_wrong_row_is_refused_with_its_line_and_the_rows_around_it_are_taken(
    row: bytes, reason: str, chunk: int
) -> None:
    if chunk == 1 and len(row) > 1000:
        chunk = 100
    reading = read(b"name,number\nBefore,+493023125991\n" + row + b"\nAfter,+493023125992\n", chunk=chunk)
    assert names(reading) == ["Before", "After"]
    assert list(refusals(reading))[:1] == [3]
    assert reason in refusals(reading)[3]


def test_an_open_quote_costs_one_line_even_when_a_later_line_has_quotes() -> None:
    reading = read(b'name,number\n"A,+493023125001\n"B, B",+493023125002\nC,+493023125003')
    assert names(reading) == ["B, B", "C"]
    assert list(refusals(reading)) == [2]


def test_an_open_quote_is_given_up_after_some_lines() -> None:
    rows = b"".join(b"N%d,+4930231250%02d\n" % (at, at) for at in range(RECORD_LINES + 9))
    reading = read(b'name,number\n"A,+493023125999\n' + rows)
    assert len(reading.contacts) == RECORD_LINES + 9
    assert list(refusals(reading)) == [2]


def test_a_further_column_may_span_lines_and_the_next_row_knows_its_line() -> None:
    reading = read(b'name,number,address\nA,+493023125001,"Street 1\r\nTown"\nB,nothing,\n')
    assert reading.contacts[0].fields == {"address": "Street 1\nTown"}
    assert list(refusals(reading)) == [4]


def test_a_double_is_refused_and_told_the_line_of_the_first() -> None:
    reading = read(b"name,number\nA,+493023125001\nB,030 23125001\n")
    assert names(reading) == ["A"]
    assert refusals(reading) == {3: "+493023125001 stands already in line 2"}


def test_a_refused_row_does_not_make_the_next_one_a_double() -> None:
    reading = read(b"name,number\nA,+493023125001,x\nB,+493023125001\n")
    assert names(reading) == ["B"]


def test_one_number_twice_in_a_row_is_one_number() -> None:
    assert len(read(b"number,mobile\n+493023125001,030 23125001\n").contacts[0].numbers) == 1


def test_one_wrong_number_refuses_the_row_even_when_another_is_right() -> None:
    assert refusals(read(b"number,mobile\n+493023125001,xyz\n")) == {2: "mobile: not a phone number: 'xyz'"}


def test_a_number_without_a_country_needs_a_region() -> None:
    reading = read(b"number\n+493023125001\n030 23125002\n", region="")
    assert refusals(reading) == {
        3: "number: not a phone number: '030 23125002' (no country code, and no region is set)"
    }


def test_a_list_of_national_numbers_without_a_region_is_refused_as_a_whole() -> None:
    with pytest.raises(BadInput, match="region: 2 numbers have no country code and the list has no region"):
        read(b"number\n+493023125001\n030 23125002\n030 23125003\n", region="")


def test_a_zone_is_given_only_when_the_number_leaves_no_doubt() -> None:
    reading = read(b"number\n+13125550123\n+18005550123\n")
    assert [contact.numbers[0].zone for contact in reading.contacts] == ["America/Chicago", None]


def test_a_zone_that_does_not_exist_refuses_the_row() -> None:
    reading = read(b"number,zone\n+493023125001,Europe/Atlantis\n+493023125002,../../etc/passwd\n")
    assert list(refusals(reading)) == [2, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\n\n", "the file is empty", id="blank"),
        pytest.param(b"a,b\n1,2\n", "no column for the number; found: 'a', 'b'", id="other header"),
        pytest.param(b"+493023125001\n", "expected is a header like name,number", id="no header"),
        pytest.param(b"number,number\n", "names 'number' twice", id="twice"),
        pytest.param(
            b"name,full name,tel\n", "two columns mean the same: 'name' and 'full name'", id="same meaning"
        ),
        pytest.param("name,number\n".encode("utf-16"), "UTF-16; save the file as UTF-8", id="utf-16"),
        pytest.param("姓名,电话\n".encode("gbk"), "the header (line 1) cannot be read: not UTF-8", id="gbk"),
        pytest.param(
            b'"name,number\nA,+493023125001\n', "the header (line 1) cannot be read: broken", id="quotes"
        ),
        pytest.param(b"na\x00me,number\n", "a NUL byte", id="NUL"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_as_a_whole(content: bytes, message: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(content)
    assert message in str(refusal.value)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_bring_rows_or_a_refusal_and_nothing_else(content: bytes, chunk: int) -> None:
    with suppress(BadInput):
        read(content, chunk=chunk)


_CELL = st.text(alphabet='ab"\n\r,;\t0+49 \x00\u2028é', max_size=12)


@given(st.lists(st.lists(_CELL, max_size=4).map(",".join), max_size=8), st.integers(1, 20))
def test_any_rows_bring_the_same_whatever_the_pieces_they_come_in(rows: list[str], chunk: int) -> None:
    content = "\n".join(["name,number", *rows]).encode()
    assert read(content, chunk=chunk) == read(content)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=50))
def test_any_printable_name_comes_out_as_it_went_in(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert names(read(f"name,number\n{quoted},+493023125001\n".encode())) == [name.strip()]


def test_a_short_row_is_taken_with_its_last_columns_empty() -> None:
    assert names(read(b"number,name,city\n+493023125001\n")) == [""]
