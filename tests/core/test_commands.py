"""The table of commands: every cell, and that the lifecycle agrees with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fwsm.core.commands import NO_UPDATE, TABLE, Answer, Command, Outcome, asked_for, decide
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import Request, State, Update

PLAIN = Lifecycle()
UPDATE = Update(id="u1", request=Request("https://h/f", "0" * 64, "1"), state=State.WAITING, boot_id="b")
STATES = (None, *State)
REQUESTS = {Command.NEW_UPDATE, Command.SAME_UPDATE, Command.OTHER_UPDATE}
OF_COMMANDS = {Trigger.CANCELLED, Trigger.SUPERSEDED, Trigger.RETRY_REQUESTED}

# Written down once more, by what an operator wants, and not as the table is.
LOADING = {State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE}
APPLYING = {State.INSTALLING, State.REBOOTING, State.CONFIRMING, State.ROLLING_BACK}
FAILED = {State.DOWNLOAD_FAILED, State.APPLY_FAILED}


def in_state(state: State | None) -> Update | None:
    """An update there."""
    return None if state is None else replace(UPDATE, state=state)


def expected(state: State | None, command: Command) -> tuple[int, Outcome]:
    """What an operator would want."""
    accepted, refused = (200, Outcome.ACCEPTED), (409, Outcome.REFUSED)
    another = accepted if state in FAILED | {State.APPLY_COMPLETE} else (200, Outcome.SUPERSEDED)
    wanted = {
        Command.NEW_UPDATE: accepted,
        Command.SAME_UPDATE: accepted if state in FAILED else (200, Outcome.SAME),
        Command.OTHER_UPDATE: refused if state in APPLYING else another,
        Command.CANCEL: (200, Outcome.CANCELLED) if state in LOADING else refused,
        Command.RETRY: (200, Outcome.WAITING_AGAIN) if state in FAILED else refused,
        Command.STATUS: (200, Outcome.SHOWN),
        Command.DESIRED_REMOVED: (200, Outcome.CANCELLED if state in LOADING else Outcome.NOTHING),
    }
    if command in REQUESTS and (state is None) is not (command is Command.NEW_UPDATE):
        return 200, Outcome.IMPOSSIBLE
    return wanted[command]


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("state", STATES)
def test_every_cell(state: State | None, command: Command) -> None:
    """In each state, each child of applying included, each command has the answer that an operator would want."""
    answer = decide(in_state(state), command)
    assert (answer.status, answer.outcome) == expected(state, command)
    assert bool(answer.why) is bool(answer.fix) is (answer.outcome is Outcome.REFUSED)


def test_what_is_refused_has_a_name_that_fits_into_a_sentence() -> None:
    """No key of the table is told to an operator."""
    refused = {command.said for (_, command), answer in TABLE.items() if answer.outcome is Outcome.REFUSED}
    assert refused == {"another update", "a cancel", "a retry"}


def test_the_table_has_nothing_else() -> None:
    """One cell for each status and command, and a row for a device without an update."""
    rows = {NO_UPDATE, *(state.status for state in State)}
    assert set(TABLE) == {(row, command) for row in rows for command in Command}


@pytest.mark.parametrize("command", Command)
def test_what_an_extension_adds_to_applying_is_applying(command: Command) -> None:
    """The point of no return lies before all of it."""
    added = replace(UPDATE, state=State.child("warmingUp"))
    assert decide(added, command) == decide(in_state(State.INSTALLING), command)


@pytest.mark.parametrize("state", State)
def test_the_lifecycle_agrees(state: State) -> None:
    """A state has a row for a command's fact exactly if the table of commands lets a command lead there."""
    wanted = {decide(in_state(state), command).outcome.trigger for command in Command} - {None}
    assert wanted == PLAIN.known(state) & OF_COMMANDS


def test_the_lifecycle_knows_no_command_that_the_table_does_not() -> None:
    """All three facts are somebody's outcome."""
    assert {outcome.trigger for outcome in Outcome} - {None} == OF_COMMANDS


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "request_",
    [
        UPDATE.request,
        replace(UPDATE.request, uri="https://h/g"),
        replace(UPDATE.request, sha256=None),
        replace(UPDATE.request, version="2"),
    ],
)
def test_a_request_never_meets_an_impossible_cell(state: State | None, request_: Request) -> None:
    """It is the same, another one, or the first."""
    command = asked_for(in_state(state), request_)
    assert command in REQUESTS
    assert (command is Command.SAME_UPDATE) == (state is not None and request_ == UPDATE.request)
    assert decide(in_state(state), command).outcome is not Outcome.IMPOSSIBLE


def test_a_refusal_is_a_conflict() -> None:
    """For whoever looks at the number only."""
    assert Answer(Outcome.REFUSED).status == 409
    assert Answer(Outcome.SHOWN).status == 200
