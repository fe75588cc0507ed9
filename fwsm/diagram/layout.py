"""The picture of one graph: where its states stand, how its edges run, and where their labels stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fwsm.diagram.applying import inside_applying
from fwsm.diagram.placement import Placement
from fwsm.diagram.room import room_for
from fwsm.diagram.routes import around_applying
from fwsm.errors import LifecycleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.core.update import State
    from fwsm.diagram.graph import Edge, Graph
    from fwsm.diagram.lines import Route

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture that has a place for everything in its graph.

    Attributes:
        placed: where the states stand.
        routes: how the edges run, by the states that they connect.
    """

    placed: Placement
    routes: Mapping[tuple[State, State], Route]

    @classmethod
    def of(cls, graph: Graph) -> Layout:
        """The layout of the built-in or an extended lifecycle: stretched until every label has room.

        Raises:
            LifecycleError: the graph has a state or an edge that has no place in the picture.
        """
        layout = cls._of(Placement.of(graph))
        for edge in graph.edges:
            layout.route_of(edge)
        room = room_for(graph.edges, layout.placed, layout.routes)
        return cls._of(Placement.of(graph, room))

    @classmethod
    def _of(cls, placed: Placement) -> Layout:
        return cls(placed, {**around_applying(placed), **inside_applying(placed)})

    def route_of(self, edge: Edge) -> Route:
        """The route of an edge.

        Raises:
            LifecycleError: the table has an edge that nobody has placed yet.
        """
        try:
            return self.routes[edge.source, edge.target]
        except KeyError:
            raise LifecycleError(
                f"the picture has no place for the edge from '{edge.source}' to '{edge.target}'",
                why="edges are placed by hand",
                fix="Choose the format mermaid or dot; one of the table's own belongs into fwsm/diagram/routes.py",
            ) from None
