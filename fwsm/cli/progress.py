"""One progress bar that never runs backwards.

A download that starts again, or an update that rolls back, is told in the label; the bar stays where it was.
"""

from __future__ import annotations

import abc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Bar", "LineBar", "RichBar", "SilentBar"]

_LINE_EVERY_PERCENT: Final = 10


class Bar(abc.ABC):
    """What has been reached of 100 percent. A context manager; nothing stays on the screen after it."""

    def __init__(self) -> None:
        self._reached = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, percent: int, label: str) -> None:
        """Show where things stand; less than was shown before counts as what was shown before."""
        self._reached = min(max(self._reached, percent), 100)
        self._draw(self._reached, label)

    def close(self) -> None:  # noqa: B027 - most bars leave nothing to clear away
        """Clear the bar away."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Out of the way while something else is printed."""
        yield

    @abc.abstractmethod
    def _draw(self, percent: int, label: str) -> None: ...


class SilentBar(Bar):
    """Shows nothing."""

    def _draw(self, percent: int, label: str) -> None:
        pass


class LineBar(Bar):
    """Says a line whenever it has come ten percent further, for a log.

    Args:
        say: takes a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say
        self._said = 0

    def _draw(self, percent: int, label: str) -> None:
        if percent >= self._said + _LINE_EVERY_PERCENT:
            self._said = percent - percent % _LINE_EVERY_PERCENT
            self._say(f"{percent:3d} %  {label}")


class RichBar(Bar):
    """A live bar on a terminal, below whatever else is printed there.

    Raises:
        ModuleNotFoundError: rich is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console  # noqa: PLC0415 - optional, and slow to import
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        # click writes past rich's redirection of the standard streams, so nothing is redirected: see `aside`.
        self._progress = Progress(
            *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._task = self._progress.add_task("", total=100)
        self._progress.start()

    def close(self) -> None:
        """Clear the bar away and give the terminal back."""
        self._progress.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar off the screen, and put it below what was printed."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def _draw(self, percent: int, label: str) -> None:
        from rich.markup import escape  # noqa: PLC0415

        self._progress.update(self._task, completed=percent, description=escape(label))
