"""Direct methods: what each asks for, and what is answered.

The answer goes out after the commit: what was answered with 200 is on disk and will be carried out, whatever happens
to this process afterwards. A command that cannot be carried out is answered with the reason, and changes nothing.

| method | answers |
|---|---|
| firmwareUpdate | 200 started; 200 the same again; 400 malformed; 409 too late to supersede; 503 cannot store |
| firmwareUpdateCancel | 200 cancelled; 409 nothing to cancel or too late; 503 |
| firmwareUpdateRetry | 200 waiting again; 409 nothing that failed; 503 |
| firmwareUpdateStatus | 200 with the section that the twin shows |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fwsm.core.twin import METHOD, section
from fwsm.errors import FwsmError, RefusedError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.core.update import Update

__all__ = ["Answer", "answer"]

Answer = tuple[int, dict[str, Any]]

_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNAVAILABLE: Final = 503


def answer(name: str, payload: Any, handlers: Mapping[str, Callable[[Any], Update | None]]) -> Answer:
    """Carry out one method call and say what came of it: status and payload.

    Args:
        name: the method's name.
        payload: the JSON value of the call.
        handlers: what carries out each method; returns the update it is about.
    """
    handler = handlers.get(name)
    if handler is None:
        known = ", ".join(sorted(handlers))
        return _NOT_FOUND, {"message": f"there is no method '{name[:64]}'. Known are {known}"}
    try:
        update = handler(payload)
    except RequestError as error:
        return _BAD_REQUEST, _refusal(error) | {"field": error.field}
    except RefusedError as error:
        return _CONFLICT, _refusal(error)
    except FwsmError as error:
        return _UNAVAILABLE, _refusal(error)
    return 200, _payload(name, update)


def _refusal(error: FwsmError) -> dict[str, Any]:
    return {"message": str(error), "code": error.code, "reason": error.why or error.what, "fix": error.fix}


def _payload(name: str, update: Update | None) -> dict[str, Any]:
    if update is None:
        return {"message": "this device has had no update yet"}
    if name == METHOD:
        return {"message": "FirmwareUpdate started", "updateId": update.id}
    shown = {key: value for key, value in section(update).items() if value is not None}
    return {"message": f"FirmwareUpdate {update.state.status}", **shown}
