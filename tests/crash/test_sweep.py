"""The power goes, or the process dies, at every operation that changes the disk.

Where the power goes, what was written and not synced goes with it: the worst that a kernel may do.

A clean run counts the operations; then each moment before and behind each of them gets a run of its own that is cut
there. Whatever the moment, the update must end as the table says, be told to the hub completely and in order, and
leave a board that boots a whole image.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from fwsm.core.lifecycle import Extension, Step
from fwsm.core.twin import section
from fwsm.core.update import State
from fwsm.store import Store
from fwsm.testing.image_server import ImageServer
from fwsm.testing.power import PowerSwitch
from fwsm.testing.rig import Rig
from fwsm.testing.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.crash

SHARDS = 6
IMAGE_BYTES = 200_000
ORDER = ["waiting", "downloading", "downloadComplete", "applying", "applyComplete"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firmware image."""
    path = tmp_path_factory.mktemp("image") / "firmware.img"
    path.write_bytes(random.Random(7).randbytes(IMAGE_BYTES))
    return path


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image that the board was made with."""
    path = tmp_path_factory.mktemp("factory") / "factory.img"
    path.write_bytes(random.Random(3).randbytes(50_000))
    return path


@pytest.fixture(scope="module")
def server(image: Path) -> Iterator[ImageServer]:
    """A real HTTPS server."""
    with ImageServer("127.0.0.1", {"/firmware.img": image}) as running:
        yield running


def new_rig(directory: Path, server: ImageServer, image: Path, factory: Path) -> Rig:
    """A device that has never had an update."""
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    payload = {"fwPackageUri": server.url("/firmware.img"), "fwPackageCheckValue": digest}
    return Rig(directory, payload, server.ca_pem, factory)


def check(rig: Rig, image: Path) -> None:
    """The update is complete, told, and in place, and would be after one more cut."""
    assert [path.name for path in (rig.flash / "artifacts").iterdir()] == []
    rig.forget_unsynced()
    update = rig.settled
    assert update is not None
    assert (update.state, update.failure) == (State.APPLY_COMPLETE, None)
    shown = {name: value for name, value in section(update).items() if value is not None}
    assert rig.link.section == shown
    assert sorted(rig.link.statuses, key=ORDER.index) == rig.link.statuses
    assert rig.link.statuses[-1] == "applyComplete"
    pointer = rig.board().status()
    assert pointer.settled
    assert rig.board().slot_path(pointer.booted).read_bytes() == image.read_bytes()
    with Store(rig.directory / "state") as store:
        outbox = store.outbox()
        assert outbox.pending() == []
        outbox.close()
        states = [row.state for row in store.history(update.id)]
    assert states[0] is State.WAITING
    assert states.count(State.APPLY_COMPLETE) == 1


@pytest.fixture
def rig_for(tmp_path: Path, server: ImageServer, image: Path, factory: Path) -> Callable[[str], Rig]:
    """Makes devices."""
    return lambda name: new_rig(tmp_path / name, server, image, factory)


@pytest.fixture
def sweep(rig_for: Callable[[str], Rig], image: Path) -> Sweep:
    """Cuts them."""
    sweep = Sweep(rig_for, lambda rig: check(rig, image))
    assert sweep.moments > 100
    return sweep


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run; what repeats it is printed at its end."""
    return int(request.config.getoption("randomly_seed", 1))


@pytest.mark.parametrize("board_too", [True, False], ids=["power", "kill"])
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_cut_at_any_moment_ends_in_a_complete_update(shard: int, board_too: bool, sweep: Sweep) -> None:
    """Wherever the cut falls, the device goes on and ends in applyComplete with everything told and whole."""
    for moment in range(shard, sweep.moments, SHARDS):
        sweep.cut(moment, board_too=board_too)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("board_too", [True, False], ids=["power", "kill"])
def test_a_cut_while_coming_back_from_a_cut(board_too: bool, sweep: Sweep, seed: int) -> None:
    """Two cuts in a row, the second soon after the first, at moments drawn by the seed."""
    for first, then in sweep.pairs(settings().max_examples // 5, seed):
        sweep.cut(first, then, board_too=board_too)


def test_a_cut_in_an_extended_lifecycle(rig_for: Callable[[str], Rig], image: Path, seed: int) -> None:
    """With a step at each place: moments drawn by a seed that is printed; the steps ran, and the end is the same."""
    ran: set[str] = set()

    def step(name: str, before: State) -> Step:
        return Step(name, before, lambda _update, _stop: ran.add(name))

    extension = Extension(
        (step("backingUp", State.INSTALLING), step("warning", State.REBOOTING), step("migrating", State.CONFIRMING))
    )
    rig = rig_for("clean")
    rig.extension = extension
    power = PowerSwitch()
    rig.run(power)
    check(rig, image)
    draw = random.Random(seed)
    for moment in draw.sample(range(power.moments), 40):
        ran.clear()
        rig = rig_for(f"cut-at-{moment}")
        rig.extension = extension
        story = rig.run(PowerSwitch(moment), board_too=draw.random() < 0.5)
        try:
            check(rig, image)
            # A power cut behind the activation is a reboot by itself, so there is nothing left to warn of.
            assert ran - {"warning"} == {"backingUp", "migrating"}
            assert "warning" in ran or "reboot" not in story
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, cut at {moment}: {story}") from error
