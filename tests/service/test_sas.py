"""The operator's token."""

from __future__ import annotations

from fwsm.core.connection_string import ServiceConnection
from fwsm.service.sas import token


def test_token_has_the_fields_of_the_documented_algorithm() -> None:
    """The signature is the one that `openssl dgst -sha256 -hmac secret -binary | base64` computes."""
    connection = ServiceConnection.parse("HostName=hub:8443;SharedAccessKeyName=a b;SharedAccessKey=c2VjcmV0")
    assert token(connection, 1_700_000_000) == (
        "SharedAccessSignature sr=hub%3A8443"
        "&sig=qnjRvVE6Pm2s20ORu66%2BMpcbgtOtJU2juyOfdn5UgyE%3D"
        "&se=1700000000&skn=a%20b"
    )
