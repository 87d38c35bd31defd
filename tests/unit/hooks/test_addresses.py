"""Which addresses a webhook may reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import BadInput
from cti.hooks.addresses import Reach, check_url

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")
FORBIDDEN = {
    "0.0.0.0": "this host",  # noqa: S104
    "127.0.0.1": "loopback",
    "127.8.9.1": "loopback",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "metadata",
    "100.64.0.1": "CGNAT",
    "100.100.100.200": "Alibaba's metadata",
    "192.0.0.192": "Oracle's metadata",
    "198.18.0.1": "benchmarks",
    "224.0.0.1": "multicast",
    "239.1.2.3": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local with a zone",
    "fc00::1": "unique local",
    "fd00:ec2::254": "Amazon's metadata",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "::ffff:127.0.0.1": "mapped loopback",
    "::ffff:10.0.0.1": "mapped private",
    "::127.0.0.1": "compatible loopback",
    "64:ff9b::7f00:1": "NAT64 of loopback",
    "64:ff9b::a9fe:a9fe": "NAT64 of metadata",
    "64:ff9b:1::a00:1": "local NAT64 of private",
    "2002:7f00:1::": "6to4 of loopback",
    "2002:a00:1::1": "6to4 of private",
    "2001:0:7f00:1::1": "Teredo",
    "2001:db8::1": "documentation",
    "localhost": "no address",
    "": "no address",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_by_https_only(address: str) -> None:
    assert Reach().refusal(address, secure=True) is None
    assert "https" in (Reach().refusal(address, secure=False) or "")
    assert Reach(plain_http=True).refusal(address, secure=False) is None


@pytest.mark.parametrize("address", FORBIDDEN, ids=FORBIDDEN.values())
def test_all_else_is_refused(address: str) -> None:
    for secure in (True, False):
        assert Reach(plain_http=True).refusal(address, secure=secure) is not None


def test_what_the_settings_name_is_reached_also_without_tls_and_no_more_than_that() -> None:
    reach = Reach(["10.1.2.0/24", "fd00::/8"])
    assert reach.refusal("10.1.2.3", secure=False) is None
    assert reach.refusal("::ffff:10.1.2.3", secure=False) is None
    assert reach.refusal("fd12::1", secure=True) is None
    assert reach.refusal("10.1.3.3", secure=True) is not None
    assert reach.refusal("127.0.0.1", secure=True) is not None


def test_allowing_an_ipv6_network_allows_no_ipv4_address_behind_it() -> None:
    assert Reach(["64:ff9b::/96"]).refusal("64:ff9b::a9fe:a9fe", secure=True) is not None


@given(st.ip_addresses(network="127.0.0.0/8") | st.ip_addresses(network="10.0.0.0/8"))
def test_no_spelling_of_a_private_address_passes(address: object) -> None:
    for spelled in (f"{address}", f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
        assert Reach().refusal(spelled, secure=True) is not None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://a.example/", "must begin with https"),
        ("file:///etc/passwd", "must begin with https"),
        ("https://", "names no host"),
        ("https://:443/x", "names no host"),
        ("https://user:secret@a.example/", "no user or password"),
        ("https://a.example/#here", "behind #"),
        ("https://a.example/ x", "no space"),
        ("https://a.example\\@b.example/", "backslash"),
        ("https://a.example:99999/", "Port out of range"),
        ("https://[::1", "Invalid IPv6"),
        ("https://a.example/" + "x" * 2000, "longer than"),
        ("https://a.example/\n", "no space"),
    ],
)
def test_a_url_that_is_wrong_is_refused_in_words(url: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        check_url(url)


@pytest.mark.parametrize("url", ["https://a.example", "http://10.1.2.3:8069/hook?x=1", "https://[::1]:8/"])
def test_a_good_url_stays_as_it_is(url: str) -> None:
    assert check_url(url) == url
