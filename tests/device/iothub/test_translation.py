from __future__ import annotations

import itertools
import socket
import ssl

import pytest
import socks  # type: ignore[import-untyped]
from azure.iot.device import exceptions as public
from azure.iot.device.common import transport_exceptions as transport
from azure.iot.device.common.pipeline import pipeline_exceptions as pipeline

from fwsm.core.connection_string import DeviceConnection
from fwsm.device.iothub.translation import REPORT, translated
from fwsm.errors import FwsmError, Kind, LinkAuthError, LinkBusyError, LinkError, ReportRefusedError

_KEY = "c2VjcmV0IGtleSBvZiB0aGUgZGV2aWNl"
_CONNECTION = DeviceConnection.parse(f"HostName=hub.example;DeviceId=d1;SharedAccessKey={_KEY}")


def _chain(*errors: BaseException) -> BaseException:
    """The first error, caused by the second, and so on."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def _translated(*errors: BaseException, act: str = "report") -> FwsmError:
    return translated(_chain(*errors), act, _CONNECTION)


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_report_is_permanent(status: int) -> None:
    """400 and 413 would be the answer to the same report again."""
    answer = public.ServiceError(f"twin operation returned status {status}")
    error = _translated(public.ClientError("Unexpected failure"), answer)
    assert isinstance(error, ReportRefusedError)
    assert str(status) in str(error)


@pytest.mark.parametrize("act", [REPORT, "read the twin"])
def test_a_hub_that_throttles_is_told_apart(act: str) -> None:
    """It is asked again, but later."""
    answer = public.ServiceError("twin operation returned status 429")
    error = _translated(public.ClientError("Unexpected failure"), answer, act=act)
    assert type(error) is LinkBusyError
    assert error.kind is Kind.TRANSIENT
    assert error.retry_after_s is None
    assert "429" in str(error)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_other_answers_are_transient(status: int) -> None:
    """A hub in trouble is asked again, and the status is told."""
    answer = public.ServiceError(f"twin operation returned status {status}")
    error = _translated(public.ClientError("Unexpected failure"), answer)
    assert type(error) is LinkError
    assert error.kind is Kind.TRANSIENT
    assert str(status) in str(error)


def test_only_a_report_can_be_refused_for_good() -> None:
    """A twin read that the hub answers with 400 is no refused report."""
    answer = public.ServiceError("twin operation returned status 400")
    assert type(_translated(public.ClientError(), answer, act="read the twin")) is LinkError


@pytest.mark.parametrize(
    "errors",
    [
        (public.CredentialError("Credentials invalid"), transport.UnauthorizedError("Not authorised")),
        (transport.UnauthorizedError("Not authorised"),),
    ],
    ids=["public", "leaked"],
)
def test_a_refused_identity_names_every_cause(errors: tuple[BaseException, ...]) -> None:
    """The hub's one answer stands for wrong key, unknown device and wrong clock; the message names them and the id."""
    error = _translated(*errors)
    assert isinstance(error, LinkAuthError)
    for word in ("'d1'", "hub.example", "key is wrong", "no such device", "clock"):
        assert word in str(error)


def test_a_proxy_that_does_not_accept_the_password_is_no_hub_that_does_not_know_the_device() -> None:
    """The SDK calls both a CredentialError."""
    cause = socks.SOCKS5AuthError("SOCKS5 authentication failed")
    error = _translated(public.CredentialError("Credentials invalid"), transport.UnauthorizedError(), cause)
    assert type(error) is LinkError
    assert error.what == "the hub hub.example cannot be reached through the proxy"
    assert error.why == "SOCKS5 authentication failed"
    assert "setting proxy" in error.fix


def test_an_unreachable_hub_tells_the_systems_reason() -> None:
    """The reason of the operating system is repeated, not the SDK's words."""
    cause = socket.gaierror(-2, "Name or service not known")
    error = _translated(public.ConnectionFailedError("Could not connect"), transport.ConnectionFailedError(), cause)
    assert type(error) is LinkError
    assert error.what == "the hub hub.example cannot be reached"
    assert error.why == "Name or service not known"


def test_a_hub_that_turns_connections_away_is_unreachable() -> None:
    """CONNACK 3 has no error of the system behind it, so the protocol's text is the reason."""
    refusal = transport.ConnectionFailedError("Connection Refused: broker unavailable.")
    error = _translated(public.ConnectionFailedError("Could not connect"), refusal)
    assert error.why == "Connection Refused: broker unavailable"


def test_an_untrusted_certificate_asks_for_the_ca_and_the_clock() -> None:
    """A certificate that does not verify says why, and needs a person."""
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "certificate is not yet valid"
    error = _translated(public.ClientError("TLS exchanges"), transport.TlsExchangeAuthError(), cause)
    assert isinstance(error, LinkAuthError)
    assert error.why == "certificate is not yet valid"
    assert "clock" in error.fix


@pytest.mark.parametrize(
    "lost",
    [
        public.ConnectionDroppedError(),
        public.NoConnectionError(),
        transport.NoConnectionError(),
        pipeline.OperationCancelled(),
        pipeline.PipelineNotRunning(),
    ],
    ids=lambda error: f"{type(error).__module__.rpartition('.')[2]}.{type(error).__name__}",
)
def test_a_lost_connection_is_told_as_one(lost: BaseException) -> None:
    """Public and leaked exceptions about a lost connection read the same."""
    assert str(_translated(lost)) == "the connection to the hub hub.example was lost"


def test_a_timeout_of_the_sdk_is_silence_of_the_hub() -> None:
    """The SDK's own timeouts are reported as a hub that does not answer."""
    assert "did not answer" in str(_translated(public.OperationTimeout(), act="connect"))


def test_an_unknown_error_shows_its_classes_and_nothing_of_its_text() -> None:
    """What nobody foresaw is transient, and cannot carry a key into a log."""
    error = _translated(public.ClientError("Unexpected failure"), KeyError(_KEY))
    assert error.kind is Kind.TRANSIENT
    assert "ClientError from KeyError" in str(error)
    assert _KEY not in str(error)


def test_our_own_errors_pass() -> None:
    """An error that is already ours is not wrapped again."""
    ours = ReportRefusedError("no")
    assert _translated(ours) is ours


def test_a_circle_of_causes_ends() -> None:
    """Exceptions that name each other as cause are read once."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert "ValueError from ValueError" in str(translated(one, "connect", _CONNECTION))
