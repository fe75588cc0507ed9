"""A part that answers what it must not spoils at most its own update, and everybody is told which part it was."""

from __future__ import annotations

import copy
import math
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.core.update import Artifact, Progress, State, Update
from fwsm.device.examined import Examiner
from fwsm.device.mishaps import Mishaps
from fwsm.device.ports import MethodCall, Trouble, Twin
from fwsm.errors import ConfigError, FwsmError, LinkTakenError, PartError
from fwsm.testing.clock import FakeClock
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from fwsm.testing.link import MemoryLink
from tests.device.life import URI, Life
from tests.device.test_device import new_device
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.device.ports import Message

SHA256 = "0123456789abcdef" * 4
REQUEST = {"fwPackageUri": URI, "fwPackageCheckValue": SHA256}


class Odd:
    """A part, one method of which answers what it must not.

    Args:
        part: what it is otherwise.
        method: which.
        answer: what.
    """

    def __init__(self, part: object, method: str, answer: object) -> None:
        self._part = part
        self._method = method
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return (lambda *_: self._answer) if name == self._method else getattr(self._part, name)


def incidents(life: Life) -> list[tuple[str, str, str | None]]:
    """Code, message and update of what was kept."""
    life.agent.step(life.clock.now())
    assert life.store is not None
    return [(each.code, each.message, each.update_id) for each in life.store.incidents()]


def lives_on(life: Life) -> bool:
    """Whether the same device, in the same process, answers, and a next life of it applies an update."""
    assert life.call("firmwareUpdateStatus")[0] == 200
    life.download, life.installer = MemoryDownload(life.download.served), MemoryInstaller(life.board)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    return life.step_until(State.APPLY_COMPLETE).failure is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        "/tmp/fw.img",  # a text, which is what is wrong with it
        Artifact(SHA256, 2**70),
        Artifact(SHA256, -1),
        Artifact(SHA256, cast("int", 1.5)),
        Artifact(SHA256, cast("int", math.nan)),
        Artifact("", 5),
        Artifact("0" * 64, 5),
    ],
)
def test_a_download_that_gives_no_artifact_has_failed(life: Life, answer: object) -> None:
    """The twin says which method of which part gave what; the agent goes on."""
    life.download = cast("MemoryDownload", Odd(life.download, "fetch", answer))
    life.restart()
    life.call(payload=REQUEST)
    update = life.step_until(State.DOWNLOAD_FAILED)
    life.report()
    error = life.link.section["error"]
    assert error["code"] == "badAnswer"
    assert error["message"].startswith(f"the download's fetch answered {answer!r}: ")
    assert incidents(life) == [("partFailed", error["message"], update.id)]
    assert lives_on(life)


@pytest.mark.parametrize("progress", [None, 5, Progress(-1), Progress(2**70), Progress(1, cast("int", math.nan))])
def test_a_download_that_notes_no_progress_has_failed(life: Life, progress: Any) -> None:
    """It is told where it does so."""

    class Babbling(MemoryDownload):
        def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
            note(progress)
            return super().fetch(update, note, stop)

    life.download = Babbling(life.download.served)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.DOWNLOAD_FAILED)
    assert update.failure is not None
    assert update.failure.message.startswith(f"the download's note was given {progress!r}: a Progress is wanted")
    assert len(incidents(life)) == 1
    assert lives_on(life)


@pytest.mark.parametrize("answer", [None, "fw.img"])
def test_a_file_that_is_not_named_is_as_good_as_damaged(life: Life, answer: object) -> None:
    """It is loaded again, but not for ever."""
    life.download = cast("MemoryDownload", Odd(life.download, "verify", answer))
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.DOWNLOAD_FAILED)
    assert update.failure is not None
    assert update.failure.message.startswith(f"the download's verify answered {answer!r}: a pathlib.Path is wanted")
    assert lives_on(life)


async def later(*_: object) -> None:
    """Not before somebody awaits it."""


