"""How a device proves who it is, and who it is to the provisioning service.

    Proof      = SymmetricKey | SharedAccessSignature | Certificate
    Credentials = DeviceConnection | TokenFile | Enrollment

A `DeviceConnection` (see `connection_string`) names hub, device and proof. A `TokenFile` leads to a token, which names
them. An `Enrollment` names no hub: the Device Provisioning Service assigns one. Nothing here shows a key, a token or a
passphrase in its repr.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import TypeAlias
from urllib.parse import unquote

from fwsm.errors import ConfigError, ConnectionStringError

__all__ = [
    "GLOBAL_DPS_HOST",
    "Certificate",
    "Enrollment",
    "Proof",
    "SharedAccessSignature",
    "SymmetricKey",
    "TokenFile",
    "dialled",
    "is_host",
]

# "DPS device concepts": the one address of all instances of the public cloud; the ID scope tells them apart.
GLOBAL_DPS_HOST = "global.azure-devices-provisioning.net"

_FORM = "A device's token reads SharedAccessSignature sr=HOST%2Fdevices%2FID&sig=…&se=SECONDS"
_SCHEME = "SharedAccessSignature "
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_RESOURCE = re.compile(r"(?P<host>[^/]+)/devices/(?P<device_id>[^/]+)")
# "Terminology used with DPS": what a registration id may be made of.
_REGISTRATION_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,126}[A-Za-z0-9])?", re.ASCII)
_ID_SCOPE = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)


def is_host(text: str) -> bool:
    """Say whether `text` can be the name or the address of a host, without a port."""
    return _HOST_NAME.fullmatch(text) is not None or _is_ipv6(dialled(text))


def dialled(host: str) -> str:
    """Return a host as the system looks it up: an IPv6 address without the brackets that keep it apart from a port."""
    bare = host.removeprefix("[").removesuffix("]")
    return bare if host == f"[{bare}]" else host


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class SymmetricKey:
    """A key that hub and device share, in base64; tokens are made of it as they are needed."""

    key: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, name: str, fix: str) -> SymmetricKey:
        """Check a key; `name` is what the message calls it.

        Raises:
            ConnectionStringError: it is not base64.
        """
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConnectionStringError(
                f"{name} is not base64", why="a part of it may have been lost in copying", fix=fix
            ) from error
        return cls(text)


@dataclass(frozen=True, slots=True)
class SharedAccessSignature:
    """A token that somebody else has made from the key, and that ends.

    Attributes:
        text: the token, secret.
        host: the hub that it is for.
        device_id: the device that it is for.
        expires_at: epoch seconds.
    """

    text: str = field(repr=False)
    host: str
    device_id: str
    expires_at: int

    @classmethod
    def parse(cls, text: str) -> SharedAccessSignature:
        """Read a token of a device.

        Raises:
            ConnectionStringError: it is none, or it is not for a device; it is not shown.
        """
        text = text.strip()
        if not text.startswith(_SCHEME):
            raise ConnectionStringError("this is not a shared access signature", fix=_FORM)
        fields = dict(part.partition("=")[::2] for part in text.removeprefix(_SCHEME).split("&"))
        for name in ("sr", "sig", "se"):
            if not fields.get(name):
                raise ConnectionStringError(f"the shared access signature has no {name}", fix=_FORM)
        resource = _RESOURCE.fullmatch(unquote(fields["sr"]))
        if resource is None or not is_host(resource["host"]):
            raise ConnectionStringError(
                "the shared access signature is not for a device",
                why="its sr is not HOST/devices/ID",
                fix="Make one for this device alone, with its own key",
            )
        if re.fullmatch(r"[0-9]{1,12}", fields["se"]) is None:
            raise ConnectionStringError("se of the shared access signature is not a time in seconds", fix=_FORM)
        return cls(text, resource["host"], resource["device_id"], int(fields["se"]))


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate with its private key.

    Attributes:
        cert_file: PEM file of the certificate; those that signed it may follow in it.
        key_file: PEM file of its private key.
        passphrase: opens the key; "" for a key that needs none.
    """

    cert_file: str
    key_file: str
    passphrase: str = field(default="", repr=False)


Proof: TypeAlias = SymmetricKey | SharedAccessSignature | Certificate


@dataclass(frozen=True, slots=True)
class TokenFile:
    """Where another program puts one token after the other; the one that is there is read at each connect.

    Attributes:
        path: the file with a shared access signature.
        gateway_host: host name of the gateway through which the hub is reached; "" for none.
    """

    path: str
    gateway_host: str = ""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What a device tells the Device Provisioning Service, which then assigns it a hub and an id there.

    Attributes:
        id_scope: which instance of the service.
        registration_id: who the device is there.
        proof: the same as the hub will be shown.
        host: where the service is.
        gateway_host: through which gateway the assigned hub is reached; "" for none.
    """

    id_scope: str
    registration_id: str
    proof: SymmetricKey | Certificate
    host: str = GLOBAL_DPS_HOST
    gateway_host: str = ""

    def __post_init__(self) -> None:
        if _ID_SCOPE.fullmatch(self.id_scope) is None:
            raise ConfigError(
                f"dps_id_scope is {self.id_scope!r}",
                why="it must be letters and digits, such as 0ne00A1B2C3",
                fix="Copy the ID scope from the overview of the provisioning service",
                setting="dps_id_scope",
            )
        if _REGISTRATION_ID.fullmatch(self.registration_id) is None:
            raise ConfigError(
                f"registration_id is {self.registration_id!r}",
                why="it must be 1 to 128 letters, digits and -._: with a letter or digit at both ends",
                fix="Use the registration ID of the enrolment, or one of the device's own in a group",
                setting="registration_id",
            )
