"""One identity of the registry, a device or a module of a device: its name, how it proves who it is, its state.

Source: "Identity registry", "Module identity" and the service's OpenAPI description.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import Any

from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.sas import is_key, new_key
from fwsm.hub.timestamp import NEVER, timestamp

__all__ = ["Identity", "is_id"]

_ID = re.compile(r"[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}")
_THUMBPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


# What describes an identity puts in place of whatever it proved itself by before.
_UNPROVED: dict[str, Any] = {
    "primary_key": "",
    "secondary_key": "",
    "primary_thumbprint": "",
    "secondary_thumbprint": "",
    "by_authority": False,
}


def is_id(text: str) -> bool:
    """Say whether `text` can be the id of a device or of a module."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Identity:
    """One device, or one module of a device.

    Attributes:
        module_id: None for the device itself.
        primary_key: in base64, as is `secondary_key`; both "" when the identity uses certificates.
        primary_thumbprint: SHA-1 or SHA-256 of a client certificate, in upper-case hexadecimal; "" when there is none.
        enabled: whether a device may connect; a module goes by its device.
        managed_by: who looks after a module; free text.
        status_changed_at: when the device was enabled or disabled, in epoch seconds; None for never.
        by_authority: whether it shows a certificate that an authority of the hub has signed for its name.
        generation: tells this identity from an older one of the same name.
        revision: counts the writes.
    """

    device_id: str
    primary_key: str
    secondary_key: str
    enabled: bool = True
    status_reason: str | None = None
    generation: int = 0
    revision: int = 1
    module_id: str | None = None
    managed_by: str | None = None
    primary_thumbprint: str = ""
    secondary_thumbprint: str = ""
    status_changed_at: float | None = None
    by_authority: bool = False

    @property
    def client_id(self) -> str:
        """`{device}`, or `{device}/{module}`: its name within the hub, and its MQTT client id."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Both keys; either will do. None of them for an identity that uses certificates."""
        return (self.primary_key, self.secondary_key) if self.primary_key else ()

    @property
    def thumbprints(self) -> frozenset[str]:
        """Of the client certificates that will do."""
        return frozenset({self.primary_thumbprint, self.secondary_thumbprint} - {""})

    @property
    def authentication_type(self) -> str:
        """`sas`, `selfSigned` for certificates by thumbprint, or `certificateAuthority`."""
        if self.by_authority:
            return "certificateAuthority"
        return "sas" if self.primary_key else "selfSigned"

    @property
    def etag(self) -> str:
        """Moves with every write to this identity."""
        return base64.b64encode(f"{self.generation + self.revision}".encode()).decode()

    @property
    def status(self) -> str:
        """`enabled` or `disabled`."""
        return "enabled" if self.enabled else "disabled"

    @property
    def status_updated(self) -> str:
        """`status_changed_at` as the hub writes it."""
        return NEVER if self.status_changed_at is None else timestamp(self.status_changed_at)

    def document(self) -> dict[str, Any]:
        """Return the identity as an operator reads it, without what its device does (see `operator`)."""
        document = {
            "deviceId": self.device_id,
            "generationId": str(self.generation),
            "etag": self.etag,
            "authentication": {
                "symmetricKey": {
                    "primaryKey": self.primary_key or None,
                    "secondaryKey": self.secondary_key or None,
                },
                "x509Thumbprint": self.thumbprint_document(),
                "type": self.authentication_type,
            },
        }
        if self.module_id is not None:
            return document | {"moduleId": self.module_id, "managedBy": self.managed_by}
        return document | {
            "status": self.status,
            "statusReason": self.status_reason,
            "statusUpdatedTime": self.status_updated,
            "capabilities": {"iotEdge": False},
        }

    def thumbprint_document(self) -> dict[str, str | None]:
        """Return both thumbprints as identities and twins show them."""
        return {
            "primaryThumbprint": self.primary_thumbprint or None,
            "secondaryThumbprint": self.secondary_thumbprint or None,
        }

    def record(self) -> dict[str, Any]:
        """Return the identity as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    def described(self, body: dict[str, Any]) -> Identity:
        """Return this identity as the body of a REST request describes it; what that leaves out becomes the default.

        Raises:
            Refusal: 400004, a part is malformed, or names another identity.
        """
        for name, own in (("deviceId", self.device_id), ("moduleId", self.module_id)):
            named = body.get(name) or own
            if named != own:
                raise Refusal(Why.ARGUMENT_INVALID, f"{name} in the body is {named!r:.140}, in the path {own!r}.")
        status = body.get("status") or "enabled"
        if status not in ("enabled", "disabled"):
            raise Refusal(Why.ARGUMENT_INVALID, f"status is {status!r:.140}, not enabled or disabled.")
        is_device = self.module_id is None
        return replace(
            self._authenticated(body.get("authentication")),
            enabled=status == "enabled" if is_device else True,
            status_reason=_text(body, "statusReason") if is_device else None,
            managed_by=None if is_device else _text(body, "managedBy"),
        )

    def _authenticated(self, authentication: Any) -> Identity:
        given = {} if authentication is None else authentication
        kind = given.get("type") or "sas" if isinstance(given, dict) else None
        if kind == "sas":
            primary, secondary = _pair(given, "symmetricKey", "primaryKey", "secondaryKey")
            if not primary and not secondary:
                primary, secondary = new_key(), new_key()
            if not is_key(primary) or not is_key(secondary):
                raise Refusal(Why.ARGUMENT_INVALID, "Give both keys or neither, each base64 of 16 to 64 bytes.")
            return replace(self, **_UNPROVED | {"primary_key": primary, "secondary_key": secondary})
        if kind == "selfSigned":
            pair = _pair(given, "x509Thumbprint", "primaryThumbprint", "secondaryThumbprint")
            primary, secondary = (_thumbprint(text) for text in pair)
            if not primary and not secondary:
                raise Refusal(Why.ARGUMENT_INVALID, "authentication of type selfSigned takes at least one thumbprint.")
            return replace(self, **_UNPROVED | {"primary_thumbprint": primary, "secondary_thumbprint": secondary})
        if kind == "certificateAuthority":
            return replace(self, **_UNPROVED | {"by_authority": True})
        raise Refusal(Why.ARGUMENT_INVALID, "authentication.type is none of sas, selfSigned and certificateAuthority.")


def _pair(authentication: dict[str, Any], name: str, first: str, second: str) -> tuple[Any, Any]:
    part = authentication.get(name) or {}
    if not isinstance(part, dict):
        raise Refusal(Why.ARGUMENT_INVALID, f"authentication.{name} is not an object.")
    return part.get(first), part.get(second)


def _thumbprint(text: object) -> str:
    """Return a thumbprint in the form in which it is compared; tools write it with colons and in either case."""
    plain = str(text or "").replace(":", "").upper()
    if plain and _THUMBPRINT.fullmatch(plain) is None:
        raise Refusal(
            Why.ARGUMENT_INVALID, "A thumbprint is the SHA-1 or SHA-256 of a certificate: 40 or 64 hexadecimal digits."
        )
    return plain


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None
