"""What `fwsm diagram --format` can print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.diagram import dot, jsontext, markdown, mermaid, svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.diagram.graph import Graph

__all__ = ["FORMATS"]

FORMATS: Final[dict[str, Callable[[Graph], str]]] = {
    "mermaid": mermaid.full,
    "dot": dot.text,
    "svg": svg.text,
    "md": markdown.text,
    "json": jsontext.text,
}
