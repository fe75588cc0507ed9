"""The work on the artifact, when the disk or the directory makes trouble."""

from __future__ import annotations

from fwsm.core.update import Progress, State, Update
from fwsm.errors import DownloadError
from fwsm.testing.fakes import MemoryDownload
from tests.device.life import URI, Life


def test_a_download_that_cannot_tell_its_progress_does_not_stop_the_device(life: Life) -> None:
    """A disk that cannot be read on coming back, or after a failure, is no reason not to come up; restarts count."""

    class Dumb(MemoryDownload):
        def progress(self, _update: Update) -> Progress:
            raise DownloadError("the disk cannot be read")

    life.download = Dumb(life.download.served, failures=[DownloadError("no route")])
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.restart()
    life.agent.step(life.clock.now())
    assert life.agent.update is not None
    assert life.agent.update.restarts == 1
    life.step_until(State.DOWNLOAD_COMPLETE)


def test_a_file_that_cannot_be_removed_does_not_undo_success(life: Life) -> None:
    """Cleaning up after a complete update may fail; the next start tries again."""

    class Sticky(MemoryDownload):
        swept = 0

        def discard(self, keep: Update | None) -> None:
            if keep is None:
                self.swept += 1
                raise DownloadError("the directory is read-only")

    life.download = download = Sticky(life.download.served)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    for swept in (1, 2):
        life.reboot()
        life.step_until(State.APPLY_COMPLETE)
        assert [life.agent.step(life.clock.now()) for _ in range(3)][-1] is None
        assert download.swept == swept
