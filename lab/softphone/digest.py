"""SIP digest authentication (RFC 2617 as RFC 3261, section 22 uses it): MD5, with and without qop=auth. Pure."""

import re
from hashlib import md5

_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def parse_challenge(header: str) -> dict[str, str]:
    """Return the fields of a WWW-Authenticate header, names in lower case."""
    return {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(header)}


def digest(text: str) -> str:
    return md5(text.encode()).hexdigest()


def answer(
    challenge: dict[str, str], *, method: str, uri: str, user: str, password: str, cnonce: str, count: int = 1
) -> str:
    """Return the Authorization header for a challenge. Other algorithms than MD5 raise ValueError."""
    if challenge.get("algorithm", "MD5").upper() != "MD5":
        raise ValueError(f"digest algorithm {challenge['algorithm']} is not known here")
    realm, nonce = challenge["realm"], challenge["nonce"]
    secret, request = digest(f"{user}:{realm}:{password}"), digest(f"{method}:{uri}")
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    bare = "algorithm=MD5"
    if "auth" in challenge.get("qop", "").replace(" ", "").split(","):
        fields["response"] = digest(f"{secret}:{nonce}:{count:08x}:{cnonce}:auth:{request}")
        fields["cnonce"] = cnonce
        bare += f", qop=auth, nc={count:08x}"
    else:
        fields["response"] = digest(f"{secret}:{nonce}:{request}")
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + ", " + bare
