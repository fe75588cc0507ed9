"""One command for many devices: a job of the hub, which calls a direct method on each device that meets a condition.

The job lives in the hub and goes on without us. That it is completed says nothing of its devices: each has an outcome
of its own, which a query over `devices.jobs` tells. That query answers from an index that lags by a second or more.

Source: "Schedule jobs on multiple devices", and the service's OpenAPI description.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fwsm.errors import DeviceNotFoundError, DeviceTimeoutError, HubUnreachableError, RequestError
from fwsm.service.answer import Answer
from fwsm.service.command import RESPONSE_TIMEOUT_S
from fwsm.service.presence import HubAway, HubBack, Presence, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.service.client import Client
    from fwsm.service.command import Command

__all__ = ["Job", "JobEvent", "Outcome", "all_of", "count", "follow_job", "jobs", "outcomes", "start_job"]

_OVER: Final = frozenset({"completed", "failed", "cancelled"})
_UNKNOWN: Final = "unknown"
_EVERYTHING: Final = "*"
# In characters. IoT Hub refuses a query of more than some 8,200 with words about an etag.
_LONGEST_CONDITION: Final = 8000
# Reads of jobs are among what a hub allows few of, so the looks at one that does not move are ever farther apart.
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 5.0
# How long the index behind the outcomes may lag: pauses of 1, 2, 4 and 8 s.
_LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job is.

    Attributes:
        job_id: its name.
        status: queued, scheduled, running, completed, failed or cancelled; unknown if there is no such job.
        devices, succeeded, failed, running, pending: how many devices it has, and how many of them have come how far.
        failure: why the job as a whole failed; "" if it did not.
    """

    job_id: str
    status: str
    devices: int = 0
    succeeded: int = 0
    failed: int = 0
    running: int = 0
    pending: int = 0
    failure: str = ""

    @classmethod
    def of(cls, job_id: str, document: dict[str, Any]) -> Job:
        """Return the job that a document of the REST resource shows."""
        found = document.get("deviceJobStatistics")
        counts = found if isinstance(found, dict) else {}

        def counted(name: str) -> int:
            number = counts.get(f"{name}Count")
            return number if isinstance(number, int) else 0

        return cls(
            job_id,
            str(document.get("status") or _UNKNOWN),
            counted("device"),
            counted("succeeded"),
            counted("failed"),
            counted("running"),
            counted("pending"),
            str(document.get("failureReason") or document.get("statusMessage") or ""),
        )

    @property
    def over(self) -> bool:
        """Whether the hub does nothing more for it."""
        return self.status in _OVER

    @property
    def percent(self) -> int:
        """How many of its devices are done with, in percent."""
        return 100 * (self.succeeded + self.failed) // self.devices if self.devices else 0


