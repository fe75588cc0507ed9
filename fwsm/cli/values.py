"""Kinds of values that click does not have: what is typed is checked as strictly as what stands in a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Directory", "Seconds", "Text"]

_LONGEST_S: Final = 366 * 24 * 3600.0


class Seconds(click.FloatRange):
    """A number of seconds, at most a year; what float() also takes, nan and infinity, is none.

    Args:
        least: the smallest that will do.
    """

    name = "seconds"

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=_LONGEST_S)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as float."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):  # it is neither too small nor too large
            self.fail("nan is not a number of seconds.", param, ctx)
        return number


class Directory(click.Path):
    """The path of a directory, which need not be there. An empty text is none: it would be the working directory.

    Args:
        resolve: whether to return it absolute.
    """

    name = "directory"

    def __init__(self, *, resolve: bool = False) -> None:
        super().__init__(file_okay=False, resolve_path=resolve, path_type=Path)

    def convert(self, value: str | PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as a Path."""
        if value == "":
            self.fail("it is empty; the working directory is written as a dot.", param, ctx)
        return super().convert(value, param, ctx)


class Text(click.types.StringParamType):
    """A text; the bytes that a command line may hold beside texts are none, and no database or hub takes them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as str."""
        text = super().convert(value, param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("there are bytes in it that are not UTF-8.", param, ctx)
        return text
