"""Links that dial: signed, read, refused."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.hooks.links import DialLink, LinkRefused, read, signed
from tests.builders import later

KEY, OLD = "k" * 32, "o" * 32
LINK = DialLink(
    agent="anna",
    campaign="autumn",
    number="+4930901820",
    crm_ref="crm.lead/4711 王",
    expires_at=later(60),
    nonce="n" * 24,
)


def reading(token: str, *, keys: tuple[str, ...] = (KEY,), at: float = 0.0) -> DialLink:
    return read(token, keys=keys, now=later(at), longest_seconds=300)


def by_hand(said: Any, *, key: str = KEY) -> str:
    """Make a link as docs/how-to/click-to-dial.md tells a CRM to."""
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    return f"{body.decode()}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


SAID = {
    "v": 1,
    "agent": "anna",
    "crm_ref": "lead/1",
    "expires": int(later(60).timestamp()),
    "nonce": "n" * 24,
}


def test_a_link_says_what_it_was_made_of() -> None:
    assert reading(signed(LINK, key=KEY)) == LINK
    assert reading(by_hand(SAID)) == DialLink(
        agent="anna", crm_ref="lead/1", expires_at=later(60), nonce="n" * 24
    )


def test_while_keys_change_both_are_believed_and_no_other() -> None:
    assert reading(signed(LINK, key=OLD), keys=(KEY, OLD)) == LINK
    with pytest.raises(LinkRefused, match="not made by anybody"):
        reading(signed(LINK, key=OLD))
    with pytest.raises(LinkRefused, match="not made by anybody"):
        reading(signed(LINK, key=KEY), keys=())


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_no_changed_letter_is_believed(place: int, letter: str) -> None:
    token = signed(LINK, key=KEY)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    try:
        assert (
            reading(changed) == LINK
        )  # only where the letter is the same, or the padding bits of the last one
    except LinkRefused:
        assert changed != token


@given(st.text())
def test_no_text_at_all_is_believed_or_breaks_anything(token: str) -> None:
    with pytest.raises(LinkRefused):
        reading(token)


def test_it_expires_and_none_is_good_for_longer_than_allowed() -> None:
    token = signed(LINK, key=KEY)
    assert reading(token, at=59)
    with pytest.raises(LinkRefused, match="expired"):
        reading(token, at=60)
    with pytest.raises(LinkRefused, match="too long"):
        reading(signed(replace(LINK, expires_at=later(301)), key=KEY))


@pytest.mark.parametrize(
    "said",
    [
        {"v": 2},
        {"agent": ""},
        {"agent": "a\nb"},
        {"agent": 1},
        {"crm_ref": None},
        {"nonce": "short"},
        {"nonce": "../../../../../../etc"},
        {"expires": "soon"},
        {"expires": 2**60},
        {"contact_id": -1},
        {"more": 1},
    ],
)
def test_what_is_signed_and_makes_no_sense_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(LinkRefused, match="is signed, but"):
        reading(by_hand({key: value for key, value in (SAID | said).items() if value is not None}))
