"""A proxy between the device and its hub, written as an address: `http://user:secret@proxy.example:8080`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from fwsm.errors import ConfigError

__all__ = ["Proxy"]

# Where such a proxy is if its address names no port.
_PORTS: Final = {"http": 8080, "socks5": 1080, "socks4": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """Through what the hub is reached.

    Attributes:
        scheme: `http` (CONNECT), `socks5` or `socks4`.
        user, password: for proxies that ask; "" for none. SOCKS4 knows a user only.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Read the address of a proxy.

        Raises:
            ConfigError: what is wrong with it; the address is not shown, as it may hold a password.
        """
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            raise _refused("its host or its port cannot be read") from error
        if parts.scheme not in _PORTS:
            raise _refused(f"it must begin with {', '.join(f'{scheme}://' for scheme in _PORTS)}")
        if not parts.hostname or port == 0:
            raise _refused("it names no host" if not parts.hostname else "a port is a number from 1 to 65535")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise _refused("something follows the port")
        return cls(
            parts.scheme,
            parts.hostname,
            port or _PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


def _refused(why: str) -> ConfigError:
    return ConfigError(
        "proxy is not the address of a proxy", why=why, fix="Write it as socks5://proxy.example:1080 or http://…:8080"
    )
