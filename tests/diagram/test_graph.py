from __future__ import annotations

from collections import defaultdict
from functools import partial

from fwsm.core.lifecycle import TABLE, Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.diagram.graph import Composite, Graph, Way, effects_of, guards_of, sentence_of, way_of

LIFECYCLE = Lifecycle()
GRAPH = Graph.of(LIFECYCLE)


def _guard(condition: object) -> str:
    """The name of the guard that the machine asks."""
    assert isinstance(condition, partial)
    name = condition.args[0].__name__
    assert isinstance(name, str)
    return name


def test_graph_has_the_rows_of_the_machine_in_its_order() -> None:
    """For each trigger and source the machine tries the same guards for the same targets as the drawn rows say."""
    drawn = defaultdict(list)
    for row in GRAPH.rows:
        drawn[row.trigger.value, row.source.value].append((row.target.value if row.target else None, guards_of(row)))
    runs = {
        (name, source): [(way.dest, tuple(_guard(condition.func) for condition in way.conditions)) for way in ways]
        for name, event in LIFECYCLE.machine.events.items()
        for source, ways in event.transitions.items()
    }
    assert dict(drawn) == runs


def test_graph_has_the_states_of_the_machine() -> None:
    """The drawn states are those that the machine can be in, and it starts where the machine starts."""
    parents = {place.name for place in GRAPH.places if isinstance(place, Composite)}
    assert set(GRAPH.states) | parents == set(LIFECYCLE.machine.get_nested_state_names())
    assert set(GRAPH.states) == set(State)
    assert LIFECYCLE.machine.initial == GRAPH.initial


def test_children_stand_inside_their_parent() -> None:
    """`applying` is the one state that is only entered through children."""
    assert [place for place in GRAPH.places if isinstance(place, Composite)] == [
        Composite("applying", (State.INSTALLING, State.REBOOTING, State.CONFIRMING, State.ROLLING_BACK))
    ]


def test_every_row_that_leads_somewhere_is_on_one_edge() -> None:
    """Edges merge the rows between two states and lose none; rows that change nothing are on none."""
    on_edges = [row for edge in GRAPH.edges for row in edge.rows]
    assert sorted(map(TABLE.index, on_edges)) == [number for number, row in enumerate(TABLE) if row.target]
    pairs = [(edge.source, edge.target) for edge in GRAPH.edges]
    assert len(set(pairs)) == len(pairs)


def test_edge_keeps_the_order_of_the_table() -> None:
    """Rows of one edge stand in the order in which they are tried."""
    for edge in GRAPH.edges:
        order = [TABLE.index(row) for row in edge.rows]
        assert order == sorted(order)


def test_ways_tell_restarts_and_commands_from_facts() -> None:
    """Each trigger belongs to one way, and an edge to the first way that one of its rows is."""
    assert {trigger for trigger in Trigger if way_of(trigger) is Way.RESTART} == {Trigger.RESTARTED}
    assert {trigger for trigger in Trigger if way_of(trigger) is Way.COMMAND} == {
        Trigger.CANCELLED,
        Trigger.SUPERSEDED,
        Trigger.RETRY_REQUESTED,
    }
    ways = {(edge.source, edge.target): edge.way for edge in GRAPH.edges}
    assert ways[State.WAITING, State.DOWNLOADING] is Way.FACT
    assert ways[State.WAITING, State.DOWNLOAD_FAILED] is Way.RESTART
    assert ways[State.APPLY_FAILED, State.WAITING] is Way.COMMAND
    assert ways[State.REBOOTING, State.CONFIRMING] is Way.RESTART
    assert ways[State.DOWNLOADING, State.DOWNLOAD_FAILED] is Way.FACT


def test_ways_share_out_an_edge() -> None:
    """The rows of an edge along all ways are all its rows."""
    for edge in GRAPH.edges:
        assert sorted(map(TABLE.index, edge.rows)) == sorted(TABLE.index(row) for way in Way for row in edge.along(way))


def test_sentence_names_trigger_and_guards() -> None:
    """A row reads `trigger [guard, guard]`, or just the trigger."""
    sentences = [sentence_of(row) for row in GRAPH.rows_from(State.DOWNLOADING)]
    assert "download_failed [cause_transient, attempts_left]" in sentences
    assert "download_verified" in sentences


def test_effects_stand_in_a_fixed_order() -> None:
    """Effects are a set in the table, and a list in the order of their declaration in every drawing."""
    both = next(row for row in GRAPH.rows_from(State.REBOOTING) if row.target is State.APPLY_FAILED)
    assert effects_of(both) == ("restart + 1", "old firmware runs")
