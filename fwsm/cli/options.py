"""Options that several of the operator's commands share: which hub, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from fwsm.core.text import when
from fwsm.errors import ConnectionStringError
from fwsm.service import Client, EmbeddedClient, SharedAccess, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.output import Output
    from fwsm.service.transport import Access

__all__ = ["CA_FILE", "CONNECTION_STRING", "ca_option", "client_of", "connected", "connection_option"]

_C = TypeVar("_C", bound=Client)

CONNECTION_STRING: Final = "FWSM_SERVICE_CONNECTION_STRING"
CA_FILE: Final = "FWSM_CA_FILE"


def connection_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --connection-string; it may be absent."""
    return click.option(
        "--connection-string",
        "-c",
        envvar=CONNECTION_STRING,
        show_envvar=True,
        metavar="TEXT",
        help="The operator's connection string. Other users of this machine can see it here; not so in the variable.",
    )(command)


def ca_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --ca; it may be absent."""
    return click.option(
        "--ca",
        envvar=CA_FILE,
        show_envvar=True,
        metavar="FILE",
        help="PEM file of the authority that signed the hub's certificate; else the system's are trusted.",
    )(command)


def connected(output: Output, connection_string: str | None, ca: str | None) -> EmbeddedClient:
    """Return a client of an embedded hub that tells the user when it has to wait.

    Raises:
        ConnectionStringError: it is missing or malformed.
        ConfigError: the CA file cannot be used.
    """
    if not connection_string:
        raise ConnectionStringError(
            "no connection string was given",
            why="there are many hubs, and each wants a key",
            fix=f"Export {CONNECTION_STRING}, or pass --connection-string; `fwsm hub run` prints that of its own",
        )
    return client_of(output, SharedAccess.parse(connection_string), ca, EmbeddedClient)


def client_of(output: Output, access: Access, ca: str | None, kind: type[_C]) -> _C:
    """Return a client of some kind that tells the user when it has to wait.

    Raises:
        ConfigError: the CA file cannot be used.
    """

    def on_wait(why: str, pause_s: float) -> None:
        output.say(f"{why}; trying again {when(pause_s)}")

    return kind(Transport(access, ca_file=ca or None, on_wait=on_wait))
