"""Who may come in: the rules of CONNECT.

Client id and user name both name the device, or the device and its module; the password is a shared access signature
made with one of its keys or with a policy's. A hub never answers 1 (unacceptable protocol version): the Python SDK
would fall back to MQTT 3.1 and then fail in a way that says nothing. Source: "Use MQTT to communicate with IoT Hub".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fwsm.hub.faults import Operation, Refuse
from fwsm.hub.packets import ConnectCode
from fwsm.hub.policy import Right
from fwsm.hub.sas import BadTokenError, SasToken
from fwsm.hub.topics import client_path

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.packets import Connect

__all__ = ["NotAdmittedError", "admit"]

# {host}/{client id}/?api-version=…; old clients leave the question mark out.
_USER_NAME = re.compile(
    r"[^/]+/(?P<client_id>[^/]+(?:/[^/]+)?)/(?:\?(?:.*&)?)?api-version=[^&]+(?:&.*)?",
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


def admit(engine: Engine, packet: Connect) -> float:
    """Check a CONNECT and return when its token expires, in epoch seconds.

    Raises:
        NotAdmittedError: 4, the user name or the client id is malformed; 5, the device or its token is not accepted;
            whatever a fault orders.
    """
    name = _USER_NAME.fullmatch(packet.user_name or "")
    if name is None or not packet.client_id:
        raise NotAdmittedError(
            ConnectCode.BAD_USER_NAME,
            f"user name {packet.user_name!r} with client id {packet.client_id!r}; "
            "expected {host}/{id}/?api-version={version} and {id}, which is {deviceId} or {deviceId}/{moduleId}",
        )
    client_id = packet.client_id
    effect = engine.faults.strike(Operation.CONNECT, client_id)
    if isinstance(effect, Refuse):
        raise NotAdmittedError(effect.status, "a fault was ordered")
    if name["client_id"] != client_id:
        raise NotAdmittedError(ConnectCode.NOT_AUTHORIZED, f"the user name is for {name['client_id']}")
    try:
        return _check_token(engine, client_id, packet.password)
    except BadTokenError as error:
        raise NotAdmittedError(ConnectCode.NOT_AUTHORIZED, str(error)) from None


def _check_token(engine: Engine, client_id: str, password: bytes | None) -> float:
    identity = engine.registry.find(client_id)
    if identity is None or not engine.registry.admits(client_id):
        raise BadTokenError("the device is not registered" if identity is None else "the device is disabled")
    try:
        token = SasToken.parse((password or b"").decode())
    except UnicodeDecodeError:
        raise BadTokenError("the password is not text") from None
    resource = client_path(client_id)
    if token.policy is not None:
        engine.policies.check(token, Right.DEVICE_CONNECT, resource, engine.wall())
    else:
        token.check(identity.keys, engine.wall())
        if token.resource != resource:
            raise BadTokenError(f"the token is for {token.resource!r}, not for {resource}")
    return token.expires_at
