"""One authorised request to the hub, and when it may be sent again.

Sending again is safe when the request never left this machine (no connection came about), when the hub refused it
unseen (429), or when it only reads. A direct method whose connection broke off may have run, so it is never sent
twice from here; nor is a write. IoT Hub's 429 carries no Retry-After and asks in its text for ten seconds, hence the
longer pauses there.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

import urllib3
from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_result,
    sleep_using_event,
    stop_after_attempt,
    wait_random_exponential,
)
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from fwsm.errors import ConfigError, HubUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tenacity import RetryCallState

__all__ = ["TOO_MANY_JOBS", "Access", "Reply", "Transport", "UnsentError"]

_API_VERSION: Final = "2021-04-12"  # what both service SDKs ask for
_CONNECT_WITHIN_S: Final = 10.0
_TRIES: Final = 4
_OK: Final = 200
_THROTTLED: Final = 429
TOO_MANY_JOBS: Final = "ThrottlingMaxActiveJobCountExceeded"
"""A 429 that lasts as long as another job, so seconds of patience do not help."""
_HUB_FAILED: Final = frozenset({500, 502, 503})
_LONGEST_PAUSE_S: Final = 60.0

_sleep = sleep_using_event(threading.Event())
_pause_unreachable = wait_random_exponential(multiplier=0.25, max=5, min=0.1)
_pause_throttled = wait_random_exponential(multiplier=2, max=30)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the hub answered.

    Attributes:
        status: of HTTP.
        headers: their names in any case.
        body: undecoded.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def retry_after_s(self) -> float | None:
        """How long the hub asked us to wait; None if it did not say so in seconds."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None


class UnsentError(HubUnreachableError):
    """No connection came about, so the request was not sent."""


class _BrokenOffError(HubUnreachableError):
    """The connection broke off after the request may have been sent."""


class Access(Protocol):
    """Which hub, and as whom: `SharedAccess` with the key of a policy, `EntraAccess` with an identity."""

    host: str
    port: int

    def authorization(self) -> str:
        """Return what goes into the header `Authorization`; it is good for some minutes."""
        ...


