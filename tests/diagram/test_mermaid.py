from __future__ import annotations

import re

import pytest

from fwsm.core.lifecycle import Lifecycle
from fwsm.core.update import State
from fwsm.diagram.graph import Graph, Way, sentence_of
from fwsm.diagram.mermaid import MARKS, full, outline

GRAPH = Graph.of(Lifecycle())
BOTH = pytest.mark.parametrize("text", [full(GRAPH), outline(GRAPH)], ids=["full", "outline"])

ID = r"[A-Za-z_]+"
STATEMENTS = re.compile(
    rf"%% .*|state \"{ID}\" as {ID}|state {ID} {{|}}|\[\*\] --> {ID}|{ID} --> \[\*\]|{ID} --> {ID} : [^:;\#]+"
    rf"|note left of {ID}|end note|classDef {ID} \S+|class {ID} {ID}"
)


@BOTH
def test_every_line_is_a_statement_of_a_state_diagram(text: str) -> None:
    """After the front matter come only statements of the grammar, with ids without dots."""
    head, body = text.splitlines()[:4], text.splitlines()[4:]
    assert head == ["---", "title: Lifecycle of a firmware update", "---", "stateDiagram-v2"]
    in_note = False
    for line in map(str.strip, body):
        if line == "end note":
            in_note = False
        assert in_note or STATEMENTS.fullmatch(line), line
        in_note = in_note or line.startswith("note ")


@BOTH
def test_every_state_is_declared_once(text: str) -> None:
    """Each state has one declaration, those of `applying` inside it."""
    declared = re.findall(rf'state "{ID}" as ({ID})', text)
    assert sorted(declared) == sorted(state.replace(".", "_") for state in State)
    inside = text.partition("state applying {")[2].partition("}")[0]
    assert inside.count("state ") == sum(state.status == "applying" for state in State)


def test_full_says_every_row_that_leads_somewhere() -> None:
    """Each sentence stands at its edge, or in the note of the state that is entered again."""
    text = full(GRAPH)
    for edge in GRAPH.edges:
        source, target = edge.source.replace(".", "_"), edge.target.replace(".", "_")
        opening, end = (f"note left of {source}\n", "end note") if edge.again else (f"{source} --> {target} : ", "\n")
        said = text.partition(opening)[2].partition(end)[0]
        for row in edge.rows:
            assert sentence_of(row) in said


def test_outline_has_every_way_between_two_states() -> None:
    """What is left out of the short form are rows, never a connection."""
    arrows = set(re.findall(rf"({ID}) --> ({ID}) :", outline(GRAPH)))
    assert arrows == {
        (edge.source.replace(".", "_"), edge.target.replace(".", "_")) for edge in GRAPH.edges if not edge.again
    }


@BOTH
def test_restarts_and_commands_are_marked(text: str) -> None:
    """A trigger that is no fact carries its mark."""
    assert f"{MARKS[Way.COMMAND]}cancelled" in text
    assert f"{MARKS[Way.RESTART]}restarted" in text
    assert f"{MARKS[Way.FACT]}policy_allowed" in text
    assert not re.search(r"(?<!» )cancelled", text)
    assert not re.search(r"(?<!↻ )restarted", text)


def test_start_and_end_are_marked() -> None:
    """An update starts in waiting and ends, in the full form, in each settled state."""
    ends = set(re.findall(rf"({ID}) --> \[\*\]", full(GRAPH)))
    assert ends == {state.value for state in State if state.settled}
    assert "[*] --> waiting\n" in full(GRAPH)
    assert re.findall(rf"({ID}) --> \[\*\]", outline(GRAPH)) == ["applyComplete"]
