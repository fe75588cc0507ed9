"""The boot pointer: its moves, and its form on disk."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.update import Artifact
from fwsm.device.installers.pointer import BootPointer, Mark, Slot

OLD = Slot(mark=Mark.GOOD, image=Artifact(sha256="0" * 64, bytes=1))
NEW = Slot(image=Artifact(sha256="1" * 64, bytes=2), version="2.0", update_id="u1")
START = BootPointer(boot_id="boot-1", booted="a", primary="a", slots={"a": OLD, "b": Slot()})
ON_TRIAL = START.writing("b", NEW).activated("b", 2)


def test_a_slot_that_is_written_is_not_booted() -> None:
    """From the beginning of an installation until it is activated the target is no candidate."""
    assert START.writing("b", NEW).candidates == ("a",)
    assert START.writing("b", NEW).slots["b"] == replace(NEW, mark=Mark.WRITING)


def test_writing_ends_the_trial_before() -> None:
    """A new installation over an activated image takes the activation back."""
    again = ON_TRIAL.writing("b", NEW)
    assert (again.trial, again.tries_left, again.candidates) == (None, 0, ("a",))


def test_an_activated_slot_is_tried_first() -> None:
    """A trial comes before the primary slot as long as it has tries."""
    assert ON_TRIAL.candidates == ("b", "a")


def test_each_boot_of_a_trial_costs_a_try() -> None:
    """A trial that is never confirmed is over after its tries; then the old image runs and the new one is bad."""
    first = ON_TRIAL.after_boot("b", "boot-2")
    second = first.after_boot("b", "boot-3")
    assert (first.tries_left, second.tries_left) == (1, 0)
    assert second.candidates == ("a", "b")
    third = second.after_boot("a", "boot-4")
    assert (third.booted, third.primary, third.trial, third.slots["b"].mark) == ("a", "a", None, Mark.BAD)


def test_a_trial_that_is_passed_over_is_bad() -> None:
    """A loader that does not accept the trial slot boots the old one and does not try again."""
    after = ON_TRIAL.after_boot("a", "boot-2")
    assert (after.trial, after.tries_left, after.slots["b"].mark) == (None, 0, Mark.BAD)


def test_confirmed_is_primary_and_good() -> None:
    """A confirmed slot is booted from then on; the old one stays as something to go back to."""
    confirmed = ON_TRIAL.after_boot("b", "boot-2").confirmed()
    assert (confirmed.primary, confirmed.trial, confirmed.slots["b"].mark) == ("b", None, Mark.GOOD)
    assert confirmed.candidates == ("b", "a")


def test_rolled_back_is_not_tried_again() -> None:
    """What was rolled back is bad, and the other slot is booted."""
    back = ON_TRIAL.after_boot("b", "boot-2").rolled_back("b")
    assert (back.booted, back.primary, back.trial, back.slots["b"].mark) == ("b", "a", None, Mark.BAD)
    assert not back.settled
    assert back.after_boot("a", "boot-3").settled


def test_rolling_back_half_an_image_does_not_make_it_bootable() -> None:
    """A slot that was left half-written stays marked as being written."""
    assert START.writing("b", NEW).rolled_back("b").slots["b"].mark is Mark.WRITING


def test_a_rotten_primary_is_given_up() -> None:
    """When only the other slot can be booted it becomes the primary one, so that it can be updated from."""
    confirmed = ON_TRIAL.after_boot("b", "boot-2").confirmed()
    after = confirmed.after_boot("a", "boot-3")
    assert (after.booted, after.primary, after.slots["b"].mark) == ("a", "a", Mark.BAD)


def test_what_ran_before_stays_good_over_a_reboot() -> None:
    """A reboot into the primary slot says nothing about the other one."""
    confirmed = ON_TRIAL.after_boot("b", "boot-2").confirmed()
    assert confirmed.after_boot("b", "boot-3").slots["a"].mark is Mark.GOOD


def test_the_running_slot_is_looked_at_first() -> None:
    """If both slots hold what one update brought, the running one is meant."""
    both = replace(ON_TRIAL, slots={"a": replace(OLD, update_id="u1"), "b": NEW})
    assert both.slot_of("u1") == "a"
    assert both.slot_of("u2") is None


@pytest.mark.parametrize("pointer", [START, ON_TRIAL, ON_TRIAL.numbered(7)])
def test_what_is_written_can_be_read(pointer: BootPointer) -> None:
    """The form on disk keeps everything, the number of the write as well."""
    decoded = BootPointer.decoded(pointer.encoded())
    assert decoded == pointer
    assert decoded is not None
    assert decoded.sequence == pointer.sequence


def test_a_pointer_that_is_cut_off_counts_as_damaged() -> None:
    """Whatever length is left, it is not taken for a pointer; only the last line end may be missing."""
    data = ON_TRIAL.encoded()
    assert {BootPointer.decoded(data[:length]) for length in range(len(data) - 1)} == {None}


@given(at=st.integers(0, len(ON_TRIAL.encoded()) - 2), bit=st.integers(0, 7))
def test_a_flipped_bit_shows(at: int, bit: int) -> None:
    """No single flipped bit gives another pointer."""
    data = bytearray(ON_TRIAL.encoded())
    data[at] ^= 1 << bit
    assert BootPointer.decoded(bytes(data)) is None


@given(st.binary())
def test_garbage_is_no_pointer(data: bytes) -> None:
    """Any other content counts as damaged, and raises nothing."""
    assert BootPointer.decoded(data) is None


def test_a_whole_file_of_another_make_is_no_pointer() -> None:
    """A right checksum over something else does not make it a pointer."""
    line = START.encoded().replace(b'"booted"', b'"bottled"').splitlines()[1]
    assert BootPointer.decoded(_sealed(line)) is None
    assert BootPointer.decoded(_sealed(b"[1, 2]")) is None


def _sealed(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"
