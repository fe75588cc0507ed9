"""What keeps the agent going when its database is not what it was.

Three things can have happened, and the device comes up with each of them:

- The database cannot be used: the disk is read-only, or full, or somebody holds a lock. Then nothing is begun or taken,
  methods are answered with the reason, and it is tried again now and then.
- It was damaged, and a new one has its place. What is known of the newest update, from memory or from the old file, is
  written into it.
- It knows of no update, but the twin does. Then the update is recalled from there and from the slots, and comes back by
  the same row of the table as after every restart. Until the twin has come, a database that has lost its content takes
  no commands; one that is simply new may take them, because whatever the installer has done it will not do again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fwsm.core.desired import Wish
from fwsm.core.moment import Deadline
from fwsm.core.recall import recall, witnessed
from fwsm.core.request import parse_request
from fwsm.core.twin import shown_uri
from fwsm.core.update import State
from fwsm.errors import RequestError, StoreRecoveringError

if TYPE_CHECKING:
    from fwsm.core.moment import Moment
    from fwsm.core.update import Request, Update
    from fwsm.device.applying import Applying
    from fwsm.device.ports import Twin
    from fwsm.device.record import Record
    from fwsm.device.work import Work
    from fwsm.store import Store

__all__ = ["Recovery"]

_log = logging.getLogger(__name__)

# How often a database that cannot be used is tried again: soon after a remount, and little wear if it breaks again.
_AGAIN_S: Final = 30.0
_SOON: Final = "Send it again in a minute"


class Recovery:
    """Brings the record back. Everything here happens in the agent's thread.

    Args:
        store: the database.
        record: the newest update.
        applying: asks the installer.
        work: knows what a process that comes back has to find out.
        allow_http: whether `http` is good enough for a request.
    """

    def __init__(self, store: Store, record: Record, applying: Applying, work: Work, *, allow_http: bool) -> None:
        self._store = store
        self._record = record
        self._applying = applying
        self._work = work
        self._allow_http = allow_http
        self._again: Deadline | None = None
        self._heard = False

    @property
    def needed(self) -> bool:
        """Whether `step` has something to do."""
        return self._store.trouble is not None or self._store.loss is not None

    def require_record(self) -> None:
        """Look whether commands can be taken.

        Raises:
            StoreRecoveringError: the hub has not said yet what it knows of the update that was lost.
            StoreError: the database cannot be used.
        """
        if self.needed:
            raise self._store.trouble or StoreRecoveringError("the device is recovering", fix=_SOON)
        if not self._heard and self._record.update is None and self._store.recovering():
            raise StoreRecoveringError(
                "the device is recovering",
                why="its database was lost, and the hub has not sent the twin yet",
                fix=_SOON,
            )

    def step(self, now: Moment) -> float:
        """Try to bring the database back.

        Returns:
            Seconds until it is to be tried again; 0 if it can be used.

        Raises:
            StoreLockedError: another agent works on this directory meanwhile.
            StoreError: nothing has changed.
        """
        if self._store.trouble is not None:
            if self._again is not None and (left_s := self._again.remaining_s(now)) > 0:
                return left_s
            self._again = Deadline.after(now, _AGAIN_S)
            self._store.reopen()
            if self._store.trouble is not None:
                _log.error("no update is taken until the database can be used: %s", self._store.trouble)
                return _AGAIN_S
        self._record.reopened(now)
        return 0.0

    def hear(self, twin: Twin, now: Moment) -> None:
        """Recall the update that the twin tells of, if the database knows of none.

        Raises:
            StoreError: nothing has changed.
        """
        update = recall(twin.reported) if self._record.update is None else None
        if update is not None:
            self._recall(update, self._whole_request(update, twin), now)
        self._heard = True

    def _recall(self, told: Update, request: Request | None, now: Moment) -> None:
        image = self._applying.image_of(told)
        update = witnessed(told, image, None)
        update = witnessed(update, image, self._applying.installed(update)["probe"])
        if request is not None:
            update = replace(update, request=request)
        known = self._work.on_restart(update) | {"request_lost": _request_lost(update, request)}
        self._record.recall(update, known, now)

    def _whole_request(self, told: Update, twin: Twin) -> Request | None:
        """The request as the desired property holds it, with its digest and the query; None if that is another one."""
        try:
            request = parse_request(Wish.on(twin.desired, twin.reported).content, allow_http=self._allow_http)
        except RequestError:
            return None
        same = (shown_uri(request.uri), request.version) == (told.request.uri, told.request.version)
        return request if same else None


def _request_lost(update: Update, request: Request | None) -> bool:
    """Whether going on would mean to load who knows what, or to install it."""
    needs_artifact = update.state is State.INSTALLING and update.artifact is None
    return needs_artifact or (update.state.interruptible and request is None)
