"""Extended lifecycles for tests: of one step, of three with guards, and of as much as a picture has to bear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.lifecycle import Extension, Lifecycle, Row, Step, Trigger
from fwsm.core.update import State

if TYPE_CHECKING:
    import threading

    from fwsm.core.entry import Facts
    from fwsm.core.update import Limits, Update


def _work(update: Update, stop: threading.Event) -> None:
    """Nothing."""


def tampered(_update: Update, _facts: Facts, _limits: Limits) -> bool:
    """A guard."""
    return False


def the_battery_would_not_last_till_the_end_of_it(_update: Update, _facts: Facts, _limits: Limits) -> bool:
    """A guard with a long name."""
    return False


_S, _T = State, Trigger
_LONG: Final = (the_battery_would_not_last_till_the_end_of_it, tampered)

ONE: Final = Lifecycle(extension=Extension((Step("backingUp", _S.INSTALLING, _work),)))
THREE: Final = Lifecycle(
    extension=Extension(
        (
            Step("backingUp", _S.INSTALLING, _work),
            Step("warningPeople", _S.REBOOTING, _work),
            Step("migratingData", _S.CONFIRMING, _work),
        ),
        (
            Row(_T.POLICY_ALLOWED, _S.WAITING, _S.DOWNLOAD_FAILED, (tampered,)),
            Row(_T.INSTALLED, _S.INSTALLING, _S.ROLLING_BACK, (tampered,)),
        ),
    )
)
GUARDED: Final = Lifecycle(
    extension=Extension(
        rows=tuple(
            Row(trigger, source, target, _LONG)
            for trigger, source, target in (
                (_T.POLICY_ALLOWED, _S.WAITING, _S.DOWNLOADING),
                (_T.POLICY_ALLOWED, _S.WAITING, _S.DOWNLOAD_FAILED),
                (_T.FOUND_RUNNING, _S.WAITING, _S.APPLY_COMPLETE),
                (_T.DOWNLOAD_VERIFIED, _S.DOWNLOADING, _S.DOWNLOAD_COMPLETE),
                (_T.DOWNLOAD_VERIFIED, _S.DOWNLOADING, _S.DOWNLOAD_FAILED),
                (_T.ARTIFACT_DAMAGED, _S.DOWNLOAD_COMPLETE, _S.DOWNLOADING),
                (_T.POLICY_ALLOWED, _S.DOWNLOAD_COMPLETE, _S.DOWNLOAD_FAILED),
                (_T.POLICY_ALLOWED, _S.DOWNLOAD_COMPLETE, _S.INSTALLING),
                (_T.INSTALLED, _S.INSTALLING, _S.REBOOTING),
                (_T.INSTALLED, _S.INSTALLING, _S.CONFIRMING),
                (_T.INSTALLED, _S.INSTALLING, _S.ROLLING_BACK),
                (_T.RESTARTED, _S.REBOOTING, _S.CONFIRMING),
                (_T.RESTARTED, _S.REBOOTING, _S.ROLLING_BACK),
                (_T.RESTARTED, _S.REBOOTING, _S.APPLY_FAILED),
                (_T.HEALTH_CONFIRMED, _S.CONFIRMING, _S.APPLY_COMPLETE),
                (_T.HEALTH_CONFIRMED, _S.CONFIRMING, _S.ROLLING_BACK),
                (_T.RESTARTED, _S.CONFIRMING, _S.APPLY_FAILED),
                (_T.ROLLED_BACK, _S.ROLLING_BACK, _S.APPLY_FAILED),
                (_T.RETRY_REQUESTED, _S.DOWNLOAD_FAILED, _S.WAITING),
                (_T.RETRY_REQUESTED, _S.APPLY_FAILED, _S.WAITING),
            )
        )
    )
)
MANY: Final = Lifecycle(
    extension=Extension(
        (
            *(Step(f"before{number}", place, _work) for number, place in enumerate((_S.INSTALLING,) * 2)),
            Step("backingUpAllTheSettingsOfTheWholeDevice", _S.INSTALLING, _work),
            *(Step(f"between{number}", place, _work) for number, place in enumerate((_S.REBOOTING,) * 3)),
            *(Step(f"onTrial{number}", place, _work) for number, place in enumerate((_S.CONFIRMING,) * 4)),
        ),
        GUARDED.table[:20],
    )
)
EXTENDED: Final = {"one": ONE, "three": THREE, "guarded": GUARDED, "many": MANY}
