"""What an operator orders: the request for a job, read and checked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from fwsm.hub.methods import Call
from fwsm.hub.query import QueryTooLongError, check_length
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.timestamp import moment, timestamp
from fwsm.hub.twin import Twin
from fwsm.hub.twins import parts

__all__ = ["METHOD", "TWIN", "Order"]

METHOD, TWIN = "scheduleDeviceMethod", "scheduleUpdateTwin"
# Where the request has what is to be done.
_WORK = {METHOD: "cloudToDeviceMethod", TWIN: "updateTwin"}
_JOB_ID = re.compile(r"[a-z0-9-]{1,64}")
_FURTHEST_START_S = 168 * 3600
_DEFAULT_EXECUTION_S = 3600
_LONGEST_EXECUTION_S = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it was ordered.

    Attributes:
        type: `METHOD` or `TWIN`.
        work: the body of a method call, or the change of a twin.
        condition: which devices, as behind WHERE. It is read when the job starts: a wrong one fails the job then.
        start_at: epoch seconds; a time that has passed means at once.
        max_execution_s: how long the job may take from its start.
    """

    job_id: str
    type: str
    work: dict[str, Any]
    condition: str
    start_at: float
    max_execution_s: int

    @classmethod
    def from_body(cls, job_id: str, body: dict[str, Any], now: float) -> Order:
        """Return the order that the body of a request describes.

        Raises:
            Refusal: 400004, a part is missing, malformed or outside its limits; 412001, as the service has it, the
                condition is too long.
        """
        if _JOB_ID.fullmatch(job_id) is None:
            _refuse(f"{job_id[:80]!r} is not a job id: 1 to 64 lower-case letters, digits and hyphens")
        if (body.get("jobId") or job_id) != job_id:
            _refuse(f"jobId in the body is {body['jobId']!r:.80}, in the path {job_id!r}")
        kind = body.get("type")
        if not isinstance(kind, str) or kind not in _WORK:
            _refuse(f"type is {kind!r:.80}, not one of {', '.join(_WORK)}")
        condition = body.get("queryCondition")
        if not isinstance(condition, str) or not condition.strip():
            _refuse("queryCondition is missing; * stands for all devices")
        try:
            check_length(condition)
        except QueryTooLongError as error:
            raise Refusal(Why.PRECONDITION, f"queryCondition is too long: {error}.") from None
        return cls(job_id, kind, _work(kind, body), condition, _start_at(body, now), _execution_s(body))

    @property
    def call(self) -> Call:
        """The method call of a `METHOD` job."""
        return Call.from_body(self.work)

    @property
    def if_match(self) -> str:
        """The etag that a twin must have for a `TWIN` job to change it; `*` for any."""
        return str(self.work.get("etag") or "*").strip('"')

    def document(self) -> dict[str, Any]:
        """Return the order as an operator reads it."""
        return {
            "jobId": self.job_id,
            "type": self.type,
            _WORK[self.type]: self.work,
            "queryCondition": self.condition,
            "startTime": timestamp(self.start_at),
            "maxExecutionTimeInSeconds": self.max_execution_s,
        }

    def record(self) -> dict[str, Any]:
        """Return the order as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


def _work(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    work = body.get(_WORK[kind])
    if not isinstance(work, dict):
        _refuse(f"a job of type {kind} takes an object {_WORK[kind]}")
    if kind == METHOD:
        Call.from_body(work)
    else:
        Twin.new(0).with_change(*parts(work), 0)
    return work


def _start_at(body: dict[str, Any], now: float) -> float:
    text = body.get("startTime")
    if text is None:
        return now
    try:
        at = moment(text)
    except (TypeError, ValueError):
        _refuse(f"startTime is {text!r:.80}, not a time such as {timestamp(now)}")
    if at > now + _FURTHEST_START_S:
        _refuse(f"startTime is more than {_FURTHEST_START_S // 3600} hours ahead")
    return max(at, now)


def _execution_s(body: dict[str, Any]) -> int:
    value = body.get("maxExecutionTimeInSeconds") or _DEFAULT_EXECUTION_S
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LONGEST_EXECUTION_S:
        _refuse(f"maxExecutionTimeInSeconds is {value!r:.80}, not a whole number of seconds")
    return value


def _refuse(fault: str) -> NoReturn:
    raise Refusal(Why.ARGUMENT_INVALID, f"{fault}.")
