"""What an update writes: flash wears out by bytes, so there is a bound to them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_S

# Seven states, each stored, reported and acknowledged, over a reboot; a plain SQLite with its pages of 4096 bytes
# writes 58 KiB for the bare commits alone.
MOST_BYTES = 24 * 1024


def test_an_update_writes_no_more_than_it_may(tmp_path: Path) -> None:
    """Counted by the kernel, with all that the log, moving it, and the reboot cost; and it does not grow with time."""
    program = [sys.executable, "-m", "tests.store.wearing", str(tmp_path / "state")]
    ran = subprocess.run(program, check=True, capture_output=True, timeout=PATIENCE_S, cwd=Path(__file__).parents[2])
    first, *written = json.loads(ran.stdout)
    assert first < 2 * MOST_BYTES
    assert sum(written) / len(written) < MOST_BYTES
    later = written[-len(written) // 2 :]
    assert max(later) < 1.2 * MOST_BYTES
