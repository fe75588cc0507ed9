"""The sweep itself; tests/crash sweeps with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from fwsm.testing.image_server import ImageServer
from fwsm.testing.rig import Rig
from fwsm.testing.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def complete(rig: Rig) -> None:
    """The update is."""
    assert rig.settled is not None
    assert rig.settled.state is State.APPLY_COMPLETE


@pytest.fixture
def new_rig(tmp_path: Path) -> Iterator[Callable[[str], Rig]]:
    """Makes devices beside a server that has one image."""
    factory = tmp_path / "factory.img"
    factory.write_bytes(b"factory")
    with ImageServer("127.0.0.1", {"/firmware.img": b"firmware" * 100}) as server:
        payload = {"fwPackageUri": server.url("/firmware.img")}
        yield lambda name: Rig(tmp_path / name, payload, server.ca_pem, factory)


def test_a_run_without_a_cut_counts_the_moments_and_is_checked(new_rig: Callable[[str], Rig]) -> None:
    """It is done once, however often they are asked for."""
    checked: list[Rig] = []
    sweep = Sweep(new_rig, checked.append)
    assert sweep.moments > 100
    assert sweep.moments > 100
    assert len(checked) == 1


def test_a_second_cut_falls_on_the_way_back(new_rig: Callable[[str], Rig]) -> None:
    """The story tells of both, and of the reboots."""
    story = Sweep(new_rig, complete).cut(40, 3)
    assert [entry.startswith("at moment") for entry in story][:2] == [True, True]


def test_what_the_check_misses_is_told_with_the_line_that_repeats_it(new_rig: Callable[[str], Rig]) -> None:
    """And with what the cuts fell on."""

    def never(_rig: Rig) -> None:
        raise AssertionError("nothing is right")

    expected = r"(?s)nothing is right.*at moment 40, .*Repeat with: cut\(40, None, board_too=False\)"
    with pytest.raises(AssertionError, match=expected):
        Sweep(new_rig, never).cut(40, board_too=False)


def test_a_moment_that_never_comes_is_no_success(new_rig: Callable[[str], Rig]) -> None:
    """A sweep that cuts nothing shows nothing."""
    with pytest.raises(AssertionError, match="nothing was cut at moment 100000"):
        Sweep(new_rig, complete).cut(100000)


def test_a_seed_draws_the_same_moments_again(new_rig: Callable[[str], Rig]) -> None:
    """Single ones, all different, and pairs."""
    sweep = Sweep(new_rig, complete)
    assert sweep.sample(20, 7) == sweep.sample(20, 7) != sweep.sample(20, 8)
    assert len(set(sweep.sample(20, 7))) == 20
    assert set(sweep.sample(10**6, 7)) == set(range(sweep.moments))
    pairs = list(sweep.pairs(20, 7))
    assert pairs == list(sweep.pairs(20, 7)) != list(sweep.pairs(20, 8))
    assert all(first in range(sweep.moments) for first, _ in pairs)
