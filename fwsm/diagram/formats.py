"""What `fwsm diagram --format` can print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.diagram import dot, jsontext, markdown, mermaid, svg
from fwsm.diagram.overlay import PLAIN
from fwsm.diagram.palette import Theme
from fwsm.diagram.png import rendered
from fwsm.diagram.timeline import jsontext as timeline_json
from fwsm.diagram.timeline import svg as timeline_svg
from fwsm.diagram.timeline import text as timeline_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.update import State
    from fwsm.diagram.graph import Graph
    from fwsm.diagram.journey import Journey
    from fwsm.diagram.overlay import Overlay

__all__ = ["FORMATS", "PICTURES", "SUFFIXES", "TIMELINES", "lifecycle", "timeline"]

FORMATS: Final[dict[str, Callable[[Graph, Overlay], str]]] = {
    "mermaid": mermaid.full,
    "dot": dot.text,
    "svg": svg.text,
    "md": markdown.text,
    "json": jsontext.text,
}
TIMELINES: Final = ("text", "svg", "png", "json")
PICTURES: Final = ("svg", "png")
"""The formats that have a theme."""

SUFFIXES: Final = {".mmd": "mermaid", ".gv": "dot", ".dot": "dot", ".svg": "svg", ".md": "md", ".json": "json"} | {
    ".png": "png",
    ".txt": "text",
}
"""Which format a file is expected to have."""


def lifecycle(form: str, graph: Graph, overlay: Overlay = PLAIN, theme: Theme = Theme.AUTO) -> bytes:
    """The lifecycle in one format.

    Args:
        form: a key of `FORMATS`, or `png`.
        graph: what to draw.
        overlay: what to show of a device.
        theme: for which page a picture is.

    Raises:
        LifecycleError: a picture has no place for a state that only the database knows.
        ConfigError: the packages for PNG are not installed.
    """
    if form == "png":
        return rendered(svg.text(graph, overlay, _fixed(theme)))
    return (svg.text(graph, overlay, theme) if form == "svg" else FORMATS[form](graph, overlay)).encode()


def timeline(form: str, journey: Journey, order: tuple[State, ...], theme: Theme = Theme.AUTO) -> bytes:
    """A timeline in one format.

    Args:
        form: one of `TIMELINES`.
        journey: what to draw.
        order: the states of the lifecycle.
        theme: for which page a picture is.

    Raises:
        ConfigError: nothing is left of the history, or the packages for PNG are not installed.
    """
    if form == "png":
        return rendered(timeline_svg.text(journey, order, _fixed(theme)))
    if form == "svg":
        return timeline_svg.text(journey, order, theme).encode()
    return (timeline_json.text(journey) if form == "json" else timeline_text.text(journey)).encode()


def _fixed(theme: Theme) -> Theme:
    """A page that does not depend on the reader's system."""
    return Theme.LIGHT if theme is Theme.AUTO else theme
