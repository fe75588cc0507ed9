"""The extension of the lifecycle that a program has, for commands that show the table: `--extension MODULE:NAME`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fwsm.core.lifecycle import NO_EXTENSION, Extension
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["extension_option", "imported"]

_C = TypeVar("_C", bound="Callable[..., Any]")


def extension_option(doing: str) -> Callable[[_C], _C]:
    """The option; `imported` makes an extension of what the command gets.

    Args:
        doing: what the command does with it, for the help.
    """
    return click.option(
        "--extension",
        metavar="MODULE:NAME",
        help=f"{doing} this extension; the module is imported from here or from what is installed.",
    )


def imported(name: str | None) -> Extension:
    """The extension that a program has under this name; that of the built-in lifecycle without one.

    Raises:
        ConfigError: it has none.
    """
    if name is None:
        return NO_EXTENSION
    module, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # it is somebody else's module
        raise ConfigError(
            f"the extension '{name}' cannot be imported",
            why=f"{type(error).__name__}: {error}",
            fix="Name a module and an object in it, like mydevice:extension",
        ) from error
    finally:
        sys.path.remove(str(Path.cwd()))
    if not isinstance(found, Extension):
        raise ConfigError(f"'{name}' is no extension", why=f"it is {type(found).__name__}", fix="Name a fwsm.Extension")
    return found
