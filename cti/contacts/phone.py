"""Numbers as people write them, to E.164. The only module of contacts that knows libphonenumber. Pure.

About 50 microseconds for a number: who has a million of them reads in a process of its own.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from cti.contacts.texts import BadCell, has_control, shown
from cti.errors import BadInput
from cti.model.contacts import NewNumber
from cti.model.imports import RefusalCode

_WRITTEN: Final = re.compile(r"(?:tel:)?[+＋]?[\d()（）\s./\u2010-\u2015－-]+")
_DECIMAL: Final = re.compile(r"\d+\.0")
_EXTENSION: Final = re.compile(
    r"[\s,;，；(（]*(?:转接|转|轉|分机号?|ext(?:ension)?\.?|extn\.?|x|#)\s*[:：.]?\s*\d{1,7}[)）]?",
    re.IGNORECASE,
)
"""An extension that says that it is one; it stands at the end."""
_HYPHENED: Final = re.compile(r"(?P<number>.*\d)\s*[-－\u2010-\u2015]\s*\d{1,5}")
"""An extension that may as well be the number's last digits."""
LONGEST: Final = 60

_WRONG_LENGTH: Final = {
    ValidationResult.TOO_SHORT: "too short",
    ValidationResult.TOO_LONG: "too long",
    ValidationResult.INVALID_COUNTRY_CODE: "unknown country code",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    ValidationResult.INVALID_LENGTH: "no number there has this length",
}
_KINDS: Final = {
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}


def number_of(raw: str, header: str, *, region: str | None) -> NewNumber:
    """Return the number in E.164 with its kind, and its zone when that is certain; extensions are cut off.

    It must be possible (right length for its country), not valid: tables of ranges lag behind what operators assign.
    Raises BadCell naming the column.
    """
    bare = _without_extension(raw)
    if len(raw) > LONGEST or not _WRITTEN.fullmatch(bare) or _DECIMAL.fullmatch(bare):
        raise BadCell(f"{header}: not a phone number: {shown(raw)}", RefusalCode.BAD_NUMBER)
    if has_control(raw):
        raise BadCell(f"{header}: a control character", RefusalCode.BAD_TEXT)
    number = _shorter(bare, region) or _parsed(bare, header, region)
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        reason = _WRONG_LENGTH.get(length, "not possible")
        raise BadCell(f"{header}: {reason}: {shown(raw)}", RefusalCode.BAD_NUMBER)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    kind = phonenumbers.number_type(number)
    return NewNumber(e164=e164, raw=raw, zone=_certain_zone(number, kind, e164), kind=_KINDS.get(kind, ""))


def check_region(region: str) -> str:
    """Return the region. Raises BadInput for one that is no country in two capital letters."""
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput(
            f"region: must be a country in two capital letters, for example CN, DE, US: {shown(region)}"
        )
    return region


def _without_extension(raw: str) -> str:
    if raw[-1:].isdigit() and raw.isascii() and not any(c in raw for c in "xX#eE"):
        return raw
    found = _EXTENSION.search(raw)
    return raw[: found.start()].rstrip() if found and found.end() == len(raw) else raw


def _shorter(bare: str, region: str | None) -> PhoneNumber | None:
    """Return the number without what stands after its last hyphen, when only so it is a number that exists."""
    hyphened = _HYPHENED.fullmatch(bare)
    if hyphened is None:
        return None
    try:
        whole = phonenumbers.parse(bare, region)
        if phonenumbers.is_valid_number(whole):
            return None
        short = phonenumbers.parse(hyphened["number"], region)
    except phonenumbers.NumberParseException:
        return None
    return short if phonenumbers.is_valid_number(short) else None


def _parsed(bare: str, header: str, region: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(bare, region)
    except phonenumbers.NumberParseException as error:
        said = f"{header}: not a phone number: {shown(bare)}"
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and region is None:
            raise BadCell(f"{said} (no country code, and no region is set)", RefusalCode.NO_REGION) from None
        raise BadCell(said, RefusalCode.BAD_NUMBER) from None


def _certain_zone(number: PhoneNumber, kind: int, e164: str) -> str | None:
    """Return the number's time zone when there is only one that it can lie in."""
    if kind == PhoneNumberType.UNKNOWN:
        return None
    code = number.country_code or 0
    placed = phonenumbers.is_number_type_geographical(kind, code)
    zones = _zones(e164[1 : 1 + TIMEZONE_LONGEST_PREFIX] if placed else str(code))
    return zones[0] if len(zones) == 1 else None


@lru_cache(maxsize=100_000)
def _zones(prefix: str) -> tuple[str, ...]:
    """Return the zones of the longest prefix that is known: the same as libphonenumber's own search, remembered."""
    for length in range(len(prefix), 0, -1):
        if prefix[:length] in TIMEZONE_DATA:
            return tuple(TIMEZONE_DATA[prefix[:length]])
    return ()
