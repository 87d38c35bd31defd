"""Links that dial: what they say, signed. Pure.

`BODY.SIGNATURE`: base64url (without `=`) of a JSON object, and of the HMAC-SHA256 of that text by a key of the
settings. A CRM that has the key makes them itself (docs/how-to/click-to-dial.md).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cti.errors import BadInput

VERSION: Final = 1
LONGEST_TOKEN: Final = 2000
MAX_ID: Final = 2**53
"""Numbers beyond it are not the same in every JSON."""

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class LinkRefused(BadInput):
    """A link that is forged, expired, used, or says nothing that could be done."""


class _Said(BaseModel):
    """What stands in a link, as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    v: int = Field(ge=VERSION, le=VERSION)
    agent: Text
    campaign: Text | None = None
    contact_id: int | None = Field(None, ge=1, le=MAX_ID)
    number: Text | None = None
    crm_ref: Text | None = None
    expires: int = Field(ge=0, le=MAX_ID)
    nonce: str = Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")

    @model_validator(mode="after")
    def _somebody(self) -> "_Said":
        if self.contact_id is None and self.number is None and self.crm_ref is None:
            raise ValueError("names nobody")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DialLink:
    """One call that a link asks for."""

    agent: str
    """Login of who calls."""
    campaign: str | None = None
    """Name or id; None: the one campaign of his that has the contact."""
    contact_id: int | None = None
    number: str | None = None
    crm_ref: str | None = None
    """The record that the call's log lands on; without a contact and a number also whom it is about."""
    expires_at: datetime
    nonce: str
    """Makes it usable once."""


def signed(link: DialLink, *, key: str) -> str:
    """Return the link as text, fit for a URL's path."""
    said: dict[str, Any] = {
        "v": VERSION,
        "agent": link.agent,
        "campaign": link.campaign,
        "contact_id": link.contact_id,
        "number": link.number,
        "crm_ref": link.crm_ref,
        "expires": int(link.expires_at.timestamp()),
        "nonce": link.nonce,
    }
    known = {name: value for name, value in said.items() if value is not None}
    body = _plain(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{body}.{_plain(_digest(body, key))}"


def read(token: str, *, keys: Sequence[str], now: datetime, longest_seconds: float) -> DialLink:
    """Return what a link says. Raises LinkRefused.

    The signature is looked at before anything of it is understood, with all keys, in constant time.
    """
    body, _, signature = token.partition(".")
    if len(token) > LONGEST_TOKEN or not body or not signature:
        raise LinkRefused("this is no link of ours")
    given = _bytes(signature)
    believed = [
        hmac.compare_digest(_digest(body, key), given) for key in keys
    ]  # all of them, so that time tells nothing
    if not any(believed):
        raise LinkRefused("this link was not made by anybody who may")
    try:
        said = _Said.model_validate_json(_bytes(body))
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "it"
        raise LinkRefused(f"this link is signed, but {where} is wrong: {error.errors()[0]['msg']}") from None
    left = said.expires - now.timestamp()
    if left <= 0:
        raise LinkRefused("this link has expired")
    if left > longest_seconds:
        raise LinkRefused(f"this link is good for too long; {longest_seconds:g} s are allowed")
    return DialLink(
        agent=said.agent,
        campaign=said.campaign,
        contact_id=said.contact_id,
        number=said.number,
        crm_ref=said.crm_ref,
        expires_at=datetime.fromtimestamp(said.expires, UTC),
        nonce=said.nonce,
    )


def _digest(body: str, key: str) -> bytes:
    return hmac.digest(key.encode(), body.encode("utf-8", "surrogateescape"), hashlib.sha256)


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
