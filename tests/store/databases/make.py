"""Makes databases as the program that runs it leaves them behind; see README.md beside it.

It names only what every version of the program has had.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Deadline, Moment
from fwsm.core.update import Artifact, Failure, Probe, Progress, Request, State, Update
from fwsm.errors import Kind
from fwsm.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW: Final = Moment(datetime(2026, 1, 1, tzinfo=UTC), 100.0, "boot-1")
SIZE_BYTES: Final = 1024 * 1024
IMAGE: Final = Artifact(hashlib.sha256(bytes(range(256)) * 4096).hexdigest(), SIZE_BYTES)

Walk = tuple[tuple[Trigger, dict[str, Any]], ...]
REBOOT: Final = (Trigger.RESTARTED, {"target_runs": True, "probe": Probe.DONE})
LOADING: Final[Walk] = ((Trigger.POLICY_ALLOWED, {}),)
LOADED: Final[Walk] = (
    *LOADING,
    (Trigger.DOWNLOAD_VERIFIED, {"progress": Progress(SIZE_BYTES, SIZE_BYTES), "artifact": IMAGE}),
)
INSTALLING: Final[Walk] = (*LOADED, (Trigger.POLICY_ALLOWED, {"target_slot": "b"}))
REBOOTING: Final[Walk] = (*INSTALLING, (Trigger.INSTALLED, {"reboot_required": True}))
CONFIRMING: Final[Walk] = (*REBOOTING, REBOOT)
BROKEN: Final = Failure("downloadInterrupted", "the connection broke", Kind.TRANSIENT)
SICK: Final = Failure("health", "the new firmware runs but does not work", Kind.PERMANENT)
WALKS: Final[dict[str, Walk]] = {
    "waiting": (
        (
            Trigger.POLICY_DEFERRED,
            {
                "reason": "maintenanceWindow",
                "until": NOW.wall + timedelta(hours=1),
                "deadline": Deadline.after(NOW, 3600),
            },
        ),
    ),
    "downloading": (
        *LOADING,
        (Trigger.DOWNLOAD_FAILED, {"failure": BROKEN, "progress": Progress(SIZE_BYTES // 2, SIZE_BYTES)}),
    ),
    "downloadComplete": LOADED,
    "installing": INSTALLING,
    "rebooting": REBOOTING,
    "confirming": CONFIRMING,
    "rollingBack": (*CONFIRMING, (Trigger.HEALTH_FAILED, {"failure": SICK})),
    "applyComplete": (*CONFIRMING, (Trigger.HEALTH_CONFIRMED, {})),
    "applyFailed": (*CONFIRMING, (Trigger.HEALTH_FAILED, {"failure": SICK}), (Trigger.ROLLED_BACK, {})),
    "downloadFailed": (*LOADING, (Trigger.CANCELLED, {})),
}
UNREPORTED: Final = 2  # so many of the newest reports were not acknowledged


def make(target: Path) -> None:
    """Write one database for each walk, and a fresh one."""
    target.mkdir(parents=True, exist_ok=True)
    for name, walk in ({"fresh": None} | WALKS).items():
        with tempfile.TemporaryDirectory() as folder:
            with Store(Path(folder)) as store:
                if walk is not None:
                    _walk(store, walk)
            shutil.copyfile(Path(folder) / "fwsm.db", target / f"{name}.db")


def _walk(store: Store, walk: Sequence[tuple[Trigger, dict[str, Any]]]) -> None:
    update = Update(
        id="u1",
        request=Request("https://images.example/one.img", IMAGE.sha256, "2"),
        state=State.WAITING,
        boot_id=NOW.boot_id,
        started_waiting_at=NOW.wall,
    )
    store.accept(update, NOW)
    lifecycle, now = Lifecycle([store.advance]), NOW
    for trigger, known in walk:
        if trigger is Trigger.RESTARTED:
            now = replace(now, boottime_s=1.0, boot_id="boot-2")
        update = lifecycle.fire(update, trigger, Facts(now=now, **known))
    with closing(store.outbox()) as outbox:
        outbox.acknowledge(max(len(store.history()) - UNREPORTED, 0))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
