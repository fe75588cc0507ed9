"""Does the new firmware work? Checks that must hold before it is confirmed.

A check is any callable that takes the update and raises HealthError. `command_check` makes one out of a program, which
is not trusted to end, to be quiet, or to clean up: it has a time limit, only the end of its output is kept, and
nothing of its process group outlives it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Update
from fwsm.errors import ConfigError, HealthError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HealthCheck", "command_check"]

HealthCheck = Callable[[Update], None]
"""Returns if all is well, and raises HealthError if not. It has to end: nobody can end it from outside."""

OUTPUT_BYTES: Final = 10 * 1024
_READ_BYTES: Final = 64 * 1024  # what a pipe holds
_KEPT_BACK: Final = {"FWSM_CONNECTION_STRING"}  # holds the device's key
_LINE_CHARACTERS: Final = 200  # of the last line of output; it goes to the twin, which has little room
_FIX: Final = "Run the command on the device to see what it says"


def command_check(argv: Sequence[str], timeout_s: float, *, grace_s: float = 2.0) -> HealthCheck:
    """A check that runs a program; exit status 0 means healthy.

    The program gets FWSM_UPDATE_ID, FWSM_SLOT and FWSM_VERSION (empty if not known) in its environment, and the rest
    of ours without the device's key. There is no shell in between.

    Args:
        argv: program and arguments.
        timeout_s: how long a run may take.
        grace_s: how long it has from SIGTERM to SIGKILL then; the default lets a shell run its trap.

    Raises:
        ConfigError: there is no program, or no time for it.
    """
    if not argv or not argv[0]:
        raise ConfigError("the health command is empty", fix="Name a program, or leave the setting out")
    if timeout_s <= 0:
        raise ConfigError(f"the health command has {timeout_s} s", fix="Give it more than 0 seconds")
    command = tuple(argv)

    def check(update: Update) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in _KEPT_BACK} | {
            "FWSM_UPDATE_ID": update.id,
            "FWSM_SLOT": update.target_slot or "",
            "FWSM_VERSION": update.request.version or "",
        }
        try:
            run = _Run(command, environment)
        except OSError as error:
            raise HealthError(
                f"the health command {command[0]} cannot be started",
                why=error.strerror or str(error),
                fix="Check the setting health_command and that the new firmware has the program",
            ) from error
        _judge(run, command[0], timeout_s, grace_s)

    return check


def _judge(run: _Run, program: str, timeout_s: float, grace_s: float) -> None:
    try:
        in_time = run.wait(timeout_s)
    finally:
        status = run.end(grace_s)
    if not in_time:
        why = f"it did not end within {timeout_s:g} s"
    elif status < 0:
        why = f"it was killed by {_signal_name(-status)}"
    elif status > 0:
        why = f"it ended with status {status}"
    else:
        return
    line = run.last_line()
    why += f"; its last words: {line}" if line else ""
    raise HealthError(f"the health command {program} failed", why=why, fix=_FIX)


class _Run:
    """One run of a program, in a process group of its own.

    A process that has ended stays a zombie until `end` has killed its group, so the group's number cannot have been
    given to somebody else by then.
    """

    def __init__(self, argv: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # the device's own configuration names it
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._tail = b""
        try:
            self._ended = os.pidfd_open(self._process.pid)
        except OSError:  # a kernel before Linux 5.3, or no descriptor left
            self._process.kill()
            self._process.communicate()
            raise

    def wait(self, timeout_s: float) -> bool:
        """Read output until the program has ended; False if that took longer.

        Its end is what counts and not that of its output, which a child of it may hold open for ever.
        """
        # A child process lives in real time, whatever clock the agent was given.
        deadline_s = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._ended, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while (left_s := deadline_s - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left_s)}
                if self._output in ready and not self._read():
                    selector.unregister(self._output)
                if self._ended in ready:
                    return True
        return False

    def end(self, grace_s: float) -> int:
        """End the program if it still runs, and its children; its exit status, or the negative signal."""
        if not self._has_ended():
            self._signal(signal.SIGTERM)
            self.wait(grace_s)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._read()  # once takes all that a pipe holds; a child that got away could go on writing for ever
        os.close(self._ended)
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        self._process.stdout.close()
        return self._process.returncode

    def last_line(self) -> str:
        """The last line of output that says something, fit to be shown."""
        lines = self._tail.decode("utf-8", "replace").split("\n")
        shown = ("".join(c if c.isprintable() else " " for c in line).strip() for line in reversed(lines))
        return next((line[:_LINE_CHARACTERS] for line in shown if line), "")

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PIDFD, self._ended, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal(self, number: signal.Signals) -> None:
        # The group lives as long as its leader is not waited for, so this cannot hit anybody else.
        os.killpg(self._process.pid, number)

    def _read(self) -> bool:
        """Take what output there is at the moment; False at its end."""
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return True
        self._tail = (self._tail + data)[-OUTPUT_BYTES:]
        return bool(data)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
