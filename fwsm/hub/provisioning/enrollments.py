"""Who may register with the provisioning service, and what it answers. Does no I/O.

A registration takes a while: the first answer is 202 `assigning` with the id of an operation and the seconds to wait,
and so are the next ones, until the operation is through. Then the device is in the hub's registry, with the key or the
thumbprint that it showed here.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubError
from fwsm.hub.identity import is_id
from fwsm.hub.sas import BadTokenError, SasToken, is_key, new_key
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine

__all__ = ["Answer", "Enrolled", "Enrollments", "derive_key"]


_REGISTRATION_ID = re.compile(r"[A-Za-z0-9\-._:]{1,128}")
_FIX_OF_ID = "Use 1 to 128 letters, digits, and - . _ or :"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One enrolment, as its device needs it.

    Attributes:
        device_id: what the hub will call it.
        primary_key: base64; "" with a certificate.
        thumbprint: of the certificate, in upper-case hexadecimal; "" with a key.
    """

    registration_id: str
    device_id: str
    primary_key: str = ""
    thumbprint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """To a registration or to a question about one; `retry_after_s` is None when it is the last."""

    status: int
    body: dict[str, Any]
    retry_after_s: int | None = None


def derive_key(group_key: str, registration_id: str) -> str:
    """Return the key of one device of a group, base64: HMAC-SHA256 of its registration id under the group's key."""
    digest = hmac.digest(base64.b64decode(group_key), registration_id.encode(), "sha256")
    return base64.b64encode(digest).decode()


def _is_registration_id(text: str) -> bool:
    return _REGISTRATION_ID.fullmatch(text) is not None


class Enrollments:
    """All enrolments, and the registrations that are under way.

    Args:
        engine: the hub that devices are assigned to.
        host: under which name they reach it.
        id_scope: which service this is.

    Attributes:
        linked: whether there is a hub to assign.
        polls: how often a device has to ask how far its registration is.
        retry_after_s: how long it is to wait each time, in whole seconds.
        throttled: so many registrations are answered 429 from now on.
        withheld: so many registrations are not answered at all from now on.
        registered: the registration ids of those who asked for a hub, in order.
    """

    def __init__(self, engine: Engine, host: str, id_scope: str) -> None:
        self.id_scope = id_scope
        self.linked = True
        self.polls = 1
        self.retry_after_s = 1
        self.throttled = 0
        self.withheld = 0
        self.registered: list[str] = []
        self._engine = engine
        self._host = host
        self._single: dict[str, Enrolled] = {}
        self._group_keys: list[str] = []
        self._under_way: dict[str, tuple[Enrolled, int]] = {}

    def enroll(self, registration_id: str, device_id: str, key: str | None, thumbprint: str | None) -> Enrolled:
        """Let one device register; raises HubError if an id or the key is malformed."""
        if not _is_registration_id(registration_id):
            raise HubError(f"{registration_id!r:.140} is not a registration id", fix=_FIX_OF_ID)
        if not is_id(device_id):
            raise HubError(f"{device_id!r:.140} is not a device id", fix=_FIX_OF_ID)
        if thumbprint is None and not is_key(key := key or new_key()):
            raise HubError("the key of an enrolment is base64 of 16 to 64 bytes", fix="Leave it out to have one made.")
        plain = "" if thumbprint is None else thumbprint.replace(":", "").upper()
        enrolled = Enrolled(registration_id, device_id, "" if plain else str(key), plain)
        self._single[registration_id] = enrolled
        return enrolled

    def enroll_group(self) -> str:
        """Let every device register whose key is derived from the one that is returned (see `derive_key`)."""
        key = new_key()
        self._group_keys.append(key)
        return key

    def remove(self, registration_id: str) -> None:
        """Take an enrolment back; does nothing when there is none."""
        self._single.pop(registration_id, None)

    def admit(self, registration_id: str, password: bytes | None, thumbprints: frozenset[str]) -> Enrolled:
        """Check the proof of a device.

        Raises:
            BadTokenError: it is not enrolled, or does not prove that it is who it says.
        """
        if not _is_registration_id(registration_id):
            raise BadTokenError(f"{registration_id!r:.140} is not a registration id")
        single = self._single.get(registration_id)
        if not password:
            if single is None or single.thumbprint not in thumbprints:
                raise BadTokenError("no enrolment has this certificate")
            return single
        keys = [derive_key(key, registration_id) for key in self._group_keys]
        if single is not None:  # it stands above the groups
            keys = [single.primary_key] if single.primary_key else []
        token = SasToken.parse(password.decode("ascii", "replace"))
        if (token.authority, token.resource) != (self.id_scope, f"registrations/{registration_id}"):
            raise BadTokenError("the token is for another registration")
        refusal = BadTokenError("there is no such enrolment")
        for key in keys:
            try:
                token.check((key,), self._engine.wall())
            except BadTokenError as error:
                refusal = error
            else:
                return single or Enrolled(registration_id, registration_id, key)
        raise refusal

    def register(self, enrolled: Enrolled) -> Answer | None:
        """Begin a registration; None for no answer at all."""
        if self.withheld:
            self.withheld -= 1
            return None
        if self.throttled:
            self.throttled -= 1
            return Answer(429, {"errorCode": 429001, "message": "Operations are being throttled"}, self.retry_after_s)
        self.registered.append(enrolled.registration_id)
        operation_id = secrets.token_hex(8)
        self._under_way[operation_id] = (enrolled, self.polls)
        return self._assigning(operation_id)

    def progress(self, enrolled: Enrolled, operation_id: str) -> Answer:
        """Say how far a registration is, and assign the hub once it is through."""
        asker, polls = self._under_way.get(operation_id, (None, 0))
        if asker != enrolled:
            return Answer(404, {"errorCode": 404203, "message": "There is no such operation"})
        if polls > 1:
            self._under_way[operation_id] = (enrolled, polls - 1)
            return self._assigning(operation_id)
        del self._under_way[operation_id]
        state: dict[str, Any] = {"registrationId": enrolled.registration_id, "lastUpdatedDateTimeUtc": self._now()}
        if not self.linked:
            state |= {"status": "failed", "errorCode": 400209, "errorMessage": "No hub is linked"}
            return Answer(200, {"operationId": operation_id, "status": "failed", "registrationState": state})
        substatus = self._admit_to_hub(enrolled)
        state |= {"assignedHub": self._host, "deviceId": enrolled.device_id, "status": "assigned"}
        state |= {"substatus": substatus, "createdDateTimeUtc": self._now()}
        return Answer(200, {"operationId": operation_id, "status": "assigned", "registrationState": state})

    def _assigning(self, operation_id: str) -> Answer:
        return Answer(202, {"operationId": operation_id, "status": "assigning"}, self.retry_after_s)

    def _admit_to_hub(self, enrolled: Enrolled) -> str:
        key = enrolled.primary_key
        authentication: dict[str, Any] = {"symmetricKey": {"primaryKey": key, "secondaryKey": key}}
        if enrolled.thumbprint:
            thumbprint = {"primaryThumbprint": enrolled.thumbprint}
            authentication = {"type": "selfSigned", "x509Thumbprint": thumbprint}
        registry, body = self._engine.registry, {"authentication": authentication}
        if registry.find(enrolled.device_id) is None:
            registry.create(enrolled.device_id, body)
            return "initialAssignment"
        registry.update(enrolled.device_id, body, "*")
        return "deviceDataMigrated"

    def _now(self) -> str:
        return timestamp(self._engine.wall())
