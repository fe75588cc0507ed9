from __future__ import annotations

import re

from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.diagram.dot import text
from fwsm.diagram.graph import Graph, Way, sentence_of, way_of
from fwsm.diagram.overlay import Overlay
from tests.diagram.journeys import GOOD, told

GRAPH = Graph.of(Lifecycle())
TEXT = text(GRAPH)
EDGE = re.compile(r'    "(?P<source>\S+)" -> "(?P<target>\S+)" \[label="(?P<label>[^"]*)"(?P<style>[^\]]*)\];')


def test_every_line_is_whole() -> None:
    """Each line is a statement, or opens or closes a block."""
    assert TEXT.startswith("digraph lifecycle {\n")
    assert TEXT.endswith("\n}\n")
    assert TEXT.count("{") == TEXT.count("}")
    for line in TEXT.splitlines():
        assert line.endswith((";", "{", "}"))
        assert line.count('"') % 2 == 0


def test_every_state_is_a_node() -> None:
    """Each state is declared; those of `applying` stand in its cluster."""
    for state in State:
        assert f'"{state}" [label="{state.substatus or state.status}"' in TEXT
    cluster = TEXT.partition("subgraph cluster_applying {")[2].partition("}")[0]
    assert set(re.findall(r'"(applying\.\w+)" \[', cluster)) == {s.value for s in State if s.status == "applying"}


def test_every_row_is_on_an_edge_of_its_style() -> None:
    """Facts are solid, restarts dashed, commands dotted."""
    said = set()
    for match in map(EDGE.fullmatch, TEXT.splitlines()):
        if match:
            style = next((name for name in ("dashed", "dotted") if name in match["style"]), "solid")
            said |= {(match["source"], match["target"], one.strip(), style) for one in match["label"].split("\\n")}
    styles = {Way.FACT: "solid", Way.RESTART: "dashed", Way.COMMAND: "dotted"}
    assert said == {
        (row.source.value, row.target.value, sentence_of(row), styles[way_of(row.trigger)])
        for row in GRAPH.rows
        if row.target
    }


def test_settled_states_have_a_double_border() -> None:
    """The end is seen at the node."""
    doubled = set(re.findall(r'"(\S+)" \[label="\w+", peripheries=2\]', TEXT))
    assert doubled == {state.value for state in State if state.settled}


def test_a_device_is_shown() -> None:
    """Counts at nodes and at the way that was taken; the state lit; what was never reached grey."""
    journey = told(*GOOD[:2], (9.0, Trigger.RESTARTED, State.DOWNLOADING), now_s=10, version='"2\\')
    drawn = text(GRAPH, Overlay.of(journey, current=True, history=True))
    assert 'label="Update 0c8e88e7 to \\"2\\\\, as of 2026-05-04 12:00:10 UTC"; labelloc=t;' in drawn
    (node,) = (line for line in drawn.splitlines() if line.strip().startswith('"downloading" ['))
    assert '"downloading\\n1\N{MULTIPLICATION SIGN} 9.0 s\\n1 restart\\nhere\\nsince 2026-05-04 12:00:01 UTC' in node
    assert 'fillcolor="#b6e3ff"' in node
    again = [line for line in drawn.splitlines() if line.strip().startswith('"downloading" -> "downloading"')]
    assert [("penwidth=3" in line, "8.0 s" in line, "dashed" in line) for line in again] == [
        (False, False, False),
        (True, True, True),
    ]
    assert '"applyFailed" [label="applyFailed", peripheries=2, color="#b6bec8"' in drawn


def test_quotes_are_balanced_whatever_a_device_says() -> None:
    """No version breaks out of its string."""
    journey = told(*GOOD, version='x"]; "y\\')
    for line in text(GRAPH, Overlay.of(journey, current=True, history=True)).splitlines():
        assert re.sub(r"\\.", "", line).count('"') % 2 == 0
