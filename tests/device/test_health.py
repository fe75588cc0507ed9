"""Health checks by command: what counts as healthy, and what happens to programs that misbehave."""

from __future__ import annotations

import os
import select
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Request, State, Update
from fwsm.device.health import command_check
from fwsm.errors import ConfigError, HealthError
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

UPDATE = Update(
    id="u1",
    request=Request("https://images.example/one.img", version="2.0"),
    state=State.CONFIRMING,
    boot_id="boot",
    target_slot="b",
)


def shell(script: str) -> list[str]:
    """A program that does anything."""
    return ["/bin/sh", "-c", script]


def dies(pid: int) -> bool:
    """Whether a process is gone, or about to be: a signal that was sent takes a moment."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE_S)[0])
    finally:
        os.close(descriptor)


def test_status_0_is_healthy() -> None:
    """A program that ends with 0 raises nothing, and can be asked again."""
    check = command_check(shell("echo all is well"), PATIENCE_S)
    check(UPDATE)
    check(UPDATE)


def test_any_other_status_is_not() -> None:
    """The error names the program, the status, the last line that says something, and what to do."""
    with pytest.raises(HealthError) as caught:
        command_check(shell("echo starting; echo 'no answer from modem' >&2; echo; exit 3"), PATIENCE_S)(UPDATE)
    error = caught.value
    assert error.what == "the health command /bin/sh failed"
    assert error.why == "it ended with status 3; its last words: no answer from modem"
    assert error.fix


def test_a_silent_failure_has_no_last_words() -> None:
    """Without output the status is all that there is to say."""
    with pytest.raises(HealthError) as caught:
        command_check(shell("exit 1"), PATIENCE_S)(UPDATE)
    assert caught.value.why == "it ended with status 1"


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (9, "SIGKILL"), (40, "signal 40")])
def test_a_crash_names_its_signal(number: int, name: str) -> None:
    """A program that a signal ended is not healthy."""
    with pytest.raises(HealthError, match=f"it was killed by {name}"):
        command_check([sys.executable, "-c", f"import os; os.kill(os.getpid(), {number})"], PATIENCE_S)(UPDATE)


def test_the_program_knows_what_it_checks(tmp_path: Path) -> None:
    """Update, slot and version are in its environment."""
    out = tmp_path / "out"
    command_check(shell(f'echo "$FWSM_UPDATE_ID $FWSM_SLOT $FWSM_VERSION" > {out}'), PATIENCE_S)(UPDATE)
    assert out.read_text() == "u1 b 2.0\n"


def test_what_is_not_known_is_empty(tmp_path: Path) -> None:
    """Without slots or a version the variables are there, and empty."""
    out = tmp_path / "out"
    unknown = replace(UPDATE, target_slot=None, request=Request("https://images.example/one.img"))
    command_check(shell(f'echo "${{FWSM_SLOT-unset}}${{FWSM_VERSION-unset}}" > {out}'), PATIENCE_S)(unknown)
    assert out.read_text() == "\n"


def test_the_key_of_the_device_stays_here(tmp_path: Path) -> None:
    """A program that the device starts sees its environment, but not its connection string."""
    out = tmp_path / "out"
    check = command_check(shell(f'echo "${{FWSM_CONNECTION_STRING-none}} $FWSM_TEST_MARK" > {out}'), PATIENCE_S)
    os.environ |= {"FWSM_CONNECTION_STRING": "SharedAccessKey=secret", "FWSM_TEST_MARK": "seen"}
    try:
        check(UPDATE)
    finally:
        del os.environ["FWSM_CONNECTION_STRING"], os.environ["FWSM_TEST_MARK"]
    assert out.read_text() == "none seen\n"


def test_there_is_no_shell_in_between(tmp_path: Path) -> None:
    """Arguments arrive as they are, whatever a shell would make of them."""
    out = tmp_path / "out"
    argument = "$(id) `id` ; * 'x'"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    command_check([sys.executable, "-c", script, str(out), argument], PATIENCE_S)(UPDATE)
    assert out.read_text() == argument


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    """A wrong path or a file that is no program is an error of ours that names the setting."""
    plain = tmp_path / "plain"
    plain.touch(0o644)
    for program, why in {tmp_path / "nowhere": "No such file", plain: "Permission denied"}.items():
        with pytest.raises(HealthError, match=f"{program} cannot be started: {why}.*health_command"):
            command_check([str(program)], PATIENCE_S)(UPDATE)


@pytest.mark.parametrize("argv", [[], [""]])
def test_no_program_is_refused_at_once(argv: list[str]) -> None:
    """An empty command is found when the check is made, not when firmware is waiting for it."""
    with pytest.raises(ConfigError, match="empty"):
        command_check(argv, PATIENCE_S)


def test_no_time_is_refused_at_once() -> None:
    """A time limit of nothing would reject every firmware."""
    with pytest.raises(ConfigError, match="0 s"):
        command_check(["true"], 0)


def test_a_program_that_hangs_is_ended() -> None:
    """After its time the program gets SIGTERM, and what it said then is reported."""
    script = "trap 'echo giving up; exit 0' TERM; echo waiting; while :; do sleep 0.05; done"
    limit_s, why = 0.1, ""
    while "waiting" not in why and "giving up" not in why and limit_s < PATIENCE_S:  # or it had hardly begun
        limit_s *= 3
        with pytest.raises(HealthError) as caught:
            command_check(shell(script), limit_s, grace_s=PATIENCE_S)(UPDATE)
        why = caught.value.why
    assert why == f"it did not end within {limit_s:g} s; its last words: giving up"


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """It and its children are gone when the check returns."""
    out = tmp_path / "pids"
    script = f"trap '' TERM; sleep 600 & echo $$ $! > {out}; while :; do sleep 600; done"
    limit_s = 0.1
    while not (out.exists() and out.read_text()) and limit_s < PATIENCE_S:  # or it had hardly begun
        limit_s *= 3
        with pytest.raises(HealthError, match="did not end within"):
            command_check(shell(script), limit_s, grace_s=0.1)(UPDATE)
    pids = [int(pid) for pid in out.read_text().split()]
    assert len(pids) == 2
    assert all(dies(pid) for pid in pids)


def test_a_child_that_stays_behind_holds_nothing_up(tmp_path: Path) -> None:
    """The program's own end counts, though a child keeps its output open; the child is ended as well."""
    out = tmp_path / "pid"
    command_check(shell(f"sleep 600 & echo $! > {out}"), PATIENCE_S)(UPDATE)
    assert dies(int(out.read_text()))


