"""Policies: which key opens what."""

from __future__ import annotations

import pytest

from fwsm.hub.policy import Policies, Right
from fwsm.hub.sas import BadTokenError, SasToken, new_key, sign
from fwsm.hub.state import EphemeralState

EVERYTHING = set(Right)


def _token(policies: Policies, name: str, resource: str = "hub") -> SasToken:
    return SasToken.parse(sign(resource, policies.keys.get(name, new_key()), 100, name))


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("iothubowner", EVERYTHING),
        ("service", {Right.SERVICE_CONNECT}),
        ("device", {Right.DEVICE_CONNECT}),
        ("registryRead", {Right.REGISTRY_READ}),
        ("registryReadWrite", {Right.REGISTRY_READ, Right.REGISTRY_WRITE}),
        ("nobody", set()),
    ],
)
def test_policy_gives_its_rights_and_no_others(name: str, rights: set[Right]) -> None:
    """The five built-in policies carry the documented rights; an unknown one carries none."""
    policies = Policies({})
    given = set()
    for right in Right:
        try:
            policies.check(_token(policies, name), right, "devices/d1", now=0)
        except BadTokenError:
            continue
        given.add(right)
    assert given == rights


def test_missing_right_is_named_as_the_service_names_it() -> None:
    """The message says which right is missing."""
    policies = Policies({})
    with pytest.raises(BadTokenError, match="service lacks the right RegistryRead"):
        policies.check(_token(policies, "service"), Right.REGISTRY_READ, "devices", now=0)


def test_token_of_a_narrower_resource_does_not_open_others() -> None:
    """A policy's token may be limited to a part of the hub."""
    policies = Policies({})
    token = _token(policies, "iothubowner", "hub/devices/d1")
    policies.check(token, Right.DEVICE_CONNECT, "devices/d1", now=0)
    with pytest.raises(BadTokenError, match="not for devices/d2"):
        policies.check(token, Right.DEVICE_CONNECT, "devices/d2", now=0)


def test_token_without_a_policy_opens_nothing() -> None:
    """A device's own token is no operator's."""
    with pytest.raises(BadTokenError, match="no policy"):
        Policies({}).check(SasToken.parse(sign("hub", new_key(), 100)), Right.SERVICE_CONNECT, "", now=0)


def test_hubs_have_different_keys_that_are_kept() -> None:
    """Keys are random, and given ones are taken over."""
    policies = Policies.kept_in(EphemeralState())
    assert len(set(policies.keys.values()) | set(Policies({}).keys.values())) == 10
    assert Policies(policies.record()).keys == policies.keys
