"""Who is told of what, and what becomes of a hook that raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import Progress, Request, State, Update
from fwsm.device.hooks import Entered, Hooks
from fwsm.device.mishaps import Mishap
from fwsm.errors import ConfigError
from tests.logs import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UPDATE = Update(id="u1", request=Request("https://images.example/one.img"), state=State.DOWNLOADING, boot_id="b")
ENTERED = Entered(UPDATE, None, "policy_allowed")


def raising(*_: object) -> None:
    """What an embedder may get wrong."""
    raise ValueError("no")


def test_a_hook_on_all_states_is_told_of_every_entry() -> None:
    """If no state is named."""
    hooks, told = Hooks(), list[Entered]()
    hooks.on_enter(told.append)
    hooks.entered(ENTERED)
    assert told == [ENTERED]


def test_a_hook_on_some_states_is_told_of_these_only() -> None:
    """One or several."""
    hooks, told = Hooks(), list[Entered]()
    hooks.on_enter(told.append, State.WAITING, State.DOWNLOADING)
    hooks.on_enter(told.append, State.APPLY_COMPLETE)
    hooks.entered(ENTERED)
    assert told == [ENTERED]


def test_progress_and_reports_are_told() -> None:
    """Each to those who asked for it."""
    hooks = Hooks()
    progress: list[tuple[Update, Progress]] = []
    patches: list[Mapping[str, Any]] = []
    hooks.on_progress(lambda update, part: progress.append((update, part)))
    hooks.on_report(patches.append)
    hooks.progressed(UPDATE, Progress(5, 10))
    hooks.reported({"a": 1})
    assert progress == [(UPDATE, Progress(5, 10))]
    assert patches == [{"a": 1}]


def test_a_hook_may_do_with_a_report_what_it_likes() -> None:
    """The next one, and the reporter, have their own."""
    hooks, told, patch = Hooks(), list[Mapping[str, Any]](), {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}}
    hooks.on_report(lambda patch: patch["iothubDM"].clear())
    hooks.on_report(told.append)
    hooks.reported(patch)
    assert told == [patch]
    assert patch["iothubDM"]


def test_a_hook_that_raises_keeps_nobody_from_being_told() -> None:
    """Those behind it are called, and the caller hears nothing."""
    hooks, told = Hooks(), list[Entered]()
    hooks.on_enter(raising)
    hooks.on_enter(told.append)
    hooks.entered(ENTERED)
    assert told == [ENTERED]


def test_a_failure_is_kept_once_for_each_hook_and_update(caplog: pytest.LogCaptureFixture) -> None:
    """A progress hook that always fails would fill the disk otherwise; the log has every one."""
    hooks = Hooks()
    hooks.on_progress(raising)
    hooks.on_report(raising)
    for _ in range(3):
        hooks.progressed(UPDATE, Progress(5, 10))
        hooks.reported({})
    message = f"{__name__}.raising raised ValueError: no"
    assert list(hooks.mishaps.taken()) == [Mishap("hookFailed", message, "u1"), Mishap("hookFailed", message, None)]
    assert len(records_of(caplog, "fwsm.device.hooks")) == 6


def test_a_callable_object_is_named_by_its_class() -> None:
    """It has no name of its own."""

    class Caller:
        def __call__(self, _: object) -> None:
            raise ValueError

    hooks = Hooks()
    hooks.on_enter(Caller())
    hooks.entered(ENTERED)
    (failure,) = hooks.mishaps.taken()
    assert failure.message.endswith("Caller raised ValueError: ")


def test_a_hook_that_only_makes_a_coroutine_has_failed() -> None:
    """Nobody runs it, and it does not show before it is called; Python is spared its warning."""

    async def later(_: object) -> None:
        """Not before somebody awaits it."""

    hooks = Hooks()
    hooks.on_enter(lambda entered: later(entered.update))
    hooks.entered(ENTERED)
    (failure,) = hooks.mishaps.taken()
    assert failure.message.endswith(
        "raised TypeError: it returned a coroutine, and no event loop runs in the device's threads"
    )


def test_a_promise_of_another_kind_is_none_either() -> None:
    """It is not a coroutine, but somebody would have to wait for it."""

    class Promise:
        def __await__(self) -> Iterator[None]:
            yield

    hooks = Hooks()
    hooks.on_enter(lambda _entered: Promise())
    hooks.entered(ENTERED)
    (failure,) = hooks.mishaps.taken()
    assert "it returned a Promise" in failure.message


def test_what_cannot_be_called_is_no_hook() -> None:
    """It is told at once, not at the first entry."""
    with pytest.raises(ConfigError, match=r"'x' cannot be a hook: it cannot be called\. Give a function"):
        Hooks().on_report("x")  # type: ignore[arg-type]
