"""Which number is near to somebody."""

import pytest

from cti.lines.areas import ABROAD, SAME_CODE, SAME_COUNTRY, area_of, nearness, told

BERLIN, BERLIN_TOO, MUNICH = "+4930901820", "+4930123456", "+498912345678"
NEW_YORK, LOS_ANGELES, TORONTO = "+12125550123", "+12135550123", "+14165550123"
BEIJING, SHANGHAI, MOBILE_CN = "+861065529988", "+862162345678", "+8613800138000"


@pytest.mark.parametrize(
    ("number", "area"),
    [
        (BERLIN, "+4930"),
        (MUNICH, "+4989"),
        (NEW_YORK, "+1212"),
        (BEIJING, "+8610"),
        (MOBILE_CN, "+86"),
        ("+442071838750", "+4420"),
        ("no number", "no number"),
    ],
)
def test_an_area_is_country_and_area_code(number: str, area: str) -> None:
    assert area_of(number) == area


@pytest.mark.parametrize(
    ("callee", "caller", "expected"),
    [
        pytest.param(BERLIN, BERLIN_TOO, SAME_COUNTRY + len("+4930"), id="the same area"),
        pytest.param(BERLIN, MUNICH, SAME_COUNTRY, id="the same country"),
        pytest.param(NEW_YORK, LOS_ANGELES, SAME_COUNTRY, id="area codes that only begin alike are not near"),
        pytest.param(NEW_YORK, TORONTO, SAME_CODE, id="one calling code, two countries"),
        pytest.param(BERLIN, NEW_YORK, ABROAD, id="another country"),
        pytest.param(MOBILE_CN, BEIJING, SAME_COUNTRY, id="a mobile phone has no area"),
        pytest.param(BEIJING, MOBILE_CN, SAME_COUNTRY, id="nor has a mobile number to show"),
        pytest.param(MOBILE_CN, MOBILE_CN, SAME_COUNTRY, id="a whole country is no area"),
        pytest.param("no number", BERLIN, ABROAD, id="what is no number is near to nobody"),
    ],
)
def test_nearness(callee: str, caller: str, expected: int) -> None:
    assert nearness(callee, caller) == expected


def test_areas_given_by_hand_replace_the_number_s_own() -> None:
    mobile_of_beijing = ("+8613800", "+8613801", "+86138")
    assert nearness(MOBILE_CN, BEIJING, mobile_of_beijing) == SAME_COUNTRY + len("+8613800")
    assert nearness(BEIJING, BEIJING, mobile_of_beijing) == SAME_COUNTRY
    assert nearness(SHANGHAI, BEIJING, ("+8621",)) > SAME_COUNTRY


def test_nearness_is_told_in_words() -> None:
    assert [told(near) for near in (0, 1, 2, 7)] == [
        "another country",
        "same country code",
        "same country",
        "same area",
    ]
