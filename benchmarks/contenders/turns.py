"""What every contender does: an update whenever it is told to."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def given() -> tuple[Path, dict[str, Any], list[str]]:
    """The arguments: a folder of its own, what the real store writes, and what else was given."""
    folder, recorded, *more = sys.argv[1:]
    return Path(folder), json.loads(Path(recorded).read_text(encoding="utf-8")), more


def take_turns(update: Callable[[], object]) -> None:
    """Do one update for each line of the input, and answer with the seconds that it took, and of processor time."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    for _ in sys.stdin:
        begin, begin_busy = time.perf_counter(), time.process_time()
        update()
        end, end_busy = time.perf_counter(), time.process_time()
        os.write(answers, f"{end - begin} {end_busy - begin_busy}\n".encode())
