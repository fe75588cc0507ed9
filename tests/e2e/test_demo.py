"""The demo does what it says, on an image of its own, on a small one, and not at all on a wrong one."""

from __future__ import annotations

import json
import os
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest

from docs.recording.__main__ import PICTURE
from fwsm.core.update import State
from fwsm.store import Store
from tests.e2e.commands import begin, ended, fwsm
from tests.patience import PATIENCE_S
from tests.recording.test_drawing import texts

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.commands import Ended

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHECKS = 7


def held(said: Ended, count: int = CHECKS) -> list[dict[str, Any]]:
    """What the demo claims in the end; all of it held."""
    checks = [document for document in said.documents if document["event"] == "check"]
    assert said.code == 0, (checks, said.err)
    assert len(checks) == count
    assert all(check["held"] for check in checks), checks
    return checks


def test_the_demo_holds_all_that_it_claims() -> None:
    """Two kills, an update that is applied, exit code 0, and no traceback.

    And the README's recording is of this demo: its last picture lists these claims, and no other.
    """
    said = fwsm("demo", "--json")
    checks = held(said)
    moments = [document for document in said.documents if document["event"] == "moment"]
    assert sum(moment["text"].startswith("SIGKILL") for moment in moments) == 2
    assert moments[-1]["reported"]["status"] == "applyComplete"
    assert "Traceback" not in said.out + said.err
    recorded = [line.removeprefix("held ") for line in texts(PICTURE.read_text())[-1] if line.startswith("held ")]
    assert recorded == [check["what"] for check in checks], "make it again: make recording"


def test_the_demo_holds_with_a_small_image_too(tmp_path: Path) -> None:
    """However little there is to load, there is time for a kill; what happened is kept where it was asked for."""
    image = tmp_path / "small.img"
    image.write_bytes(random.Random(5).randbytes(1024))
    held(fwsm("demo", "--json", "--image", image, "--keep", tmp_path / "kept"))

    device = tmp_path / "kept" / "device"
    assert (device / "board" / "slots" / "b.img").read_bytes() == image.read_bytes()
    assert "Traceback" not in (device / "device.log").read_text()
    with Store(device / "state", read_only=True) as store:
        update = store.latest()
    assert update is not None
    assert update.state is State.APPLY_COMPLETE


@pytest.mark.parametrize(
    ("fault", "count", "words", "status"),
    [
        ("hub-down", 4, ("the hub goes down", "the hub does not answer", "the hub answers again"), "applyComplete"),
        ("server-cuts", 5, ("resets the connection after 256 KiB, 3 of 3 times",), "applyComplete"),
        ("wrong-digest", 2, ("the server has another one", "was asked for"), "downloadFailed"),
        ("bad-firmware", 3, ("rollingBack", "the sensor does not answer"), "applyFailed"),
        ("power-cut", 6, ("power cut in the middle of the download", "slot b boots"), "applyComplete"),
    ],
)
def test_the_demo_shows_a_fault(fault: str, count: int, words: tuple[str, ...], status: str, tmp_path: Path) -> None:
    """What goes wrong can be read, so can how the device took it, and the update ends as it must."""
    image = tmp_path / "firmware.img"
    image.write_bytes(random.Random(6).randbytes(1 << 20))
    said = fwsm("demo", "--json", "--fault", fault, "--image", image)
    held(said, count)
    moments = [document for document in said.documents if document["event"] == "moment"]
    told = "\n".join(moment["text"] for moment in moments)
    assert all(word in told for word in words), told
    assert next(moment["reported"] for moment in reversed(moments) if "reported" in moment)["status"] == status
    assert "Traceback" not in said.out + said.err


def test_the_demo_updates_several_devices_and_lets_them_live(tmp_path: Path) -> None:
    """Each is named in what is told, nobody is killed, and each claim is about all of them."""
    said = fwsm("demo", "--json", "--devices", "2", "--no-kill", "--keep", tmp_path / "kept")
    checks = held(said, 4)
    assert all(check["detail"].startswith("2 of 2 devices") for check in checks)
    moments = [document for document in said.documents if document["event"] == "moment"]
    assert {moment["device"] for moment in moments if "device" in moment} == {"device-1", "device-2"}
    assert not any("SIGKILL" in moment["text"] for moment in moments)
    assert (tmp_path / "kept" / "device-2" / "device.log").exists()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo under way, whose temporary files go into `tmp_path`."""
    with begin("demo", "--json", variables={"TMPDIR": str(tmp_path)}) as process:
        yield process
        process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what it says up to the line with these words, and return that text."""
    assert process.stdout is not None
    return next(text for line in process.stdout if words in (text := str(json.loads(line)["text"])))


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def _signals_end() -> Iterator[None]:
    """SIGHUP and SIGINT end a process, whoever started the tests: what `nohup` or `&` ignores is inherited."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGHUP, signal.SIGINT)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("_signals_end")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_demo_leaves_nothing_behind_when_it_is_ended(
    running: subprocess.Popen[str], tmp_path: Path, ending: signal.Signals
) -> None:
    """Ctrl-C, a service manager, a terminal that is closed: the device's process goes with it, and so do the files."""
    device = int(read_until(running, "started as process").rpartition(" ")[2])
    assert alive(device)
    running.send_signal(ending)
    said = ended(running)
    assert said.code == 128 + ending
    assert not alive(device)
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in said.err


def test_the_demo_ends_in_order_when_nobody_reads_on(running: subprocess.Popen[str], tmp_path: Path) -> None:
    """`fwsm demo | head` ends with the code for that, whoever of its threads notices first."""
    assert running.stdout is not None
    assert running.stderr is not None
    read_until(running, "twin: ")
    running.stdout.close()
    assert running.wait(PATIENCE_S) == 141
    assert "Traceback" not in running.stderr.read()
    assert list(tmp_path.iterdir()) == []


def test_the_demo_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    """An image that is missing or of a few bytes, a directory with something in it: exit code 11, at once, in words."""
    tiny = tmp_path / "tiny.img"
    tiny.write_bytes(b"a few bytes")
    for arguments, words in (
        (("--image", tmp_path / "none.img"), ("cannot read the image", "none.img")),
        (("--image", tiny), ("too small", "11 bytes", "1024 bytes")),
        (("--keep", tmp_path), ("is not empty", "Name a new directory")),
    ):
        said = fwsm("demo", *arguments)
        assert said.code == 11
        assert said.out == ""
        assert "killed twice" not in said.err  # nothing has begun
        assert all(word in said.err for word in ("error: ", "fix: ", *words)), said.err
        assert "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.img"]
