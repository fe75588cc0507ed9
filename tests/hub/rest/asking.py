"""An operator for tests: asks over HTTPS with a policy's key, as a service SDK would."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fwsm.hub.sas import sign

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
    """An HTTP client with a policy's key."""

    def __init__(self, hub: Hub, policy: str = "iothubowner") -> None:
        self.hub = hub
        self.policy = policy
        self.context = ssl.create_default_context(cafile=hub.ca_path)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with a good token; a body of bytes goes as it is."""
        fields = dict(part.split("=", 1) for part in self.hub.policy_connection_string(self.policy).split(";"))
        token = sign(fields["HostName"], fields["SharedAccessKey"], int(time.time()) + 60, self.policy)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = f"{path}{'&' if '?' in path else '?'}api-version=2021-04-12"
        connection = http.client.HTTPSConnection(self.hub.address, self.hub.rest_port, context=self.context, timeout=10)
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
