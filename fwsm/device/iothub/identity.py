"""Where the link learns, before each connect, as whom it connects."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Certificate, SharedAccessSignature
from fwsm.device.iothub.client import check_certificate
from fwsm.errors import ConfigError, FwsmError, LinkAuthError

if TYPE_CHECKING:
    from fwsm.core.credentials import Enrollment, TokenFile
    from fwsm.device.iothub.loop import LoopThread

__all__ = ["FixedIdentity", "Identity", "TokenIdentity", "check_proof"]


class Identity(Protocol):
    """As whom a device connects. Used by the supervisor's thread, `abandon` by any."""

    def connection(self, loop: LoopThread) -> DeviceConnection:
        """Return hub, device and proof for the next connect.

        Raises:
            FwsmError: there is none now.
        """
        ...

    def noted(self, error: FwsmError | None) -> None:
        """Learn what became of a connect: None when the hub let the device in."""
        ...

    def abandon(self) -> None:
        """Make `connection` return soon, now and from now on."""
        ...


class FixedIdentity:
    """A device whose hub and proof are settled.

    Raises:
        ConfigError: its certificate cannot be used.
    """

    def __init__(self, connection: DeviceConnection) -> None:
        check_proof(connection)
        self._connection = connection

    def connection(self, loop: LoopThread) -> DeviceConnection:  # noqa: ARG002 - nobody needs to be asked
        """Return it, once it is clear that it can be used now: files are renewed, and tokens end."""
        check_proof(self._connection)
        _check_time(self._connection)
        return self._connection

    def noted(self, error: FwsmError | None) -> None:
        """Whatever became of it, the next connect is the same."""

    def abandon(self) -> None:
        """Nothing here waits."""


class TokenIdentity:
    """A device whose token another program renews in a file.

    Raises:
        ConfigError: the file cannot be read, or holds no token of a device.
    """

    def __init__(self, file: TokenFile) -> None:
        self._file = file
        self._read()

    @property
    def device_id(self) -> str:
        """The device of the token that is in the file now; raises ConfigError."""
        return self._read().device_id

    def connection(self, loop: LoopThread) -> DeviceConnection:  # noqa: ARG002 - nobody needs to be asked
        """Return what the token says that is in the file now."""
        connection = self._read()
        _check_time(connection)
        return connection

    def noted(self, error: FwsmError | None) -> None:
        """Whatever became of it, the next connect reads the file."""

    def abandon(self) -> None:
        """Nothing here waits."""

    def _read(self) -> DeviceConnection:
        try:
            text = Path(self._file.path).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"cannot read sas_token_file {self._file.path}",
                why=getattr(error, "strerror", None) or "it is not text",
                fix="Let the program that makes the tokens write one there, whole",
                setting="sas_token_file",
            ) from error
        try:
            token = SharedAccessSignature.parse(text)
        except ConfigError as error:
            error.setting = "sas_token_file"
            raise
        return DeviceConnection(token.host, token.device_id, token, self._file.gateway_host)


def check_proof(place: DeviceConnection | Enrollment) -> None:
    """Check the files of a certificate; raises ConfigError."""
    if isinstance(place.proof, Certificate):
        check_certificate(place.proof)


def _check_time(connection: DeviceConnection) -> None:
    token = connection.proof
    if isinstance(token, SharedAccessSignature) and token.expires_at <= time.time():
        ended = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(token.expires_at))
        raise LinkAuthError(
            f"the token of the device '{connection.device_id}' has expired",
            why=f"it ended at {ended} UTC",
            fix="Give a new one, and check the clock of this machine",
        )
