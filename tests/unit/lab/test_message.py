"""SIP messages: what comes off the wire is read, what is built can be read again."""

import pytest

from lab.softphone import message as sip

INVITE = (
    b"INVITE sip:a001@127.0.0.1:4000 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5160;rport;branch=z9hG4bKfirst\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKsecond\r\n"
    b'f: "Name; with=signs" <sip:5@127.0.0.1;transport=udp>;tag=theirs\r\n'
    b"To: <sip:a001@127.0.0.1>\r\n"
    b"Call-ID: abc\r\nCSeq: 7 INVITE\r\nl: 5\r\n\r\nv=0\r\n"
)


def parsed(datagram: bytes) -> sip.SipMessage:
    found = sip.parse(datagram)
    assert found is not None
    return found


def test_a_request_is_read_with_its_short_header_names() -> None:
    invite = parsed(INVITE)
    assert (invite.method, invite.user, invite.branch) == ("INVITE", "a001", "z9hG4bKfirst")
    assert invite.header("content-length") == "5"
    assert invite.body == "v=0\r\n"
    assert not invite.is_response


def test_an_answer_repeats_every_via_and_puts_the_tag_in_to() -> None:
    answer = parsed(
        sip.render(sip.response(parsed(INVITE), 200, ("contact", "<sip:me>"), tag="ours", body="v=0\r\n"))
    )
    assert (answer.status, answer.method, answer.branch) == (200, "INVITE", "z9hG4bKfirst")
    assert [value.rpartition("=")[2] for name, value in answer.headers if name == "via"] == [
        "z9hG4bKfirst",
        "z9hG4bKsecond",
    ]
    assert sip.parameter(answer.header("to"), "tag") == "ours"
    assert sip.parameter(answer.header("from"), "tag") == "theirs"
    assert answer.header("content-length") == "5"


def test_a_tag_that_is_there_stays() -> None:
    again = parsed(INVITE.replace(b"To: <sip:a001@127.0.0.1>", b"To: <sip:a001@127.0.0.1>;tag=first"))
    assert sip.parameter(sip.response(again, 200, tag="second").header("to"), "tag") == "first"


@pytest.mark.parametrize(
    "junk", [b"", b"\r\n\r\n", b"\0", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0", b"\xff" * 40]
)
def test_what_is_no_message_is_none(junk: bytes) -> None:
    assert sip.parse(junk) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"A <b>" <sip:x@h:1;ob>;tag=1', "sip:x@h:1;ob"),
        ("<sip:x@h:1;ob>;tag=1", "sip:x@h:1;ob"),
        ("sip:x@h;tag=1", "sip:x@h"),
    ],
)
def test_an_address_is_cut_out_of_its_header(value: str, expected: str) -> None:
    assert sip.address(value) == expected