JobEvent: TypeAlias = Job | HubAway | HubBack


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job on one device.

    Attributes:
        device_id: which.
        status: pending, running, completed or failed.
        answer: what the device answered; None if it did not.
        code: the hub's word for why it could not be asked, such as DeviceNotOnline; "" if it could.
        text: the same in a sentence.
    """

    device_id: str
    status: str
    answer: Answer | None = None
    code: str = ""
    text: str = ""

    @classmethod
    def of(cls, document: dict[str, Any]) -> Outcome:
        """Return the outcome that a row of `devices.jobs` shows."""
        device_id = str(document.get("deviceId"))
        error = document.get("error")
        outcome = document.get("outcome")
        response = outcome.get("deviceMethodResponse") if isinstance(outcome, dict) else None
        answer = None
        if isinstance(response, dict) and isinstance(response.get("status"), int):
            answer = Answer(device_id, "command", response["status"], response.get("payload"))
        failed = error if isinstance(error, dict) else {}
        code, text = (str(failed.get(name) or "") for name in ("code", "description"))
        return cls(device_id, str(document.get("status")), answer, code, text)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in _OVER

    @property
    def accepted(self) -> bool:
        """Whether the device has done what it was asked for."""
        return self.answer is not None and self.answer.accepted

    @property
    def result(self) -> str:
        """In a word: accepted, refused, offline, failed or pending."""
        if self.answer is not None:
            return "accepted" if self.answer.accepted else "refused"
        if not self.over:
            return "pending"
        return "offline" if self.code == "DeviceNotOnline" else "failed"

    @property
    def detail(self) -> str:
        """The device's own words, or the hub's about it; "" if there are none."""
        return self.answer.text if self.answer is not None else self.text or self.code


def all_of(condition: str, columns: str = "*") -> str:
    """Return the query for the devices that meet a condition.

    Raises:
        RequestError: the condition is longer than a hub takes.
    """
    if len(condition) > _LONGEST_CONDITION:
        raise RequestError(
            f"the condition has {len(condition)} characters, and IoT Hub takes some {_LONGEST_CONDITION}",
            field="query",
            fix="Give the devices a tag, and name that instead of each device",
        )
    where = "" if condition.strip() == _EVERYTHING else f" WHERE {condition}"
    return f"SELECT {columns} FROM devices{where}"  # noqa: S608 - the hub's own language, and it only reads


def count(client: Client, condition: str, *, patient: bool = True) -> int:
    """Return how many devices meet a condition, as behind WHERE; `*` for all. With `patient` off, without trying again.

    Raises:
        RequestError: the condition is empty, or longer than a hub takes.
        DeviceNotFoundError: none does.
        ServiceError: the hub cannot read it, or another of the hub's errors.
    """
    if not condition.strip():
        raise RequestError(
            "the condition is empty", field="query", fix="Say which devices, such as \"tags.site = 'a'\", or * for all"
        )
    rows = list(client.query(all_of(condition, "COUNT() AS number"), patient=patient))
    number = rows[0].get("number") if rows else 0
    if not isinstance(number, int) or number == 0:
        raise DeviceNotFoundError(
            "no device meets the condition", why=condition, fix="Check names and quotes; a hub notices changes late"
        )
    return number


def jobs(client: Client) -> list[Job]:
    """Return the jobs that the hub remembers, by name."""
    return [Job.of(str(document.get("jobId")), document) for document in client.jobs()]


def start_job(client: Client, command: Command, condition: str, *, new_id: Callable[[], str] | None = None) -> str:
    """Have the hub send a command to every device that meets a condition, once; returns the name of the job.

    Raises:
        ThrottledError: as many jobs are active as the hub's tier allows, one on S1.
        ServiceError: another of the hub's errors.
    """
    job_id = (new_id or (lambda: _fresh_id(command.name)))()
    call = {
        "methodName": command.method,
        "payload": command.payload,
        "responseTimeoutInSeconds": RESPONSE_TIMEOUT_S,
    }
    order = {"type": "scheduleDeviceMethod", "cloudToDeviceMethod": call, "queryCondition": condition}
    try:
        client.create_job(job_id, order)
    except HubUnreachableError:
        # The order may have arrived. Its name is ours alone, so a job of that name is the one.
        if Job.of(job_id, client.job(job_id)).status == _UNKNOWN:
            raise
    return job_id


def follow_job(
    client: Client,
    job_id: str,
    *,
    timeout_s: float | None = None,
    since: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = pause,
) -> Iterator[JobEvent]:
    """Yield how far a job is, whenever that has changed; the last event is a job that is over.

    Args:
        client: the hub.
        job_id: which job.
        timeout_s: how long to follow it; None for as long as it takes.
        since: when that began to count, by `clock`; None for now.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        RequestError: there is no such job.
        DeviceTimeoutError: it is not over in time; it goes on.
        ServiceError: another of the hub's errors.
    """
    started = clock() if since is None else since
    hub = Presence(clock)
    last: Job | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        document = yield from hub.look(lambda patient: client.job(job_id, patient=patient))
        job = last if document is None else Job.of(job_id, document)
        if job is not None and job != last:
            if job.status == _UNKNOWN:
                raise RequestError(f"the hub knows no job '{job_id}'", field="job", fix="Check its name")
            yield job
            if job.over:
                return
            last, pause_s = job, _FIRST_PAUSE_S
        left_s = None if timeout_s is None else started + timeout_s - clock()
        if left_s is not None and left_s <= 0:
            raise DeviceTimeoutError(
                f"the job {job_id} is not over within {timeout_s:g} s",
                why=f"it is {last.status}" if last else "",
                fix=f"It goes on; look again with `fwsm job watch {job_id}`",
            )
        longest_s = hub.pause_s(pause_s)
        sleep(longest_s if left_s is None else min(longest_s, left_s))
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def outcomes(client: Client, job: Job, *, sleep: Callable[[float], None] = pause) -> list[Outcome]:
    """Return what became of a job on each device, by name.

    Of a job that is over, the rows are asked for again until all of them are there and over as well; what the index
    still does not tell after 15 s is returned as it is.
    """
    query = f"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '{job.job_id}'"  # noqa: S608 - has no quotes
    found: list[Outcome] = []
    for look in range(_LOOKS):
        rows = client.query(query)
        found = sorted((Outcome.of(row) for row in rows), key=lambda outcome: outcome.device_id)
        whole = len(found) >= job.devices and all(outcome.over for outcome in found)
        if whole or not job.over or look == _LOOKS - 1:
            break
        sleep(2.0**look)
    return found


def _fresh_id(name: str) -> str:
    return f"fwsm-{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
