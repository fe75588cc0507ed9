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

from fwsm.core.credentials import Certificate, Enrollment, SharedAccessSignature
from fwsm.errors import FwsmError, LinkAuthError, LinkBusyError, LinkError, LinkLostError, ReportRefusedError

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
_STATUS = re.compile(r"status (?:code )?(\d{3})\b")
# What the provisioning service answers to a device that it does not know, or whose proof it does not accept.
_NOT_ENROLLED = frozenset({401, 403, 404})
_NO_HUB = "failed registration status"

# By this the SDK goes through proxies (PySocks).
_PROXIES = "socks"

_IDENTITY = frozenset({"CredentialError", "UnauthorizedError"})
_UNREACHABLE = frozenset({"ConnectionFailedError"})
_LOST = frozenset({"ConnectionDroppedError", "NoConnectionError", "OperationCancelled", "PipelineNotRunning"})
_SILENT = frozenset({"OperationTimeout"})


def translated(error: BaseException, act: str, place: DeviceConnection | Enrollment) -> FwsmError:
    """`error` as one of ours, to be raised from it.

    Args:
        error: what an SDK call raised; one of ours is returned as it is.
        act: what was being done, to follow 'could not'.
        place: which hub or which provisioning service, as which device.
    """
    if isinstance(error, FwsmError):
        return error
    chain = list(_causes(error))
    names = {type(cause).__name__ for cause in chain}
    if (before_the_hub := _before_the_hub(chain, names, place)) is not None:
        return before_the_hub
    status = _status(chain)
    if names & _IDENTITY or (isinstance(place, Enrollment) and status in _NOT_ENROLLED):
        return _not_admitted(place)
    if any(_NO_HUB in str(cause) for cause in chain):
        return _not_assigned(place)
    if status is not None:
        return _answered(status, act, _who(place))
    return _not_now(chain, names, act, _who(place))


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


def _answered(status: int, act: str, who: str) -> LinkError:
    if act == REPORT and status in _REFUSED:
        why = f"it answered {status}, so the report is malformed or too large"
        return ReportRefusedError("the hub refuses a report", why=why)
    if status == _THROTTLED:  # how long to wait is not said: MQTT has no header for it, and the SDK drops the body
        return LinkBusyError(f"could not {act}", why=f"{who} answered 429, too many requests")
    return LinkError(f"could not {act}", why=f"{who} answered {status}")


def _not_now(chain: list[BaseException], names: set[str], act: str, who: str) -> LinkError:
    if names & _UNREACHABLE:
        return LinkError(f"{who} cannot be reached", why=_reason(chain), fix="Check the host name and the network")
    if names & _LOST:
        return LinkLostError(f"the connection to {who} was lost")
    if names & _SILENT:
        return LinkError(f"could not {act}", why=f"{who} did not answer in time")
    kinds = " from ".join(type(cause).__name__ for cause in chain)
    return LinkError(f"could not {act}", why=f"azure-iot-device raised {kinds}")


def _before_the_hub(
    chain: list[BaseException], names: set[str], place: DeviceConnection | Enrollment
) -> LinkError | None:
    """What went wrong before the hub could say anything; looked at first, as a proxy's refusal looks like a hub's."""
    if "TlsExchangeAuthError" in names:
        return _untrusted(chain, place)
    if any(type(cause).__module__ == _PROXIES for cause in chain):
        return _no_way_through(chain, _who(place))
    return None


def _no_way_through(chain: list[BaseException], who: str) -> LinkError:
    said = next(cause for cause in chain if type(cause).__module__ == _PROXIES)
    behind = getattr(said, "socket_err", None)
    why = behind.strerror if isinstance(behind, OSError) and behind.strerror else getattr(said, "msg", str(said))
    return LinkError(
        f"{who} cannot be reached through the proxy",
        why=why,
        fix="Check the address, the user and the password of the setting proxy, and whether it may lead to the hub",
    )


def _not_admitted(place: DeviceConnection | Enrollment) -> LinkAuthError:
    # Either has one answer for all of these (CONNACK 5).
    match place.proof:
        case Certificate():
            proof, compare = "certificate", "the thumbprint or the issuer of its certificate"
        case SharedAccessSignature():
            proof, compare = "token", "the key that its token was made with"
        case _:
            proof, compare = "key", "its key (SharedAccessKey of a connection string)"
    clock = "and the time with a good clock"
    if isinstance(place, Enrollment):
        return LinkAuthError(
            f"{_who(place)} does not let the device '{place.registration_id}' in",
            why=f"its {proof} is wrong, the enrolment is unknown or disabled, or the clock of this machine is wrong",
            fix=f"Compare the ID scope, the registration ID and {compare} with the enrolment, {clock}",
        )
    return LinkAuthError(
        f"{_who(place)} does not let the device '{place.device_id}' in",
        why=f"its {proof} is wrong, the hub has no such device or has disabled it, or this machine's clock is wrong",
        fix=f"Compare the device's id and {compare} with the hub's registry, {clock}",
    )


def _not_assigned(place: DeviceConnection | Enrollment) -> LinkAuthError:
    return LinkAuthError(
        f"{_who(place)} assigns no hub to this device",
        why="its answer is 'failed'",
        fix="Look at the enrolment, and whether a hub is linked to the service",
    )


def _untrusted(chain: list[BaseException], place: DeviceConnection | Enrollment) -> LinkAuthError:
    told = [cause.verify_message for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)]
    return LinkAuthError(
        f"the certificate of {_who(place)} is not trusted",
        why=told[-1] if told else "",
        fix="Give the CA certificate that signed it, and check the clock of this machine",
    )


def _who(place: DeviceConnection | Enrollment) -> str:
    return f"the provisioning service {place.host}" if isinstance(place, Enrollment) else f"the hub {place.host}"


def _reason(chain: list[BaseException]) -> str:
    for cause in reversed(chain):
        if isinstance(cause, OSError):
            return cause.strerror or str(cause) or type(cause).__name__
    # A CONNACK that refuses has no error of the system behind it; its text is paho's and fixed.
    return str(chain[-1]).rstrip(".")
