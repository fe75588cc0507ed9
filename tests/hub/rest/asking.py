"""An operator for tests: asks over HTTPS with a policy's key, as a service SDK would."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fwsm.hub.sas import sign
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from fwsm.hub import Hub

__all__ = ["Answer", "Operator", "refused"]


@dataclass
class Answer:
    """A response: status, headers in lower case, and the body as JSON."""

    status: int
    headers: dict[str, str]
    body: Any


class Operator:
    """An HTTP client with a policy's key, which is good for later hubs on the same state as well."""

    def __init__(self, hub: Hub, policy: str = "iothubowner") -> None:
        self._policy = policy
        self._fields = dict(part.split("=", 1) for part in hub.policy_connection_string(policy).split(";"))
        self._address = (hub.address, hub.rest_port)
        self.context = ssl.create_default_context(cafile=hub.ca_path)

    def token(self) -> str:
        """Return a good token."""
        host, key = self._fields["HostName"], self._fields["SharedAccessKey"]
        return sign(host, key, int(time.time()) + 3600, self._policy)

    def connection(self) -> http.client.HTTPSConnection:
        """Return a connection that is not yet open."""
        return http.client.HTTPSConnection(*self._address, context=self.context, timeout=PATIENCE_S)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection for programs on asyncio, which write their requests themselves."""
        return await asyncio.open_connection(*self._address, ssl=self.context)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with a good token; a body of bytes goes as it is."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": self.token(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = f"{path}{'&' if '?' in path else '?'}api-version=2021-04-12"
        connection = self.connection()
        try:
            connection.request(method, url, data, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            json.loads(text) if text else None,
        )


def refused(answer: Answer) -> tuple[int, str]:
    """Return status and error name; they must say the same in the header and in the body."""
    name = answer.headers["iothub-errorcode"]
    assert answer.body["Message"].startswith(f"ErrorCode:{name};")
    assert answer.body["ExceptionMessage"].startswith("Tracking ID:")
    return answer.status, name
