from __future__ import annotations

import pytest

from fwsm.core.proxy import Proxy
from fwsm.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy.example", Proxy("http", "proxy.example", 8080)),
        ("HTTP://proxy.example:3128/", Proxy("http", "proxy.example", 3128)),
        ("socks5://me:se%40cret@10.0.0.1:1", Proxy("socks5", "10.0.0.1", 1, "me", "se@cret")),
        (" socks4://me@proxy ", Proxy("socks4", "proxy", 1080, "me")),
        ("socks5://[::1]:9", Proxy("socks5", "::1", 9)),
    ],
)
def test_an_address_is_read(text: str, proxy: Proxy) -> None:
    """Ports have the usual defaults; user and password are decoded."""
    assert Proxy.parse(text) == proxy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("proxy:8080", "it must begin with http://, socks5://, socks4://"),
        ("https://proxy", "it must begin with http://, socks5://, socks4://"),
        ("", "it must begin with http://, socks5://, socks4://"),
        ("http://", "it names no host"),
        ("http://:80", "it names no host"),
        ("http://s3cret@proxy:0", "a port is a number from 1 to 65535"),
        ("http://s3cret@proxy:99999", "its host or its port cannot be read"),
        ("http://s3cret@[proxy", "its host or its port cannot be read"),
        ("http://proxy/path", "something follows the port"),
        ("http://proxy/X", "something follows the port"),
        ("http://proxy?s3cret", "something follows the port"),
        ("http://proxy#s3cret", "something follows the port"),
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(text: str, why: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigError) as caught:
        Proxy.parse(text)
    assert str(caught.value) == (
        f"proxy is not the address of a proxy: {why}. Write it as socks5://proxy.example:1080 or http://…:8080"
    )


def test_the_password_is_not_in_the_repr() -> None:
    """It stays out of logs."""
    assert "s3cret" not in repr(Proxy("http", "h", 1, "me", "s3cret"))
