"""Which proxy an address is reached through: every form in which people write NO_PROXY."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.providers.proxies import Proxies, read_proxies

PROXY = "http://proxy.example:3128"


def reached(no_proxy: str, host: str, *, scheme: str = "http", port: int = 80) -> bool:
    """Whether an address is reached without the proxy."""
    return read_proxies({"http": PROXY, "https": PROXY, "no": no_proxy}).find(scheme, host, port) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("10.0.0.0/8", "10.255.1.2", 80),
        ("10.1.2.3/8", "10.255.1.2", 80),
        ("localhost,127.0.0.0/8,::1/128,fd00::/8", "fd12::1", 80),
        ("fe80::/10", "fe80::1%eth0", 80),
        ("[fd00::]/8", "fd12::1", 80),
        ("[fd12::1]", "fd12::1", 80),
        ("[fd12::1]:8000", "fd12::1", 8000),
        ("fd12::1", "[fd12::1]", 80),
        ("10.0.0.0/8", "::ffff:10.1.1.1", 80),
        ("10.1.1.1", "10.1.1.1", 80),
        ("10.1.1.1:8000", "10.1.1.1", 8000),
        ("10.*", "10.1.1.1", 80),
        ("example.com", "example.com", 80),
        ("example.com", "api.example.com", 80),
        (".example.com", "api.example.com", 80),
        (".example.com", "example.com", 80),
        ("*.example.com", "api.example.com", 80),
        ("EXAMPLE.com.", "api.Example.COM", 80),
        ("example.com", "api.example.com.", 80),
        ("example.com:8443", "example.com", 8443),
        ("a.example b.example", "b.example", 80),
        (" a.example , b.example ", "b.example", 80),
        ("*", "anything.example", 80),
        ("x.example,*", "2001:db8::1", 80),
        ("http://example.com", "example.com", 80),
        ("all://example.com", "example.com", 80),
    ],
)
def test_reached_without_a_proxy(no_proxy: str, host: str, port: int) -> None:
    """Names, addresses and networks, with ports, brackets, dots and stars."""
    assert reached(no_proxy, host, port=port)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("", "example.com", 80),
        ("10.0.0.0/8", "11.0.0.1", 80),
        ("10.0.0.0/8", "10.example", 80),
        ("fd00::/8", "fe00::1", 80),
        ("[fd12::1]:8000", "fd12::1", 80),
        ("10.0.0.0/99", "10.1.1.1", 80),
        ("::1/xyz", "example.com", 80),
        ("example.com", "wwwexample.com", 80),
        ("example.com:8443", "example.com", 443),
        ("https://example.com", "example.com", 80),
        (".", "example.com", 80),
        ("0.1", "10.0.0.1", 80),
    ],
)
def test_reached_through_the_proxy(no_proxy: str, host: str, port: int) -> None:
    """What an entry does not mean, and entries that mean nothing."""
    assert not reached(no_proxy, host, port=port)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "a.localhost"])
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    """No proxy can reach this machine's own servers."""
    assert reached("", host)


def test_the_schemes_have_their_own() -> None:
    """`https` has its own proxy, `all` stands in for what has none, and an address without a scheme is completed."""
    proxies = read_proxies({"https": "p.example:1", "all": "socks://q.example:2/"})
    assert proxies.find("https", "x.example", 443) == ("HTTPS_PROXY", "http://p.example:1")
    assert proxies.find("http", "x.example", 80) == ("ALL_PROXY", "socks5://q.example:2/")
    assert Proxies({}).find("http", "x.example", 80) is None


@given(st.integers(0, 32), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_network_covers_its_addresses(length: int, base: int, host: int) -> None:
    """An address is reached directly exactly where its first bits are the network's, or where it is this machine's own."""
    network, address = ipaddress.IPv4Address(base), ipaddress.IPv4Address(host)
    is_inside = base >> (32 - length) == host >> (32 - length)
    assert reached(f"{network}/{length}", str(address)) == (is_inside or address.is_loopback)


@given(st.text(max_size=40), st.sampled_from(["example.com", "10.0.0.1", "fd12::1"]))
def test_no_value_is_an_error(no_proxy: str, host: str) -> None:
    """Whatever stands in NO_PROXY, an address is reached one way or the other."""
    assert reached(no_proxy, host) in (True, False)
