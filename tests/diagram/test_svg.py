from __future__ import annotations

from xml.etree import ElementTree as ET

from fwsm.core.lifecycle import Lifecycle
from fwsm.core.update import State
from fwsm.diagram.graph import Graph, Way, guards_of, sentence_of, way_of
from fwsm.diagram.svg import text

GRAPH = Graph.of(Lifecycle())
TEXT = text(GRAPH)
ROOT = ET.fromstring(TEXT)
SVG = "{http://www.w3.org/2000/svg}"
GROUPS = {group.get("id"): group for group in ROOT.iter(f"{SVG}g") if group.get("id")}


def _words(group: ET.Element) -> list[str]:
    return [(word.text or "") for word in group.iter(f"{SVG}text")]


def test_picture_is_described_for_those_who_do_not_see_it() -> None:
    """The root is an image with a title and a description that says every row."""
    assert ROOT.get("role") == "img"
    title, description = ROOT.find(f"{SVG}title"), ROOT.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert ROOT.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    said = description.text or ""
    assert all(sentence_of(row) in said for row in GRAPH.rows if row.target)


def test_every_state_is_a_group_with_its_id_and_title() -> None:
    """A program can find `state-applying.installing` and light it."""
    for state in State:
        group = GROUPS[f"state-{state}"]
        assert group.findtext(f"{SVG}title") == state.value
        assert _words(group) == [state.substatus or state.status]
    assert GROUPS["state-applying"].findtext(f"{SVG}title") == "applying"


def test_every_row_stands_at_its_edge() -> None:
    """Each edge says its triggers and guards, in order, and carries them as its title."""
    for edge in GRAPH.edges:
        group = GROUPS[f"edge-{edge.source}-{edge.target}"]
        said = " ".join(_words(group)).replace("  ", " ")
        assert said == " ".join(sentence_of(row) for row in edge.rows)
        title = ", ".join(sentence_of(row) for row in edge.rows)
        assert group.findtext(f"{SVG}title") == f"{edge.source} → {edge.target}: {title}"


def test_restarts_and_commands_look_different() -> None:
    """The line has the style of its edge's way; a restart or command on it has a sign."""
    for edge in GRAPH.edges:
        group = GROUPS[f"edge-{edge.source}-{edge.target}"]
        line = group.find(f"{SVG}path")
        assert line is not None
        assert line.get("class") == f"line {edge.way}"
        signs = [sign.get("class") for sign in group.iter(f"{SVG}g") if (sign.get("class") or "").startswith("sign")]
        ways = [way_of(row.trigger) for row in edge.rows]
        assert signs == [f"sign {way}" for way in ways if way is not Way.FACT]


def test_guards_are_in_smaller_type() -> None:
    """As many lines are guards as the rows have."""
    guards = [word for word in ROOT.iter(f"{SVG}text") if (word.get("class") or "").startswith("guard")]
    assert len(guards) == sum(len(guards_of(row)) for row in GRAPH.rows)


def test_ids_are_unique() -> None:
    """No id stands twice, and each reference has its target."""
    ids = [element.get("id") for element in ROOT.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for path in ROOT.iter(f"{SVG}path"):
        head = path.get("marker-end")
        assert head is None or head.removeprefix("url(#").removesuffix(")") in ids


def test_picture_stands_alone() -> None:
    """It runs no script and fetches nothing."""
    assert not list(ROOT.iter(f"{SVG}script"))
    assert "href" not in TEXT
    assert "@import" not in TEXT
    assert "prefers-color-scheme:dark" in TEXT
