from __future__ import annotations

import re

import pytest

from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.diagram.graph import Graph, Way, sentence_of
from fwsm.diagram.mermaid import MARKS, full, outline
from fwsm.diagram.overlay import Overlay
from tests.diagram.journeys import GOOD, told

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


def test_a_device_is_shown() -> None:
    """Its counts in states, at edges and in notes; where it stands in a note and in colour."""
    journey = told(*GOOD[:4], now_s=10, reason='a "reason": #1;\nend note', version="2; %% x")
    drawn = full(GRAPH.including(journey), Overlay.of(journey, current=True, history=True))
    assert 'title: "Update 0c8e88e7 to 2 x, as of 2026-05-04 12:00:10 UTC"' in re.sub(" +", " ", drawn)
    assert 'state "downloading<br/>1\N{MULTIPLICATION SIGN} 9.0 s<br/>2 tries, 1 restart" as downloading' in drawn
    assert "waiting --> downloading : <b>1\N{MULTIPLICATION SIGN} 1.0 s</b><br/>policy_allowed\n" in drawn
    assert "note left of downloading\n        taken 2\N{MULTIPLICATION SIGN} 8.0 s\n        again on\n" in drawn
    here = drawn.partition("note right of downloading\n")[2].partition("    end note")[0]
    assert here.split("\n")[0].strip() == "here"
    assert "end note" not in here
    assert "    class downloading here\n" in drawn
    assert "    class applyFailed missed\n" in drawn
    assert drawn.count("classDef here fill:") == 1


def test_a_strange_step_is_drawn_where_it_was_seen() -> None:
    """As a child of `applying`, with the way there."""
    journey = told(*GOOD[:6], (31, Trigger.STEP_DONE, "applying.backingUp"), (32, "dreamt", "applying.dreaming"))
    drawn = full(GRAPH.including(journey), Overlay.of(journey, current=True, history=False))
    inside = drawn.partition("state applying {")[2].partition("}")[0]
    assert 'state "backingUp" as applying_backingUp' in inside
    assert 'state "dreaming" as applying_dreaming' in inside
    assert "applying_installing --> applying_backingUp : step_done\n" in drawn
    assert "class applying_dreaming here" in drawn
