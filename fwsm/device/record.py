"""The newest update as it stands on disk, and the only way to change it.

Whatever changes it goes through the table or through the store's door for new updates. Both commit first; then the
reporter is rung, and then the hooks are called. What raises before the commit has changed nothing.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.twin import progress_patch, wrapped
from fwsm.core.update import Failure
from fwsm.device.hooks import Entered
from fwsm.errors import StoreError
from fwsm.store.history import ACCEPTED
from fwsm.store.loss import LOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry, Extension, Row
    from fwsm.core.moment import Moment
    from fwsm.core.update import Limits, Progress, State, Update
    from fwsm.device.hooks import Hooks
    from fwsm.device.outcome import Fact
    from fwsm.device.reporter import Reporter
    from fwsm.errors import FwsmError
    from fwsm.store import Store

__all__ = ["Record"]

_log = logging.getLogger(__name__)

# However long it goes on, it is to push nothing else out of the incidents that are kept.
_ANEW_AFTER: Final = timedelta(days=1)


class Record:
    """What the agent knows of its update. For one thread, except where it says otherwise.

    Args:
        store: the database.
        reporter: what tells the hub.
        hooks: told after each commit, and of progress.
        limits: where the table breaks loops.
        extension: what the program adds to the lifecycle.

    Attributes:
        update: the newest update as it stands on disk; None on a device that never had one. May be read by any thread.
    """

    def __init__(self, store: Store, reporter: Reporter, hooks: Hooks, limits: Limits, extension: Extension) -> None:
        self._store = store
        self._reporter = reporter
        self._hooks = hooks
        on_entry = [self._commit, self._take_over, self._tell_reporter, self._tell_entry]
        self._lifecycle = Lifecycle(on_entry, limits, hooks.guarded(extension))
        # What is stored in the same transaction as the entry under way.
        self._replacement: Update | None = None
        self._acknowledging: Acknowledgement | None = None
        self._changing = threading.Lock()  # held while the record changes
        self._recalling = False
        # A database that cannot be used may still be read, but what comes of that need not be the newest; and in one
        # that has come in the place of another, what that held is still missing.
        usable = store.trouble is None
        self._certain = usable and store.loss is None
        self.update = store.latest() if usable else store.glimpse()

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
            after = self._lifecycle.fire(update, fact.trigger, Facts(now=now, **fact.known))
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
                self.update = new
            else:
                self._lifecycle.fire(self.update, Trigger.SUPERSEDED, Facts(now=now))
            self._reporter.forget_progress()
        self._reporter.ring()
        self._tell_hooks(Entered(new, None, ACCEPTED))

    def reopened(self, now: Moment) -> None:
        """Take up again with a database that could not be used, or with a new one that takes its place.

        Raises:
            StoreError: nothing has changed.
        """
        loss = self._store.loss
        if loss is None:
            latest = self._store.latest()
            known = self.update if self._certain and latest == self.update else latest
        else:
            known = self.update if self._certain else loss.update or self.update
            found = f"update {known.id} was kept, in state '{known.state}'" if known else "the twin may know more"
            self._store.settle_loss(now, known, f"{loss}; {found}")
            _log.warning("the database was lost; %s", found)
        with self._changing:
            self.update = known
            self._certain = True
        self._reporter.ring()

    def recall(self, update: Update, known: Mapping[str, Any], now: Moment) -> None:
        """Keep an update that only the twin knew of, as what a process that comes back makes of it.

        Args:
            update: what is known of it; nothing of it is on disk.
            known: facts for the table.
            now: the moment.

        Raises:
            StoreError: nothing has changed.
        """
        with self._changing:
            self._recalling = True
            try:
                after = self._lifecycle.fire(update, Trigger.RESTARTED, Facts(now=now, **known))
            finally:
                self._recalling = False
            if after is update:  # it has settled: there is no entry that could have kept it
                self._restore(update, now)
                self.update = after
        self._reporter.ring()

    def _restore(self, update: Update, now: Moment) -> None:
        message = f"the database knew of no update; update {update.id} was recalled from the twin"
        _log.warning("%s, in state '%s'", message, update.state)
        self._store.restore(update, now, code=LOST, message=message)

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep what was done about the desired property where that changed no update.

        Raises:
            StoreError: nothing has changed.
        """
        self._store.acknowledge(acknowledgement, now)
        self._reporter.ring()

    def acknowledged(self) -> Acknowledgement | None:
        """What was last done about the desired property; None if nothing ever was, or if that cannot be read."""
        try:
            return self._store.acknowledged()
        except StoreError as error:
            _log.warning("%s", error)
            return None

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

    def rows_from(self, state: State) -> tuple[Row, ...]:
        """The rows of the table for a state, in the order in which they are tried; from any thread."""
        return self._lifecycle.rows_from(state)

    def keep_incidents(self, now: Moment) -> None:
        """Keep on disk what has gone wrong in hooks, guards and parts.

        Raises:
            StoreError: it could not be kept, and is lost.
        """
        for mishap in self._hooks.mishaps.taken():
            self._store.note(mishap.code, mishap.message, now, mishap.update_id)

    def keep_trouble(self, error: FwsmError, now: Moment) -> None:
        """Keep on disk that something is wrong beside the update; for as long as it lasts, once a day.

        Raises:
            StoreError: it could not be kept.
        """
        failure = Failure.of(error)  # a link of the program's own may have an error class of its own
        begin = failure.message[: len(error.what)] if isinstance(error.what, str) else failure.message
        for known in self._store.incidents():
            same = known.code == failure.code and known.message.startswith(begin)
            if same and abs(now.wall - known.at) < _ANEW_AFTER:
                return
        self._store.note(failure.code, failure.message, now)

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
        if self._recalling:
            self._restore(entry.after, entry.facts.now)
        elif self._replacement is None:
            self._store.advance(entry, acknowledging=self._acknowledging)
        else:
            new, now = self._replacement, entry.facts.now
            self._store.accept(new, now, superseding=entry, acknowledging=self._acknowledging)

    def _take_over(self, entry: Entry) -> None:
        self.update = self._replacement or entry.after

    def _tell_reporter(self, _entry: Entry) -> None:
        self._reporter.ring()

    def _tell_entry(self, entry: Entry) -> None:
        self._tell_hooks(Entered(entry.after, entry.before, entry.row.trigger.value))

    def _tell_hooks(self, entered: Entered) -> None:
        _log.info("update %s: %s", entered.update.id, entered.update.state)
        self._hooks.entered(entered)
