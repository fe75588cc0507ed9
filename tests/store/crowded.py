"""A device whose disk somebody fills to the last byte, again and again; run on a small disk of its own.

    python -m tests.store.crowded STATE_DIRECTORY well|badly

It takes an update while there is room, carries it to its end while there is none, and prints as JSON what came of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fwsm.errors import HealthError
from fwsm.store import Store
from fwsm.store.reserve import Reserve
from tests.device.life import IMAGE, STEPS, Life

if TYPE_CHECKING:
    from fwsm.core.update import Update

__all__ = ["fill"]

LONGEST_URI = "https://images.example/".ljust(2000, "a")
REQUEST = {
    "fwPackageUri": LONGEST_URI,
    "fwPackageCheckValue": hashlib.sha256(IMAGE).hexdigest(),
    "fwVersion": "v" * 128,
}


def fill(directory: Path) -> None:
    """Take the last byte that the disk has, as a program that logs without end would."""
    with (directory / "filler").open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


def _sick(_update: Update) -> None:
    raise HealthError("x" * 5000)


def _end(life: Life) -> None:
    """Live on until the update has settled and all of it is told; never is there a byte to spare."""
    for _ in range(STEPS):
        reboots = life.installer.reboots
        fill(life.directory)
        wait_s = life.agent.step(life.clock.now())
        fill(life.directory)
        while life.reporter.step() == 0.0:
            fill(life.directory)
        if life.installer.reboots > reboots:
            life.reboot()
            life.link.start(life.agent.deliver)
        elif wait_s is None and life.agent.update is not None and life.agent.update.state.settled:
            return
        life.clock.advance(wait_s or 0.0)
    raise AssertionError(f"the device does not come to rest: {life.agent.update}")


def _tell(directory: Path, way: str) -> dict[str, Any]:
    life = Life(directory)
    life.options["checks"] = [_sick] if way == "badly" else []
    life.download.served[LONGEST_URI] = IMAGE
    life.start()
    life.link.start(life.agent.deliver)
    told: dict[str, Any] = {"answer": life.call(payload=REQUEST)[0]}
    _end(life)
    told["reserve"] = Reserve(directory / "fwsm.db").size_bytes
    told["statuses"] = life.link.statuses
    told["unreported"] = len(life.outbox.pending())
    told["refused"] = life.call(payload={"fwPackageUri": "https://images.example/two.img"})
    with Store(directory, read_only=True) as looking:
        told["states"] = [row.state for row in looking.history()]
    (directory / "filler").unlink()
    told["taken"] = life.call(payload={"fwPackageUri": "https://images.example/two.img"})[0]
    told["refilled"] = Reserve(directory / "fwsm.db").size_bytes
    life.end()
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_tell(Path(sys.argv[1]), sys.argv[2])))
