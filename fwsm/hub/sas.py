r"""Shared access signatures: how a device or an operator proves that it holds a key.

    SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]

The signature is base64(HMAC-SHA256(key, sr + "\n" + se)), over `sr` in the URL-encoded form in which it was sent;
the fields come in any order. Source: "Control access to IoT Hub by using shared access signatures".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote, unquote

__all__ = ["BadTokenError", "SasToken", "is_key", "new_key", "sign"]

_SCHEME = "SharedAccessSignature "
_KEY_BYTES = 32
_LONGEST_TIME = 15  # digits of a time in seconds; such a one can be reckoned with exactly


class BadTokenError(Exception):
    """The token is malformed, expired, signed with another key, or not for this resource."""


def new_key() -> str:
    """Return a random key in base64, as long as those that IoT Hub makes."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def sign(resource: str, key: str, expires_at: int, policy: str | None = None) -> str:
    """Return a token for `resource` (plain text), signed with `key` (base64), valid until `expires_at` (epoch s)."""
    encoded = quote(resource, safe="")
    signature = quote(base64.b64encode(_digest(encoded, key, str(expires_at))), safe="")
    token = f"{_SCHEME}sr={encoded}&sig={signature}&se={expires_at}"
    return token if policy is None else f"{token}&skn={quote(policy, safe='')}"


@dataclass(frozen=True, slots=True)
class SasToken:
    """A token as it was sent; nothing of it is proved before `check`.

    Attributes:
        resource: the decoded path behind the host name, without slashes at its ends; "" for the whole hub. The host
            is left out because a hub on a laptop goes by many names.
        policy: the name of the policy that signed, None when a device signed with its own key.
        expires_at: epoch seconds.
    """

    resource: str
    policy: str | None
    expires_at: int
    _encoded_resource: str
    _expires: str
    _signature: bytes

    @classmethod
    def parse(cls, text: str) -> SasToken:
        """Take a token apart.

        Raises:
            BadTokenError: it is not a shared access signature.
        """
        if not text.startswith(_SCHEME):
            raise BadTokenError("not a shared access signature")
        fields = dict(part.partition("=")[::2] for part in text.removeprefix(_SCHEME).strip().split("&"))
        try:
            encoded, expires = fields["sr"], fields["se"]
            expires_at = _epoch_s(expires)
            signature = base64.b64decode(unquote(fields["sig"]), validate=True)
        except KeyError as error:
            raise BadTokenError(f"the token has no field {error}") from None
        except ValueError:
            raise BadTokenError("a field of the token is malformed") from None
        _, _, path = unquote(encoded).partition("/")
        policy = unquote(fields["skn"]) if fields.get("skn") else None
        return cls(path.strip("/"), policy, expires_at, encoded, expires, signature)

    @property
    def authority(self) -> str:
        """What stands before the resource: a host name, or the scope of a provisioning service."""
        return unquote(self._encoded_resource).partition("/")[0]

    def check(self, keys: tuple[str, ...], now: float) -> None:
        """Prove that the token was signed with one of `keys` (base64) and has not expired.

        Raises:
            BadTokenError: it was not, or it has.
        """
        if self.expires_at <= now:
            raise BadTokenError("the token has expired; compare the clocks of both sides")
        genuine = (_digest(self._encoded_resource, key, self._expires) for key in keys)
        if not any(hmac.compare_digest(self._signature, digest) for digest in genuine):
            raise BadTokenError("the token was signed with another key")

    def covers(self, resource: str) -> bool:
        """Say whether this token's resource is `resource` or a prefix of it in whole segments."""
        return not self.resource or f"{resource}/".startswith(f"{self.resource}/")


def _epoch_s(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIME):
        raise ValueError(text)
    return int(text)


def _digest(resource: str, key: str, expires: str) -> bytes:
    return hmac.digest(base64.b64decode(key), f"{resource}\n{expires}".encode(), hashlib.sha256)


def is_key(text: object) -> bool:
    """Say whether `text` can be a device's key: base64 of 16 to 64 bytes."""
    if not isinstance(text, str):
        return False
    try:
        return 16 <= len(base64.b64decode(text, validate=True)) <= 64  # noqa: PLR2004 - the limits of the service
    except ValueError:
        return False
