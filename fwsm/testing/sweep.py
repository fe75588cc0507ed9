"""Cuts a whole device at the moments of its way through an update: at each of them, or at pairs drawn by a seed.

    sweep = Sweep(lambda name: Rig(tmp_path / name, payload, ca_pem, factory), check)
    for moment in range(sweep.moments):
        sweep.cut(moment)
    for pair in sweep.pairs(25, seed=7):          # a cut, and another one on the way back from it
        sweep.cut(*pair)

Every cut gets a device of its own. What `check` misses is raised again with the story of the cut and the line that
repeats it.
"""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING, Final

from fwsm.testing.power import PowerSwitch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.testing.rig import Rig

__all__ = ["Sweep"]

_SOON: Final = 60  # moments from coming back within which the second cut falls; an update has some 250


class Sweep:
    """One kind of device, cut again and again.

    Args:
        new_rig: makes a device that has never had an update; the name is fit for a directory, and never the same.
        check: looks at a device that has come to rest; raises AssertionError if something is not as it must be.
    """

    def __init__(self, new_rig: Callable[[str], Rig], check: Callable[[Rig], None]) -> None:
        self._new_rig = new_rig
        self._check = check
        self._made = 0

    @cached_property
    def moments(self) -> int:
        """How many moments there are to cut at, counted on a run without a cut, which is checked like all others."""
        rig, power = self._rig(), PowerSwitch()
        rig.run(power)
        self._check(rig)
        return power.moments

    def cut(self, first: int, then: int | None = None, *, board_too: bool = True) -> list[str]:
        """Cut a new device, let it live on, and check it.

        Args:
            first: the moment of the cut.
            then: the moment of a second cut, counted from when the device comes back; None for none.
            board_too: whether the power goes, so that the board boots; else only the process dies.

        Returns:
            What the cuts fell on, and the reboots, in order.

        Raises:
            AssertionError: the device did not come to rest, there was no such moment, or `check` has missed something.
        """
        rig, power = self._rig(), PowerSwitch(first)
        story: list[str] = []
        try:
            story = rig.run(power, board_too=board_too, then=None if then is None else PowerSwitch(then))
            _require_cut(power)
            self._check(rig)
        except AssertionError as error:
            again = f"cut({first}, {then}, board_too={board_too})"
            raise AssertionError(f"{error}\nIts story: {story}\nRepeat with: {again}") from error
        return story

    def sample(self, number: int, seed: int) -> list[int]:
        """So many different moments; the same ones for the same seed."""
        return random.Random(seed).sample(range(self.moments), min(number, self.moments))  # noqa: S311 - no secret

    def pairs(self, number: int, seed: int) -> Iterator[tuple[int, int]]:
        """So many pairs of moments, the second soon after the device has come back; the same ones for the same seed."""
        draw = random.Random(seed)  # noqa: S311 - no secret
        for _ in range(number):
            yield draw.randrange(self.moments), draw.randrange(_SOON)

    def _rig(self) -> Rig:
        self._made += 1
        return self._new_rig(f"run-{self._made}")


def _require_cut(power: PowerSwitch) -> None:
    if not power.off:
        raise AssertionError(f"nothing was cut at moment {power.cut_at}; there were {power.moments}")
