"""The diagram's block in a README: all that stands between its two markers is ours, the rest is not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.diagram.graph import Way
from fwsm.diagram.mermaid import MARKS, outline
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from fwsm.diagram.graph import Graph

__all__ = ["CLOSING", "OPENING", "embedded"]

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
    counts = text.count(OPENING), text.count(CLOSING)
    if counts == (0, 0):
        return None
    opening, closing = text.find(OPENING), text.find(CLOSING)
    if counts != (1, 1) or closing < opening:
        raise ConfigError(
            "the README's diagram block is broken",
            why=f"{OPENING} stands there {counts[0]} times, {CLOSING} {counts[1]} times",
            fix=f"Keep one {OPENING} and after it one {CLOSING}",
        )
    below = _BELOW.format(command=MARKS[Way.COMMAND], restart=MARKS[Way.RESTART], folder=folder)
    block = f"{OPENING}\n```mermaid\n{outline(graph)}```\n\n{below}"
    return text[:opening] + block + text[closing:]
