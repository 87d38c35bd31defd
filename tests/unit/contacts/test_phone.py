"""Numbers as people write them."""

from contextlib import suppress

import phonenumbers
import phonenumbers.timezone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.contacts.phone import check_region, number_of
from cti.contacts.texts import BadCell
from cti.errors import BadInput
from cti.model.imports import RefusalCode


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("010-66668888转801", "CN", "+861066668888"),
        ("010-66668888 转 801", "CN", "+861066668888"),
        ("010-66668888轉801", "CN", "+861066668888"),
        ("010-66668888分机801", "CN", "+861066668888"),
        ("010-66668888（转801）", "CN", "+861066668888"),
        ("010-66668888-801", "CN", "+861066668888"),
        ("010-66668888-12", "CN", "+861066668888"),
        ("0571-88888888-8001", "CN", "+8657188888888"),
        ("212-555-0123 ext. 12", "US", "+12125550123"),
        ("212-555-0123 extension 12", "US", "+12125550123"),
        ("(212) 555-0123 x12", "US", "+12125550123"),
        ("212-555-0123#12", "US", "+12125550123"),
        ("+49 30 23125001 Ext:7", "", "+493023125001"),
        ("212-555-0123", "US", "+12125550123"),
        ("030-23125-001", "DE", "+493023125001"),
        ("138-0013-8000", "CN", "+8613800138000"),
        ("138 0013 8000", "CN", "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("+86（10）66668888", "", "+861066668888"),
        ("0086 10 66668888", "DE", "+861066668888"),
        ("tel:+493023125001", "", "+493023125001"),
    ],
)
def test_a_number_is_found_and_its_extension_cut_off_and_kept_in_the_raw(
    raw: str, region: str, e164: str
) -> None:
    number = number_of(raw, "phone", region=region or None)
    assert (number.e164, number.raw) == (e164, raw)


@pytest.mark.parametrize(
    ("raw", "kind", "zone"),
    [
        ("+8613800138000", "mobile", "Asia/Shanghai"),
        ("+861066668888", "fixed_line", "Asia/Shanghai"),
        ("+12125550123", "fixed_line_or_mobile", "America/New_York"),
        ("+18005550123", "toll_free", None),
        ("+493023125001", "fixed_line", "Europe/Berlin"),
    ],
)
def test_a_number_s_kind_and_zone_are_told(raw: str, kind: str, zone: str | None) -> None:
    number = number_of(raw, "phone", region=None)
    assert (number.kind, number.zone) == (kind, zone)


@pytest.mark.parametrize(
    ("raw", "region", "code"),
    [
        ("hello", "DE", RefusalCode.BAD_NUMBER),
        ("x12", "DE", RefusalCode.BAD_NUMBER),
        ("转801", "CN", RefusalCode.BAD_NUMBER),
        ("8.61381E+12", "CN", RefusalCode.BAD_NUMBER),
        ("030 23125001", "", RefusalCode.NO_REGION),
        ("1" * 61, "DE", RefusalCode.BAD_NUMBER),
        ("+4930231\n25001", "DE", RefusalCode.BAD_TEXT),
    ],
)
def test_what_is_no_number_is_refused_with_its_code(raw: str, region: str, code: RefusalCode) -> None:
    with pytest.raises(BadCell) as refusal:
        number_of(raw, "phone", region=region or None)
    assert refusal.value.code is code
    assert str(refusal.value).startswith("phone: ")


def test_a_region_is_a_country() -> None:
    assert (check_region("CN"), check_region("")) == ("CN", "")
    with pytest.raises(BadInput, match="region: must be a country in two capital letters"):
        check_region("cn")


_WRITTEN = st.text(alphabet="0123456789+()-. /x#转分机ext,；\u2010", max_size=30)


@given(st.one_of(_WRITTEN, st.text(max_size=70)), st.sampled_from(["CN", "DE", "US", None]))
def test_any_text_is_a_possible_number_or_refused(raw: str, region: str | None) -> None:
    with suppress(BadCell):
        number = number_of(raw, "phone", region=region)
        assert number.raw == raw
        assert number.e164[0] == "+"
        assert 5 <= len(number.e164[1:]) <= 17
        assert number.e164[1:].isascii()
        assert number.e164[1:].isdigit()


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_the_zone_is_the_one_that_libphonenumber_itself_finds(region: str) -> None:
    example = phonenumbers.example_number(region)
    if example is None:
        return
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    zones = phonenumbers.timezone.time_zones_for_number(example)
    certain = zones[0] if len(zones) == 1 and zones[0] != phonenumbers.timezone.UNKNOWN_TIMEZONE else None
    with suppress(BadCell):
        assert number_of(e164, "phone", region=None).zone == certain


@given(st.integers(10**9, 10**10 - 1), st.integers(1, 99_999))
def test_a_spoken_extension_never_changes_the_number(national: int, extension: int) -> None:
    with suppress(BadCell):
        bare = number_of(f"+1{national}", "phone", region=None)
        assert number_of(f"+1{national} ext. {extension}", "phone", region=None).e164 == bare.e164
