"""A job, and what has become of it on each device: records that change by making new ones. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fwsm.hub.jobs.order import Order
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DeviceJob", "DeviceStatus", "Job", "Status"]


class Status(enum.StrEnum):
    """Of a job."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeviceStatus(enum.StrEnum):
    """Of a job on one device."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        cancelling: an operator has cancelled it; that takes effect a little later.
        failure: why it failed.
    """

    order: Order
    created_at: float
    status: Status = Status.QUEUED
    started_at: float | None = None
    ended_at: float | None = None
    cancelling: bool = False
    failure: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.ended_at is not None

    @property
    def give_up_at(self) -> float:
        """When a job that has started must have ended."""
        return (self.started_at or 0.0) + self.order.max_execution_s

    def scheduled(self) -> Job:
        """Return the job waiting for its time."""
        return replace(self, status=Status.SCHEDULED)

    def started(self, now: float) -> Job:
        """Return the job at work."""
        return replace(self, status=Status.RUNNING, started_at=now)

    def ended(self, status: Status, now: float, failure: str | None = None) -> Job:
        """Return the job at its end."""
        return replace(self, status=status, ended_at=now, failure=failure)

    def document(self, devices: Mapping[DeviceStatus, int]) -> dict[str, Any]:
        """Return the job as an operator reads it; `devices` says how many have come how far."""
        statistics = {
            "deviceCount": sum(devices.values()),
            "failedCount": devices.get(DeviceStatus.FAILED, 0),
            "succeededCount": devices.get(DeviceStatus.COMPLETED, 0),
            "runningCount": devices.get(DeviceStatus.RUNNING, 0),
            "pendingCount": devices.get(DeviceStatus.PENDING, 0),
        }
        return {
            **self.order.document(),
            "createdTime": timestamp(self.created_at),
            **({} if self.started_at is None else {"startTime": timestamp(self.started_at)}),
            **({} if self.ended_at is None else {"endTime": timestamp(self.ended_at)}),
            "status": str(self.status),
            **({} if self.failure is None else {"failureReason": self.failure, "statusMessage": self.failure}),
            "deviceJobStatistics": statistics,
        }

    def record(self) -> dict[str, Any]:
        """Return the job as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__} | {"order": self.order.record()}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Job:
        """Return the job that `record` was made of."""
        return cls(**{**record, "order": Order(**record["order"]), "status": Status(record["status"])})


@dataclass(frozen=True, slots=True)
class DeviceJob:
    """A job on one device.

    Attributes:
        outcome: what the device answered to a method call.
        error: `{"code", "description"}` of a failure.
    """

    job_id: str
    job_type: str
    device_id: str
    created_at: float
    updated_at: float
    status: DeviceStatus = DeviceStatus.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    outcome: dict[str, Any] | None = None
    error: dict[str, str] | None = None

    @property
    def key(self) -> str:
        """Its name among all of them."""
        return f"{self.job_id}/{self.device_id}"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.ended_at is not None

    def started(self, now: float) -> DeviceJob:
        """Return it at work."""
        return replace(self, status=DeviceStatus.RUNNING, started_at=now, updated_at=now)

    def completed(self, now: float, outcome: dict[str, Any] | None = None) -> DeviceJob:
        """Return it at its good end."""
        return replace(self, status=DeviceStatus.COMPLETED, ended_at=now, updated_at=now, outcome=outcome)

    def failed(self, now: float, code: str, description: str) -> DeviceJob:
        """Return it at its bad end."""
        error = {"code": code, "description": description}
        return replace(self, status=DeviceStatus.FAILED, ended_at=now, updated_at=now, error=error)

    def document(self) -> dict[str, Any]:
        """Return it as a query over `devices.jobs` gives it."""
        document = {
            "deviceId": self.device_id,
            "jobId": self.job_id,
            "jobType": self.job_type,
            "status": str(self.status),
            "startTimeUtc": _time(self.started_at),
            "endTimeUtc": _time(self.ended_at),
            "createdDateTimeUtc": timestamp(self.created_at),
            "lastUpdatedDateTimeUtc": timestamp(self.updated_at),
            "outcome": self.outcome,
            "error": self.error,
        }
        return {name: value for name, value in document.items() if value is not None}

    def record(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> DeviceJob:
        """Return what `record` was made of."""
        return cls(**{**record, "status": DeviceStatus(record["status"])})


def _time(at: float | None) -> str | None:
    return None if at is None else timestamp(at)
