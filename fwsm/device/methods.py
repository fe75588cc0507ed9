"""Direct methods of the embedder's own.

A handler is a function of the payload that returns status and payload, or raises. It may take its time, so it runs as a
job beside the agent's thread: an update goes on meanwhile, and its methods are answered. A few may run at once; two
calls of the same method as well.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.text import cut, said_by
from fwsm.device.fitting import require_call, require_done, require_kind
from fwsm.device.job import Job
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from fwsm.device.job import Runner
    from fwsm.device.ports import MethodCall

__all__ = ["Method", "Methods", "require_methods"]

_log = logging.getLogger(__name__)

Method = Callable[[Any], tuple[int, Mapping[str, Any]]]
"""Takes the JSON value of the request, None without one; returns a status and a JSON object. Whatever it raises is
answered with 500, SystemExit as well: to end the run, it calls `Device.stop`."""

# What the hub lets a device have under way is more; what a small device can do at once is not.
_AT_ONCE: Final = 4
_LONGEST_ANSWER_BYTES: Final = 128 * 1024  # IoT Hub's limit
_LONGEST_NAME: Final = 64
_LONGEST_REASON: Final = 1000
_NOT_FOUND: Final = 404
_FAILED: Final = 500
_BUSY: Final = 503


_BUSY_ANSWER: Final = {
    "message": f"{_AT_ONCE} methods are under way. Call it again when one of them has been answered",
    "code": "busy",
    "reason": f"{_AT_ONCE} methods are under way",
    "fix": "Call it again when one of them has been answered",
}


class Methods:
    """What the embedder's methods are, and how they are called.

    Args:
        methods: handlers by name.
        runner: how they run.
        taken: the names that are not to be had.

    Raises:
        ConfigError: a name is taken or no text, or a handler cannot be called.
    """

    def __init__(self, methods: Mapping[str, Method], runner: Runner, *, taken: Collection[str]) -> None:
        require_methods(methods, taken)
        self._methods = dict(methods)
        self._runner = runner
        self._known = ", ".join(sorted({*methods, *taken}))
        self._free = threading.Semaphore(_AT_ONCE)

    def start(self, call: MethodCall) -> None:
        """Begin to carry out a call; it is answered by the job, or at once if nothing comes of it."""
        handler = self._methods.get(call.name)
        if handler is None:
            call.respond(_NOT_FOUND, _unknown(call.name, self._known))
        elif not self._free.acquire(blocking=False):
            call.respond(_BUSY, _BUSY_ANSWER)
        else:
            self._runner.start(Job(lambda _stop: self._run(call, handler), lambda: None))

    def _run(self, call: MethodCall, handler: Method) -> None:
        try:
            status, payload = _carried_out(call, handler)
        finally:
            self._free.release()
        _log.info("method %s answered with %d", call.name, status)
        call.respond(status, payload)


def _unknown(name: str, known: str) -> dict[str, str]:
    reason, fix = f"known are {known}", "Look for a typing error; names are told apart by case, too"
    message = f"there is no method '{cut(name, _LONGEST_NAME)}': {reason}. {fix}"
    return {"message": message, "code": "unknownMethod", "reason": reason, "fix": fix}


def _carried_out(call: MethodCall, handler: Method) -> tuple[int, Mapping[str, Any]]:
    try:
        answer = handler(call.payload)
        require_done(answer)
        status, payload = answer
        _check_answer(status, payload)
    except BaseException as error:  # noqa: BLE001  # SystemExit would end nothing here, and nobody would be answered
        _log.exception("method %s failed", call.name)
        reason = cut(f"{type(error).__name__}: {said_by(error)}", _LONGEST_REASON)
        message = f"method '{call.name}' failed on the device: {reason}. The device's log has the whole"
        return _FAILED, {"message": message, "code": "internal", "reason": reason, "fix": "Look into the device's log"}
    return status, payload


def _check_answer(status: object, payload: object) -> None:
    """Raise unless it can be sent."""
    if not isinstance(status, int) or isinstance(status, bool) or not isinstance(payload, Mapping):
        raise TypeError(f"the handler returned {type(status).__name__} and {type(payload).__name__}, not int and dict")
    if (size := len(json.dumps(dict(payload), allow_nan=False))) > _LONGEST_ANSWER_BYTES:
        raise ValueError(f"the handler returned {size} bytes, and {_LONGEST_ANSWER_BYTES} are allowed")


def require_methods(methods: Mapping[str, Method] | None, taken: Collection[str]) -> None:
    """Whether all of them have names that are to be had, and handlers that can be called.

    Raises:
        ConfigError: one has not.
    """
    require_kind("methods", methods, Mapping, type(None))
    for name, handler in (methods or {}).items():
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{name!r} is no name of a method", why="it is no text", fix="Give each method a name")
        if name in taken:
            raise ConfigError(
                f"the method '{name}' cannot be replaced", why="it is answered by fwsm", fix="Choose another name"
            )
        require_call(f"the handler of the method '{name}'", handler)