def test_endless_output_neither_blocks_nor_fills_the_memory() -> None:
    """A program that floods its output is read to the end, and only the end is kept."""
    script = "import sys; [sys.stdout.write('x' * 65536) for _ in range(512)]; print(); print('the end'); sys.exit(4)"
    with pytest.raises(HealthError, match="ended with status 4; its last words: the end"):
        command_check([sys.executable, "-c", script], PATIENCE_S)(UPDATE)


def test_a_flood_does_not_outlast_the_time_limit() -> None:
    """A program that is always writing is ended like any other."""
    with pytest.raises(HealthError, match="did not end within"):
        command_check(["yes"], 0.2)(UPDATE)


def test_binary_output_is_made_fit_to_show() -> None:
    """Control characters and broken UTF-8 do not get into the report, and a long line is cut."""
    script = r"import sys; sys.stdout.buffer.write(b'\x1b[31mred\xff\x00' + b'y' * 1000); sys.exit(1)"
    with pytest.raises(HealthError) as caught:
        command_check([sys.executable, "-c", script], PATIENCE_S)(UPDATE)
    words = caught.value.why.partition("its last words: ")[2]
    assert words.startswith("[31mred\ufffd y")
    assert words.isprintable()
    assert len(words) == 200


def test_output_that_ends_early_is_no_end() -> None:
    """A program may close its output and go on; its status still counts."""
    with pytest.raises(HealthError, match="status 5"):
        command_check(shell("exec >&- 2>&-; sleep 0.2; exit 5"), PATIENCE_S)(UPDATE)
