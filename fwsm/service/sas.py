r"""The operator's token: proof of holding the key of a shared access policy, without sending the key.

    SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}

The signature is base64(HMAC-SHA256(key, sr + "\n" + se)), over `sr` in its URL-encoded form. Source: "Control access
to IoT Hub by using shared access signatures".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from fwsm.core.connection_string import ServiceConnection

__all__ = ["token"]


def token(connection: ServiceConnection, expires_at: int) -> str:
    """Return a token for the whole hub, valid until `expires_at` (epoch seconds)."""
    resource = quote(connection.resource, safe="")
    digest = hmac.digest(base64.b64decode(connection.key), f"{resource}\n{expires_at}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest), safe="")
    return (
        f"SharedAccessSignature sr={resource}&sig={signature}&se={expires_at}&skn={quote(connection.policy, safe='')}"
    )
