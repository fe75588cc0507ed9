"""Rounds that take turns, and their medians."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def interleaved(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run each candidate `rounds` times, in turns; the median of the seconds that each says it took."""
    return {name: statistics.median(times) for name, times in in_turns(candidates, rounds).items()}


def in_turns(candidates: Mapping[str, Callable[[], float]], rounds: int, *, each: int = 1) -> dict[str, list[float]]:
    """Run each candidate `rounds` times, in turns of `each` runs; the seconds that each run says it took."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds // each):
        for name, work in candidates.items():
            times[name].extend(work() for _ in range(each))
    return times


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """The work as one that says how many seconds it took."""

    def run() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return run
