"""A hub without doors whose clock and devices a test moves by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fwsm.hub.engine import Engine
from fwsm.hub.jobs import JobRunner, Order
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import METHODS
from fwsm.hub.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.state import State

__all__ = ["Device", "Scene", "method", "twin", "until"]

# Rounds of the event loop within which whatever a test waits for has happened, or never will.
_ROUNDS = 2000


async def until(fact: Callable[[], object]) -> None:
    """Let the event loop go round until `fact` is true."""
    for _ in range(_ROUNDS):
        if fact():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come true")


class Device:
    """A connected device that answers calls, once it is told to."""

    def __init__(self, engine: Engine, device_id: str, *, mute: bool = False) -> None:
        self.engine = engine
        self.device_id = device_id
        self.mute = mute
        self.rids: list[str] = []
        engine.links.attach(device_id, self)

    def listens_to(self, topic_filter: str) -> bool:
        """Listen to methods."""
        return topic_filter == METHODS

    def publish(self, topic: str, payload: bytes) -> None:  # noqa: ARG002 - a link takes both
        """Take a call, and answer it unless mute."""
        self.rids.append(topic.partition("$rid=")[2])
        if not self.mute:
            self.answer()

    def answer(self) -> None:
        """Answer the last call."""
        self.engine.methods.answered(self.device_id, self.rids[-1], 200, b'"done"')

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Never happens here."""
        raise AssertionError((topic, payload, packet_id, again))

    def expire(self) -> None:
        """Never happens here."""
        raise AssertionError

    def close(self, reason: str) -> None:
        """Never happens here."""
        raise AssertionError(reason)


class Scene:
    """One hub, from its start to its end; another one may come after it on the same state.

    Args:
        state: what it keeps.
        now: the time at its start, in epoch seconds.
        monotonic: by which it knows how long its work takes; without one it takes no time.
    """

    def __init__(
        self, state: State | None = None, now: float = 1000.0, monotonic: Callable[[], float] | None = None
    ) -> None:
        self.now = now
        self.state = state or EphemeralState()
        self.engine = Engine(self.state, lambda: self.now, monotonic or (lambda: self.now))
        self.runner = JobRunner(self.engine, Turn(self.state, asyncio.get_running_loop()))

    def add(self, *device_ids: str) -> None:
        """Register devices."""
        for device_id in device_ids:
            self.engine.registry.create(device_id, {})

    def order(self, job_id: str, body: dict[str, Any]) -> None:
        """Order a job."""
        self.engine.jobs.create(Order.from_body(job_id, body, self.now))

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as an operator reads it."""
        job = self.engine.jobs.find(job_id)
        assert job is not None
        return self.engine.jobs.document(job)

    def outcomes(self) -> list[dict[str, Any]]:
        """Return the outcomes of all jobs as an operator reads them."""
        return [outcome.document() for outcome in self.engine.jobs.all_outcomes()]

    async def until_over(self, job_id: str) -> dict[str, Any]:
        """Let the hub work until a job is over, and return that."""

        def over() -> bool:
            self.runner.tick()
            return "endTime" in self.job(job_id)

        await until(over)
        return self.job(job_id)


def method(condition: str = "*", **options: Any) -> dict[str, Any]:
    """Return the body of a job that calls `go`."""
    call = {"methodName": "go", "payload": 1}
    return {"type": "scheduleDeviceMethod", "cloudToDeviceMethod": call, "queryCondition": condition, **options}


def twin(condition: str = "*", **options: Any) -> dict[str, Any]:
    """Return the body of a job that sets the desired property `a`."""
    change = {"properties": {"desired": {"a": 1}}, "etag": "*"}
    return {"type": "scheduleUpdateTwin", "updateTwin": change, "queryCondition": condition, **options}
