"""What must hold of a device at the end. Each check looks where the fact is: twin, server's log, database, board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.core.update import State
from fwsm.device.installers.pointer import Mark
from fwsm.testing.rehearsal.player import digest_of
from fwsm.testing.rehearsal.telling import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.testing.rehearsal.player import Player
    from fwsm.testing.rehearsal.stage import Stage

__all__ = [
    "came_back",
    "ended_in",
    "image_runs",
    "killed_twice",
    "new_slot_settled",
    "nothing_loaded_twice",
    "old_slot_runs",
    "slot_untouched",
    "steps_recorded",
    "told_in_order",
]

_ORDER = ("waiting", "downloading", "downloadComplete", "downloadFailed", "applying", "applyFailed", "applyComplete")
# What one kill may cost: what the server had sent and the device had not made safe yet.
_LOADED_AGAIN_BYTES = 8 * 1024 * 1024


def ended_in(status: str, code: str | None = None, substatus: str | None = None) -> Callable[[Stage, Player], Check]:
    """The twin shows this end of the update, with this code of its error if one is given."""
    wanted = " ".join(filter(None, [status, substatus, code and f"with error.code {code}"]))

    def check(_stage: Stage, player: Player) -> Check:
        last = player.last
        found_code = (last.get("error") or {}).get("code")
        found = (last.get("status"), found_code, last.get("substatus") if substatus else None)
        shown = " ".join(str(part) for part in (last.get("status"), last.get("substatus"), found_code) if part)
        return Check(f"the update ended in {wanted}", found == (status, code, substatus), shown)

    return check


def killed_twice(_stage: Stage, player: Player) -> Check:
    """It died where the demo says that it did."""
    killed_in = player.killed_in
    held = [state.status for state in killed_in] == ["downloading", "applying"]
    return Check("the device was killed while downloading and while applying", held, ", ".join(killed_in))


def nothing_loaded_twice(stage: Stage, player: Player) -> Check:
    """It went on with the download behind what it had, after more than one request."""
    requests = player.requests
    sent_bytes = sum(request.sent_bytes for request in requests)
    again_bytes = sent_bytes - stage.size_bytes
    bound_bytes = min(_LOADED_AGAIN_BYTES, stage.size_bytes // 4) + player.lost_bytes
    asked = ", ".join(request.range or "all" for request in requests)
    return Check(
        "it went on, and did not load again what it had",
        len(requests) > 1 and again_bytes <= bound_bytes,
        f"asked for {asked}; {again_bytes / 1024:.0f} of {sent_bytes / 1024:.0f} KiB were sent twice",
    )


def image_runs(stage: Stage, player: Player) -> Check:
    """What boots is the image."""
    board = player.board
    booted = board.status().booted
    digest = digest_of(board.slot_path(booted))
    held = booted == "b" and digest == digest_of(stage.image)
    return Check("the slot that runs holds the image, byte for byte", held, f"slot {booted}: {digest}")


def new_slot_settled(_stage: Stage, player: Player) -> Check:
    """It was confirmed."""
    pointer = player.board.status()
    held = pointer.settled and pointer.primary == "b"
    return Check("the new slot is the one that boots from now on", held, f"primary {pointer.primary}")


def old_slot_runs(_stage: Stage, player: Player) -> Check:
    """The old firmware runs again, and the new one is not booted any more."""
    pointer = player.board.status()
    held = pointer.booted == pointer.primary == "a" and pointer.slots["b"].mark is Mark.BAD
    detail = f"slot {pointer.booted} runs, slot b is {pointer.slots['b'].mark}"
    return Check("the old firmware runs again, and the new one is marked bad", held, detail)


def slot_untouched(_stage: Stage, player: Player) -> Check:
    """Not a byte came into the other slot."""
    pointer = player.board.status()
    held = pointer.booted == pointer.primary == "a" and pointer.slots["b"].mark is Mark.EMPTY
    held = held and not player.board.slot_path("b").exists()
    detail = f"slot {pointer.booted} runs, slot b is {pointer.slots['b'].mark}"
    return Check("not one byte of it was written into a slot", held, detail)


def steps_recorded(_stage: Stage, player: Player) -> Check:
    """The device's own history has every step, whoever was there to see it."""
    states = list(dict.fromkeys(row.state for row in player.process.history()))
    wanted = [State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE, State.INSTALLING, State.REBOOTING]
    wanted += [State.CONFIRMING, State.APPLY_COMPLETE]
    return Check("its own history has every step, in order", states == wanted, " > ".join(states))


def told_in_order(*statuses: str) -> Callable[[Stage, Player], Check]:
    """The hub was told these statuses, and none that came before another one after it."""

    def check(stage: Stage, player: Player) -> Check:
        sections = map(_section, stage.hub.reports(player.name))
        reported = [section["status"] for section in sections if "status" in section]
        seen = list(dict.fromkeys(reported))
        held = seen == list(statuses) and sorted(reported, key=_ORDER.index) == reported
        return Check("the hub was told every status, in order", held, " > ".join(seen))

    return check


def came_back(_stage: Stage, player: Player) -> Check:
    """The twin counts at least the times that it died."""
    resumed = player.last.get("resumed", 0)
    return Check("the twin says how often the device came back", resumed >= len(player.killed_in), f"resumed {resumed}")


def _section(patch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = patch.get("iothubDM", {}).get("firmwareUpdate", {})
    return found
