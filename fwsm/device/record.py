"""The newest update as it stands on disk, and the only way to change it.

Whatever changes it goes through the table or through the store's door for new updates. Both commit first; then the
reporter is rung, and then the hooks are called. What raises before the commit has changed nothing.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.twin import progress_patch, wrapped
from fwsm.device.hooks import Entered
from fwsm.store.store import ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment
    from fwsm.core.update import Limits, Progress, Update
    from fwsm.device.hooks import Hooks
    from fwsm.device.outcome import Fact
    from fwsm.device.reporter import Reporter
    from fwsm.store import Store

__all__ = ["Record"]

_log = logging.getLogger(__name__)


class Record:
    """What the agent knows of its update. For one thread, except where it says otherwise.

    Args:
        store: the database.
        reporter: what tells the hub.
        hooks: told after each commit, and of progress.
        limits: where the table breaks loops.

    Attributes:
        update: the newest update as it stands on disk; None on a device that never had one. May be read by any thread.
    """

    def __init__(self, store: Store, reporter: Reporter, hooks: Hooks, limits: Limits) -> None:
        self._store = store
        self._reporter = reporter
        self._hooks = hooks
        self._lifecycle = Lifecycle([self._commit, self._tell_reporter, self._tell_entry], limits)
        # What is stored in the same transaction as the entry under way.
        self._replacement: Update | None = None
        self._acknowledging: Acknowledgement | None = None
        self._changing = threading.Lock()  # held while the record changes
        self.update = store.latest()

    def fire(self, update: Update, fact: Fact, now: Moment, *, acknowledging: Acknowledgement | None = None) -> Update:
        """Take the row of the table that fits, and keep what comes of it.

        Args:
            update: the record.
            fact: what is known.
            now: the moment.
            acknowledging: what is said of the desired property with it.

        Raises:
            LifecycleError: the state does not know this trigger; nothing has changed.
            StoreError: nothing has changed.
        """
        with self._changing, self._along(acknowledging=acknowledging):
            self.update = after = self._lifecycle.fire(update, fact.trigger, Facts(now=now, **fact.known))
            self._reporter.forget_progress()
        return after

    def accept(self, new: Update, now: Moment, *, acknowledging: Acknowledgement | None = None) -> None:
        """Take a new update; one that is not settled is superseded in the same transaction.

        Args:
            new: the update.
            now: the moment.
            acknowledging: what is said of the desired property with it.

        Raises:
            LifecycleError: it is too late to supersede; nothing has changed.
            StoreError: nothing has changed.
        """
        with self._changing, self._along(replacement=new, acknowledging=acknowledging):
            if self.update is None or self.update.state.settled:
                self._store.accept(new, now, acknowledging=acknowledging)
            else:
                self._lifecycle.fire(self.update, Trigger.SUPERSEDED, Facts(now=now))
            self.update = new
            self._reporter.forget_progress()
        self._reporter.ring()
        self._tell_hooks(Entered(new, None, ACCEPTED))

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep what was done about the desired property where that changed no update.

        Raises:
            StoreError: nothing has changed.
        """
        self._store.acknowledge(acknowledgement, now)
        self._reporter.ring()

    def acknowledged(self) -> Acknowledgement | None:
        """What was last done about the desired property; None if nothing ever was."""
        return self._store.acknowledged()

    def note_progress(self, update: Update, progress: Progress) -> None:
        """Show how far a download is; from any thread.

        What a job that was told to end still notes is dropped, so that it cannot follow what came after it.
        """
        if not self._changing.acquire(blocking=False):
            return  # the next one is as good
        try:
            if update is not self.update:
                return
            self._reporter.note_progress(wrapped(progress_patch(progress)))
        finally:
            self._changing.release()
        self._hooks.progressed(update, progress)

    def keep_incidents(self, now: Moment) -> None:
        """Keep on disk which hooks have failed.

        Raises:
            StoreError: it could not be kept, and is lost.
        """
        for failure in self._hooks.failures():
            message = f"{failure.hook} raised {type(failure.error).__name__}: {failure.error}"
            self._store.note("hookFailed", message, now, failure.update_id)

    @contextmanager
    def _along(
        self, *, replacement: Update | None = None, acknowledging: Acknowledgement | None = None
    ) -> Iterator[None]:
        self._replacement, self._acknowledging = replacement, acknowledging
        try:
            yield
        finally:
            self._replacement = self._acknowledging = None

    # -- entry callbacks, in this order ------------------------------------------------------------------------------

    def _commit(self, entry: Entry) -> None:
        if self._replacement is None:
            self._store.advance(entry, acknowledging=self._acknowledging)
        else:
            new, now = self._replacement, entry.facts.now
            self._store.accept(new, now, superseding=entry, acknowledging=self._acknowledging)

    def _tell_reporter(self, _entry: Entry) -> None:
        self._reporter.ring()

    def _tell_entry(self, entry: Entry) -> None:
        self._tell_hooks(Entered(entry.after, entry.before, entry.row.trigger.value))

    def _tell_hooks(self, entered: Entered) -> None:
        _log.info("update %s: %s", entered.update.id, entered.update.state)
        self._hooks.entered(entered)
