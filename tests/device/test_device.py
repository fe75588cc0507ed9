"""A whole device: what it opens and closes, and how it starts and stops its threads."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.lifecycle import Trigger
from fwsm.core.policy import Delay
from fwsm.core.update import Request, State
from fwsm.device.clock import SystemClock
from fwsm.device.device import Device
from fwsm.device.download import HttpsDownload
from fwsm.device.installers.slots import SlotInstaller
from fwsm.device.ports import MethodCall
from fwsm.errors import ConfigError, LifecycleError, LinkError, RefusedError, RequestError, StoreError, StoreLockedError
from fwsm.store import Store
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from fwsm.testing.link import MemoryLink
from tests.device.life import IMAGE, URI
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.core.moment import Moment
    from fwsm.core.policy import NotBefore
    from fwsm.core.update import Artifact, Progress, Update
    from fwsm.device.hooks import Entered
    from fwsm.device.ports import Message


ROOT = Path(__file__).parents[2]


class Hub(MemoryLink):
    """A hub in memory that says when methods can be delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = threading.Event()

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Keep the way, and say so."""
        super().start(deliver)
        self.ready.set()

    def call(self, answers: list[int]) -> None:
        """Ask for an update."""
        assert self.ready.wait(PATIENCE_S)
        assert self.deliver is not None
        self.deliver(MethodCall("firmwareUpdate", {"fwPackageUri": URI}, lambda status, _body: answers.append(status)))


class Dead(Hub):
    """A hub that never answers until the link is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.stopped = threading.Event()

    def report(self, patch: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Hang."""
        self.asked.set()
        assert self.stopped.wait(PATIENCE_S)
        raise LinkError("the link was stopped")

    def stop(self) -> None:
        """Let go of whoever hangs."""
        self.stopped.set()


def new_device(directory: Path, link: MemoryLink, **agent: Any) -> Device:
    """A device in memory but for its database and its clock."""
    parts: dict[str, Any] = {
        "download": MemoryDownload({URI: IMAGE}),
        "installer": MemoryInstaller(Board()),
        "clock": SystemClock("boot-1"),
    }
    return Device(directory, link=link, **(parts | agent))


def started(run: Callable[[], object]) -> threading.Thread:
    """A thread that runs it."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_an_update_is_taken_carried_out_and_told(tmp_path: Path) -> None:
    """From the hub's call to the ordered reboot, with all threads, and the reports are out when it has stopped."""
    told = threading.Event()
    answers: list[int] = []

    class Told(Hub):
        def report(self, patch: Mapping[str, Any]) -> None:
            super().report(patch)
            if self.section.get("substatus") == "rebooting":
                told.set()

    link = Told()
    with new_device(tmp_path, link) as device:
        running = started(device.run)
        link.call(answers)
        assert told.wait(PATIENCE_S)
        device.stop()
        running.join(PATIENCE_S)
        assert not running.is_alive()
    assert answers == [200]
    assert link.statuses == ["waiting", "downloading", "downloadComplete", "applying"]


def test_a_hub_that_hangs_holds_up_neither_the_update_nor_the_stop(tmp_path: Path) -> None:
    """The reporter hangs in a call of the link; the update goes on, and the link lets the reporter go at the end."""
    link, loaded = Dead(), threading.Event()

    with new_device(tmp_path, link) as device:
        device.on_enter(State.DOWNLOAD_COMPLETE)(lambda _entered: loaded.set())
        running = started(device.run)
        link.call([])
        assert link.asked.wait(PATIENCE_S)
        assert loaded.wait(PATIENCE_S)
        device.stop()
        running.join(PATIENCE_S)
        assert not running.is_alive()
    with Store(tmp_path) as store:
        outbox = store.outbox()
        assert outbox.pending()[0].number == 1
        outbox.close()


def test_a_signal_handler_may_stop_it_whatever_it_has_interrupted(tmp_path: Path) -> None:
    """A handler runs in the agent's own thread, which may be holding the lock of its bell just then."""
    with new_device(tmp_path, MemoryLink()) as device:
        running = started(device.run)

        def handler() -> None:
            with device._agent._turns._bell._cond:  # type: ignore[attr-defined]  # as if Event.clear had been interrupted
                device.stop()

        handling = started(handler)
        handling.join(PATIENCE_S)
        assert not handling.is_alive()
        running.join(PATIENCE_S)
        assert not running.is_alive()


def test_a_stop_before_the_run_counts(tmp_path: Path) -> None:
    """SIGTERM may come while the device is still being put together."""
    with new_device(tmp_path, MemoryLink()) as device:
        device.stop()
        running = started(device.run)
        running.join(PATIENCE_S)
        assert not running.is_alive()


def test_a_link_that_does_not_start_leaves_no_thread_behind(tmp_path: Path) -> None:
    """The error comes through, and nothing waits for ever."""

    class Broken(MemoryLink):
        def start(self, deliver: Callable[[Message], None]) -> None:  # noqa: ARG002
            raise LinkError("no")

    before = set(threading.enumerate())
    with new_device(tmp_path, Broken()) as device, pytest.raises(LinkError):
        device.run()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_the_second_device_on_a_directory_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """One writer; when it has closed, its place is free."""
    with new_device(tmp_path, MemoryLink()) as first:
        with pytest.raises(StoreLockedError):
            new_device(tmp_path, MemoryLink())
        assert first.update is None
    new_device(tmp_path, MemoryLink()).close()


def test_a_device_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    """The state directory is none; whoever mends that can start in the same process."""
    (tmp_path / "state").touch()
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot make the state directory"):
            new_device(tmp_path / "state", MemoryLink())
    (tmp_path / "state").unlink()
    new_device(tmp_path / "state", MemoryLink()).close()


# -- what a program sees and hears -------------------------------------------------------------------------------------


def test_in_a_thread_it_works_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """`start` returns at once, the hooks hear of everything, and `join` waits for the end."""
    link, rebooting = Hub(), threading.Event()
    entered: list[Entered] = []
    progress: list[int] = []
    reported: list[Mapping[str, Any]] = []
    told = threading.Event()
    with new_device(tmp_path, link) as device:

        @device.on_enter()
        def note(entry: Entered) -> None:
            entered.append(entry)

        @device.on_enter(State.REBOOTING)
        def ring(_entry: Entered) -> None:
            rebooting.set()

        device.on_progress(lambda _update, part: progress.append(part.bytes))

        @device.on_report
        def hear(patch: Mapping[str, Any]) -> None:
            reported.append(patch)
            told.set()

        assert device.may_happen() == ()
        assert device.join()
        device.start()
        assert not device.join(0)
        link.call([])
        assert rebooting.wait(PATIENCE_S)
        assert {row.trigger for row in device.may_happen()} >= {Trigger.RESTARTED, Trigger.REBOOT_OVERDUE}
        assert device.history()[-1].state is State.REBOOTING
        assert device.history("nobody") == []
        assert told.wait(PATIENCE_S)
        device.stop()
        assert device.join(PATIENCE_S)
        for again in (device.start, device.run):
            with pytest.raises(LifecycleError, match="was started before"):
                again()
    assert [entry.trigger for entry in entered][:2] == ["accepted", "policy_allowed"]
    assert entered[0].before is None
    assert entered[1].before == entered[0].update
    assert progress == [len(IMAGE) // 2]
    assert link.patches[: len(reported)] == reported


def test_leaving_the_block_stops_it(tmp_path: Path) -> None:
    """Without a word about it."""
    with new_device(tmp_path, MemoryLink()) as device:
        device.start()
    assert device.join(0)
    new_device(tmp_path, MemoryLink()).close()


def test_a_close_lets_nobody_in_before_the_first_has_ended(tmp_path: Path) -> None:
    """Without a stop before it; and what was closed is not started again."""
    device = new_device(tmp_path, MemoryLink())
    device.start()
    device.close()
    assert device.join(0)
    new_device(tmp_path, MemoryLink()).close()
    with pytest.raises(LifecycleError, match="was closed"):
        device.start()


def test_what_ended_it_is_raised_where_it_is_waited_for(tmp_path: Path) -> None:
    """By `join`, and at the end of the block; an error of the block itself is not covered up."""

    class Broken(MemoryLink):
        def start(self, deliver: Callable[[Message], None]) -> None:  # noqa: ARG002
            raise LinkError("no")

    def run(fault: BaseException | None) -> None:
        with new_device(tmp_path, Broken()) as device:
            device.start()
            with pytest.raises(LinkError, match="no"):
                device.join(PATIENCE_S)
            if fault is not None:
                raise fault

    with pytest.raises(LinkError, match="no"):
        run(None)
    with pytest.raises(KeyError):
        run(KeyError())


def test_without_a_download_of_its_own_it_loads_over_https(tmp_path: Path) -> None:
    """Into the state directory; and the clock is the machine's."""
    with Device(str(tmp_path), link=MemoryLink(), installer=MemoryInstaller(Board())) as device:
        assert device.update is None
        assert device.state_dir == tmp_path


# -- what a program can tell it ----------------------------------------------------------------------------------------


def test_a_program_asks_for_an_update_cancels_it_and_tries_again(tmp_path: Path) -> None:
    """Each returns when it is on disk, and the hub is told as if an operator had asked."""
    link = MemoryLink()
    with new_device(tmp_path, link, policy=Delay(3600.0)) as device:
        device.start()
        asked = device.request({"fwPackageUri": URI, "fwVersion": "2"})
        assert (asked.state, asked.request) == (State.WAITING, Request(URI, version="2"))
        cancelled = device.cancel()
        assert (cancelled.id, cancelled.state) == (asked.id, State.DOWNLOAD_FAILED)
        again = device.retry()
        assert (again.id, again.state) == (asked.id, State.WAITING)
        triggers = [row.trigger for row in device.history() if row.trigger != "policy_deferred"]
        assert triggers == ["accepted", "cancelled", "retry_requested"]


def test_what_the_hub_would_be_told_is_raised(tmp_path: Path) -> None:
    """Field, reason and fix of a malformed request; why a command cannot be carried out."""
    with new_device(tmp_path, MemoryLink()) as device:
        device.start()
        with pytest.raises(RequestError) as malformed:
            device.request({"fwPackageUri": 5})
        assert malformed.value.field == "fwPackageUri"
        assert malformed.value.why
        assert malformed.value.fix
        with pytest.raises(RefusedError, match="this device has had no update"):
            device.cancel()


def test_a_device_that_does_not_run_takes_no_command(tmp_path: Path) -> None:
    """Neither before nor after."""
    with new_device(tmp_path, MemoryLink()) as device:
        with pytest.raises(RefusedError, match=r"Call start\(\) first"):
            device.retry()
        device.start()
        device.stop()
        assert device.join(PATIENCE_S)
        with pytest.raises(RefusedError, match="does not run"):
            device.retry()


def test_a_hook_cannot_wait_for_the_agent_that_waits_for_it(tmp_path: Path) -> None:
    """It is told so at once, and what it raises is kept like any other failure."""
    refused: list[str] = []
    told = threading.Event()
    with new_device(tmp_path, MemoryLink(), policy=Delay(3600.0)) as device:

        @device.on_enter(State.WAITING)
        def impatient(_entered: Entered) -> None:
            try:
                device.cancel()
            except RefusedError as error:
                refused.append(error.why)
            told.set()

        device.start()
        device.request({"fwPackageUri": URI})
        assert told.wait(PATIENCE_S)
    assert set(refused) == {"the agent waits for this hook, or this part, which would wait for the agent"}


def test_a_command_that_comes_as_the_device_stops_is_refused(tmp_path: Path) -> None:
    """It is never left waiting."""
    holding, stopped = threading.Event(), threading.Event()
    answers: list[str] = []

    def ask() -> None:
        with pytest.raises(RefusedError) as caught:
            device.cancel()
        answers.append(caught.value.why)

    with new_device(tmp_path, MemoryLink(), policy=Delay(3600.0)) as device:

        @device.on_enter()
        def hold(_entered: Entered) -> None:
            holding.set()
            assert stopped.wait(PATIENCE_S)

        device.start()
        asking = started(lambda: device.request({"fwPackageUri": URI}))
        assert holding.wait(PATIENCE_S)
        late = started(ask)
        while device._agent._inbox.empty():
            late.join(0.01)
        device._agent.stop()
        stopped.set()
        late.join(PATIENCE_S)
        asking.join(PATIENCE_S)
    assert answers == ["the device was stopped"]


def test_a_program_answers_methods_of_its_own(tmp_path: Path) -> None:
    """Those that the package does not know."""
    link, answers = Hub(), list[tuple[int, Any]]()
    answered = threading.Event()

    def respond(status: int, payload: Mapping[str, Any]) -> None:
        answers.append((status, payload))
        answered.set()

    with new_device(tmp_path, link, methods={"blink": lambda payload: (200, {"blinked": payload})}) as device:
        device.start()
        assert link.ready.wait(PATIENCE_S)
        assert link.deliver is not None
        link.deliver(MethodCall("blink", 3, respond))
        assert answered.wait(PATIENCE_S)
    assert answers == [(200, {"blinked": 3})]


class Place:
    """Where a program's own code runs; a link, a download, an installer and a policy that call back.

    Args:
        name: the place that calls.
        code: what it calls.
    """

    def __init__(self, name: str, code: Callable[[], None]) -> None:
        self.name = name
        self.code = code

    def at(self, name: str) -> None:
        """Call, if it is here, once."""
        if name == self.name:
            self.name = ""
            self.code()

    def device(self, directory: Path) -> Device:
        """A device with this place in it, on its way through an update."""
        device = new_device(
            directory,
            self._Link(self),
            download=self._Download(self),
            installer=self._Installer(self),
            policy=self._Policy(self),
        )
        device.on_enter(State.DOWNLOADING)(lambda _entered: self.at("entry hook"))
        device.on_progress(lambda _update, _progress: self.at("progress hook"))
        device.on_report(lambda _patch: self.at("report hook"))
        return device

    class _Link(MemoryLink):
        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

        def start(self, deliver: Callable[[Message], None]) -> None:
            super().start(deliver)
            deliver(MethodCall("firmwareUpdate", {"fwPackageUri": URI}, lambda _status, _body: None))

        def report(self, patch: Mapping[str, Any]) -> None:
            super().report(patch)
            self.place.at("report")

    class _Download(MemoryDownload):
        def __init__(self, place: Place) -> None:
            super().__init__({URI: IMAGE})
            self.place = place

        def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
            self.place.at("fetch")
            return super().fetch(update, note, stop)

    class _Installer(MemoryInstaller):
        def __init__(self, place: Place) -> None:
            super().__init__(Board())
            self.place = place

        def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
            self.place.at("install")
            return super().install(update, artifact, stop)

    class _Policy:
        def __init__(self, place: Place) -> None:
            self.place = place

        def verdict(self, _update: Update, _now: Moment) -> NotBefore | None:
            self.place.at("verdict")
            return None


PLACES = ["entry hook", "progress hook", "report hook", "report", "fetch", "install", "verdict"]


@pytest.mark.parametrize("name", PLACES)
def test_what_the_end_waits_for_cannot_wait_for_the_end(tmp_path: Path, name: str) -> None:
    """It is told at once, in a hook as well as in a part of the device; and it may stop the device."""
    refused: list[str] = []

    def code() -> None:
        for end in (device.close, device.join):
            with pytest.raises(LifecycleError, match="the device would wait for it, and it for the device") as caught:
                end()
            refused.append(caught.value.what)
        device.stop()

    device = Place(name, code).device(tmp_path)
    with device:
        device.start()
        assert device.join(PATIENCE_S)
    assert refused == [f"to {what} cannot be asked for here" for what in _ENDS]


_ENDS = ("close the device", "wait for the end of the device")


@pytest.mark.parametrize("name", PLACES)
def test_only_what_the_agent_waits_for_cannot_wait_for_the_agent(tmp_path: Path, name: str) -> None:
    """An entry hook and a policy; everywhere else the device may be asked for something."""
    came_of: list[str] = []

    def code() -> None:
        try:
            came_of.append(device.request({"fwPackageUri": URI}).id)
        except RefusedError as error:
            came_of.append(error.what)
        device.stop()

    device = Place(name, code).device(tmp_path)
    with device:
        device.start()
        assert device.join(PATIENCE_S)
        assert device.update is not None
        waits = name in {"entry hook", "verdict"}
        assert came_of == ["firmwareUpdate cannot be asked for here" if waits else device.update.id]


def test_a_method_of_its_own_may_close_the_device(tmp_path: Path) -> None:
    """Nothing waits for it: its answer goes nowhere."""
    closed = threading.Event()

    def leave(_payload: object) -> tuple[int, dict[str, Any]]:
        device.close()
        closed.set()
        return 200, {}

    link = Hub()
    device = new_device(tmp_path, link, methods={"leave": leave})
    device.start()
    assert link.ready.wait(PATIENCE_S)
    assert link.deliver is not None
    link.deliver(MethodCall("leave", None, lambda _status, _body: None))
    assert closed.wait(PATIENCE_S)
    assert device.join(0.0)


@pytest.mark.parametrize("add", ["on_enter", "on_progress", "on_report"])
def test_an_async_function_is_no_hook(tmp_path: Path, add: str) -> None:
    """It is told as it is added, not when there is something to tell; and the device runs without it."""

    async def later(*_: object) -> None:
        """Not before somebody awaits it."""

    with new_device(tmp_path, MemoryLink()) as device:
        decorate = device.on_enter() if add == "on_enter" else getattr(device, add)
        with pytest.raises(ConfigError, match=r"later cannot be a hook: .*loop\.call_soon_threadsafe reaches a loop"):
            decorate(later)
        device.stop()
        device.run()


def test_a_program_may_move_to_another_directory(tmp_path: Path) -> None:
    """As one does that becomes a daemon; what was named from where it stood stays there."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for each in (home, elsewhere):
        each.mkdir()
    with contextlib.chdir(home):
        installer = SlotInstaller("slots", on_reboot=lambda: None)
        download = HttpsDownload("artifacts")
        device = new_device(Path("state"), MemoryLink(), installer=installer, download=download)
    with contextlib.chdir(elsewhere), device:
        assert device.history() == []
        assert installer.target_slot() == "b"
        assert device.state_dir == home / "state"
        device.start()
        device.request({"fwPackageUri": "https://127.0.0.1:1/fw.img"})
    assert list(elsewhere.iterdir()) == []


_FORKING = """
import os, sys, threading
from fwsm.errors import FwsmError
from tests.device.test_device import URI, MemoryLink, Path, new_device

def told(call):
    try:
        return str(call())
    except FwsmError as error:
        return f"{type(error).__name__}: {error.what}"

fresh = new_device(Path(sys.argv[1], "fresh"), MemoryLink())
with new_device(Path(sys.argv[1], "state"), MemoryLink()) as device:
    device.start()
    update = device.request({"fwPackageUri": URI})
    child = os.fork()
    if child == 0:
        for call in (lambda: device.request({"fwPackageUri": URI}), device.cancel, fresh.run, fresh.start, device.stop):
            print(told(call), flush=True)
        print(device.update.id == update.id, device.history()[0].state, flush=True)
        sys.exit(3)  # which leaves the block
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    print("parent", device.join(0), device.request({"fwPackageUri": URI}).id == update.id, flush=True)
print("closed", flush=True)
"""


def test_a_forked_child_leaves_the_device_to_its_parent(tmp_path: Path) -> None:
    """It has none of its threads: nothing there waits for ever, and the parent's goes on."""
    program = [sys.executable, "-W", "ignore", "-c", _FORKING, str(tmp_path)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert ended.stdout.splitlines() == [
        "RefusedError: the device does not run here",
        "RefusedError: the device does not run here",
        "LifecycleError: the device cannot run here",
        "LifecycleError: the device cannot run here",
        "None",
        "True waiting",
        "child 3",
        "parent False True",
        "closed",
    ], ended.stderr
    assert ended.returncode == 0


_INTERRUPTED = """
import os, signal, sys, threading
from tests.device.test_device import MemoryLink, Path, new_device

class Ended(Exception):
    pass

def end(*_):
    raise Ended

signal.signal(signal.SIGTERM, end)

class Link(MemoryLink):
    def start(self, deliver):
        super().start(deliver)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()

try:
    with new_device(Path(sys.argv[1]), Link()) as device:
        device.run()
except Ended:
    print("ended", flush=True)
"""


def test_what_a_signal_handler_raises_ends_the_run(tmp_path: Path) -> None:
    """It is raised wherever the main thread waits, and is no failure of the clock, which waits there."""
    program = [sys.executable, "-W", "ignore", "-c", _INTERRUPTED, str(tmp_path)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert (ended.stdout, ended.returncode) == ("ended\n", 0), ended.stderr
