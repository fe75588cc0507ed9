"""strace as an executioner: it kills a device at a system call that was named beforehand.

The signal comes when the call is entered, so the call itself is not made: the process ends between two changes to the
disk. strace counts for each thread on its own. It detaches from its parent (`-D`), so that the process which the test
starts, waits for and kills is the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Tracer"]


@dataclass(frozen=True, slots=True)
class Tracer:
    """Makes the commands that a device is run under.

    Attributes:
        tool: finds the path of a program by its name.
        log: where strace writes down what it saw.
    """

    tool: Callable[[str], str]
    log: Path

    def watch(self, call: str, path: Path) -> list[str]:
        """Only write down such calls on a file; `count` counts them."""
        return [self.tool("strace"), "-D", "-f", "-o", f"{self.log}", "-e", f"trace={call}", "-P", f"{path}"]

    def kill(self, call: str, path: Path, when: int = 1) -> list[str]:
        """SIGKILL when a thread makes its so manieth such call on a file."""
        return [*self.watch(call, path), "-e", f"inject={call}:signal=SIGKILL:when={when}"]

    def count(self, call: str) -> int:
        """How many calls have been written down so far."""
        return self.log.read_text().count(f"{call}(")
