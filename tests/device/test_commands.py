"""What a direct method is answered with."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.core.update import Progress, Request, State, Update
from fwsm.device.commands import answer
from fwsm.errors import FwsmError, RefusedError, RequestError, StoreError, StoreFullError

UPDATE = Update(
    id="u1",
    request=Request("https://images.example/fw?sig=secret"),
    state=State.DOWNLOADING,
    boot_id="boot-1",
    progress=Progress(1, 4),
)


def answered(result: Update | FwsmError | None, name: str = "firmwareUpdate") -> tuple[int, dict[str, Any]]:
    """The answer if carrying it out comes to this."""

    def handler(_payload: Any) -> Update | None:
        if isinstance(result, FwsmError):
            raise result
        return result

    return answer(name, None, {name: handler})


def test_a_request_is_answered_with_the_tutorials_words_and_the_id() -> None:
    """Nothing else, as the tutorial's operator shows it as it is."""
    assert answered(UPDATE) == (200, {"message": "FirmwareUpdate started", "updateId": "u1"})


def test_the_other_methods_show_what_the_twin_shows() -> None:
    """Without what is null, and without what may be a secret."""
    status, body = answered(UPDATE, "firmwareUpdateStatus")
    assert status == 200
    assert body == {
        "message": "FirmwareUpdate downloading",
        "updateId": "u1",
        "fwPackageUri": "https://images.example/fw",
        "status": "downloading",
        "progress": {"bytes": 1, "totalBytes": 4, "percent": 25},
        "attempt": 1,
        "resumed": 0,
    }


def test_no_update_is_an_answer_too() -> None:
    """Asking does no harm."""
    assert answered(None, "firmwareUpdateStatus") == (200, {"message": "this device has had no update yet"})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RequestError("it is bad", field="fwVersion", why="so", fix="Mend it"), 400, "badRequest"),
        (RefusedError("it is late", why="so", fix="Mend it"), 409, "refused"),
        (StoreError("it is busy", why="so", fix="Mend it"), 503, "store"),
        (StoreFullError("it is full", why="so", fix="Mend it"), 503, "storeFull"),
    ],
)
def test_what_cannot_be_done_is_answered_with_reason_and_fix(error: FwsmError, status: int, code: str) -> None:
    """The status says whether the sender, the state, or the device is at fault; a bad field is named."""
    got, body = answered(error)
    field = body.pop("field", None)
    assert got == status
    assert body == {"message": str(error), "code": code, "reason": "so", "fix": "Mend it"}
    assert field == ("fwVersion" if status == 400 else None)


def test_a_reason_is_there_even_if_nothing_more_is_known() -> None:
    """Then the fact itself is the reason."""
    assert answered(RefusedError("it is late"))[1]["reason"] == "it is late"


def test_an_unknown_method_is_answered_with_those_that_are_known() -> None:
    """And with no more of its name than is needed to recognise it."""
    status, body = answer("x" * 1000, None, {"b": lambda _payload: None, "a": lambda _payload: None})
    assert (status, body["message"]) == (404, f"there is no method '{'x' * 64}'. Known are a, b")
