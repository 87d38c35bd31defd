"""Telephone numbers as CRMs hold them."""

import phonenumbers


def national(e164: str) -> str:
    """Return a number without the country's code, digits alone. A text that is no number gives its digits."""
    parsed = _parsed(e164, None)
    if parsed is None:
        return "".join(one for one in e164 if one.isdecimal())
    return phonenumbers.national_significant_number(parsed)


def same(e164: str, written: str) -> bool:
    """Whether a number, however somebody wrote it, is this one. One without a country's code is read in its country."""
    wanted = _parsed(e164, None)
    if wanted is None:
        return False
    found = _parsed(written, phonenumbers.region_code_for_number(wanted))
    if found is None:
        return False
    return (found.country_code, phonenumbers.national_significant_number(found)) == (
        wanted.country_code,
        phonenumbers.national_significant_number(wanted),
    )


def spellings(e164: str) -> list[str]:
    """Return the ways in which people and programs write a number, E.164 first, each once."""
    parsed = _parsed(e164, None)
    if parsed is None:
        return [e164]
    forms = phonenumbers.PhoneNumberFormat
    made = [
        e164,
        e164.removeprefix("+"),
        phonenumbers.national_significant_number(parsed),
        "".join(one for one in phonenumbers.format_number(parsed, forms.NATIONAL) if one.isdecimal()),
        phonenumbers.format_number(parsed, forms.INTERNATIONAL),
        phonenumbers.format_number(parsed, forms.NATIONAL),
    ]
    return list(dict.fromkeys(made))


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
