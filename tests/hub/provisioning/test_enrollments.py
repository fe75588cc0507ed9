"""Who may register, and what is answered, without a network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import HubError
from fwsm.hub.engine import Engine
from fwsm.hub.provisioning.enrollments import Enrollments, derive_key
from fwsm.hub.sas import BadTokenError, sign
from fwsm.hub.state import EphemeralState

if TYPE_CHECKING:
    from fwsm.hub.provisioning.enrollments import Enrolled

NOW = 1_800_000_000.0


@pytest.fixture
def enrollments() -> Enrollments:
    """Of a hub that knows nobody."""
    return Enrollments(Engine(EphemeralState(), lambda: NOW, time.monotonic), "127.0.7.1", "0ne1")


def _token(key: str, name: str = "r1", scope: str = "0ne1", ends_in_s: int = 60) -> bytes:
    return sign(f"{scope}/registrations/{name}", key, int(NOW) + ends_in_s, "registration").encode()


def _enrolled(enrollments: Enrollments) -> Enrolled:
    return enrollments.enroll("r1", "d1", None, None)


def test_the_derived_key_is_the_one_that_openssl_computes() -> None:
    """HMAC-SHA256 of the registration id under the decoded key, in base64."""
    key = derive_key("a2V5IG9mIHRoZSBncm91cA==", "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6")
    assert key == "ZPUwJRfUF8tXc2CXa79tURo2O40W+fJ3Ob6l5CFPTc0="


def test_a_device_proves_itself_by_its_key(enrollments: Enrollments) -> None:
    """For this scope, this registration, and now."""
    enrolled = _enrolled(enrollments)
    assert enrollments.admit("r1", _token(enrolled.primary_key), frozenset()) is enrolled
    wrong = [
        _token(enrolled.primary_key, scope="0ne2"),
        _token(enrolled.primary_key, name="r2"),
        _token(enrolled.primary_key, ends_in_s=0),
        _token(enrollments.enroll_group()),
        b"\xff",
        None,
    ]
    for password in wrong:
        with pytest.raises(BadTokenError):
            enrollments.admit("r1", password, frozenset())


@pytest.mark.parametrize("name", ["", "d 1", "é", "d/1", "x" * 129])
def test_a_name_that_is_none_is_refused_at_the_door(enrollments: Enrollments, name: str) -> None:
    """The key of a group can be derived for any text; the hub could not register such a device."""
    key = derive_key(enrollments.enroll_group(), name)
    with pytest.raises(BadTokenError, match="is not a registration id"):
        enrollments.admit(name, _token(key, name=name), frozenset())
    for names in ((name, "d1"), ("r1", name)):
        with pytest.raises(HubError, match=r"is not a (registration|device) id"):
            enrollments.enroll(*names, None, None)


def test_a_device_proves_itself_by_its_certificate(enrollments: Enrollments) -> None:
    """By the thumbprint, however it was written; a token will not do."""
    enrolled = enrollments.enroll("r1", "d1", None, "ab:" * 31 + "ab")
    assert enrollments.admit("r1", None, frozenset({"AB" * 32})) is enrolled
    for password, shown in ((None, frozenset({"CD" * 32})), (_token("a2V5"), frozenset({"AB" * 32}))):
        with pytest.raises(BadTokenError):
            enrollments.admit("r1", password, shown)


def test_a_registration_takes_a_while(enrollments: Enrollments) -> None:
    """So many questions, each with a time to wait; then the hub, once."""
    enrolled, enrollments.polls = _enrolled(enrollments), 2
    begun = enrollments.register(enrolled)
    assert begun is not None
    assert (begun.status, begun.retry_after_s) == (202, 1)
    operation = begun.body["operationId"]
    assert enrollments.progress(enrolled, operation).body["status"] == "assigning"
    done = enrollments.progress(enrolled, operation)
    assert done.body["registrationState"]["substatus"] == "initialAssignment"
    assert done.retry_after_s is None
    assert enrollments.progress(enrolled, operation).status == 404


def test_the_operation_of_another_device_is_unknown(enrollments: Enrollments) -> None:
    """Nobody learns by guessing."""
    begun = enrollments.register(_enrolled(enrollments))
    assert begun is not None
    other = enrollments.enroll("r2", "d2", None, None)
    assert enrollments.progress(other, begun.body["operationId"]).status == 404


def test_a_device_that_comes_again_shows_what_it_shows_now(enrollments: Enrollments) -> None:
    """The registry follows, also from a key to a certificate."""
    for thumbprint, substatus in ((None, "initialAssignment"), ("AB" * 20, "deviceDataMigrated")):
        enrolled = enrollments.enroll("r1", "d1", None, thumbprint)
        begun = enrollments.register(enrolled)
        assert begun is not None
        done = enrollments.progress(enrolled, begun.body["operationId"])
        assert done.body["registrationState"]["substatus"] == substatus


def test_the_service_can_be_in_trouble(enrollments: Enrollments) -> None:
    """Silent, throttled, without a hub; each as often as it was ordered."""
    enrolled = _enrolled(enrollments)
    enrollments.withheld, enrollments.throttled, enrollments.linked = 1, 1, False
    assert enrollments.register(enrolled) is None
    throttled = enrollments.register(enrolled)
    assert throttled is not None
    assert (throttled.status, throttled.retry_after_s) == (429, 1)
    begun = enrollments.register(enrolled)
    assert begun is not None
    assert enrollments.progress(enrolled, begun.body["operationId"]).body["status"] == "failed"
