"""A short soak, and that a long one would notice what it looks for; `make soak` runs many updates."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.soak.plan import Act, Content, plan
from tests.soak.soak import Soak
from tests.soak.upkeep import MEMORY_WARM_UP, Reading, at_rest, growth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIFE = (1, "1", "1")
NEXT_LIFE = (1, "1", "2")
AT_FIRST = Reading(LIFE, 12, 20, 50_000)
UPDATES = 3
SEED = 142  # both programs are killed, the device three times, and reports and a download break off


@pytest.mark.kill
@pytest.mark.timeout(300)  # it takes some 20 s on a quiet machine: processes that are killed have to start again
def test_a_short_soak_ends_truthfully(tmp_path: Path, loopback: Callable[[], str]) -> None:
    """Three updates with kills of both processes and faults on the way: what is claimed is so, and nothing is left."""
    told: list[str] = []
    soak = Soak(tmp_path, loopback(), SEED, UPDATES, told.append)
    soak.run()
    assert len(told) == UPDATES
    assert soak.acts[Act.KILL_DEVICE]
    assert soak.acts[Act.KILL_HUB]
    assert soak.ends["sound: applyComplete"]


def test_a_seed_gives_its_plan_again() -> None:
    """So that a run that found something can be repeated; another seed gives another plan."""
    assert plan(7, 50, "d1") == plan(7, 50, "d1") != plan(8, 50, "d1")


def test_a_long_plan_has_everything_in_it() -> None:
    """Every kind of image and of strike; towards the end nobody is killed, and nothing boots but at the very end."""
    rounds = plan(1, 50, "d1")
    assert {one.content for one in rounds} == {*Content}
    assert {strike.act for one in rounds for strike in one.strikes} == {*Act}
    assert any(one.server for one in rounds)
    *end, last = rounds[-20:]
    assert {one.content for one in end} == {Content.WRONG}
    assert last.content is Content.SOUND
    deaths = Counter(strike.act for one in rounds[-20:] for strike in one.strikes)
    assert not deaths[Act.KILL_DEVICE] + deaths[Act.KILL_HUB]


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (Reading(LIFE, 17, 20, 50_000), "17 threads"),
        (Reading(LIFE, 12, 29, 50_000), "29 files"),
        (Reading(LIFE, 12, 20, 52_100), "50.9 MiB"),
    ],
)
def test_growth_in_one_life_is_noticed(later: Reading, said: str) -> None:
    """Of each of the three, beyond its bound; what came in the warm-up does not count."""
    warm = [AT_FIRST] * MEMORY_WARM_UP
    assert list(growth("it", [*warm, AT_FIRST])) == []
    assert list(growth("it", [AT_FIRST, *[later] * 20])) == []
    assert said in "".join(growth("it", [*warm, later]))


def test_growth_from_life_to_life_is_noticed() -> None:
    """What is handed on by an exec, or is read from a database that grows, shows only there."""
    assert list(growth("it", [AT_FIRST, Reading(NEXT_LIFE, 12, 20, 50_000)])) == []
    assert "29 files" in "".join(growth("it", [AT_FIRST, Reading(NEXT_LIFE, 12, 29, 50_000)]))


def test_a_reading_is_of_the_process_as_it_is() -> None:
    """Threads, open files and memory of a program that is known; and an exec under the same id is another life."""
    program = "import os, sys; print(len(os.listdir('/proc/self/fd')) - 1, flush=True); sys.stdin.read(1)"
    again = f"import os, sys; {program}; os.execv(sys.executable, [sys.executable, '-c', {program!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", again], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": os.defpath}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        files = int(process.stdout.readline())
        before = at_rest(process.pid)
        process.stdin.write(b"x")
        process.stdin.flush()
        process.stdout.readline()
        after = at_rest(process.pid)
        process.stdin.write(b"x")
        process.stdin.close()
        process.stdin = None
    assert (before.threads, before.files) == (1, files)
    assert before.memory_kib > 1000
    assert before.life != after.life
