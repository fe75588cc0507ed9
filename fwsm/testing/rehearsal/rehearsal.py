"""One run of a scenario, from the first moment to the last check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.testing.rehearsal.stage import Stage
from fwsm.testing.rehearsal.telling import Check, Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fwsm.testing.rehearsal.scenarios import Scenario
    from fwsm.testing.rehearsal.telling import Moment

__all__ = ["Rehearsal"]


class Rehearsal:
    """One run.

    Args:
        scenario: what happens to the devices on the way.
        directory: where everything goes; kept.
        image: the firmware image.
        address: an address of 127.0.0.0/8 for hub and image server.
        tell: called with each moment, from any thread, one at a time.
        devices: how many are updated side by side.
    """

    def __init__(
        self,
        scenario: Scenario,
        directory: Path,
        image: Path,
        address: str,
        tell: Callable[[Moment], None],
        *,
        devices: int = 1,
    ) -> None:
        self._scenario = scenario
        self._stage = Stage(directory, image, address, settings=scenario.settings, devices=devices, teller=Teller(tell))

    @property
    def logs(self) -> list[Path]:
        """Of each device, where its program has written; known once it runs."""
        return [player.process.log for player in self._stage.players]

    def run(self) -> list[Check]:
        """Play it, and say what held.

        Raises:
            FwsmError: it could not be played to its end; the message says why.
            Exception: what `tell` has raised.
        """
        with self._stage as stage:
            self._scenario.play(stage)
            held = [[check(stage, player) for check in self._scenario.checks] for player in stage.players]
        names = [player.name for player in stage.players]
        return [_together(names, each) for each in zip(*held, strict=True)]


def _together(names: Sequence[str], checks: Sequence[Check]) -> Check:
    """One claim about all devices; its detail is that of the first device for which it does not hold, if any."""
    if len(checks) == 1:
        return checks[0]
    held = sum(check.held for check in checks)
    name, shown = next(
        ((name, check) for name, check in zip(names, checks, strict=True) if not check.held), (names[0], checks[0])
    )
    return Check(shown.what, held == len(checks), f"{held} of {len(checks)} devices; {name}: {shown.detail}")
