"""Who may come in: the rules of CONNECT.

Client id and user name both name the device, or the device and its module. It proves who it is by a shared access
signature as password, made with one of its keys or with a policy's, or by the certificate of the TLS handshake, whose
thumbprint the registry knows, or which an authority has signed for its name. A hub never answers 1 (unacceptable
protocol version): the Python SDK would fall back to MQTT 3.1 and then fail in a way that says nothing. Source: "Use
MQTT to communicate with IoT Hub".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from fwsm.hub.events import Sender
from fwsm.hub.packets import ConnectCode
from fwsm.hub.policy import Right
from fwsm.hub.sas import BadTokenError, SasToken
from fwsm.hub.shown import NOTHING_SHOWN
from fwsm.hub.throttles import Load
from fwsm.hub.topics import Telemetry, UnknownTopicError, client_path, parse_publication

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.identity import Identity
    from fwsm.hub.packets import Connect, Will
    from fwsm.hub.shown import ShownCertificate

__all__ = ["Admission", "LastWord", "NotAdmittedError", "admit"]

# {host}/{client id}/?api-version=…; old clients leave the question mark out.
_USER_NAME = re.compile(
    r"[^/]+/(?P<client_id>[^/]+(?:/[^/]+)?)/\??(?P<query>(?:.*&)?api-version=[^&]+(?:&.*)?)",
    re.DOTALL,
)


class NotAdmittedError(Exception):
    """The device stays outside.

    Attributes:
        code: what CONNACK says.
    """

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class LastWord:
    """The will of a device: the message that counts as sent when it vanishes."""

    telemetry: Telemetry
    body: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """A device that may come in.

    Attributes:
        expires_at: when its token ends, in epoch seconds; infinity for a certificate.
        sender: what its messages say of it.
        last_word: its will; None when it has none.
    """

    expires_at: float
    sender: Sender
    last_word: LastWord | None


def admit(engine: Engine, packet: Connect, shown: ShownCertificate = NOTHING_SHOWN) -> Admission:
    """Check a CONNECT.

    Args:
        engine: the hub.
        packet: what the device says.
        shown: its certificate, if it has shown one.

    Raises:
        NotAdmittedError: 2, the will is not for this device's telemetry; 3, too many connect at once; 4, the user name
            or the client id is malformed; 5, the device or its token or certificate is not accepted.
    """
    client_id = packet.client_id
    name = _USER_NAME.fullmatch(packet.user_name or "")
    if name is None or not client_id:
        raise NotAdmittedError(
            ConnectCode.BAD_USER_NAME,
            f"user name {packet.user_name!r} with client id {client_id!r}; "
            "expected {host}/{id}/?api-version={version} and {id}, which is {deviceId} or {deviceId}/{moduleId}",
        )
    if not engine.throttles.admits(Load.CONNECT):
        raise NotAdmittedError(ConnectCode.SERVER_UNAVAILABLE, "too many connections a second")
    if name["client_id"] != client_id:
        raise NotAdmittedError(ConnectCode.NOT_AUTHORIZED, f"the user name is for {name['client_id']}")
    last_word = _last_word(packet.will, client_id)
    model_id = dict(parse_qsl(name["query"])).get("model-id", "")
    try:
        identity = _known(engine, client_id)
        own = "module" if identity.module_id else "device"
        if not packet.password and _is_certified(engine, identity, shown):
            return Admission(math.inf, Sender(client_id, own, "x509", identity.generation, model_id), last_word)
        token = _check_token(engine, identity, packet.password, shown=bool(shown.chain))
    except BadTokenError as error:
        raise NotAdmittedError(ConnectCode.NOT_AUTHORIZED, str(error)) from None
    scope = own if token.policy is None else "hub"
    return Admission(token.expires_at, Sender(client_id, scope, "sas", identity.generation, model_id), last_word)


def _known(engine: Engine, client_id: str) -> Identity:
    identity = engine.registry.find(client_id)
    if identity is None:
        raise BadTokenError("the device is not registered")
    if not engine.registry.admits(client_id):
        raise BadTokenError("the device is disabled")
    return identity


def _is_certified(engine: Engine, identity: Identity, shown: ShownCertificate) -> bool:
    if identity.by_authority:
        return shown.common_name == identity.client_id and engine.authorities.vouch_for(shown)
    return bool(shown.thumbprints & identity.thumbprints)


def _check_token(engine: Engine, identity: Identity, password: bytes | None, *, shown: bool) -> SasToken:
    if not password:
        raise BadTokenError(
            "neither the registry nor a verified authority knows this certificate"
            if shown
            else "there is neither a token nor a certificate"
        )
    try:
        token = SasToken.parse(password.decode())
    except UnicodeDecodeError:
        raise BadTokenError("the password is not text") from None
    resource = client_path(identity.client_id)
    if token.policy is not None:
        engine.policies.check(token, Right.DEVICE_CONNECT, resource, engine.wall())
    else:
        token.check(identity.keys, engine.wall())
        if token.resource != resource:
            raise BadTokenError(f"the token is for {token.resource!r}, not for {resource}")
    return token


def _last_word(will: Will | None, client_id: str) -> LastWord | None:
    if will is None:
        return None
    try:
        telemetry = parse_publication(will.topic, client_id)
    except UnknownTopicError:
        telemetry = None
    if not isinstance(telemetry, Telemetry) or will.qos > 1:
        raise NotAdmittedError(
            ConnectCode.IDENTIFIER_REJECTED, f"a will on {will.topic} with QoS {will.qos} is not telemetry of its own"
        )
    return LastWord(telemetry, will.payload)
