"""The capture of a program in a terminal: it is one to the program, and what is written is kept with its time."""

from __future__ import annotations

import sys

import pytest

from docs.recording.capture import Size, capture

SIZE = Size(40, 5)


def test_the_program_has_a_terminal_of_the_size_that_was_asked_for() -> None:
    """It may ask; variables that would say otherwise are not handed on."""
    program = "import os, sys; print(sys.stdout.isatty(), *os.get_terminal_size(), 'NO_COLOR' in os.environ)"
    ran = capture([sys.executable, "-c", program], SIZE)
    assert "".join(written.text for written in ran.written) == "True 40 5 False\r\n"
    assert ran.code == 0


def test_what_is_written_has_its_time_and_whole_characters() -> None:
    """In order, not before it was written; a character that comes in two pieces is one."""
    program = r"""if True:
        import sys, threading
        for piece in (b"one \xe2", b"\x98\x83 two"):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            threading.Event().wait(0.2)
    """
    ran = capture([sys.executable, "-c", program], SIZE)
    assert "".join(written.text for written in ran.written) == "one ☃ two"
    times = [written.at_s for written in ran.written if written.text]
    assert times == sorted(times)
    assert times[-1] >= 0.2


def test_a_program_that_fails_is_known_by_its_code() -> None:
    """So that its picture is not kept."""
    assert capture([sys.executable, "-c", "raise SystemExit(3)"], SIZE).code == 3
    with pytest.raises(FileNotFoundError):
        capture(["/no/such/program"], SIZE)
