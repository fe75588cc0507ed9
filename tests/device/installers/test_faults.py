"""What the operating system refuses, as errors of ours."""

from __future__ import annotations

import errno
import os

import pytest

from fwsm.device.installers.faults import translated
from fwsm.errors import FwsmError, Kind, NoSpaceError, SlotError


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EFBIG, NoSpaceError),
        (errno.EIO, SlotError),
        (errno.EROFS, SlotError),
        (errno.EACCES, SlotError),
    ],
)
def test_the_number_decides_the_error(number: int, expected: type[FwsmError]) -> None:
    """A full disk is another error than a broken one; each says what, why and what to do."""
    with pytest.raises(expected) as caught, translated("write slot b"):
        raise OSError(number, os.strerror(number), "/slots/b.img")
    error = caught.value
    assert type(error) is expected
    assert error.what == "cannot write slot b"
    assert error.why == f"{os.strerror(number)} (/slots/b.img)"
    assert error.fix


def test_a_full_disk_needs_a_person() -> None:
    """Trying again by itself does not make room."""
    with pytest.raises(NoSpaceError) as caught, translated("write slot b"):
        raise OSError(errno.ENOSPC, "no space")
    assert caught.value.kind is Kind.NEEDS_OPERATOR


def test_other_errors_pass() -> None:
    """What is no answer of the operating system is not ours to translate."""
    with pytest.raises(ZeroDivisionError), translated("write slot b"):
        raise ZeroDivisionError
