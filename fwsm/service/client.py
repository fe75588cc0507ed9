"""IoT Hub's REST side as an operator uses it: the registry, twins, direct methods.

    with Client(Transport(SharedAccess.parse(text), ca_file="ca.pem")) as client:
        client.twin("d1")["properties"]["reported"]
        client.call_method("d1", "firmwareUpdate", {"fwPackageUri": "https://…"})

Our own because `azure-iot-hub` brings a retired AMQP library and does not import as installed. Paths, bodies and
headers follow the service's OpenAPI description (`service.json`, api-version 2021-04-12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from fwsm.core.credentials import dialled
from fwsm.core.text import cut
from fwsm.errors import RequestError
from fwsm.service.reply import accepted, json_object, objects, strange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.service.transport import Reply, Transport

__all__ = ["Client", "Identity", "MethodAnswer", "require_client_id", "require_device_id"]

_LONGEST_ID: Final = 128
_DEVICE_ID: Final = re.compile(rf"[A-Za-z0-9\-:.+%_#*?!(),=@$']{{1,{_LONGEST_ID}}}")
_JOB_ID: Final = re.compile(r"[a-z0-9-]{1,64}")
_WITH_CERTIFICATE: Final = frozenset({"selfSigned", "certificateAuthority"})
_PAGE: Final = 100  # rows; what the service gives by itself
_ANY_REVISION: Final = {"If-Match": '"*"'}
# What the hub needs beyond the time that the device has.
_METHOD_MARGIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A device in the registry, or a module of one.

    Attributes:
        device_id: its name, or that of the module's device.
        connection_string: what it connects with, secret; None if the hub shows neither a key nor that it has none.
        enabled: whether it may connect.
        connected: whether the hub sees it connected.
        module_id: the module's name; None for a device.
    """

    device_id: str
    connection_string: str | None = field(repr=False)
    enabled: bool
    connected: bool
    module_id: str | None = None


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """What a device answered to a direct method.

    Attributes:
        status: of the device's own choice; by custom as in HTTP.
        payload: any JSON value.
    """

    status: int
    payload: Any


