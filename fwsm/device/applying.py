"""The work on an image: install it, reboot into it, prove it, or go back.

Whatever the installer or a check raises becomes a fact, so that the table decides; no error of them ends the program.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fwsm.core.lifecycle import Trigger
from fwsm.core.moment import Deadline
from fwsm.core.update import Failure, Limits, Probe
from fwsm.device.fitting import require_done
from fwsm.device.outcome import Fact, Wait, log_failure
from fwsm.errors import HealthError

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from fwsm.core.moment import Moment
    from fwsm.core.update import Artifact, Update
    from fwsm.device.health import HealthCheck
    from fwsm.device.outcome import Pauses
    from fwsm.device.ports import Clock, Download, Installer

__all__ = ["Applying"]

_log = logging.getLogger(__name__)


class Applying:
    """What is done with an installer.

    Args:
        installer, download, clock: the ports.
        checks: what must hold before new firmware is confirmed; each raises HealthError.
        limits: how long a reboot may take.
        pauses: how long to wait between tries.
        soak_s: how long the checks must hold without a break before the firmware counts as good.
        check_every_s: pause between two rounds of checks.
    """

    def __init__(
        self,
        *,
        installer: Installer,
        download: Download,
        clock: Clock,
        checks: Sequence[HealthCheck],
        limits: Limits,
        pauses: Pauses,
        soak_s: float,
        check_every_s: float,
    ) -> None:
        self._installer = installer
        self._download = download
        self._clock = clock
        self._checks = checks
        self._limits = limits
        self._pauses = pauses
        self._soak_s = soak_s
        self._check_every_s = check_every_s
        # What this life of the process knows; all of it may be forgotten.
        self._healthy: tuple[Update, Moment] | None = None
        self._reboot: tuple[Update, Deadline] | None = None

    # -- coming back -------------------------------------------------------------------------------------------------

    def installed(self, update: Update) -> dict[str, Any]:
        """How far the installation got, as facts. If that cannot be told, it may be anything."""
        probe, runs = Probe.UNFINISHED, False
        try:
            runs = self._installer.runs(update)
            probe = self._installer.probe(update)
        except Exception as error:  # noqa: BLE001  # as said
            log_failure("the installer cannot tell how far it got", error)
        return {
            "probe": probe,
            "repeatable": self._installer.repeatable,
            "target_runs": runs,
            "reboot_required": not runs,
        }

    def may_run(self, update: Update) -> bool:
        """Whether the new image runs. If that cannot be told now, it is asked again while confirming."""
        try:
            return self._installer.runs(update)
        except Exception as error:  # noqa: BLE001  # only an answer shows that the old image runs
            log_failure("the installer cannot tell what runs", error)
            return True

    def image_of(self, update: Update) -> Artifact | None:
        """The image that this update brought, as the installer remembers it; None if that cannot be told."""
        try:
            return self._installer.image_of(update)
        except Exception as error:  # noqa: BLE001  # what cannot be told is not relied on
            log_failure("the installer cannot tell which image it has", error)
            return None

    def runs_already(self, update: Update) -> Artifact | None:
        """The image that the update asks for, if it runs and is confirmed; None if not, or if that cannot be told."""
        try:
            return self._installer.runs_already(update.request)
        except Exception as error:  # noqa: BLE001  # then it is installed, which has its own answer to this
            log_failure("the installer cannot tell what runs", error)
            return None

    # -- installing ----------------------------------------------------------------------------------------------------

    def target_slot(self) -> str | None:
        """Where the next image goes; None if there are no slots, or if that cannot be told."""
        try:
            return self._installer.target_slot()
        except Exception as error:  # noqa: BLE001  # the installation will meet the same, and that has its rows
            log_failure("the installer cannot name the target slot", error)
            return None

    def install(self, update: Update, stop: threading.Event) -> Fact:
        """Read the file once more, and install it, unless that is done.

        A database whose last commits were lost knows of an earlier state than the board is in. The image may be
        running on trial already, and to install it once more would write over what the board falls back to.
        """
        try:
            if self._installer.probe(update) is Probe.DONE:
                return Fact(Trigger.INSTALLED, {"reboot_required": not self._installer.runs(update)})
            path = self._download.verify(update, stop)
            reboot_required = self._installer.install(update, path, stop)
        except Exception as error:  # noqa: BLE001  # whatever it is, the table decides
            log_failure("the installation failed", error)
            return Fact(Trigger.INSTALL_FAILED, self._pauses.after_failure(update, Failure.of(error)))
        return Fact(Trigger.INSTALLED, {"reboot_required": reboot_required})

    # -- rebooting -----------------------------------------------------------------------------------------------------

    def rebooting(self, update: Update, now: Moment) -> Fact | Wait | None:
        """What is known of the reboot that this process has ordered; None if it has not ordered one yet."""
        if self._reboot is None or self._reboot[0] is not update:
            return None
        left_s = self._reboot[1].remaining_s(now)
        return Wait(left_s) if left_s > 0 else Fact(Trigger.REBOOT_OVERDUE)

    def order_reboot(self, update: Update) -> Wait:
        """Order it; `rebooting` tells what comes of it."""
        self._reboot = (update, Deadline.after(self._clock.now(), self._limits.reboot_s))
        try:
            self._installer.reboot()
        except Exception as error:  # noqa: BLE001  # the table counts it as a reboot that did not come
            log_failure("the reboot could not be ordered", error)
        return Wait(0)

    # -- confirming ----------------------------------------------------------------------------------------------------

    def confirm(self, update: Update) -> Fact | Wait:
        """One round of checks; behind the last one of the soak time, the image is confirmed."""
        try:
            self._check(update)
            if (left_s := self._soak_left_s(update)) > 0:
                return Wait(min(left_s, self._check_every_s))
            self._installer.confirm(update)
        except Exception as error:  # noqa: BLE001  # whatever a check raises, the firmware has not proved itself
            self._healthy = None
            return self._unhealthy(update, error)
        return Fact(Trigger.HEALTH_CONFIRMED)

    def _check(self, update: Update) -> None:
        if not self._installer.runs(update):
            raise HealthError("the new image does not run")
        for check in self._checks:
            answer: object = check(update)
            require_done(answer)
            if answer is False:  # not what a check is asked to do, but it cannot be taken for health
                raise HealthError("a check has answered that it does not hold")

    def _soak_left_s(self, update: Update) -> float:
        """How much longer the checks, which have just held, must hold."""
        now = self._clock.now()
        if self._healthy is None or self._healthy[0] is not update:
            self._healthy = update, now
        return self._soak_s - (now.boottime_s - self._healthy[1].boottime_s)

    def _unhealthy(self, update: Update, error: Exception) -> Fact | Wait:
        left_s = update.deadline.remaining_s(self._clock.now()) if update.deadline else 0.0
        if left_s > 0:
            _log.warning("not healthy yet: %s", error)
            return Wait(min(left_s, self._check_every_s))
        health = HealthError(
            "the new firmware did not prove itself in time", why=str(error), fix="Mend the firmware, then update again"
        )
        return Fact(Trigger.HEALTH_FAILED, {"failure": Failure.of(health)})

    # -- going back ----------------------------------------------------------------------------------------------------

    def roll_back(self, update: Update) -> Fact | Wait:
        """Make the old image boot again, and reboot if the new one still runs."""
        try:
            reboot_required = self._installer.roll_back(update)
        except Exception as error:  # noqa: BLE001  # whatever it is, the table decides
            log_failure("rolling back failed", error)
            return Fact(Trigger.ROLLBACK_FAILED, {"failure": Failure.of(error)} | self._pauses.after(update))
        return self.order_reboot(update) if reboot_required else Fact(Trigger.ROLLED_BACK)
