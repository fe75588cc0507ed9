"""Which hub an operator talks to, and as whom: options, else the environment, else the operator's file.

The file is read only when nothing before it names a hub, so a command never mixes the key of one with the authorities
of another.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from fwsm.cli.operatorfile import OperatorFile, default_path
from fwsm.cli.options import CONNECTION_STRING, ca_option, client_of, connection_option
from fwsm.errors import ConfigError, ConnectionStringError
from fwsm.service import Client, EntraAccess, SharedAccess
from fwsm.service.entra import default_credential

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.output import Output

__all__ = ["CONFIG_FILE", "HUB", "Access", "access_options"]

HUB: Final = "FWSM_HUB"
CONFIG_FILE: Final = "FWSM_OPERATOR_CONFIG"


@dataclass(frozen=True, slots=True)
class _Named:
    """A hub, by one way or the other.

    Attributes:
        connection_string: secret; None or empty for none.
        hub: host name; None or empty for none.
    """

    connection_string: str | None = field(repr=False)
    hub: str | None

    def access(self) -> SharedAccess | EntraAccess | None:
        """Return the way in; None if no hub is named."""
        if self.connection_string and self.hub:
            raise ConfigError(
                "two ways into the hub are given",
                why="a connection string carries a key, and a hub by its name is entered with Entra ID",
                fix="Leave one of them out",
            )
        if self.connection_string:
            return SharedAccess.parse(self.connection_string)
        return EntraAccess(self.hub, default_credential()) if self.hub else None


@dataclass(frozen=True, slots=True)
class Access:
    """What the command line and the environment say about the hub.

    Attributes:
        named: by options, then by the environment.
        ca: file of authorities.
        config: the operator's file.
    """

    named: tuple[_Named, ...]
    ca: str | None
    config: Path | None

    def client(self, out: Output) -> Client:
        """Return a client that tells the user when it has to wait.

        Raises:
            ConnectionStringError: there is none, or it is malformed.
            ConfigError: a file cannot be used, or Entra ID cannot.
        """
        for named in self.named:
            if (access := named.access()) is not None:
                return client_of(out, access, self.ca, Client)
        file = self._file(out)
        if (access := _Named(file.connection_string, file.hub).access()) is not None:
            return client_of(out, access, self.ca or file.ca_file, Client)
        raise ConnectionStringError(
            "no connection string was given",
            why="there are many hubs, and each wants a key",
            fix=f"Export {CONNECTION_STRING}, pass --connection-string, or write it into {default_path()}; "
            "`fwsm hub run` prints that of its own",
        )

    def _file(self, out: Output) -> OperatorFile:
        path = self.config or default_path()
        # Path.exists raises where a home is somebody else's.
        if self.config is None and not os.path.exists(path):  # noqa: PTH110
            return OperatorFile()
        file = OperatorFile.read(path)
        if file.exposed:
            out.say(f"warning: other users of this machine can read the key in {path}; run: chmod 600 {path}")
        return file


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which hub, as one argument `access`."""

    @functools.wraps(command)
    def with_access(
        *args: Any, connection_string: str | None, hub: str | None, ca: str | None, config: Path | None, **given: Any
    ) -> Any:
        if connection_string == "" or hub == "":  # an unset variable in the shell; another hub must not be taken for it
            raise ConnectionStringError("an empty text was given for the hub", fix="Leave the option out, or fill it")
        values = {"connection_string": connection_string, "hub": hub}
        named = tuple(
            _Named(**{name: value if _source(name) is source else None for name, value in values.items()})
            for source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        )
        return command(*args, access=Access(named, ca, config), **given)

    hub_option = click.option(
        "--hub",
        envvar=HUB,
        show_envvar=True,
        metavar="HOST",
        help="The hub's host name, to sign in with Entra ID instead of a connection string; needs fwsm[azure].",
    )
    config_option = click.option(
        "--config",
        envvar=CONFIG_FILE,
        show_envvar=True,
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="TOML file with connection_string or hub, and ca_file.  [default: ~/.config/fwsm/operator.toml]",
    )
    return connection_option(hub_option(ca_option(config_option(with_access))))


def _source(name: str) -> ParameterSource | None:
    return click.get_current_context().get_parameter_source(name)
