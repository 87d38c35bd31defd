"""The page that a campaign opens for a call: a URL with fields in braces, filled in. Pure.

Only the fields named here, only behind the host, and each percent-encoded whole: what a list says can neither lead to
another site nor add a parameter.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

FIELDS: Final[Mapping[str, str]] = {
    "number": "The number dialed, E.164.",
    "digits": "The same without the plus sign.",
    "call_id": "The call's id.",
    "contact_id": "The contact's id here.",
    "name": "His name.",
    "crm_ref": "The CRM's record that the call belongs to.",
    "crm_customer": "Its customer.",
    "crm_contact": "Its contact.",
    "crm_deal": "Its deal.",
    "stage": "How far the contact has come.",
    "campaign": "The campaign's name.",
    "agent": "The agent's login.",
}
LONGEST: Final = 2000
_BRACES: Final = re.compile(r"\{([^{}]*)\}")


def template_problem(template: str) -> str | None:
    """Return what is wrong with a template, None when nothing is."""
    if len(template) > LONGEST:
        return f"longer than {LONGEST} characters"
    if any(character.isspace() or not character.isprintable() for character in template):
        return "must hold no space or control character"
    if unknown := [name for name in _BRACES.findall(template) if name not in FIELDS]:
        return f"there is no field {{{unknown[0]}}}; there are: {', '.join(FIELDS)}"
    if "{" in _BRACES.sub("", template) or "}" in _BRACES.sub("", template):
        return "holds a brace that is not part of a field"
    try:
        parts = urlsplit(template)
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("https", "http") or not parts.hostname or "\\" in template:
        return "must begin with https:// or http:// and a host"
    if _BRACES.search(parts.netloc):
        return "must hold no field in the host"
    return None


def filled(template: str, values: Mapping[str, object | None]) -> str | None:
    """Return the URL; None without a template, and when a field that it names has no value: it would lead nowhere."""
    if not template:
        return None
    named = _BRACES.findall(template)
    if any(values.get(name) in (None, "") for name in named):
        return None
    return _BRACES.sub(lambda field: quote(str(values[field[1]]), safe=""), template)
