"""What the embedded hub does and IoT Hub does not, or not over REST: messages, events, faults, authorities.

Names are those of the hub's own resources under `/$fwsm` (`fwsm.hub.rest`). A hub of the cloud answers all of them with
an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from fwsm.core.text import cut
from fwsm.errors import HubUnreachableError, RequestError
from fwsm.service.client import Client, require_device_id
from fwsm.service.reply import accepted, decoded, json_object, objects, strange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["EFFECTS", "LOST", "OPERATIONS", "EmbeddedClient", "FeedEvent"]

# As the embedded hub names them; not imported from there, because operators' commands do without its packages.
EFFECTS: Final = (
    "refuse",
    "delay",
    "withholdAnswer",
    "withholdAck",
    "cutBeforeAck",
    "cutAfterAck",
    "cutInside",
    "lose",
)
_LOST: Final = frozenset({"lose"})
_OF_TWINS: Final = frozenset(EFFECTS) - _LOST
_OF_MESSAGES: Final = frozenset(EFFECTS) - {"refuse", "withholdAnswer"}
OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "connect": frozenset({"refuse", "delay", "withholdAnswer", "cutBeforeAck", "cutInside"}),
    "subscribe": frozenset({"refuse", "withholdAck", "cutBeforeAck"}),
    "twin read": _OF_TWINS,
    "reported patch": _OF_TWINS | _LOST,
    "telemetry": _OF_MESSAGES,
    "method answer": _OF_MESSAGES,
    "method call": _LOST,
    "desired change": _LOST,
    "cloud message": _LOST | {"cutBeforeAck", "cutInside"},
}
"""What can go wrong, and in which of the ways."""

LOST: Final = "lost"
"""The source of a note that events are lost to the reader; its document says `from` and `to` which position."""

# The hub gives a sign of life every 15 s.
_SILENCE_S: Final = 40.0
_FAULTS: Final = "/$fwsm/faults"
_AUTHORITIES: Final = "/$fwsm/authorities"
# How many characters of a wrong name are shown.
_SHOWN: Final = 128


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event of the feed.

    Attributes:
        position: its sequence number; to go on behind it.
        source: `Telemetry`, `twinChangeEvents`, `deviceConnectionStateEvents`, `deviceLifecycleEvents`, or `LOST`.
        document: as the hub shows it: `annotations`, `systemProperties`, `properties`, and `body` or `bodyBase64`.
    """

    position: int
    source: str
    document: dict[str, Any]


class EmbeddedClient(Client):
    """An embedded hub, seen by an operator."""

    def send_message(self, device_id: str, text: str) -> None:
        """Queue a cloud-to-device message. IoT Hub itself is sent messages over AMQP only.

        Raises:
            RequestError: `text` has characters that no UTF-8 has.
            DeviceNotFoundError: there is no such device, or the hub is another.
            ServiceError: fifty messages wait already, or it is larger than 64 KiB.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RequestError(
                "the message is no text in UTF-8", field="text", why=error.reason, fix="Send what is no text in base64"
            ) from None
        self._about(device_id, "POST", "/$fwsm/devices/{}/messages", body={"body": text})

    def events(self, after: int | None = None, device_id: str | None = None) -> Iterator[FeedEvent]:
        """Yield telemetry and news about devices as they come, for ever.

        Args:
            after: the position behind which to begin, 0 for all that are kept; None begins now.
            device_id: whose events; None for those of all.

        Raises:
            ServiceError: the feed has not come so far, or the hub has none.
            HubUnreachableError: the hub has gone.
        """
        query = {"after": None if after is None else f"{after}", "deviceId": device_id}
        reply, lines = self._transport.stream(
            "/$fwsm/events", {name: value for name, value in query.items() if value is not None}, silence_s=_SILENCE_S
        )
        accepted(reply)
        why = "it has stopped"
        try:
            yield from _frames(lines)
        except HubUnreachableError as error:
            why = error.why
        raise HubUnreachableError(
            f"the hub at {self.host} has ended the feed", why=why, fix="Start it again; its feed begins anew then"
        )

    def add_fault(self, order: dict[str, Any]) -> dict[str, Any]:
        """Order a fault; `order` and what is returned are documents of the resource.

        Raises:
            ServiceError: this effect cannot strike there, or the hub has no faults.
        """
        return json_object(accepted(self._transport.send("POST", _FAULTS, body=order)))

    def faults(self) -> list[dict[str, Any]]:
        """Return the orders that will still strike, oldest first."""
        return objects(accepted(self._transport.send("GET", _FAULTS)))

    def clear_faults(self) -> None:
        """Forget all orders."""
        accepted(self._transport.send("DELETE", _FAULTS))

    def put_authority(self, name: str, pem: str, *, verified: bool = False) -> dict[str, Any]:
        """Register a certificate authority, and return what the hub says of it.

        Args:
            name: what it is called from now on.
            pem: its certificate.
            verified: whether the hub is to trust it without a proof.

        Raises:
            RequestError: the name is none.
            ServiceError: `pem` is not the certificate of an authority.
        """
        body = {"certificate": pem, "isVerified": verified}
        return json_object(accepted(self._transport.send("PUT", _authority_path(name), body=body)))

    def verification_code(self, name: str) -> str:
        """Return a new code, for which the authority is to sign a certificate; raises ServiceError for no such one."""
        reply = self._transport.send("POST", f"{_authority_path(name)}/generateVerificationCode")
        return str(json_object(accepted(reply)).get("verificationCode"))

    def verify_authority(self, name: str, pem: str) -> dict[str, Any]:
        """Have the hub trust an authority that has signed `pem` for its code, and return what the hub says of it.

        Raises:
            ServiceError: there is no such authority, or this certificate is no proof.
        """
        reply = self._transport.send("POST", f"{_authority_path(name)}/verify", body={"certificate": pem})
        return json_object(accepted(reply))

    def authorities(self) -> list[dict[str, Any]]:
        """Return what the hub says of its authorities, by name."""
        return objects(accepted(self._transport.send("GET", _AUTHORITIES)))

    def remove_authority(self, name: str) -> None:
        """Have the hub trust an authority no longer; raises ServiceError when there is none of the name."""
        accepted(self._transport.send("DELETE", _authority_path(name)))


def _authority_path(name: str) -> str:
    try:
        require_device_id(name)
    except RequestError as error:
        what = f"{cut(name, _SHOWN)!r} is no name for an authority"
        raise RequestError(what, field="name", why=error.why, fix=error.fix) from None
    return f"{_AUTHORITIES}/{quote(name, safe='')}"


def _frames(lines: Iterable[bytes]) -> Iterator[FeedEvent]:
    """Read server-sent events; what is no field is a comment, a sign of life."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.rstrip(b"\r\n").partition(b": ")
        if name and colon:
            fields[name] = value
        elif fields and not name:
            yield _event(fields)
            fields = {}


def _event(fields: dict[bytes, bytes]) -> FeedEvent:
    position, document = fields.get(b"id", b""), decoded(fields.get(b"data", b""))
    if not position.isdigit() or not isinstance(document, dict):
        raise strange("it is not an event of the feed")
    return FeedEvent(int(position), fields.get(b"event", b"").decode(errors="replace"), document)