@pytest.mark.parametrize(
    ("method", "answer", "code"),
    [
        ("install", None, "badAnswer"),
        ("install", 1, "badAnswer"),
        ("probe", "done", "badAnswer"),
        ("probe", None, "badAnswer"),
        ("confirm", False, "health"),
        ("runs", None, "health"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_an_installer_that_answers_what_it_must_not_has_failed(
    life: Life, method: str, answer: object, code: str
) -> None:
    """Nothing is taken for yes or no that is neither; what ran before comes back."""
    life.installer = cast("MemoryInstaller", Odd(life.installer, method, answer))
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    if code == "health":
        life.step_until(State.REBOOTING)
        life.reboot()
        life.step_until(State.ROLLING_BACK)
        life.installer = MemoryInstaller(life.board)
        life.reboot()
    update = life.step_until(State.APPLY_FAILED)
    assert update.failure is not None
    assert update.failure.code == code
    assert f"the installer's {method} answered {answer!r}: " in update.failure.message
    assert [each[0] for each in incidents(life)] == ["partFailed"]
    assert lives_on(life)


@pytest.mark.filterwarnings("error")
def test_a_confirmation_that_nobody_awaits_is_none(life: Life) -> None:
    """An installer of coroutines would otherwise be taken for one that has marked the image good."""

    class Async(MemoryInstaller):
        def confirm(self, update: Update) -> None:
            return cast("None", later(update))

    life.installer = Async(life.board)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    update = life.step_until(State.ROLLING_BACK)
    assert update.failure is not None
    assert "the installer's confirm answered <coroutine object later" in update.failure.message


def test_a_rollback_that_says_nothing_is_tried_again_and_ends(life: Life) -> None:
    """Whether the old firmware runs is not known, and is not said."""
    life.installer = cast("MemoryInstaller", Odd(Odd(life.installer, "roll_back", None), "install", None))
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.APPLY_FAILED)
    assert not update.rolled_back
    assert {message.split(" answered")[0] for _, message, _ in incidents(life)} == {
        "the installer's install",
        "the installer's roll_back",
    }
    assert lives_on(life)


@pytest.mark.parametrize("answer", [Path("/dev/b"), 5, "", "b\0"])
def test_a_slot_that_is_no_name_is_not_shown_and_kept_as_an_incident(life: Life, answer: object) -> None:
    """The installer knows itself where it writes; for everybody else the slot is not known."""
    life.installer = cast("MemoryInstaller", Odd(life.installer, "target_slot", answer))
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    assert life.step_until(State.REBOOTING).target_slot is None
    ((code, message, _),) = incidents(life)
    assert (code, message.split(":")[0]) == ("partFailed", f"the installer's target_slot answered {answer!r}")


@pytest.mark.parametrize("answer", [True, "yes", Artifact("0" * 64, 5), Artifact(SHA256, -5)])
def test_what_is_no_image_does_not_run_already(life: Life, answer: object) -> None:
    """No update counts as applied because of it: the image is loaded."""
    life.installer = cast("MemoryInstaller", Odd(life.installer, "runs_already", answer))
    life.restart()
    life.call(payload=REQUEST)
    life.step_until(State.DOWNLOADING)
    ((_, message, _),) = incidents(life)
    assert message.startswith(f"the installer's runs_already answered {answer!r}: ")


def test_an_image_that_is_none_is_not_remembered(life: Life) -> None:
    """What the twin tells of an update is then all that is known of it."""
    mishaps = Mishaps()
    installer = Examiner(mishaps).installer(cast("MemoryInstaller", Odd(MemoryInstaller(Board()), "image_of", True)))
    life.call(payload={"fwPackageUri": URI})
    assert life.agent.update is not None
    with pytest.raises(PartError, match="image_of answered True"):
        installer.image_of(life.agent.update)
    assert [mishap.update_id for mishap in mishaps.taken()] == ["u1"]


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_an_installer_says_whether_it_is_repeatable(tmp_path: Path, answer: Any) -> None:
    """It is asked when the device is made, and not when a power cut has made it matter."""
    installer = MemoryInstaller(Board(), repeatable=answer)
    with pytest.raises(ConfigError, match=f"attribute repeatable is {answer!r}, and True or False is wanted"):
        new_device(tmp_path / "state", MemoryLink(), installer=installer)
    assert list(tmp_path.iterdir()) == []


# -- the link --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"desired": {}, "reported": {}},
        ("firmwareUpdate", None),
        Twin(cast("dict[str, Any]", None), {}),
        Twin({}, cast("dict[str, Any]", "{}")),
        Trouble(cast("FwsmError", "another device")),
        MethodCall(cast("str", 5), None, lambda _status, _body: None),
        MethodCall("ping", None, cast("Callable[..., None]", None)),
    ],
)
def test_what_a_link_must_not_deliver_is_dropped(message: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is said and kept; what comes behind it is heeded."""
    mishaps, link, heard = Mishaps(), MemoryLink(), list[object]()
    Examiner(mishaps).link(link).start(heard.append)
    assert link.deliver is not None
    link.deliver(message)
    trouble = Trouble(LinkTakenError("another device"))
    link.deliver(trouble)
    link.deliver(Twin({"$version": 2}, {}))
    assert heard == [Twin({"$version": 1}, {}), trouble, Twin({"$version": 2}, {})]
    (mishap,) = mishaps.taken()
    assert (mishap.code, mishap.update_id) == ("partFailed", None)
    assert mishap.message.startswith("the link's deliver was given ")
    assert mishap.message in caplog.text


def test_an_answer_that_cannot_be_sent_does_not_end_the_agent(tmp_path: Path) -> None:
    """Nor does what is no message: the next method is answered."""

    class Wild(MemoryLink):
        def start(self, deliver: Callable[[Message], None]) -> None:
            super().start(deliver)
            deliver(cast("Message", "firmwareUpdate"))
            deliver(MethodCall("firmwareUpdateStatus", None, refuse))
            deliver(MethodCall("firmwareUpdateStatus", None, lambda status, _body: answers.append(status)))
            deliver(MethodCall("firmwareUpdateStatus", None, lambda _status, _body: device.stop()))

    def refuse(_status: int, _body: Mapping[str, Any]) -> None:
        raise ValueError("no such caller")

    answers: list[int] = []
    device = new_device(tmp_path, Wild())
    with device:
        device.start()
        assert device.join(PATIENCE_S)
    assert answers == [200]


def test_a_report_that_nobody_awaits_was_not_sent(life: Life) -> None:
    """A link of coroutines would otherwise be taken for one whose hub has acknowledged everything."""
    link = Odd(life.link, "report", None)
    mishaps = Mishaps()
    examined = Examiner(mishaps).link(cast("MemoryLink", link))
    examined.report({})
    link._answer = later()
    with pytest.raises(PartError, match="the link's report answered <coroutine object later"):
        examined.report({})
    link._answer = False
    with pytest.raises(PartError, match="the link's report answered False"):
        examined.report({})
    examined.stop()
    assert len(list(mishaps.taken())) == 1


# -- the heartbeat ---------------------------------------------------------------------------------------------------


NOW = FakeClock().now()


def given(answer: object) -> object:
    """It, or raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.mark.parametrize("answer", [None, "5", math.nan, OSError("no such socket")])
def test_a_heartbeat_that_fails_is_tried_again(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The agent works on; the supervisor judges by what it hears."""
    mishaps = Mishaps()
    beat = Examiner(mishaps).heartbeat(lambda _now, _sign: cast("float", given(answer)))
    assert [beat(NOW, None), beat(NOW, None)] == [math.inf, math.inf]
    (mishap,) = mishaps.taken()
    assert mishap.message.startswith("the heartbeat's call ")
    assert len(caplog.records) == 1


def test_a_good_heartbeat_is_heard() -> None:
    """As it is."""
    assert Examiner(Mishaps()).heartbeat(lambda _now, _sign: 7.5)(NOW, None) == 7.5


def test_a_link_may_do_with_a_report_what_it_likes(life: Life) -> None:
    """Whatever it takes out of it before the hub has acknowledged it is sent at the next try all the same."""

    class Taking(MemoryLink):
        def report(self, patch: Mapping[str, Any]) -> None:
            super().report(copy.deepcopy(patch))
            cast("dict[str, Any]", patch["iothubDM"]).pop("firmwareUpdate")

    life.link = link = Taking()
    link.lost_answers = 2
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.report()
    assert link.section["status"] == "waiting"
    assert [patch["iothubDM"]["firmwareUpdate"]["status"] for patch in link.patches] == ["waiting"] * 3


def test_a_link_may_go_on_changing_its_twin() -> None:
    """What was delivered stays what it was; the agent reads it in another thread."""
    link, heard = MemoryLink(), list[Any]()
    Examiner(Mishaps()).link(link).start(heard.append)
    twin: dict[str, Any] = {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}}
    assert link.deliver is not None
    link.deliver(Twin({"$version": 1}, twin))
    twin["iothubDM"]["firmwareUpdate"].clear()
    assert heard[-1].reported == {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}}
    link.deliver(Twin({}, {"lock": threading.Lock()}))
    assert len(heard) == 2


# -- numbers and ids -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, 1.0, "0.5", OSError("no such device")])
def test_a_chance_that_is_none_is_the_machines(answer: Any) -> None:
    """A pause has its jitter all the same."""
    mishaps = Mishaps()
    chance = Examiner(mishaps).chance(lambda: cast("float", given(answer)))
    assert all(0 <= chance() < 1 for _ in range(3))
    assert len(list(mishaps.taken())) == 1


def test_an_id_that_is_none_is_not_stored() -> None:
    """uuid.uuid4 itself does not make a text; the update has an id all the same."""
    mishaps = Mishaps()
    new_id = Examiner(mishaps).new_id(cast("Callable[[], str]", uuid.uuid4))
    assert len({str(uuid.UUID(new_id())) for _ in range(3)}) == 3
    ((_, message, _),) = [(each.code, each.message, each.update_id) for each in mishaps.taken()]
    assert message.startswith("the new_id's call answered UUID(")
    assert Examiner(mishaps).new_id(lambda: "u7")() == "u7"
