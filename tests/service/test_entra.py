"""Access with an identity. The embedded hub knows no Entra ID, so what is tested is what leaves this machine.

The credentials are azure-identity's own where that can be had without an account: with a client secret and an authority
on this machine. tests/cli/test_access.py has its chain, and a user of the Azure CLI.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.identity import ClientSecretCredential

from fwsm.errors import ConfigError, FwsmError, HubUnreachableError, UnauthorizedError
from fwsm.service.client import Client
from fwsm.service.entra import EntraAccess
from fwsm.service.transport import Transport
from tests.patience import PATIENCE_S
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


_CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: {}
\tAzureCliCredential: Azure CLI not found on path
To mitigate this issue, please refer to the troubleshooting guidelines here."""


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("EnvironmentCredential authentication unavailable.", "no way to sign in is set up on this machine"),
        (
            "Authentication failed: AADSTS7000215: Invalid client secret.",
            "EnvironmentCredential: Authentication failed: AADSTS7000215: Invalid client secret",
        ),
    ],
)
def test_chain_is_told_by_what_is_set_up(first: str, why: str) -> None:
    """What else could have been is of no use."""
    credential = _Credential()
    credential.error = ClientAuthenticationError(_CHAIN.format(first))
    with pytest.raises(UnauthorizedError) as caught:
        credential.access().authorization()
    assert caught.value.why == why


def test_access_works_again_after_a_failure() -> None:
    """A failure is not remembered."""
    credential = _Credential()
    access = credential.access()
    credential.error = ClientAuthenticationError("not yet")
    with pytest.raises(UnauthorizedError):
        access.authorization()
    credential.error = None
    assert access.authorization() == "Bearer secret.2"


def _client_secret(site: Site, port: int) -> EntraAccess:
    """What a program signs in with, for a hub on the site at that port; the authority is there, too, at 9443."""
    credential = ClientSecretCredential(
        "contoso",
        "client",
        "its-secret",
        authority=f"https://{site.address}:9443",
        disable_instance_discovery=True,
        connection_verify=str(site.ca_file),
    )
    return EntraAccess(site.address, credential, port=port)


def _found(site: Site) -> bytes:
    """What an authority says of itself."""
    authority = f"https://{site.address}:9443/contoso"
    metadata = {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
    }
    return answering(200, json.dumps(metadata).encode(), "Content-Type: application/json")


def test_client_secret_becomes_a_token_for_the_hub(site: Site) -> None:
    """azure-identity asks the authority for the scope of IoT Hub's data plane; the hub gets what that has issued."""
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "issued.to.fwsm"}
    issued = answering(200, json.dumps(token).encode(), "Content-Type: application/json")
    authority, _ = site.serve(_found(site), issued, port=9443)
    hub, _ = site.serve(answering(200, b'{"deviceId": "d1"}'))
    with Client(Transport(_client_secret(site, hub.server_address[1]), ca_file=site.ca_file)) as client:
        assert client.twin("d1") == {"deviceId": "d1"}
    asked = parse_qs(authority.requests[1].partition(b"\r\n\r\n")[2].decode())
    assert authority.requests[1].startswith(b"POST /contoso/oauth2/v2.0/token ")
    assert asked["scope"] == ["https://iothubs.azure.net/.default"]
    assert (asked["grant_type"], asked["client_id"]) == (["client_credentials"], ["client"])
    assert b"\r\nAuthorization: Bearer issued.to.fwsm\r\n" in hub.requests[0]


def test_client_secret_that_is_wrong_is_told_in_the_words_of_the_authority(site: Site) -> None:
    """Nothing is sent to the hub."""
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    refused = answering(401, json.dumps(refusal).encode(), "Content-Type: application/json")
    site.serve(_found(site), refused, port=9443)
    with pytest.raises(UnauthorizedError) as caught:
        _client_secret(site, 443).authorization()
    assert "AADSTS7000215: Invalid client secret provided" in caught.value.why
    assert "AZURE_CLIENT_SECRET" in caught.value.fix


def test_authority_that_is_away_is_told(site: Site) -> None:
    """It is no refusal: time may help."""
    with pytest.raises(HubUnreachableError, match=r"Entra ID cannot be reached: .*refused"):
        _client_secret(site, 443).authorization()


def test_missing_package_is_told() -> None:
    """Without the extra the message says which one to install."""
    code = (
        "import sys; sys.modules['azure.identity'] = None\n"  # what an import of an uninstalled package comes to
        "from fwsm.errors import ConfigError\n"
        "from fwsm.service.entra import default_credential\n"
        "try:\n    default_credential()\nexcept ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
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
