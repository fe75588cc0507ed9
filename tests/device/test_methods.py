"""The embedder's own methods, through the agent that passes them on."""

from __future__ import annotations

import functools
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.update import State
from fwsm.device.commands import BUILT_IN
from fwsm.device.job import ThreadRunner
from fwsm.device.ports import MethodCall
from fwsm.errors import ConfigError
from tests.device.life import URI, LateRunner
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.device.methods import Method
    from tests.device.life import Life


@pytest.fixture
def having(life: Life) -> Callable[..., Life]:
    """Start the device anew with these methods."""

    def start(**options: Any) -> Life:
        life.options = options
        life.restart()
        return life

    return start


def test_a_handler_answers_for_itself(having: Callable[..., Life]) -> None:
    """It gets the payload; status and payload go back as they are."""
    life = having(methods={"echo": lambda payload: (207, {"got": payload})})
    assert life.call("echo", [1, None]) == (207, {"got": [1, None]})


def test_a_handler_that_fails_is_answered_500(having: Callable[..., Life], caplog: pytest.LogCaptureFixture) -> None:
    """The caller is told what and where to look, the log has the traceback, and the agent lives."""

    def handler(_payload: object) -> tuple[int, dict[str, Any]]:
        raise ValueError("the\nrelay is stuck")

    life = having(methods={"relay": handler})
    status, body = life.call("relay")
    assert status == 500
    assert body["reason"] == "ValueError: the relay is stuck"
    assert "method 'relay' failed on the device" in body["message"]
    assert body["code"]
    assert body["fix"]
    assert any(record.exc_info for record in caplog.records)
    assert life.call(payload={"fwPackageUri": URI})[0] == 200


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "TypeError"),
        ((200,), "ValueError"),
        (("200", {}), "str and dict, not int and dict"),
        ((True, {}), "bool and dict"),
        ((200, "done"), "int and str"),
        ((200, {"at": object()}), "not JSON serializable"),
        ((200, {"volts": float("nan")}), "not JSON compliant"),
        ((200, {"long": "x" * 131_072}), "131084 bytes, and 131072 are allowed"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_answered_500(having: Callable[..., Life], answer: Any, reason: str) -> None:
    """With the reason."""
    status, body = having(methods={"odd": lambda _payload: answer}).call("odd")
    assert status == 500
    assert reason in body["reason"]


def test_an_unknown_method_is_answered_with_those_that_are_known(having: Callable[..., Life]) -> None:
    """And with no more of its name than is needed to recognise it."""
    life = having(methods={"reboot": lambda _payload: (200, {})})
    status, body = life.call("x" * 63 + "\n" + "y" * 1000)
    known = "firmwareUpdate, firmwareUpdateCancel, firmwareUpdateRetry, firmwareUpdateStatus, reboot"
    assert status == 404
    assert body["message"].startswith(f"there is no method '{'x' * 63}…': known are {known}. ")
    assert (body["code"], body["reason"]) == ("unknownMethod", f"known are {known}")
    assert body["fix"]


def test_whatever_a_method_is_called_it_is_answered(having: Callable[..., Life]) -> None:
    """In words that can be sent and shown."""
    life = having(methods={"reboot": lambda _payload: (200, {})})

    @given(name=st.text(st.characters()) | st.sampled_from(["firmwareupdate", "firmwareUpdate ", "REBOOT"]))
    def check(name: str) -> None:
        status, body = life.call(name)
        assert status == 404
        assert f"{body['message']}".isprintable()
        assert len(json.dumps(body)) < 2000

    check()


def test_a_slow_handler_holds_up_nobody(having: Callable[..., Life]) -> None:
    """It runs beside the agent's thread; meanwhile methods are answered and an update goes on."""
    enough, answered = threading.Event(), threading.Event()

    def slow(_payload: object) -> tuple[int, dict[str, Any]]:
        assert enough.wait(PATIENCE_S)
        return 200, {}

    life = having(methods={"slow": slow}, runner=ThreadRunner())
    life.agent.deliver(MethodCall("slow", None, lambda _status, _body: answered.set()))
    life.agent.step(life.clock.now())
    assert life.call(payload={"fwPackageUri": URI})[0] == 200
    assert not answered.is_set()
    enough.set()
    assert answered.wait(PATIENCE_S)


def test_a_few_run_at_once_and_the_next_is_told_to_come_again(having: Callable[..., Life]) -> None:
    """A device has no threads to give away; one that ends makes room."""
    runner = LateRunner()
    life = having(methods={"slow": lambda _payload: (200, {})}, runner=runner)
    answers: list[int] = []
    for _ in range(5):
        life.agent.deliver(MethodCall("slow", None, lambda status, _body: answers.append(status)))
        life.agent.step(life.clock.now())
    assert answers == [503]
    runner.jobs[0].run()
    life.agent.deliver(MethodCall("slow", None, lambda status, _body: answers.append(status)))
    life.agent.step(life.clock.now())
    for job in runner.jobs[1:]:
        job.run()
    assert answers == [503, 200, 200, 200, 200, 200]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_built_in_names_are_taken(having: Callable[..., Life], name: str) -> None:
    """Nobody replaces them by accident."""
    with pytest.raises(ConfigError, match=f"the method '{name}' cannot be replaced"):
        having(methods={name: lambda _payload: (200, {})})


@pytest.mark.parametrize(("name", "handler"), [("", print), (5, print), ("reboot", None), ("reboot", "shutdown -r")])
def test_what_is_no_method_is_refused_at_once(having: Callable[..., Life], name: Any, handler: Method) -> None:
    """Not at the first call."""
    with pytest.raises(ConfigError) as caught:
        having(methods={name: handler})
    assert caught.value.why
    assert caught.value.fix


def test_an_update_does_not_end_a_handler(having: Callable[..., Life]) -> None:
    """Interrupting a download does not touch what the embedder does."""
    runner = LateRunner()
    life = having(methods={"slow": lambda _payload: (200, {})}, runner=runner)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.agent.step(life.clock.now())
    life.agent.deliver(MethodCall("slow", None, lambda _status, _body: None))
    life.agent.step(life.clock.now())
    assert life.call("firmwareUpdateCancel")[0] == 200
    download, slow = runner.jobs
    assert (download.stop.is_set(), slow.stop.is_set()) == (True, False)


async def later(_payload: object = None) -> tuple[int, dict[str, Any]]:
    """Not before somebody awaits it."""
    return 200, {}


class Promise:
    """Somebody would have to wait for it."""

    def __await__(self) -> Iterator[None]:
        yield


def steps(_payload: object) -> Iterator[int]:
    """Not before somebody asks for the next."""
    yield 200


@pytest.mark.parametrize(
    ("handler", "kind"),
    [(lambda _: later(), "coroutine"), (lambda _: Promise(), "Promise"), (lambda _: steps(None), "generator")],
    ids=["coroutine", "awaitable", "generator"],
)
@pytest.mark.filterwarnings("error")
def test_a_promise_is_no_answer(having: Callable[..., Life], handler: Any, kind: str) -> None:
    """Nobody here keeps it, and nobody is told that the work were done; Python is spared its warning."""
    status, body = having(methods={"blink": handler}).call("blink")
    assert status == 500
    assert body["reason"].startswith(f"TypeError: it returned a {kind}, ")


@pytest.mark.parametrize("handler", [later, functools.partial(later), steps])
def test_a_function_that_only_makes_a_promise_is_no_handler(having: Callable[..., Life], handler: Any) -> None:
    """It is told when the device is made."""
    with pytest.raises(ConfigError, match="cannot be the handler of the method 'blink'"):
        having(methods={"blink": handler})


def test_an_error_that_cannot_be_said_is_answered_all_the_same(having: Callable[..., Life]) -> None:
    """With its class."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    def handler(_payload: object) -> tuple[int, dict[str, Any]]:
        raise MuteError

    status, body = having(methods={"relay": handler}).call("relay")
    assert (status, body["reason"]) == (500, "MuteError: (its text cannot be made: ZeroDivisionError)")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_handler_does_not_end_the_program_by_an_exception(having: Callable[..., Life], error: BaseException) -> None:
    """It runs in a thread of its own, where that would end nothing, and the caller would never be answered."""

    def handler(_payload: object) -> tuple[int, dict[str, Any]]:
        raise error

    life = having(methods={"leave": handler})
    status, body = life.call("leave")
    assert (status, body["reason"]) == (500, f"{type(error).__name__}: {error}")
    assert life.call("firmwareUpdateStatus")[0] == 200
