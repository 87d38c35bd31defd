"""Signatures, verified by the package of the standard's authors."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from cti.errors import BadInput
from cti.hooks.signing import check_secret, headers, new_secret

BODY = json.dumps({"type": "call.ended", "contact": "王小明"}, ensure_ascii=False).encode()


def signed(*secrets: str, at: datetime | None = None) -> dict[str, str]:
    return headers(event_id="ab12", at=at or datetime.now(UTC), body=BODY, secrets=secrets)


def test_the_standards_own_verifier_takes_it() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, signed(secret))["type"] == "call.ended"


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    secret, china = new_secret(), timezone(timedelta(hours=8))
    now = datetime.now(UTC)
    assert signed(secret, at=now) == signed(secret, at=now.astimezone(china))


def test_during_a_rotation_both_secrets_verify_and_a_third_does_not() -> None:
    new, old = new_secret(), new_secret()
    both = signed(new, old)
    assert Webhook(new).verify(BODY, both) == Webhook(old).verify(BODY, both)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, both)


@pytest.mark.parametrize(
    "changed", [{"webhook-id": "ab13"}, {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 7)}]
)
def test_what_was_changed_on_the_way_is_refused(changed: dict[str, str]) -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed(secret) | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", signed(secret))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "c2hvcnQ=", "whsec_???", new_secret()[6:]]
)
def test_a_secret_that_is_none_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(BadInput, match="whsec_ and base64") as refusal:
        check_secret(secret)
    assert secret in ("", "whsec_") or secret not in str(refusal.value)


def test_a_good_secret_is_taken() -> None:
    secret = new_secret()
    assert check_secret(secret) == secret
