"""Which embedded hub a command means: the one on --state, else that of a connection string, else the default one."""

from __future__ import annotations

import contextlib
import functools
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.hubcard import default_state, owner
from fwsm.cli.options import ca_option, connected, connection_option
from fwsm.cli.values import Directory
from fwsm.errors import HubUnreachableError
from fwsm.service.transport import UnsentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.cli.output import Output
    from fwsm.service import EmbeddedClient

__all__ = ["HubAccess", "hub_access_options", "state_option"]

state_option = click.option(
    "--state",
    type=Directory(resolve=True),  # printed for use in other directories
    metavar="DIR",
    help="The hub's directory.  [default: ~/.local/state/fwsm/hub]",
)


@dataclass(frozen=True, slots=True)
class HubAccess:
    """What the command line and the environment say about the hub.

    Attributes:
        state: its directory.
        connection_string: of an operator; secret.
        ca: file of authorities for that.
    """

    state: Path | None
    connection_string: str | None = field(repr=False)
    ca: str | None

    @contextlib.contextmanager
    def client(self, out: Output) -> Iterator[EmbeddedClient]:
        """Open a client that tells the user when it has to wait.

        Raises:
            HubUnreachableError: no hub runs on the directory, also of what is done with the client.
            ConnectionStringError: it is malformed.
            ConfigError: the file of authorities cannot be used.
        """
        if self.state is None and self.connection_string:
            with connected(out, self.connection_string, self.ca) as client:
                yield client
            return
        state = self.state or default_state()
        try:
            with connected(out, *owner(state)) as client:
                yield client
        except UnsentError as error:  # a hub that was killed has left its card
            raise HubUnreachableError(
                f"no hub runs on {state} any more",
                why=error.why,
                fix=f"Start it again: fwsm hub run --state {shlex.quote(str(state))}",
            ) from error


def hub_access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --state, --connection-string and --ca, as one argument `access`."""

    @functools.wraps(command)
    def called(*args: Any, state: Path | None, connection_string: str | None, ca: str | None, **options: Any) -> Any:
        return command(*args, access=HubAccess(state, connection_string, ca), **options)

    return state_option(connection_option(ca_option(called)))
