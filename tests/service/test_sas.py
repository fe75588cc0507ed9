"""The operator's token."""

from __future__ import annotations

from fwsm.core.connection_string import ServiceConnection
from fwsm.service.sas import SharedAccess, token


def test_token_has_the_fields_of_the_documented_algorithm() -> None:
    """The signature is the one that `openssl dgst -sha256 -hmac secret -binary | base64` computes."""
    connection = ServiceConnection.parse("HostName=hub:8443;SharedAccessKeyName=a b;SharedAccessKey=c2VjcmV0")
    assert token(connection, 1_700_000_000) == (
        "SharedAccessSignature sr=hub%3A8443"
        "&sig=qnjRvVE6Pm2s20ORu66%2BMpcbgtOtJU2juyOfdn5UgyE%3D"
        "&se=1700000000&skn=a%20b"
    )


def test_access_makes_a_fresh_token_for_each_request() -> None:
    """Good for an hour from now on, for the hub's own host and port."""
    connection = ServiceConnection.parse("HostName=hub:8443;SharedAccessKeyName=a;SharedAccessKey=c2VjcmV0")
    now = [1_700_000_000.5]
    access = SharedAccess(connection, lambda: now[0])
    assert (access.host, access.port) == ("hub", 8443)
    assert access.authorization() == token(connection, 1_700_003_600)
    now[0] += 100
    assert access.authorization() == token(connection, 1_700_003_700)
