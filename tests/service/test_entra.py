"""Access with an identity. The embedded hub knows no Entra ID, so what is tested is what leaves this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from fwsm.errors import ConfigError, FwsmError, HubUnreachableError, UnauthorizedError
from fwsm.service.entra import EntraAccess
from fwsm.service.transport import Transport
from tests.service.scripted import answering

if TYPE_CHECKING:
    from tests.service.scripted import Site


@dataclass(frozen=True)
class _Token:
    token: str
    expires_on: float


class _Credential:
    """Gives a new token at each call, good for an hour, unless it is told to fail. Also the clock."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.error: AzureError | None = None
        self.scopes: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str) -> _Token:
        self.scopes.append(scopes)
        if self.error is not None:
            raise self.error
        return _Token(f"secret.{len(self.scopes)}", self.now + 3600)

    def access(self, host: str = "hub", port: int = 443) -> EntraAccess:
        return EntraAccess(host, self, port=port, wall=lambda: self.now)


def test_request_carries_a_bearer_token(site: Site) -> None:
    """It is asked for with the scope of IoT Hub's data plane, once for several requests."""
    server, _ = site.serve(answering(200), answering(200))
    credential = _Credential()
    access = credential.access(site.address, server.server_address[1])
    transport = Transport(access, ca_file=site.ca_file)
    for _ in range(2):
        assert transport.send("GET", "/twins/d1").status == 200
    transport.close()
    for request in server.requests:
        assert re.search(rb"\r\nAuthorization: Bearer secret\.1\r\n", request)
    assert credential.scopes == [("https://iothubs.azure.net/.default",)]


def test_token_is_replaced_before_it_runs_out() -> None:
    """Five minutes before, so that none runs out on its way."""
    credential = _Credential()
    access = credential.access()
    given = []
    for after_s in (0, 3299, 1, 3299, 1):
        credential.now += after_s
        given.append(access.authorization())
    assert given == ["Bearer secret.1"] * 2 + ["Bearer secret.2"] * 2 + ["Bearer secret.3"]


@pytest.mark.parametrize(
    ("error", "kind", "fix"),
    [
        (ClientAuthenticationError("no account\nTo mitigate, see https://…"), UnauthorizedError, "az login"),
        (AzureError(""), UnauthorizedError, "az login"),
        (ServiceRequestError("no route to host"), HubUnreachableError, "Check the network"),
    ],
)
def test_failure_is_told_in_words(error: AzureError, kind: type[FwsmError], fix: str) -> None:
    """Not signed in and not on the network are told apart, each with its first line and a way out."""
    credential = _Credential()
    credential.error = error
    with pytest.raises(kind) as caught:
        credential.access().authorization()
    assert caught.value.why == (str(error).splitlines()[0] if str(error) else "AzureError")
    assert fix in caught.value.fix


def test_access_works_again_after_a_failure() -> None:
    """A failure is not remembered."""
    credential = _Credential()
    access = credential.access()
    credential.error = ClientAuthenticationError("not yet")
    with pytest.raises(UnauthorizedError):
        access.authorization()
    credential.error = None
    assert access.authorization() == "Bearer secret.2"


def test_missing_package_is_told() -> None:
    """Without the extra the message says which one to install."""
    code = (
        "import sys; sys.modules['azure.identity'] = None\n"  # what an import of an uninstalled package comes to
        "from fwsm.errors import ConfigError\n"
        "from fwsm.service.entra import default_credential\n"
        "try:\n    default_credential()\nexcept ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert "pip install 'fwsm[azure]'" in done.stdout


def test_installed_package_gives_a_credential() -> None:
    """Azure's own chain; nothing is asked of it before a token is needed."""
    from fwsm.service.entra import default_credential  # noqa: PLC0415 - slow to import

    assert callable(default_credential().get_token)


@pytest.mark.parametrize("host", ["https://hub.azure-devices.net", "hub.azure-devices.net:443", "hub/", "a hub", ""])
def test_what_is_no_name_of_a_host_is_refused_before_a_token_is_asked_for(host: str) -> None:
    """A token must not be sent to what a slip of the pen made of the hub."""
    credential = _Credential()
    with pytest.raises(ConfigError, match="it must be the name of a host") as caught:
        credential.access(host)
    assert "such as myhub.azure-devices.net" in caught.value.fix
    assert credential.scopes == []
