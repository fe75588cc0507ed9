"""Carries out what operators want: by direct methods, and by the desired property.

What a command comes to is decided by the table in `fwsm.core.commands`; here it is read, carried out, and answered.
The answer goes out after the commit: what was answered with 200 is on disk and will be carried out, whatever happens
to this process afterwards. A command that cannot be carried out is answered with the reason, and changes nothing.

A method's answer goes back to the caller. What came of the desired property is told on the twin, as an acknowledgement
that is committed together with what it caused. So a crash in between neither repeats nor loses it.

Everything here happens in the agent's thread.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.commands import Command, Outcome, asked_for, decide
from fwsm.core.desired import ACTED_ON, MALFORMED, NOT_NOW, Wish
from fwsm.core.request import METHOD, parse_nothing, parse_request
from fwsm.core.twin import section
from fwsm.core.update import State, Update
from fwsm.device.outcome import Fact
from fwsm.errors import FwsmError, RefusedError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.commands import Answer
    from fwsm.core.desired import Acknowledgement
    from fwsm.core.update import Request
    from fwsm.device.ports import Clock, Twin
    from fwsm.device.record import Record

__all__ = ["BUILT_IN", "Commands"]

_log = logging.getLogger(__name__)

_BAD_REQUEST: Final = 400
_UNAVAILABLE: Final = 503

# The database was lost, and the twin had the only trace of what was done.
_REMEMBERED: Final = "this was acted on before, as the twin said"

_BARE: Final = {
    f"{METHOD}Cancel": Command.CANCEL,
    f"{METHOD}Retry": Command.RETRY,
    f"{METHOD}Status": Command.STATUS,
}
BUILT_IN: Final = frozenset({METHOD, *_BARE})
"""The methods that are answered here."""


class Commands:
    """What is done with commands.

    Args:
        record: the newest update.
        clock: when it is.
        new_id: makes update ids.
        allow_http: whether `http` is good enough for `fwPackageUri`.
        ready: raises StoreError while no command can be taken.
    """

    def __init__(
        self,
        record: Record,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        allow_http: bool,
        ready: Callable[[], None],
    ) -> None:
        self._record = record
        self._clock = clock
        self._new_id = new_id
        self._allow_http = allow_http
        self._ready = ready
        self._last = record.acknowledged()
        self._wish: Wish | None = None  # what is still to be done about the desired property

    def reload(self) -> None:
        """Read again what was last done about the desired property: the database may be another one."""
        self._last = self._record.acknowledged()

    # -- direct methods ----------------------------------------------------------------------------------------------

    def answer(self, name: str, payload: Any) -> tuple[int, dict[str, Any]]:
        """Carry out one of the built-in methods, and say what came of it: status and payload.

        Args:
            name: one of BUILT_IN.
            payload: the JSON value of the call.
        """
        try:
            update = self.carry_out(name, self.asked(name, payload))
        except RequestError as error:
            return _BAD_REQUEST, _refusal(error) | {"field": error.field}
        except RefusedError as error:
            return NOT_NOW, _refusal(error)
        except FwsmError as error:
            return _UNAVAILABLE, _refusal(error)
        return ACTED_ON, _started(update) if name == METHOD and update else _shown(update)

    def asked(self, name: str, payload: Any) -> Request | None:
        """Read the payload of one of the built-in methods: what is asked for; None where nothing can be.

        This much may happen in any thread.

        Args:
            name: one of BUILT_IN.
            payload: the JSON value of the call.

        Raises:
            RequestError: the payload is malformed.
        """
        if name == METHOD:
            return parse_request(payload, allow_http=self._allow_http)
        parse_nothing(payload)
        return None

    def carry_out(self, name: str, request: Request | None) -> Update | None:
        """Carry out one of the built-in methods; returns the update that it is about, as it stands then.

        Args:
            name: one of BUILT_IN.
            request: what `asked` made of the payload.

        Raises:
            RefusedError: not in this state.
            StoreError: it could not be stored; nothing has changed.
        """
        return self._bare(_BARE[name]) if request is None else self._request(request)

    def _request(self, request: Request) -> Update | None:
        self._ready()
        command = asked_for(self._record.update, request)
        answer = self._granted(command)
        if answer.outcome is not Outcome.SAME:
            self._start(self._new_update(request), self._overtaken())
        return self._record.update

    def _bare(self, command: Command) -> Update | None:
        if command is not Command.STATUS:
            self._ready()
        answer = self._granted(command)
        if answer.outcome.trigger is not None:
            self._move(answer, self._overtaken())
        return self._record.update

    def _granted(self, command: Command) -> Answer:
        """What is to be done; raises RefusedError if nothing may be."""
        update = self._record.update
        answer = decide(update, command)
        if answer.outcome is Outcome.REFUSED:
            about = f"update {update.id} is in state '{update.state}'" if update else "this device has had no update"
            raise RefusedError(f"{command.said} is refused, because {about}", why=answer.why, fix=answer.fix)
        return answer

    # -- the desired property ----------------------------------------------------------------------------------------

    def read(self, twin: Twin) -> None:
        """Look whether the desired property says something new, and act on it.

        Raises:
            StoreError: nothing has changed; `heed` does it again.
        """
        wish, last = Wish.on(twin.desired, twin.reported), self._last
        if wish.is_late(last):
            _log.warning("desired properties of version %d are late and ignored", wish.version)
            return
        self._wish = wish if wish.is_news(last) else None
        if self._wish is None and last is None and wish.content is not None:
            self._acknowledge(wish.acknowledged(wish.told_code or ACTED_ON, _REMEMBERED))
        self.heed()

    def heed(self) -> bool:
        """Act on the desired property, if there is something to do about it; False if there was not.

        Raises:
            StoreError: nothing has changed; the next call does it again.
        """
        wish, update, last = self._wish, self._record.update, self._last
        if wish is None:
            return False
        deferred = last is not None and last.again and last.digest == wish.digest
        if deferred and update is not None and not update.state.settled:
            return False
        acknowledgement = self._act(wish)
        _log.info("desired property: %d, %s", acknowledgement.code, acknowledgement.text)
        self._wish = wish if acknowledgement.again else None
        return True

    def _act(self, wish: Wish) -> Acknowledgement:
        if wish.content is None:
            return self._removed(wish)
        try:
            request = parse_request(wish.content, allow_http=self._allow_http)
        except RequestError as error:
            return self._acknowledge(wish.acknowledged(MALFORMED, str(error)))
        update = self._record.update
        answer = decide(update, asked_for(update, request))
        if answer.outcome is Outcome.REFUSED:
            text = f"{answer.why}; this is looked at again once the update has settled"
            return self._acknowledge(wish.acknowledged(NOT_NOW, text, again=True))
        if answer.outcome is Outcome.SAME:
            assert update is not None  # noqa: S101  # the same as which?
            return self._acknowledge(wish.acknowledged(ACTED_ON, f"this is update {update.id}, {update.state.status}"))
        new = self._new_update(request)
        acknowledgement = wish.acknowledged(ACTED_ON, f"update {new.id} was started")
        self._start(new, acknowledgement)
        return acknowledgement

    def _removed(self, wish: Wish) -> Acknowledgement:
        answer = decide(self._record.update, Command.DESIRED_REMOVED)
        acknowledgement = wish.acknowledged(ACTED_ON, answer.outcome.value)
        if answer.outcome.trigger is None:
            return self._acknowledge(acknowledgement)
        self._move(answer, acknowledgement)
        return acknowledgement

    def _acknowledge(self, acknowledgement: Acknowledgement) -> Acknowledgement:
        self._record.acknowledge(acknowledgement, self._clock.now())
        self._last = acknowledgement
        return acknowledgement

    def _overtaken(self) -> Acknowledgement | None:
        """What is to be said of a desired property that waits, as a method is carried out: the newest word counts."""
        waits = self._wish.acknowledged(NOT_NOW, "") if self._wish else self._last
        return waits.overtaken() if waits is not None and (self._wish or waits.again) else None

    # -- what both do ------------------------------------------------------------------------------------------------

    def _new_update(self, request: Request) -> Update:
        now = self._clock.now()
        return Update(
            id=self._new_id(),
            request=request,
            state=State.WAITING,
            boot_id=now.boot_id,
            started_waiting_at=now.wall,
        )

    def _start(self, new: Update, acknowledging: Acknowledgement | None) -> None:
        self._record.accept(new, self._clock.now(), acknowledging=acknowledging)
        self._done(acknowledging)

    def _move(self, answer: Answer, acknowledging: Acknowledgement | None) -> None:
        update, trigger = self._record.update, answer.outcome.trigger
        assert update is not None  # noqa: S101  # what moves is there
        assert trigger is not None  # noqa: S101  # the caller looked
        self._record.fire(update, Fact(trigger), self._clock.now(), acknowledging=acknowledging)
        self._done(acknowledging)

    def _done(self, acknowledging: Acknowledgement | None) -> None:
        if acknowledging is not None:
            self._last, self._wish = acknowledging, None


def _started(update: Update) -> dict[str, Any]:
    verb = update.state.status if update.state.settled else "started"
    return {"message": f"FirmwareUpdate {verb}", "updateId": update.id}


def _shown(update: Update | None) -> dict[str, Any]:
    if update is None:
        return {"message": "this device has had no update yet"}
    shown = {key: value for key, value in section(update).items() if value is not None}
    return {"message": f"FirmwareUpdate {update.state.status}", **shown}


def _refusal(error: FwsmError) -> dict[str, Any]:
    return {"message": str(error), "code": error.code, "reason": error.why or error.what, "fix": error.fix}
