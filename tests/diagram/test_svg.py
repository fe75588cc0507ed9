from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.diagram.graph import Graph, Way, guards_of, sentence_of, way_of
from fwsm.diagram.overlay import PLAIN, Overlay
from fwsm.diagram.palette import Theme
from fwsm.diagram.svg import text
from tests.diagram.extended import THREE
from tests.diagram.journeys import GOOD, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey

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


# -- of a device -------------------------------------------------------------------------------------------------------


def _drawn(
    journey: Journey, graph: Graph | None = None, *, current: bool = True, history: bool = True
) -> dict[str, ET.Element]:
    overlay = Overlay.of(journey, current=current, history=history)
    root = ET.fromstring(text(graph or GRAPH, overlay))
    return {group.get("id") or str(number): group for number, group in enumerate(root.iter()) if group.get("class")}


def test_the_state_of_an_update_is_lit() -> None:
    """One that goes on is filled as well; one that has settled keeps the colour of its end."""
    going = _drawn(told(*GOOD[:3], now_s=9), history=False)
    assert going["state-downloading"].get("class") == "state here open"
    assert going["state-waiting"].get("class") == "state"
    assert _drawn(told(*GOOD))["state-applyComplete"].get("class") == "state good here"


def test_what_was_done_stands_in_the_states() -> None:
    """And what was never reached stands back."""
    drawn = _drawn(told(*GOOD), current=False)
    assert _words(drawn["state-downloading"]) == ["downloading", "1\N{MULTIPLICATION SIGN} 19 s", "2 tries, 1 restart"]
    assert drawn["state-downloadFailed"].get("class") == "state bad missed"
    assert drawn["edge-waiting-downloading"].get("class") == "edge taken"
    assert drawn["edge-waiting-downloadFailed"].get("class") == "edge missed"


def test_every_edge_that_was_taken_has_its_count() -> None:
    """In the colour of its way."""
    overlay = Overlay.of(told(*GOOD), current=False, history=True)
    root = ET.fromstring(text(GRAPH, overlay))
    pills = [group for group in root.iter(f"{SVG}g") if (group.get("class") or "").startswith("pill")]
    taken = [edge for edge in GRAPH.edges if overlay.taken(edge)]
    assert [_words(pill) for pill in pills] == [[overlay.taken(edge)] for edge in taken]
    assert [pill.get("class") for pill in pills] == [f"pill {edge.way}" for edge in taken]


def test_a_picture_of_a_device_says_whose_it_is() -> None:
    """Above everything else, on a strip of its own."""
    overlay = Overlay.of(told(*GOOD, version="<2> & more"), current=True, history=True)
    root = ET.fromstring(text(GRAPH, overlay))
    assert root.get("viewBox") == "0 -80 1200 1136"
    assert overlay.caption in _words(root)
    assert root.findtext(f"{SVG}title") == overlay.caption
    assert "The update stands in applyComplete." in (root.findtext(f"{SVG}desc") or "")


def test_a_theme_can_be_fixed() -> None:
    """For programs that know no media rules."""
    assert "prefers-color-scheme" not in text(GRAPH, PLAIN, Theme.DARK)
    assert "#0d1117" in text(GRAPH, PLAIN, Theme.DARK)
    assert "#0d1117" not in text(GRAPH, PLAIN, Theme.LIGHT)


def test_an_extended_lifecycle_has_its_steps() -> None:
    """States and edges with a group of their own each, like the built-in ones."""
    drawn = _drawn(told(*GOOD), Graph.of(THREE))
    assert {"state-applying.backingUp", "edge-applying.backingUp-applying.rollingBack"} <= set(drawn)
    assert {f"state-{state}" for state in THREE.states} <= set(drawn)


def test_an_update_of_an_extended_lifecycle_is_shown_on_it() -> None:
    """The step in which it stands is lit, with what was spent there, and the edges that were taken are counted."""
    journey = told(*GOOD[:5], (20.1, Trigger.POLICY_ALLOWED, "applying.backingUp"), now_s=50)
    graph = Graph.of(THREE)
    drawn = _drawn(journey, graph.including(journey))
    step = drawn["state-applying.backingUp"]
    assert "here open" in (step.get("class") or "")
    assert [word.text for word in step.iter(f"{SVG}text")][1:] == ["1\N{MULTIPLICATION SIGN} 30 s"]
    assert "taken" in (drawn["edge-downloadComplete-applying.backingUp"].get("class") or "")
    assert "missed" in (drawn["edge-applying.backingUp-applying.installing"].get("class") or "")


@settings(max_examples=25)
@given(journeys())
def test_any_journey_can_be_drawn(journey: Journey) -> None:
    """Whatever names it has, it is one well-formed picture in which each state stands once."""
    drawn = _drawn(journey)
    assert {f"state-{state}" for state in State} <= set(drawn)
    lit = [group for group in drawn.values() if "here" in (group.get("class") or "").split()]
    assert len(lit) == 1
