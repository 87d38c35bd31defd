"""Which addresses a webhook may reach. Pure: nobody is asked here.

A URL is given by people, so it could make the service talk to what only the service can reach: itself, a database, a
cloud's metadata (server-side request forgery). Only public addresses are allowed, and what the settings allow beyond.
An IPv6 address that stands for an IPv4 one is judged as both.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from cti.errors import BadInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2000
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""The IPv4 address is the last 32 bits, and what is reached (RFC 6052)."""
_HOLDING: Final = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Local NAT64 (RFC 8215), "IPv4-compatible" addresses (RFC 4291, 2.5.5.1): an IPv4 address stands at the end."""
_SPECIAL: Final[tuple[Network, ...]] = (
    IPv4Network("100.64.0.0/10"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("5f00::/16"),
)
"""Special by the IANA registries, and yet global to some Pythons. In the first two lie clouds' metadata."""


class Reach:
    """What may be reached."""

    def __init__(self, allow: Sequence[str] = (), *, plain_http: bool = False) -> None:
        """`allow`: networks that are not public and may be reached all the same."""
        self._allow: tuple[Network, ...] = tuple(ip_network(one) for one in allow)
        self._plain_http = plain_http

    def refusal(self, address: str, *, secure: bool) -> str | None:
        """Return why this address may not be reached, None when it may. `secure`: by https."""
        try:
            given = ip_address(address.partition("%")[0])
        except ValueError:
            return f"{address} is no address"
        faces = _faces(given)
        if all(self._allowed(one) for one in faces):
            return None
        if any(not _is_public(one) and not self._allowed(one) for one in faces):
            return f"{address} is not a public address, and webhooks.allow of the settings does not name it"
        if not secure and not self._plain_http:
            return f"{address} may be reached by https only"
        return None

    def _allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allow if network.version == address.version)


def _faces(address: Address) -> tuple[Address, ...]:
    """Return the address, and the IPv4 addresses that it stands for.

    Of a mapped address (::ffff:a.b.c.d) and of NAT64 only the IPv4 one counts: it is what is connected to.
    """
    if isinstance(address, IPv4Address):
        return (address,)
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None or address in _NAT64:
        return (last,)
    inner = [address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _HOLDING):
        inner.append(last)
    return (address, *(one for one in inner if one is not None))


def _is_public(address: Address) -> bool:
    # is_global alone is not enough: it says yes to multicast
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not any(address in network for network in _SPECIAL if network.version == address.version)
        and not (isinstance(address, IPv6Address) and address.is_site_local)
    )


def check_url(url: str) -> str:
    """Return a URL that may be stored. Raises BadInput saying what is wrong; where it leads is looked at later."""
    if len(url) > LONGEST_URL:
        raise BadInput(f"url: longer than {LONGEST_URL} characters")
    if any(character.isspace() or not character.isprintable() for character in url) or "\\" in url:
        raise BadInput("url: must hold no space, control character or backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"url: {error}") from None
    if parts.scheme not in ("https", "http"):
        raise BadInput("url: must begin with https:// (or http://, where the settings allow it)")
    if not parts.hostname or port == 0:
        raise BadInput("url: names no host")
    if parts.username is not None or parts.password is not None:
        raise BadInput("url: must hold no user or password; the signature says who is calling")
    if parts.fragment or url.endswith("#"):
        raise BadInput("url: must have no part behind #")
    return url
