r"""The operator's token: proof of holding the key of a shared access policy, without sending the key.

    SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}

The signature is base64(HMAC-SHA256(key, sr + "\n" + se)), over `sr` in its URL-encoded form. Source: "Control access
to IoT Hub by using shared access signatures".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from fwsm.core.connection_string import ServiceConnection

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SharedAccess", "token"]

_LIFE_S: Final = 3600


class SharedAccess:
    """Access to a hub with the key of a policy.

    Args:
        connection: which hub, and as whom.
        wall: the time in epoch seconds; tokens are made out by it.
    """

    def __init__(self, connection: ServiceConnection, wall: Callable[[], float] = time.time) -> None:
        self.host = connection.host
        self.port = connection.port
        self._connection = connection
        self._wall = wall

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the access that a connection string gives.

        Raises:
            ConnectionStringError: naming the part that is missing or wrong.
        """
        return cls(ServiceConnection.parse(text))

    def authorization(self) -> str:
        """Return a token that is good for an hour."""
        return token(self._connection, int(self._wall()) + _LIFE_S)


def token(connection: ServiceConnection, expires_at: int) -> str:
    """Return a token for the whole hub, valid until `expires_at` (epoch seconds)."""
    resource = quote(connection.resource, safe="")
    digest = hmac.digest(base64.b64decode(connection.key), f"{resource}\n{expires_at}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest), safe="")
    return (
        f"SharedAccessSignature sr={resource}&sig={signature}&se={expires_at}&skn={quote(connection.policy, safe='')}"
    )
