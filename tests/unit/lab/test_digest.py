"""Digest authentication, against the example that its own standard gives."""

import pytest

from lab.softphone import digest

CHALLENGE = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", '
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)


def answer_to(header: str) -> dict[str, str]:
    given = digest.answer(
        digest.parse_challenge(header),
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    return digest.parse_challenge(given)


def test_the_example_of_rfc_2617() -> None:
    fields = answer_to(CHALLENGE)
    assert fields["response"] == "6629fae49393a05397450978507c4ef1"
    assert (fields["qop"], fields["nc"]) == ("auth", "00000001")
    assert fields["opaque"] == "5ccc069c403ebaf9f0171e9517f40e41"


def test_without_qop_there_is_no_count_and_another_response() -> None:
    fields = answer_to(CHALLENGE.replace('qop="auth,auth-int", ', ""))
    assert fields["response"] == "670fd8c2df070c60b045671b8b24ff02"
    assert "nc" not in fields


def test_an_algorithm_we_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        answer_to(CHALLENGE + ", algorithm=SHA-256")
