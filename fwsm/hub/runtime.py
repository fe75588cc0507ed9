"""One running hub: its rooms, doors, thread and directory, brought up in order and taken down in reverse."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

from fwsm.hub.backstage import Backstage
from fwsm.hub.certificates import Authority, server_file
from fwsm.hub.diskstate import DiskState
from fwsm.hub.doors import Doors, bind_all
from fwsm.hub.engine import Engine
from fwsm.hub.home import Home
from fwsm.hub.loopthread import LoopThread
from fwsm.hub.state import EphemeralState
from fwsm.hub.tls import tls_context
from fwsm.hub.turn import Turn
from fwsm.hub.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from fwsm.hub.reach import Ports
    from fwsm.hub.state import State

__all__ = ["Runtime"]

_T = TypeVar("_T")


class Runtime:
    """A hub from its start to its stop.

    Args:
        address: the IP address of all doors.
        ports: of the doors.
        state_path: the directory of a hub that remembers; None for one that forgets.
        wall: the time in epoch seconds.

    Raises:
        PortInUseError: another process listens on one of the ports.
        HubError: another hub runs on the directory, or what is in it cannot be used.

    Attributes:
        home: the hub's directory.
        ca_path: the certificate that clients are to trust.
        engine: what the hub knows; to be changed in its thread only (`decide`).
        watch: its events, for other threads.
        turn: holds answers back until they are durable.
    """

    def __init__(self, address: str, ports: Ports, state_path: Path | None, wall: Callable[[], float]) -> None:
        self._address = address
        self._ports = ports
        with contextlib.ExitStack() as undo:
            self.home = Home(state_path)
            undo.callback(self.home.close)
            state: State = EphemeralState() if self.home.ephemeral else DiskState(self.home.path / "hub.db")
            undo.callback(state.close)
            authority = Authority.kept_in(self.home)
            self.ca_path = authority.path
            context = tls_context(server_file(authority, address, self.home))
            sockets = bind_all(address, ports.listening())
            for listening in sockets:
                undo.callback(listening.close)
            self.engine = Engine(state, wall, time.monotonic)
            self.watch = Watch(self.engine.events)
            state.commit()
            self._thread = LoopThread(f"fwsm-hub-{address}")
            undo.callback(self._thread.stop)
            self.turn = Turn(state, self._thread.loop)
            self.engine.feed.show_behind(self.turn)
            self._doors = Doors(self.engine, self.turn, context, ports)
            undo.callback(self.close_doors)
            undo.callback(lambda: self._thread.run(self.engine.feed.end()))  # while readers can still be told
            self._thread.run(self._doors.open(sockets))
            self._thread.run(Backstage(self.engine, self.turn).start())
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Cut off everyone, and give ports, thread and directory back."""
        self._undo.close()

    def at_stop(self, callback: Callable[[], None]) -> None:
        """Call `callback` at the beginning of `stop`, while the thread still runs."""
        self._undo.callback(callback)

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the hub's thread and return its result."""
        return self._thread.run(work)

    def decide(self, function: Callable[..., _T], *args: Any, **options: Any) -> _T:
        """Call `function` in the hub's thread and return its result once what it changed is durable."""

        async def work() -> _T:
            result = function(*args, **options)
            await self.turn.committed()
            return result

        return self.run(work())

    def close_doors(self) -> None:
        """Stop listening and cut off everyone; the hub itself goes on."""
        self._thread.run(self._doors.close())

    def open_doors(self) -> None:
        """Listen again; raises PortInUseError when another process has taken a port meanwhile."""
        self._thread.run(self._doors.open(bind_all(self._address, self._ports.listening())))