class Transport:
    """Connections to one hub's REST side.

    Args:
        access: which hub, and as whom.
        ca_file: the only authorities to trust, PEM; None for the system's (which honours SSL_CERT_FILE).
        sleep: waits so many seconds.
        on_wait: told why and for how many seconds before each pause.

    Raises:
        ConfigError: `ca_file` cannot be read as certificates.
    """

    def __init__(
        self,
        access: Access,
        *,
        ca_file: Path | str | None = None,
        sleep: Callable[[float], None] = _sleep,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        self._access = access
        self._sleep = sleep
        self._on_wait = on_wait
        self._agent = f"fwsm/{version('fwsm')}"
        self._pool = urllib3.HTTPSConnectionPool(access.host, access.port, ssl_context=_context(ca_file), retries=False)

    @property
    def host(self) -> str:
        """The hub's host name, without a port."""
        return self._access.host

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        read_timeout_s: float = 30.0,
        patient: bool = True,
        reads: bool = False,
    ) -> Reply:
        """Send a request and return the answer, whatever its status.

        Args:
            method: of HTTP.
            path: quoted, without a query.
            body: a JSON value; None for none.
            headers: beside authorisation and content type.
            read_timeout_s: how long the hub may take to answer.
            patient: whether to try again where that is safe.
            reads: it only reads, although it is no GET.

        Raises:
            HubUnreachableError: there was no answer.
        """
        target = f"{path}?api-version={_API_VERSION}"
        data = None if body is None else json.dumps(body).encode()
        repeatable = reads or method == "GET"
        retrying = Retrying(
            retry=retry_if_exception(lambda error: _may_repeat(error, repeatable=repeatable))
            | retry_if_result(lambda reply: _is_passing(reply, repeatable=repeatable)),
            wait=_pause_s,
            stop=stop_after_attempt(_TRIES if patient else 1),
            sleep=self._sleep,
            before_sleep=self._announce,
            retry_error_callback=_last_outcome,
        )
        reply: Reply = retrying(self._once, method, target, data, dict(headers or {}), read_timeout_s)
        return reply

    def stream(self, path: str, query: Mapping[str, str], *, silence_s: float) -> tuple[Reply, Iterator[bytes]]:
        """Ask for an answer that goes on, once; return how it begins, and its lines as they come.

        Args:
            path: quoted, without a query.
            query: unquoted.
            silence_s: how long nothing may come.

        Raises:
            HubUnreachableError: there was no answer; also from the lines, when it breaks off.
        """
        target = f"{path}?{urlencode({'api-version': _API_VERSION, **query})}"
        timeout = urllib3.Timeout(connect=_CONNECT_WITHIN_S, read=silence_s)
        try:
            response = self._pool.urlopen(
                "GET", target, headers=self._headers(), redirect=False, timeout=timeout, preload_content=False
            )
            body = b"" if response.status == _OK else response.read()
        except HTTPError as error:
            raise self._unreachable(error) from error
        return Reply(response.status, response.headers, body), self._lines(response)

    def _lines(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        try:
            yield from response
        except HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            response.close()

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": self._access.authorization(),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": self._agent,
        }

    def _once(self, method: str, target: str, data: bytes | None, headers: dict[str, str], timeout_s: float) -> Reply:
        headers |= self._headers()
        timeout = urllib3.Timeout(connect=_CONNECT_WITHIN_S, read=timeout_s)
        try:
            response = self._pool.urlopen(method, target, data, headers, redirect=False, timeout=timeout)
        except HTTPError as error:
            raise self._unreachable(error) from error
        return Reply(response.status, response.headers, response.data)

    def _unreachable(self, error: HTTPError) -> HubUnreachableError:
        where = f"{self._access.host}:{self._access.port}"
        if isinstance(error, SSLError):
            cause = error.args[0] if error.args else error
            return HubUnreachableError(
                f"no secure connection to {where}",
                why=getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or str(cause),
                fix="Name the file of the authority that signed the hub's certificate (--ca, or FWSM_CA_FILE)",
            )
        if isinstance(error, NewConnectionError | ConnectTimeoutError | LocationValueError):
            return UnsentError(
                f"no connection to the hub at {where}",
                why=_cause(error) or "its name cannot be looked up",
                fix="Check HostName in the connection string, the network, and that the hub runs",
            )
        late = isinstance(error, ReadTimeoutError)
        return _BrokenOffError(
            f"the hub at {where} did not answer",
            why="it stayed silent" if late else f"the connection broke off ({_cause(error) or 'the hub closed it'})",
            fix="Look whether the request took effect before you send it again",
        )

    def _announce(self, state: RetryCallState) -> None:
        if self._on_wait is None or state.outcome is None or state.next_action is None:
            return
        error = state.outcome.exception()
        if isinstance(error, HubUnreachableError):
            why = f"{error.what}: {error.why}"
        else:
            why = f"the hub answered with status {state.outcome.result().status}"
        self._on_wait(why, state.next_action.sleep)


def _context(ca_file: Path | str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError, for a file without certificates, is an OSError
        missing = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
        raise ConfigError(
            f"the CA file {ca_file} cannot be used",
            why=(error.strerror or str(error)) if missing and isinstance(error, OSError) else "it holds no certificate",
            fix="Give a PEM file with the certificate of the authority; `fwsm hub run` prints where its own is",
        ) from error


def _may_repeat(error: BaseException, *, repeatable: bool) -> bool:
    return isinstance(error, UnsentError) or (repeatable and isinstance(error, _BrokenOffError))


def _is_passing(reply: Reply, *, repeatable: bool) -> bool:
    if reply.headers.get("iothub-errorcode") == TOO_MANY_JOBS:
        return False
    return reply.status == _THROTTLED or (repeatable and reply.status in _HUB_FAILED)


def _pause_s(state: RetryCallState) -> float:
    if state.outcome is None or state.outcome.failed:
        return _pause_unreachable(state)
    asked_s = state.outcome.result().retry_after_s
    return _pause_throttled(state) if asked_s is None else min(asked_s, _LONGEST_PAUSE_S)


def _last_outcome(state: RetryCallState) -> Any:
    return None if state.outcome is None else state.outcome.result()


def _cause(error: BaseException) -> str:
    """Name the innermost reason, as the operating system words it; "" when it was not the system that failed."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if not isinstance(error, OSError) or isinstance(error, ssl.SSLError | http.client.RemoteDisconnected):
        return ""  # what a parser or OpenSSL says of it helps nobody
    return error.strerror or str(error)
