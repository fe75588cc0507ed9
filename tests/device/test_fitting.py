"""What is handed over is looked at before anything begins."""

from __future__ import annotations

import functools
import re
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.policy import Always
from fwsm.core.update import State
from fwsm.device.clock import SystemClock
from fwsm.device.device import Device
from fwsm.device.fitting import (
    require_call,
    require_directory,
    require_done,
    require_part,
    require_seconds,
    require_states,
)
from fwsm.device.job import ThreadRunner
from fwsm.device.ports import Clock, Download, Installer, Link, Policy
from fwsm.errors import ConfigError
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from fwsm.testing.link import MemoryLink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


class Half:
    """Has one of the methods of an installer."""

    def reboot(self) -> None:
        """Do nothing."""


async def later(*_: object) -> None:
    """Not before somebody awaits it."""


@pytest.mark.parametrize(
    ("part", "protocol"),
    [
        (MemoryLink(), Link),
        (MemoryDownload({}), Download),
        (MemoryInstaller(Board()), Installer),
        (Always(), Policy),
        (SystemClock("boot-1"), Clock),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_part_that_keeps_its_protocol_fits(part: object, protocol: type) -> None:
    """Whatever class it is of; and no other part fits there."""
    require_part("part", part, protocol)
    with pytest.raises(ConfigError, match="the part cannot be used: object has no "):
        require_part("part", object(), protocol)


def test_what_a_part_lacks_is_named() -> None:
    """All of it, with the protocol that says what it should be."""
    with pytest.raises(ConfigError) as caught:
        require_part("installer", Half(), Installer)
    assert caught.value.why == (
        "Half has no repeatable, target_slot, install, probe, image_of, runs_already, runs, confirm, roll_back"
    )
    assert "fwsm.Installer" in caught.value.fix


def test_a_class_is_no_part() -> None:
    """The parentheses were forgotten."""
    with pytest.raises(ConfigError, match="MemoryLink is a class, and one of its objects is wanted"):
        require_part("link", MemoryLink, Link)


@pytest.mark.parametrize("found", [None, 5, "print"])
def test_what_cannot_be_called_is_no_hook(found: object) -> None:
    """It would be noticed only when there is something to tell."""
    with pytest.raises(ConfigError, match="cannot be a hook: it cannot be called"):
        require_call("a hook", found)


def test_a_coroutine_function_would_never_run() -> None:
    """Python only warns of that, and later; here is said how to reach a loop."""
    with pytest.raises(ConfigError, match=r"later cannot be a hook: .*call_soon_threadsafe"):
        require_call("a hook", later)
    require_call("a hook", print)
    require_call("a hook", functools.partial(print, "x"))


def values(*_: object) -> Iterator[int]:
    """Not before somebody asks for the next."""
    yield 1


async def later_values(*_: object) -> AsyncIterator[int]:
    """Not before somebody awaits the next."""
    yield 1


@pytest.mark.parametrize(("found", "kind"), [(values, "generator"), (later_values, "async generator")])
def test_a_generator_function_would_never_run_either(found: object, kind: str) -> None:
    """Not a line of it; a `yield` too much is easily written."""
    with pytest.raises(ConfigError, match=f"cannot be a hook: it is a {kind} function"):
        require_call("a hook", found)


@pytest.mark.parametrize("result", [values(), later_values()])
def test_a_generator_is_no_work_that_is_done(result: object) -> None:
    """Nor is what only returns one."""
    with pytest.raises(TypeError, match="generator, and no event loop"):
        require_done(result)


@pytest.mark.parametrize("result", [None, False, 5, [1], Future()])
def test_any_other_result_of_a_call_is_fine(result: object) -> None:
    """Also that of asyncio.run_coroutine_threadsafe: another loop does that."""
    require_done(result)


class Later:
    """Not before somebody awaits what a call returns."""

    async def __call__(self, *_: object) -> None:
        """Do nothing."""


@pytest.mark.parametrize("found", [Later(), functools.partial(Later()), functools.partial(later), Later().__call__])
def test_a_coroutine_function_may_be_wrapped_up(found: object) -> None:
    """In an object, in a partial."""
    with pytest.raises(ConfigError, match="it is a coroutine function"):
        require_call("a hook", found)


def test_states_are_states() -> None:
    """A name in a text may be misspelt, and then nobody is ever told; children of a step are states, too."""
    require_states([State.WAITING, State.child("backingUp")])
    with pytest.raises(ConfigError, match=r"'wating' is no state.*fwsm\.State"):
        require_states([State.WAITING, "wating"])
    with pytest.raises(ConfigError, match=r"is no state: .*@device.on_enter\(\)"):
        require_states([print])


@pytest.mark.parametrize(("value", "above"), [(0, False), (0.0, False), (1, True), (1e-9, True)])
def test_seconds_are_a_number_of_them(value: float, above: bool) -> None:
    """From zero on, or above it."""
    require_seconds("soak_s", value, above=above)


@pytest.mark.parametrize(
    ("value", "above"),
    [
        (-1, False),
        (0, True),
        (float("nan"), False),
        (float("inf"), False),
        (10**400, False),
        (True, False),
        ("5", False),
        (None, True),
    ],
)
def test_other_seconds_are_refused(value: object, above: bool) -> None:
    """With what it must be."""
    with pytest.raises(
        ConfigError, match=f"soak_s is {value!r}: it must be a number of seconds {'above 0' if above else 'from 0 on'}"
    ):
        require_seconds("soak_s", value, above=above)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("link", None),
        ("link", "HostName=h"),
        ("link", MemoryLink),
        ("installer", 3),
        ("download", object()),
        ("policy", lambda _update, _now: None),
        ("clock", 3),
        ("checks", [3]),
        ("checks", print),
        ("checks", None),
        ("limits", {"attempts": 3}),
        ("extension", None),
        ("retention", 5),
        ("methods", [("blink", print)]),
        ("allow_http", "no"),
        ("runner", ThreadRunner),
        ("heartbeat", 5),
        ("chance", 0.5),
        ("new_id", "u1"),
        ("checks", [later]),
        ("soak_s", -1),
        ("check_every_s", 0),
        ("progress_every_s", -3),
        ("methods", {"blink": later}),
        ("methods", {"firmwareUpdate": print}),
    ],
)
def test_a_device_is_not_made_of_what_does_not_fit(tmp_path: Path, option: str, value: object) -> None:
    """And nothing is left behind, not even a directory."""
    parts: dict[str, Any] = {
        "link": MemoryLink(),
        "installer": MemoryInstaller(Board()),
        "clock": SystemClock("boot-1"),
    }
    with pytest.raises(ConfigError) as caught:
        Device(tmp_path / "state", **(parts | {option: value}))
    assert caught.value.why
    assert caught.value.fix
    assert not (tmp_path / "state").exists()
    Device(tmp_path / "state", **parts).close()


def test_a_hook_is_looked_at_when_it_is_added(tmp_path: Path) -> None:
    """The three usual mistakes."""
    with Device(tmp_path, link=MemoryLink(), installer=MemoryInstaller(Board()), clock=SystemClock("boot-1")) as device:
        with pytest.raises(ConfigError, match="is no state"):

            @device.on_enter  # type: ignore[arg-type]
            def told(_entered: object) -> None:
                """The parentheses are missing."""

        with pytest.raises(ConfigError, match="is no state"):
            device.on_enter("waiting")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="coroutine function"):
            device.on_enter()(later)


@pytest.mark.parametrize("found", [5, None, "", b"/var/lib/meter", "a\0b"])
def test_what_is_no_path_of_a_directory_is_told_as_such(found: Any) -> None:
    """Not by a TypeError out of the middle of something."""
    with pytest.raises(ConfigError, match=f"state_dir is {re.escape(repr(found))}: it must be the path of a directory"):
        require_directory("state_dir", found)
    with pytest.raises(ConfigError, match="state_dir is"):
        Device(found, link=MemoryLink(), installer=MemoryInstaller(Board()))


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    """Both are the same."""
    assert require_directory("state_dir", str(tmp_path)) == require_directory("state_dir", tmp_path) == tmp_path
