"""The days that a device may have: what happens to it between the trigger and the end, and what must hold then."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fwsm.testing.bad_days import BadDay
from fwsm.testing.image_faults import cut
from fwsm.testing.rehearsal import checks
from fwsm.testing.rehearsal.player import digest_of
from fwsm.testing.rehearsal.telling import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.testing.rehearsal.player import Player
    from fwsm.testing.rehearsal.stage import Stage

__all__ = ["FAULTS", "KILLS", "UNDISTURBED", "Scenario"]

_CUTS = 3
_SUCCESS = ("waiting", "downloading", "downloadComplete", "applying", "applyComplete")
_APPLIED = (checks.ended_in("applyComplete"), checks.image_runs, checks.new_slot_settled)
_TOLD = checks.told_in_order(*_SUCCESS)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One such day.

    Attributes:
        story: what happens, to go on a sentence that begins with "A device is updated over an IoT Hub".
        play: does it, from the trigger to the end.
        checks: what must hold of each device then.
        settings: of the devices, by their names in `fwsm.config.DeviceConfig`.
    """

    story: str
    play: Callable[[Stage], None]
    checks: tuple[Callable[[Stage, Player], Check], ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def _trigger(stage: Stage) -> None:
    digest = digest_of(stage.image)
    stage.each(lambda player: player.trigger(digest))


def _undisturbed(stage: Stage) -> None:
    _trigger(stage)
    stage.each(lambda player: player.await_settled())


def _kills(stage: Stage) -> None:
    def befall(player: Player) -> None:
        player.await_half()
        player.kill("in the middle of the download")
        player.await_reported("applying")
        player.kill("while it applies the image")
        player.await_settled()

    _trigger(stage)
    stage.each(befall)


def _power_cuts(stage: Stage) -> None:
    def befall(player: Player) -> None:
        player.await_half()
        player.cut_power("in the middle of the download")
        player.await_reported("applying")
        player.cut_power("while it applies the image")
        player.await_reported("applying", substatus="confirming")
        player.cut_power("while the new firmware proves itself")
        player.await_settled()

    _trigger(stage)
    stage.each(befall)


def _hub_down(stage: Stage) -> None:
    _trigger(stage)
    stage.each(lambda player: player.await_half())
    stage.hub.pause()
    stage.say("demo", "the hub goes down: nobody can see the devices, and they cannot report")
    stage.each(
        lambda player: player.await_recorded(lambda update: update.state.settled, "settle while the hub is down")
    )
    for player in stage.players:
        update = player.process.update()
        player.say("demo", f"without a hub, its database says '{update.state if update else None}'")
    stage.hub.resume()
    stage.say("hub", "listens again")
    stage.each(lambda player: player.await_settled())


def _server_cuts(stage: Stage) -> None:
    def befall(player: Player) -> None:
        for number in range(1, _CUTS + 1):
            served = player.await_answered(number)
            player.say(
                "server", f"resets the connection after {served.sent_bytes / 1024:.0f} KiB, {number} of {_CUTS} times"
            )
        player.await_settled()

    with ExitStack() as faults:
        for player in stage.players:
            faults.enter_context(stage.server.fault(player.path, cut(stage.size_bytes // (_CUTS + 1)), times=_CUTS))
        _trigger(stage)
        stage.each(befall)


def _cut_off(_stage: Stage, player: Player) -> Check:
    """The server did what the story says."""
    count = len(player.requests)
    return Check(f"the server has cut the download off {_CUTS} times", count > _CUTS, f"{count} requests")


def _wrong_digest(stage: Stage) -> None:
    digest = hashlib.sha256(b"another image").hexdigest()
    stage.say("operator", f"asks for an image with the SHA-256 {digest[:12]}…, and the server has another one")
    stage.each(lambda player: player.trigger(digest))
    stage.each(lambda player: player.await_settled())


KILLS: Final = Scenario(
    "killed twice on the way",
    _kills,
    (
        checks.ended_in("applyComplete"),
        checks.killed_twice,
        checks.nothing_loaded_twice,
        checks.image_runs,
        checks.new_slot_settled,
        _TOLD,
        checks.came_back,
    ),
)
"""The device's process is killed in the middle of the download and while it applies the image."""

UNDISTURBED: Final = Scenario("left in peace", _undisturbed, (*_APPLIED, _TOLD))
"""Nothing goes wrong."""

FAULTS: Final[Mapping[BadDay, Scenario]] = {
    BadDay.HUB_DOWN: Scenario(
        "left without the hub from the middle of the download to the end",
        _hub_down,
        (*_APPLIED, checks.steps_recorded),
    ),
    BadDay.SERVER_CUTS: Scenario(
        f"cut off by the image server {_CUTS} times", _server_cuts, (*_APPLIED, _cut_off, checks.nothing_loaded_twice)
    ),
    BadDay.WRONG_DIGEST: Scenario(
        "given an image that is not the one the operator meant",
        _wrong_digest,
        (checks.ended_in("downloadFailed", "artifactDamaged"), checks.slot_untouched),
    ),
    BadDay.BAD_FIRMWARE: Scenario(
        "given firmware that does not work: its health check fails",
        _undisturbed,
        (
            checks.ended_in("applyFailed", "health", "rolledBack"),
            checks.old_slot_runs,
            checks.told_in_order("waiting", "downloading", "downloadComplete", "applying", "applyFailed"),
        ),
        {"health_command": """sh -c 'echo "the sensor does not answer"; exit 1'""", "confirm_s": "4"},
    ),
    BadDay.POWER_CUT: Scenario(
        "unplugged three times on the way",
        _power_cuts,
        (*_APPLIED, checks.nothing_loaded_twice, _TOLD, checks.came_back),
    ),
}
"""What can be made to go wrong, each of it."""
