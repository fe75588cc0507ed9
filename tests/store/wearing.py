"""A device that is updated again and again, and counts what its process writes.

    python -m tests.store.wearing STATE_DIRECTORY

Nothing but the database is on the disk: the image, the slots and the hub are in memory. The bytes are those that the
kernel was given to write, so the log, the pages that are moved from it into the database, and what closing and opening
it at each reboot costs are in it. It prints as JSON how many bytes each update took.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path

from tests.device.life import IMAGE, STEPS, Life

__all__: list[str] = []

UPDATES = 24
URI = "https://images.example/gateway-x200/releases/2026.05/fw.img"


def _written_bytes() -> int:
    """What this process has given to write calls so far."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(lines["wchar"])


def _update(life: Life, number: int) -> None:
    """One update of seven states, each reported and acknowledged, with a reboot between two of them."""
    image = IMAGE + number.to_bytes(4)
    life.download.served[URI] = image
    payload = {
        "fwPackageUri": URI,
        "fwPackageCheckValue": hashlib.sha256(image).hexdigest(),
        "fwVersion": f"2026.05.{number}",
    }
    assert life.call(payload=payload)[0] == 200
    for _ in range(STEPS):
        reboots = life.installer.reboots
        wait_s = life.agent.step(life.clock.now())
        while life.reporter.step() == 0.0:
            pass
        if life.installer.reboots > reboots:
            life.board.power_cycle()
            life.clock.reboot(str(uuid.UUID(int=number)))
            life.restart()
            life.link.start(life.agent.deliver)
        elif wait_s is None and life.agent.update is not None and life.agent.update.state.settled:
            assert life.agent.update.state.value == "applyComplete"
            return
        life.clock.advance(wait_s or 0.0)
    raise AssertionError(f"the device does not come to rest: {life.agent.update}")


def _lifetime(directory: Path) -> list[int]:
    life = Life(directory)
    life.clock.boot_id = str(uuid.uuid4())
    life.ids = (str(uuid.uuid4()) for _ in range(UPDATES))
    life.start()
    life.link.start(life.agent.deliver)
    written = []
    for number in range(UPDATES):
        before = _written_bytes()
        _update(life, number)
        written.append(_written_bytes() - before)
    life.end()
    return written


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_lifetime(Path(sys.argv[1]))))
