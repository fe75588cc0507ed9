"""What the SDK raises, said in this package's words.

The SDK's public exceptions are not all that comes out of it: its pipeline's and transport's own ones leak, and these
are not subclasses of the public ones although some bear the same names. So an error is told by the names of the
classes along `__cause__`. A twin operation that the hub answered with an error carries the status in its text only.

Nothing here looks at, or repeats, a connection string or a token.
"""

from __future__ import annotations

import re
import ssl
import traceback
from typing import TYPE_CHECKING

from fwsm.errors import FwsmError, LinkAuthError, LinkBusyError, LinkError, ReportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.core.connection_string import DeviceConnection

__all__ = ["REPORT", "let_go", "restated", "translated"]

# The one act that a hub can refuse for good.
REPORT = "report"

# "Use MQTT to communicate with IoT Hub": the hub answers a twin operation with a status; 429 and 5xx ask for patience,
# 400 (malformed) and 413 (too large) are the answer to every further try as well.
_REFUSED = frozenset({400, 413})
_THROTTLED = 429
_STATUS = re.compile(r"status (\d{3})\b")

_IDENTITY = frozenset({"CredentialError", "UnauthorizedError"})
_UNREACHABLE = frozenset({"ConnectionFailedError"})
_LOST = frozenset({"ConnectionDroppedError", "NoConnectionError", "OperationCancelled", "PipelineNotRunning"})
_SILENT = frozenset({"OperationTimeout"})


def translated(error: BaseException, act: str, connection: DeviceConnection) -> FwsmError:
    """`error` as one of ours, to be raised from it.

    Args:
        error: what an SDK call raised; one of ours is returned as it is.
        act: what was being done, to follow 'could not'.
        connection: to which hub, as which device.
    """
    if isinstance(error, FwsmError):
        return error
    chain = list(_causes(error))
    names = {type(cause).__name__ for cause in chain}
    if "TlsExchangeAuthError" in names:
        return _untrusted(chain, connection)
    if names & _IDENTITY:
        return _not_admitted(connection)
    if (status := _status(chain)) is not None:
        return _answered(status, act)
    return _not_now(chain, names, act, f"the hub {connection.host}")


def restated(error: FwsmError) -> LinkError:
    """Why there is no connection, as the answer to a call that wanted one: not now, perhaps later."""
    return LinkError(error.what, why=error.why, fix=error.fix)


def let_go(error: BaseException) -> None:
    """Empty the frames behind `error`, so that whoever keeps it keeps no client and no socket with it.

    paho leaves the socket of a failed handshake open in such a frame.
    """
    for cause in _causes(error):
        traceback.clear_frames(cause.__traceback__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__


def _status(chain: list[BaseException]) -> int | None:
    for cause in chain:
        if type(cause).__name__ == "ServiceError" and (found := _STATUS.search(str(cause))):
            return int(found[1])
    return None


def _answered(status: int, act: str) -> LinkError:
    if act == REPORT and status in _REFUSED:
        why = f"it answered {status}, so the report is malformed or too large"
        return ReportRefusedError("the hub refuses a report", why=why)
    if status == _THROTTLED:  # how long to wait is not said: MQTT has no header for it, and the SDK drops the body
        return LinkBusyError(f"could not {act}", why="the hub answered 429, too many requests")
    return LinkError(f"could not {act}", why=f"the hub answered {status}")


def _not_now(chain: list[BaseException], names: set[str], act: str, hub: str) -> LinkError:
    if names & _UNREACHABLE:
        return LinkError(f"{hub} cannot be reached", why=_reason(chain), fix="Check the host name and the network")
    if names & _LOST:
        return LinkError(f"the connection to {hub} was lost")
    if names & _SILENT:
        return LinkError(f"could not {act}", why=f"{hub} did not answer in time")
    kinds = " from ".join(type(cause).__name__ for cause in chain)
    return LinkError(f"could not {act}", why=f"azure-iot-device raised {kinds}")


def _not_admitted(connection: DeviceConnection) -> LinkAuthError:
    # The hub has one answer for all of these (CONNACK 5).
    return LinkAuthError(
        f"the hub {connection.host} does not let the device '{connection.device_id}' in",
        why="its key is wrong, the hub has no such device or has disabled it, or the clock of this machine is wrong",
        fix="Compare DeviceId and SharedAccessKey with the hub's registry, and the time with a good clock",
    )


def _untrusted(chain: list[BaseException], connection: DeviceConnection) -> LinkAuthError:
    told = [cause.verify_message for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)]
    return LinkAuthError(
        f"the certificate of the hub {connection.host} is not trusted",
        why=told[-1] if told else "",
        fix="Give the CA certificate that signed it, and check the clock of this machine",
    )


def _reason(chain: list[BaseException]) -> str:
    for cause in reversed(chain):
        if isinstance(cause, OSError):
            return cause.strerror or str(cause) or type(cause).__name__
    # A CONNACK that refuses has no error of the system behind it; its text is paho's and fixed.
    return str(chain[-1]).rstrip(".")
