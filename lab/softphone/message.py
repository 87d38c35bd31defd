"""SIP messages as values: parse and build (RFC 3261, section 7). No sockets, no state."""

from dataclasses import dataclass
from typing import Final

COMPACT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
"""Short header names (RFC 3261, 7.3.3)."""
REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    404: "Not Found",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    501: "Not Implemented",
    603: "Decline",
}
ECHOED: Final = ("via", "record-route", "from", "to", "call-id", "cseq")
"""Headers that a response repeats from its request."""


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or a response. Header names are lower case, in their order; a name may come more than once."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    def header(self, name: str) -> str:
        """Return the first value of this header, "" when it is not there."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def is_response(self) -> bool:
        return self.first.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        """Status code of a response."""
        return int(self.first.split()[1])

    @property
    def method(self) -> str:
        """Method of a request; of the request that a response belongs to."""
        return self.header("cseq").split()[-1] if self.is_response else self.first.split()[0]

    @property
    def user(self) -> str:
        """Whom a request is for: the user part of its address."""
        return user_of(self.first.split()[1])

    @property
    def branch(self) -> str:
        """Id of the transaction: the branch of the topmost Via."""
        return parameter(self.header("via"), "branch")


def parse(datagram: bytes) -> SipMessage | None:
    """Return the message of a datagram; None when it is none (keep-alives are blank lines)."""
    head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if len(first.split()) < 3 or "SIP/2.0" not in first:
        return None
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if colon:
            headers.append((COMPACT.get(name, name), value.strip()))
    return SipMessage(first, tuple(headers), body)


def render(message: SipMessage) -> bytes:
    """Return the datagram of a message; its length is put in."""
    lines = [message.first, *(f"{name.title()}: {value}" for name, value in message.headers)]
    body = message.body.encode()
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def response(
    request: SipMessage, status: int, *extra: tuple[str, str], tag: str = "", body: str = ""
) -> SipMessage:
    """Return the answer to a request; `tag` is put into To when the request has none there."""
    echoed = [(name, value) for name, value in request.headers if name in ECHOED]
    if tag and not parameter(request.header("to"), "tag"):
        echoed = [(name, f"{value};tag={tag}" if name == "to" else value) for name, value in echoed]
    reason = REASONS.get(status, "Refused")
    return SipMessage(f"SIP/2.0 {status} {reason}", (*echoed, *extra), body)


def parameter(value: str, name: str) -> str:
    """Return a parameter of a header, "" when it is not there. Parameters inside <...> are not looked at."""
    _, _, outside = value.rpartition(">")
    for part in outside.split(";"):
        key, _, content = part.strip().partition("=")
        if key.lower() == name:
            return content
    return ""


def address(value: str) -> str:
    """Return the URI of a From, To or Contact header."""
    if "<" in value:
        # The last one: a display name in quotes may hold brackets too.
        return value.rpartition("<")[2].partition(">")[0]
    return value.partition(";")[0].strip()


def user_of(uri: str) -> str:
    """Return the user part of a SIP URI, "" when it has none."""
    rest = uri.partition(":")[2]
    return rest.partition("@")[0].partition(";")[0] if "@" in rest else ""
