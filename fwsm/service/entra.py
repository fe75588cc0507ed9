"""Access to a hub with an identity of Microsoft Entra ID, instead of the key of a policy.

    Transport(EntraAccess("hub.azure-devices.net", default_credential()))

The token is a bearer token for the scope of IoT Hub's data plane; the identity needs a role of the hub, such as "IoT
Hub Data Contributor". Whatever has the method `get_token` of `azure.core.credentials.TokenCredential` is a credential:
those of azure-identity (the extra `azure`) do. Source: "Control access to IoT Hub with Microsoft Entra ID".
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from fwsm.core.credentials import is_host
from fwsm.errors import ConfigError, HubUnreachableError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Credential", "EntraAccess", "default_credential"]

_SCOPE: Final = "https://iothubs.azure.net/.default"
_PORT: Final = 443
# A token is replaced while it is still good for so long, so that none runs out on its way.
_MARGIN_S: Final = 300.0
# So azure-identity begins what it says of a way that is set up and does not work.
_FAILED: Final = "Authentication failed: "
_FIX: Final = "Sign in, for example with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"


class Token(Protocol):
    """A token, and when it runs out (epoch seconds)."""

    @property
    def token(self) -> str:
        """What is sent; secret."""
        ...

    @property
    def expires_on(self) -> float:
        """When it runs out."""
        ...


class Credential(Protocol):
    """Gets tokens; `azure.core.credentials.TokenCredential` is one."""

    def get_token(self, *scopes: str) -> Token:
        """Return a token; raises AzureError if there is none."""
        ...


class EntraAccess:
    """Access to a hub with an identity.

    Args:
        host: the hub's host name.
        credential: gets the tokens.
        port: of its REST side.
        wall: the time in epoch seconds; tokens run out by it.

    Raises:
        ConfigError: `host` is no name of a host.
    """

    def __init__(
        self, host: str, credential: Credential, *, port: int = _PORT, wall: Callable[[], float] = time.time
    ) -> None:
        if not is_host(host):
            raise ConfigError(
                f"the hub is {host!r}",
                why="it must be the name of a host",
                fix="Give the name alone, without https:// and port, such as myhub.azure-devices.net",
                setting="hub",
            )
        self.host = host
        self.port = port
        self._credential = credential
        self._wall = wall
        self._token: Token | None = None

    def authorization(self) -> str:
        """Return a token that is good for some minutes at least, the one of the last call as long as it is.

        Raises:
            UnauthorizedError: the identity gets none.
            HubUnreachableError: Entra ID could not be reached.
        """
        if self._token is None or self._token.expires_on - _MARGIN_S <= self._wall():
            self._token = self._fresh()
        return f"Bearer {self._token.token}"

    def _fresh(self) -> Token:
        from azure.core.exceptions import (  # noqa: PLC0415 - comes with the extra `azure`
            AzureError,
            ServiceRequestError,
            ServiceResponseError,
        )

        try:
            return self._credential.get_token(_SCOPE)
        except AzureError as error:
            # azure-identity wraps what the network does into a refusal.
            if any(isinstance(cause, ServiceRequestError | ServiceResponseError) for cause in _causes(error)):
                raise HubUnreachableError(
                    "Entra ID cannot be reached", why=_reason(error), fix="Check the network, then try again"
                ) from error
            raise UnauthorizedError("Entra ID gave no token for the hub", why=_reason(error), fix=_FIX) from error


def default_credential() -> Credential:
    """Return what azure-identity finds: variables, a managed identity, the signed-in user of the Azure CLI.

    Raises:
        ConfigError: the extra `azure` is not installed.
    """
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - optional, and slow to import
    except ModuleNotFoundError as error:
        raise ConfigError(
            "Entra ID cannot be used", why="azure-identity is not installed", fix="Run: pip install 'fwsm[azure]'"
        ) from error
    # It warns of each failure at length, which Python prints where nobody has set up a log; we say it in a line.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    credential: Any = DefaultAzureCredential()
    return credential  # type: ignore[no-any-return]


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _reason(error: Exception) -> str:
    """What went wrong, in a line: of many ways to sign in that were tried, how the one that is set up has failed."""
    lines = str(error).strip().splitlines()
    tried = [line.strip() for line in lines if line.startswith("\t")]
    failed = [line for line in tried if _FAILED in line]
    if tried and not failed:
        return "no way to sign in is set up on this machine"
    return (failed or lines or [type(error).__name__])[-1 if failed else 0].rstrip(".")
