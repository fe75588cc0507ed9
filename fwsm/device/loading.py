"""The work on an artifact: load it, prove it, and clean up behind it.

Whatever the download port raises becomes a fact, so that the table decides; no error of it ends the program.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import Failure, Progress
from fwsm.device.outcome import Fact, log_failure
from fwsm.errors import FwsmError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from fwsm.core.update import Update
    from fwsm.device.outcome import Pauses
    from fwsm.device.ports import Download

__all__ = ["Loading"]


class Loading:
    """What is done with a download.

    Args:
        download: the port.
        pauses: how long to wait between tries.
        note: told the progress of an update's download, from the job's thread.
    """

    def __init__(self, download: Download, pauses: Pauses, note: Callable[[Update, Progress], None]) -> None:
        self._download = download
        self._pauses = pauses
        self._note = note

    def progress(self, update: Update) -> Progress | None:
        """What is on disk; None if that cannot be told, and then the next fetch finds out what is the matter."""
        try:
            return self._download.progress(update)
        except Exception as error:  # noqa: BLE001  # as said
            log_failure("it cannot be told how much is on disk", error)
            return None

    def fetch(self, update: Update, stop: threading.Event) -> Fact:
        """Load what is missing."""
        try:
            self._download.discard(update)
            artifact = self._download.fetch(update, partial(self._note, update), stop)
        except Exception as error:  # noqa: BLE001  # whatever it is, the table decides
            log_failure("the download failed", error)
            asked_s = error.retry_after_s if isinstance(error, FwsmError) else None
            known = self._pauses.after_failure(update, Failure.of(error), asked_s)
            return Fact(Trigger.DOWNLOAD_FAILED, known | {"progress": self.progress(update)})
        return Fact(
            Trigger.DOWNLOAD_VERIFIED,
            {"artifact": artifact, "progress": Progress(artifact.bytes, artifact.bytes)},
        )

    def damage(self, update: Update, stop: threading.Event) -> Fact | None:
        """Read the finished file again; None if it is intact."""
        try:
            self._download.verify(update, stop)
        except Exception as error:  # noqa: BLE001  # a file that cannot be read is as good as damaged
            log_failure("the downloaded file is no longer intact", error)
            return Fact(Trigger.ARTIFACT_DAMAGED, {"failure": Failure.of(error), "progress": self.progress(update)})
        return None

    def sweep(self) -> None:
        """Throw everything away. If that fails, the next start tries again."""
        try:
            self._download.discard(None)
        except Exception as error:  # noqa: BLE001  # as said
            log_failure("what the download left behind cannot be removed", error)
