from __future__ import annotations

import pytest

from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.embed import CLOSING, OPENING, embedded
from fwsm.diagram.graph import Graph
from fwsm.diagram.mermaid import outline
from fwsm.errors import ConfigError

GRAPH = Graph.of(Lifecycle())


def test_block_shows_the_outline_and_links_the_rest() -> None:
    """Between the markers stands a Mermaid fence, and below it a link into the folder."""
    text = embedded(f"before\n{OPENING}\nold\n{CLOSING}\nafter\n", GRAPH, "pictures")
    assert text is not None
    assert text.startswith(f"before\n{OPENING}\n```mermaid\n---\ntitle: ")
    assert text.endswith(f"{CLOSING}\nafter\n")
    assert f"```mermaid\n{outline(GRAPH)}```\n" in text
    assert "(pictures/lifecycle.svg)" in text
    assert "old" not in text


def test_fresh_block_stays_as_it_is() -> None:
    """Embedding twice is the same as embedding once."""
    once = embedded(f"{OPENING}{CLOSING}", GRAPH, "diagrams")
    assert once is not None
    assert embedded(once, GRAPH, "diagrams") == once


def test_readme_without_a_block_is_left_alone() -> None:
    """No markers, nothing to do."""
    assert embedded("# Something else\n", GRAPH, "diagrams") is None


@pytest.mark.parametrize(
    "text", [OPENING, CLOSING, f"{CLOSING}{OPENING}", f"{OPENING}{OPENING}{CLOSING}", f"{OPENING}{CLOSING}{CLOSING}"]
)
def test_broken_block_is_refused(text: str) -> None:
    """A marker that is missing, doubled or in the wrong place is named instead of guessed around."""
    with pytest.raises(ConfigError, match="block is broken"):
        embedded(text, GRAPH, "diagrams")
