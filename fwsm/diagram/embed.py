"""Generated blocks in pages written by hand: what stands between two markers is ours, the rest is not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.diagram.graph import Way
from fwsm.diagram.mermaid import MARKS, outline
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from fwsm.diagram.graph import Graph

__all__ = ["CLOSING", "OPENING", "between", "embedded"]

OPENING: Final = "<!-- fwsm:diagram -->"
CLOSING: Final = "<!-- /fwsm:diagram -->"

_BELOW: Final = """\
{command}an operator's command, {restart}the process came back. Left out: what enters the same state again, and
restarts where something else leads the same way. [The whole picture]({folder}/lifecycle.svg) has them.
"""


def embedded(text: str, graph: Graph, folder: str) -> str | None:
    """The README with a fresh block.

    Args:
        text: the README as it is.
        graph: what to draw.
        folder: where the generated files are, as a link from the README.

    Returns:
        The README as it should be, or None if it has no block.

    Raises:
        ConfigError: one marker is missing, or they stand twice or in the wrong order.
    """
    below = _BELOW.format(command=MARKS[Way.COMMAND], restart=MARKS[Way.RESTART], folder=folder)
    return between(text, OPENING, CLOSING, f"```mermaid\n{outline(graph)}```\n\n{below}")


def between(text: str, opening: str, closing: str, block: str) -> str | None:
    """The text with `block` between the two markers; None if it has neither.

    Raises:
        ConfigError: one marker is missing, or they stand twice or in the wrong order.
    """
    counts = text.count(opening), text.count(closing)
    if counts == (0, 0):
        return None
    begin, end = text.find(opening), text.find(closing)
    if counts != (1, 1) or end < begin:
        raise ConfigError(
            "a page's generated block is broken",
            why=f"{opening} stands there {counts[0]} times, {closing} {counts[1]} times",
            fix=f"Keep one {opening} and after it one {closing}",
        )
    return f"{text[:begin]}{opening}\n{block}{text[end:]}"
