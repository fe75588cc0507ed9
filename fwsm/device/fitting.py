"""Whether the parts and numbers that a program hands over can be what they are taken for.

A type checker says so before the program runs. Who has none is told when the device is made, and not by a traceback
from a thread in the middle of the first update.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeGuard

from fwsm.core.update import State
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "is_number",
    "is_promise",
    "let_go",
    "require_call",
    "require_calls",
    "require_directory",
    "require_done",
    "require_kind",
    "require_part",
    "require_seconds",
    "require_states",
]


def require_part(name: str, part: object, protocol: type, *, like: str | None = None) -> None:
    """Whether an object has what a protocol promises.

    Args:
        name: what it is taken for.
        part: the object.
        protocol: what it must have.
        like: where a program finds the protocol; None for among the names of `fwsm`.

    Raises:
        ConfigError: it lacks something, or it is a class instead of one of its objects.
    """
    missing = [promised for promised in _promised(protocol) if not hasattr(part, promised)]
    if isinstance(part, type):
        why = f"{part.__name__} is a class, and one of its objects is wanted"
    elif missing:
        why = f"{type(part).__name__} has no {', '.join(missing)}"
    else:
        return
    wanted = like or f"fwsm.{protocol.__name__}"
    raise ConfigError(f"the {name} cannot be used", why=why, fix=f"Give an object that is made like {wanted}")


def require_directory(name: str, found: object) -> Path:
    """Return the absolute path of a directory, for the program may move; whether it is there does not matter.

    Raises:
        ConfigError: it is no path, or an empty one, which would be wherever the program happens to be started.
    """
    path = os.fspath(found) if isinstance(found, str | os.PathLike) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise ConfigError(
            f"{name} is {found!r}", why="it must be the path of a directory", fix="Give one, such as /var/lib/meter"
        )
    return Path(path).absolute()


def require_call(name: str, found: object) -> None:
    """Whether it can be called and has done its work when the call returns.

    Raises:
        ConfigError: it cannot be called, or calling it would only make a coroutine or a generator that nobody runs.
    """
    if not callable(found):
        raise ConfigError(
            f"{found!r} cannot be {name}", why="it cannot be called", fix="Give a function, or another callable"
        )
    called: object = found
    while isinstance(called, functools.partial):
        called = called.func
    for kind, is_one in _LATER.items():
        if is_one(called) or is_one(type(called).__call__):
            raise ConfigError(
                f"{getattr(found, '__qualname__', found)} cannot be {name}",
                why=f"it is a {kind} function, and no event loop runs in the device's threads",
                fix="Give a plain function; from it, loop.call_soon_threadsafe reaches a loop of yours",
            )


def require_calls(name: str, found: object) -> None:
    """Whether it is a list, or something like it, of what can be called.

    Raises:
        ConfigError: it is not, or one of them cannot be called.
    """
    if not isinstance(found, Sequence):
        raise ConfigError(f"{name} is {found!r}", why="it must be a list of functions", fix="Put them into a list")
    for each in found:
        require_call(f"one of {name}", each)


def require_kind(name: str, found: object, *kinds: type) -> None:
    """Whether it is an object of one of these classes.

    Raises:
        ConfigError: it is of another one.
    """
    if not isinstance(found, kinds):
        wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigError(f"{name} is {found!r}", why=f"it must be {wanted}", fix="Change it, or leave it out")


# What a call only begins.
_LATER: Final[dict[str, Callable[[object], bool]]] = {
    "coroutine": inspect.iscoroutinefunction,
    "generator": inspect.isgeneratorfunction,
    "async generator": inspect.isasyncgenfunction,
}


def is_promise(result: object) -> bool:
    """Whether it is work that somebody else would have to do: a coroutine, whatever can be awaited, or a generator."""
    return inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result)


def let_go(result: object) -> None:
    """Drop it; of a coroutine Python would say, some time later, that it was never awaited."""
    if inspect.iscoroutine(result):
        result.close()


def require_done(result: object) -> None:
    """Whether a call has done its work, now that it has returned: what only makes a coroutine looks like any function.

    Raises:
        TypeError: it has returned a promise that nobody here keeps.
    """
    if is_promise(result):
        let_go(result)
        raise TypeError(f"it returned a {type(result).__name__}, and no event loop runs in the device's threads")


def require_states(states: Iterable[object]) -> None:
    """Whether all are states.

    Raises:
        ConfigError: one is not; a decorator without its parentheses is told apart.
    """
    for state in states:
        if not isinstance(state, State):
            raise ConfigError(
                f"{state!r} is no state",
                why="a hook is told of states, or of all if none is named",
                fix="Write @device.on_enter() for all" if callable(state) else "Name members of fwsm.State",
            )


def require_seconds(name: str, value: object, *, least_s: float = 0.0, above: bool = False) -> None:
    """Whether it is a number of seconds, from `least_s` on or above it.

    Raises:
        ConfigError: it is not.
    """
    if is_number(value) and (value > least_s if above else value >= least_s):
        return
    raise ConfigError(
        f"{name} is {value!r}",
        why=f"it must be a number of seconds {'above' if above else 'from'} {least_s:g}{'' if above else ' on'}",
        fix="Change it, or leave it out",
    )


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number that has an end and that a float can hold; True and False are none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _promised(protocol: type) -> list[str]:
    """The names of a protocol's methods and attributes."""
    names = (*inspect.get_annotations(protocol), *vars(protocol))
    return [name for name in names if not name.startswith("_")]