class Client:
    """One hub, seen by an operator.

    Every method raises UnauthorizedError, ThrottledError, HubUnreachableError or another ServiceError for the cases
    that these name, and RequestError for a device id that cannot be one, beside what its own docstring lists.

    Args:
        transport: carries the requests; the client closes it.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def host(self) -> str:
        """The hub's host name."""
        return self._transport.host

    def twin(self, device_id: str, *, patient: bool = True) -> dict[str, Any]:
        """Return the twin of a device; with `patient` off, without trying again.

        Raises:
            DeviceNotFoundError: there is no such device.
        """
        return json_object(self._about(device_id, "GET", "/twins/{}", patient=patient))

    def call_method(
        self, device_id: str, name: str, payload: Any = None, *, response_timeout_s: int = 30
    ) -> MethodAnswer:
        """Call a direct method, once, and wait for the answer.

        Args:
            device_id: whom to call.
            name: of the method.
            payload: any JSON value, 128 KiB at most.
            response_timeout_s: how long the device has, 5 to 300.

        Raises:
            DeviceNotFoundError: there is no such device.
            DeviceOfflineError: it is not connected, or does not listen to methods.
            DeviceTimeoutError: it did not answer in time; it may have acted.
        """
        body = {"methodName": name, "payload": payload, "responseTimeoutInSeconds": response_timeout_s}
        read_timeout_s = response_timeout_s + _METHOD_MARGIN_S
        answer = json_object(
            self._about(device_id, "POST", "/twins/{}/methods", body=body, read_timeout_s=read_timeout_s)
        )
        status = answer.get("status")
        if not isinstance(status, int):
            raise strange("it has no status of the device")
        return MethodAnswer(status, answer.get("payload"))

    def device(self, device_id: str) -> Identity:
        """Return a device from the registry, or a module: `{device}/{module}`.

        Raises:
            DeviceNotFoundError: there is no such device or module.
        """
        return self._identity(json_object(self._registered(device_id, "GET")))

    def devices(self) -> list[Identity]:
        """Return the devices of the hub, sorted by name; the service gives 1000 at most."""
        documents = objects(accepted(self._transport.send("GET", "/devices")))
        return sorted(map(self._identity, documents), key=lambda identity: identity.device_id)

    def add_device(self, device_id: str, *, thumbprint: str | None = None, by_authority: bool = False) -> Identity:
        """Register a device or a module; the hub makes its keys, unless it will show a certificate.

        Args:
            device_id: its name; `{device}/{module}` for a module.
            thumbprint: of its certificate.
            by_authority: whether its certificate is signed by an authority that the hub trusts.

        Raises:
            RefusedError: it exists.
            DeviceNotFoundError: the module's device does not.
            ServiceError: the thumbprint is none.
        """
        body: dict[str, Any] = dict(zip(("deviceId", "moduleId"), device_id.split("/", 1), strict=False))
        if thumbprint is not None:
            body["authentication"] = {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}
        elif by_authority:
            body["authentication"] = {"type": "certificateAuthority"}
        return self._identity(json_object(self._registered(device_id, "PUT", body=body)))

    def remove_device(self, device_id: str) -> None:
        """Delete a device or a module with its twin.

        Raises:
            DeviceNotFoundError: there is no such device or module.
        """
        self._registered(device_id, "DELETE", headers=_ANY_REVISION)

    def query(self, text: str, *, patient: bool = True) -> Iterator[dict[str, Any]]:
        """Yield what a query finds, page by page; with `patient` off, without trying again.

        Raises:
            ServiceError: the hub cannot read it.
        """
        yield from self._pages("POST", "/devices/query", body={"query": text}, reads=True, patient=patient)

    def create_job(self, job_id: str, order: dict[str, Any]) -> None:
        """Have the hub do something on many devices; `order` is the body of the REST resource.

        Raises:
            RequestError: the name cannot be one.
            RefusedError: there is a job of this name.
            ThrottledError: as many jobs are active as the hub allows.
        """
        accepted(self._transport.send("PUT", _job_path(job_id), body={"jobId": job_id} | order))

    def job(self, job_id: str, *, patient: bool = True) -> dict[str, Any]:
        """Return a job as the REST resource shows it; one that nobody created has the status `unknown`.

        Raises:
            RequestError: the name cannot be one.
        """
        return json_object(accepted(self._transport.send("GET", _job_path(job_id), patient=patient)))

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Yield the jobs that the hub remembers."""
        yield from self._pages("GET", "/jobs/v2/query")

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job that has not begun.

        Raises:
            RequestError: the name cannot be one.
            ServiceError: it runs, is over, or is not there.
        """
        accepted(self._transport.send("POST", f"{_job_path(job_id)}/cancel"))

    def _pages(self, method: str, path: str, **options: Any) -> Iterator[dict[str, Any]]:
        headers = {"x-ms-max-item-count": f"{_PAGE}"}
        while True:
            reply = accepted(self._transport.send(method, path, headers=headers, **options))
            yield from objects(reply)
            continuation = reply.headers.get("x-ms-continuation")
            if not continuation:
                return
            headers["x-ms-continuation"] = continuation

    def _about(self, device_id: str, method: str, path: str, **options: Any) -> Reply:
        require_device_id(device_id)
        return accepted(self._transport.send(method, path.format(quote(device_id, safe="")), **options), device_id)

    def _registered(self, client_id: str, method: str, **options: Any) -> Reply:
        require_client_id(client_id)
        path = "/devices/" + "/modules/".join(quote(name, safe="") for name in client_id.split("/"))
        return accepted(self._transport.send(method, path, **options), client_id)

    def _identity(self, document: dict[str, Any]) -> Identity:
        device_id, module_id = document.get("deviceId"), document.get("moduleId")
        if not isinstance(device_id, str) or not isinstance(module_id, str | None):
            raise strange("it does not describe a device")
        proof = _proof(document.get("authentication"))
        module = "" if module_id is None else f"ModuleId={module_id};"
        # Devices dial MQTT's own port, so the port of the REST side has no place here.
        place = f"HostName={dialled(self._transport.host)};DeviceId={device_id};{module}"
        return Identity(
            device_id,
            f"{place}{proof}" if proof else None,
            enabled=document.get("status", "enabled") == "enabled",  # a module has none of its own
            connected=document.get("connectionState") == "Connected",
            module_id=module_id,
        )


def _proof(authentication: Any) -> str | None:
    """Return how an identity proves itself, as a connection string says it; None if the hub does not show that."""
    if not isinstance(authentication, dict):
        return None
    if authentication.get("type") in _WITH_CERTIFICATE:
        return "x509=true"
    keys = authentication.get("symmetricKey")
    key = keys.get("primaryKey") if isinstance(keys, dict) else None
    return f"SharedAccessKey={key}" if key else None


def require_device_id(text: str) -> None:
    """Raise RequestError unless the text can be the name of a device."""
    if not _DEVICE_ID.fullmatch(text):
        why = f"it has {len(text)} characters" if len(text) > _LONGEST_ID else "it is empty or has other characters"
        raise RequestError(
            f"{cut(text, _LONGEST_ID)!r} is no device id",
            field="deviceId",
            why=why,
            fix="Use 1 to 128 letters, digits and -:.+%_#*?!(),=@$'",
        )


def require_client_id(text: str) -> None:
    """Raise RequestError unless the text can name a device, or a module as `{device}/{module}`."""
    for name in text.split("/", 1):
        require_device_id(name)


def _job_path(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise RequestError(
            f"{cut(job_id, _LONGEST_ID)!r} is no job id",
            field="jobId",
            why="it has 1 to 64 lower-case letters, digits and hyphens",
            fix="Look with `fwsm job list`",
        )
    return f"/jobs/v2/{job_id}"
