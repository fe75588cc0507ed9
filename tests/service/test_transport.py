"""Sending a request, and sending it again only where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import ServiceConnection
from fwsm.errors import ConfigError, HubUnreachableError
from fwsm.service.sas import SharedAccess
from fwsm.service.transport import Reply, Transport
from tests.service.scripted import SILENCE, answering

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.scripted import Site

_OK = answering(200, b"{}")
_THROTTLED = answering(429)
_FAILED = answering(500)
_BROKEN = b""


def test_request_carries_version_token_and_body(site: Site) -> None:
    """The request line asks for the API version, and the token stands in its header."""
    server, transport = site.serve(_OK)
    assert transport.send("POST", "/twins/d1/methods", body={"a": 1}).body == b"{}"
    assert server.requests[0].startswith(b"POST /twins/d1/methods?api-version=2021-04-12 HTTP/1.1\r\n")
    assert b"Authorization: SharedAccessSignature sr=127" in server.requests[0]
    assert server.requests[0].endswith(b'{"a": 1}')


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_throttled_request_is_sent_again(site: Site, method: str) -> None:
    """A request that the hub refused unseen may be sent again, whatever it asks for; the hub's own pause is kept."""
    server, transport = site.serve(answering(429, b"", "Retry-After: 7"), _THROTTLED, _OK)
    assert transport.send(method, "/x").status == 200
    assert len(server.requests) == 3
    assert site.slept[0] == 7
    assert 0 <= site.slept[1] <= 30
    assert site.waits == ["the hub answered with status 429"] * 2


def test_patience_has_an_end(site: Site) -> None:
    """After four tries the last answer is what the caller gets."""
    server, transport = site.serve(*[_THROTTLED] * 9)
    assert transport.send("GET", "/x").status == 429
    assert len(server.requests) == 4


def test_impatient_request_is_sent_once(site: Site) -> None:
    """A watcher paces itself, so its reads are not repeated from here."""
    server, transport = site.serve(_FAILED, _OK)
    assert transport.send("GET", "/x", patient=False).status == 500
    assert len(server.requests) == 1
    assert site.slept == []


@pytest.mark.parametrize("accident", [_BROKEN, _FAILED], ids=["broken off", "failed"])
def test_read_is_repeated_after_an_accident(site: Site, accident: bytes) -> None:
    """Reading twice does no harm."""
    server, transport = site.serve(accident, _OK)
    assert transport.send("GET", "/x").status == 200
    assert len(server.requests) == 2


def test_call_that_may_have_run_is_not_repeated(site: Site) -> None:
    """A broken connection after the request says nothing about whether the device acted."""
    server, transport = site.serve(_BROKEN, _OK)
    with pytest.raises(HubUnreachableError, match="did not answer") as caught:
        transport.send("POST", "/twins/d1/methods", body={})
    assert "before you send it again" in caught.value.fix
    assert len(server.requests) == 1


def test_call_that_the_hub_failed_at_is_not_repeated(site: Site) -> None:
    """An error of the hub's own may come after the device acted."""
    server, transport = site.serve(_FAILED, _OK)
    assert transport.send("POST", "/twins/d1/methods", body={}).status == 500
    assert len(server.requests) == 1


def test_silent_hub_is_given_up(site: Site) -> None:
    """A request has a deadline."""
    _, transport = site.serve(SILENCE)
    with pytest.raises(HubUnreachableError, match="it stayed silent"):
        transport.send("POST", "/x", read_timeout_s=0.1)


def test_unsent_call_is_tried_again(site: Site) -> None:
    """Without a connection nothing can have run, so even a method call is tried four times before it fails."""
    with pytest.raises(HubUnreachableError, match=rf"no connection to the hub at {site.address}:1: Connection refused"):
        site.transport(1).send("POST", "/twins/d1/methods", body={})
    assert len(site.slept) == 3
    assert "Connection refused" in site.waits[0]


def test_accident_is_told_in_the_words_of_the_system_or_in_ours(site: Site) -> None:
    """A parser that has found nothing where a number should be is not the user's affair."""
    _, transport = site.serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", _BROKEN)
    _, lines = transport.stream("/x", {}, silence_s=60)
    with pytest.raises(HubUnreachableError) as caught:
        next(lines)
    assert caught.value.why == "the connection broke off (the hub closed it)"
    with pytest.raises(HubUnreachableError) as caught:
        transport.send("POST", "/x")
    assert caught.value.why == "the connection broke off (the hub closed it)"


def test_name_that_is_none_is_told(site: Site) -> None:
    """A host name that cannot be looked up is a hub that cannot be reached."""
    connection = ServiceConnection("a..b", 443, "a..b", "service", "c2VjcmV0")
    with pytest.raises(HubUnreachableError, match=r"no connection to the hub at a\.\.b:443: its name cannot be"):
        Transport(SharedAccess(connection), sleep=site.slept.append).send("GET", "/x", patient=False)


def test_untrusted_hub_is_refused_at_once(site: Site) -> None:
    """A certificate that nobody vouches for is not cured by waiting; the message names the way out."""
    server, _ = site.serve(_OK)
    port = server.server_address[1]
    connection = ServiceConnection(site.address, port, site.address, "service", "c2VjcmV0")
    with pytest.raises(HubUnreachableError, match="no secure connection") as caught:
        Transport(SharedAccess(connection), sleep=site.slept.append).send("GET", "/x")
    assert "unable to get local issuer certificate" in caught.value.why
    assert "--ca" in caught.value.fix
    assert site.slept == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_bad_ca_file_is_told_before_anything_is_sent(tmp_path: Path, content: str | None) -> None:
    """A CA file that is missing or holds no certificate is a wrong setting."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    connection = ServiceConnection("hub", 443, "hub", "service", "c2VjcmV0")
    with pytest.raises(ConfigError, match="cannot be used"):
        Transport(SharedAccess(connection), ca_file=path)


def test_retry_after_in_words_is_no_number() -> None:
    """Only seconds are understood; a date counts as unsaid."""
    assert Reply(429, {"Retry-After": "Mon, 23 Nov 2026 12:00:00 GMT"}).retry_after_s is None
